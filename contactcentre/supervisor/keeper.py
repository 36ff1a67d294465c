"""Keeps the children running: their lines with a name in front, a new start for one that died, an orderly end.

One thread and one loop. The loop also runs while something is waited for, so that a server that dies during a
migration is started again like at any other time.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from contactcentre.supervisor.problem import Problem, Stopped
from contactcentre.supervisor.process import Child, Process, signal_group, spawn

# Seconds before the first, second, ... new start. A child that then lives STEADY_SECONDS begins at the front again.
BACKOFF = (0.2, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
STEADY_SECONDS = 30.0
# How soon a child is asked again whether it may start.
NOT_YET_SECONDS = 0.1
# A line that never ends is cut here, so that one child cannot fill our memory.
LINE_BYTES = 64 * 1024


@dataclass
class Kept:
    """A child and what became of it."""

    child: Child
    restart: bool
    process: Process | None = None
    started: float = 0.0
    deaths: int = 0  # in a row, without a steady life between
    due: float | None = None  # when to start (again); None: it runs, or never again
    exit_code: int | None = None
    unfinished: bytes = b""
    capture: list[str] | None = None


@dataclass
class Keeper:
    """Starts children, watches them, stops them. `line` gets (name, text) of each line a child writes, `say` what the
    supervisor itself has to tell, `changed` is called when the process ids changed."""

    line: Callable[[str, str], None]
    say: Callable[[str], None]
    changed: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, Kept] = field(default_factory=dict)
    _stop_asked: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    @contextmanager
    def listening(self, *, ignore: tuple[signal.Signals, ...] = ()) -> Iterator[None]:
        """Within it SIGINT, SIGTERM and SIGHUP ask for the end, and the end of a child wakes the loop."""
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        self._selector.register(near, selectors.EVENT_READ, None)

        def asked(_number: int, _frame: FrameType | None) -> None:
            self._stop_asked += 1

        def heard(_number: int, _frame: FrameType | None) -> None:
            """Only to have the signal written to the wake-up socket."""

        numbers = {signal.SIGINT: asked, signal.SIGTERM: asked, signal.SIGHUP: asked, signal.SIGCHLD: heard}
        numbers |= dict.fromkeys(ignore, heard)
        before = {number: signal.signal(number, handler) for number, handler in numbers.items()}
        waker = signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(waker)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.unregister(near)
            near.close()
            far.close()

    @property
    def pids(self) -> dict[str, int]:
        """The running children's process ids by name."""
        return {name: kept.process.pid for name, kept in self._kept.items() if kept.process is not None}

    @property
    def stop_asked(self) -> bool:
        return self._stop_asked > 0

    def start(self, child: Child, *, restart: bool = True) -> None:
        """Start `child` and keep it running (or, without `restart`, let it end once)."""
        kept = Kept(child=child, restart=restart, due=self.clock())
        self._kept[child.name] = kept
        self._start_due()

    def pid(self, name: str) -> int | None:
        """The process id of the child `name`, or None while it does not run."""
        kept = self._kept.get(name)
        return kept.process.pid if kept and kept.process else None

    def exit_code(self, name: str) -> int | None:
        """What the child `name` ended with (negative: the signal), or None if it runs or never ran."""
        kept = self._kept.get(name)
        return kept.exit_code if kept and kept.process is None else None

    def wait_for(self, ready: Callable[[], bool], *, what: str, seconds: float, look: float = 0.05) -> None:
        """Run the loop until `ready()`, asked every `look` seconds and after whatever a child does. Raises Problem
        after `seconds`, Stopped when asked to stop."""
        deadline = self.clock() + seconds
        while not ready():
            if self.stop_asked:
                raise Stopped
            if self.clock() > deadline:
                raise Problem(f"{what} was not ready within {seconds:.0f} s; see the lines above.")
            self.turn(look)

    def run_once(self, child: Child, *, capture: bool = False, seconds: float) -> tuple[int, str]:
        """Run `child` to its end and give back its exit code and, with `capture`, what it wrote (else it is shown
        line by line). Raises Problem after `seconds`, Stopped when asked to stop."""
        self.start(child, restart=False)
        kept = self._kept[child.name]
        kept.capture = [] if capture else None
        self.wait_for(lambda: kept.exit_code is not None, what=child.name, seconds=seconds, look=1.0)
        del self._kept[child.name]
        return (kept.exit_code or 0, "\n".join(kept.capture or []))

    def keep(self) -> None:
        """Run the loop until asked to stop."""
        while not self.stop_asked:
            self.turn(1.0)

    def turn(self, seconds: float) -> None:
        """One turn of the loop: show lines, notice deaths, start what is due. Waits `seconds` at most."""
        if not self.stop_asked:
            now = self.clock()
            dues = [kept.due - now for kept in self._kept.values() if kept.due is not None]
            seconds = max(0.0, min([seconds, *dues]))
        for key, _ in self._selector.select(seconds):
            kept = key.data
            if kept is None:
                while _drain(key.fileobj):
                    pass
            else:
                self._read(kept)
        self._reap()
        self._start_due()

    # ------------------------------------------------------------------ starting and dying

    def _start_due(self) -> None:
        if self.stop_asked:
            return
        for kept in list(self._kept.values()):
            if kept.due is None or kept.due > self.clock():
                continue
            if not kept.child.may_start():
                kept.due = self.clock() + NOT_YET_SECONDS
                continue
            kept.due = None
            kept.started = self.clock()
            try:
                kept.process = spawn(kept.child)
            except OSError as error:
                if not kept.restart:
                    raise Problem(f"{kept.child.name} cannot be started: {error}") from None
                self._died(kept, f"cannot be started: {error}")
                continue
            kept.exit_code = None
            if kept.process.stdout is not None:
                os.set_blocking(kept.process.stdout.fileno(), False)
                self._selector.register(kept.process.stdout, selectors.EVENT_READ, kept)
            self.changed()

    def _reap(self) -> None:
        for kept in list(self._kept.values()):
            process = kept.process
            if process is None or process.poll() is None:
                continue
            self._forget(kept, process)
            if self.stop_asked or not kept.restart:
                self.changed()
            else:
                self._died(kept, f"ended ({_ending(process.returncode)})")

    def _forget(self, kept: Kept, process: Process) -> None:
        if kept.child.piped:
            # Whatever it started and left behind goes with it: a new one must not meet the old one's children.
            signal_group(process, signal.SIGKILL)
        if process.stdout is not None:
            self._read(kept)
            if kept.unfinished:
                self._show(kept, kept.unfinished)
                kept.unfinished = b""
            if process.stdout in self._selector.get_map():
                self._selector.unregister(process.stdout)
            process.stdout.close()
        kept.exit_code = process.returncode
        kept.process = None

    def _died(self, kept: Kept, how: str) -> None:
        if self.clock() - kept.started > STEADY_SECONDS:
            kept.deaths = 0
        wait = BACKOFF[min(kept.deaths, len(BACKOFF) - 1)]
        kept.deaths += 1
        kept.due = self.clock() + wait
        again = "" if kept.deaths == 1 else f", start {kept.deaths + 1} in a row"
        self.say(f"{kept.child.name} {how}; starting it again in {wait:g} s{again}")
        self.changed()

    # ------------------------------------------------------------------ lines

    def _read(self, kept: Kept) -> None:
        if kept.process is None or kept.process.stdout is None:
            return
        while True:
            try:
                part = os.read(kept.process.stdout.fileno(), LINE_BYTES)
            except BlockingIOError:
                return
            if not part:
                if kept.process.stdout in self._selector.get_map():
                    self._selector.unregister(kept.process.stdout)
                return
            *lines, kept.unfinished = (kept.unfinished + part).split(b"\n")
            for line in lines:
                self._show(kept, line)
            if len(kept.unfinished) >= LINE_BYTES:
                self._show(kept, kept.unfinished)
                kept.unfinished = b""

    def _show(self, kept: Kept, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace").rstrip("\r")
        if kept.capture is not None:
            kept.capture.append(text)
        elif text.strip() and not any(words in text for words in kept.child.hides):
            self.line(kept.child.name, text)

    # ------------------------------------------------------------------ the end

    def stop(self) -> None:
        """Stop every child, the highest stage first, each with its own signal and patience, then by force. Asked to
        stop once more meanwhile, force follows at once."""
        already = self._stop_asked
        self._stop_asked = max(1, self._stop_asked)
        for stage in sorted({kept.child.stage for kept in self._kept.values()}, reverse=True):
            running = [kept for kept in self._kept.values() if kept.process and kept.child.stage == stage]
            for kept in running:
                # To its first process only: that one ends its own children in the order it knows to be right.
                _signal(kept.process, kept.child.stop_signal)
            asked = self.clock()
            while any(kept.process for kept in running):
                impatient = self._stop_asked > max(1, already)
                for kept in running:
                    if kept.process and (impatient or self.clock() - asked > kept.child.stop_seconds):
                        _signal(kept.process, signal.SIGKILL)
                self.turn(0.1)


def _signal(process: Process | None, number: signal.Signals) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(number)


def _drain(wakened: object) -> bool:
    try:
        return isinstance(wakened, socket.socket) and bool(wakened.recv(4096))
    except BlockingIOError:
        return False


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
