"""`with`: PostgreSQL and Valkey for the time of one command."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from contactcentre.supervisor import environment, keys, leftovers, lock, ports, privileges, servers
from contactcentre.supervisor.keeper import Keeper
from contactcentre.supervisor.problem import Problem, Stopped
from contactcentre.supervisor.process import MARK, Child
from contactcentre.supervisor.runfile import RunFile
from contactcentre.supervisor.servers import Servers

LINES_KEPT = 40
COMMAND = "command"
FRESH = "new-"


def run(command: Sequence[str], *, var: Path | None, durable: bool) -> int:
    """Run `command` beside servers of its own and give back its exit code (128 + n if signal n ended it).

    Without `var` everything lies in a temporary folder and is gone afterwards; with it the data stays there.
    `durable` waits for the disc at every commit, as a server does: for measuring. Raises Problem.
    """
    if var is None:
        with _temporary_folder() as folder:
            (folder / "var").mkdir(mode=0o700)
            return _run(command, var=folder / "var", home=folder / "postgres", durable=durable, temporary=True)
    var = var.resolve()
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = lock.take(var / "lock")
    if held is None:
        raise Problem(f"{var} is in use by another start. Leave --var out, or name another folder.")
    try:
        home = servers.postgres_home(var, keys.load_or_make(var))
        return _run(command, var=var, home=home, durable=durable, temporary=False)
    finally:
        held.release()


def _run(command: Sequence[str], *, var: Path, home: Path, durable: bool, temporary: bool) -> int:
    own = keys.load_or_make(var)
    postgres_port = ports.free()
    both = servers.make(
        var=var,
        home=home,
        keys=own,
        postgres_port=postgres_port,
        valkey_port=ports.free(taken=[postgres_port]),
        throwaway=not durable,
    )
    last_lines: deque[str] = deque(maxlen=LINES_KEPT)
    run_file = RunFile(var)
    keeper = Keeper(line=lambda name, text: last_lines.append(f"[{name}] {text}"), say=_say)
    keeper.changed = lambda: run_file.set(pids={name: pid for name, pid in keeper.pids.items() if name != COMMAND})
    # Ctrl-C in the terminal reaches the command by itself, and the command decides what it means.
    with keeper.listening(ignore=(signal.SIGINT,)):
        try:
            both.postgres.end_leftovers()
            leftovers.end(leftovers.marked(var))
            both.start(keeper)
            run_file.set(database_url=both.postgres.url, redis_url=both.valkey.url)
            keeper.start(_command(command, both, var=var, temporary=temporary), restart=False)
            with contextlib.suppress(Stopped):
                keeper.wait_for(
                    lambda: keeper.exit_code(COMMAND) is not None, what=COMMAND, seconds=float("inf"), look=5.0
                )
            keeper.stop()
            code = keeper.exit_code(COMMAND)
            return 1 if code is None else code if code >= 0 else 128 - code
        except Problem:
            for line in last_lines:
                _say(line)
            raise
        except Stopped:
            return 128 + signal.SIGTERM
        finally:
            keeper.stop()
            if temporary:
                # What the command started and forgot: without its database it could only do harm.
                leftovers.end(leftovers.marked(var))
            run_file.remove()


def _command(command: Sequence[str], both: Servers, *, var: Path, temporary: bool) -> Child:
    own = environment.product(
        keys=both.postgres.keys, var=var, database_url=both.postgres.url, redis_url=both.valkey.url
    )
    own["DATABASE_ADMIN_URL"] = both.postgres.admin_url
    if temporary:
        own[MARK] = str(var)
    return Child(
        name=COMMAND,
        command=command,
        folder=Path.cwd(),
        environment=environment.joined(own),
        stage=2,
        stop_seconds=20,
        # It may have things of its own to put away.
        death_signal=signal.SIGTERM,
        piped=False,
    )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder that is removed afterwards, or by the next one who comes if we are killed before."""
    base = _base()
    for old in base.iterdir():
        _remove_if_abandoned(old)
    folder = base / f"{os.getpid()}-{secrets.token_hex(4)}"
    # Under another name until its lock is held: between the two steps somebody else would take it for abandoned.
    fresh = base / f"{FRESH}{folder.name}"
    fresh.mkdir()
    # PostgreSQL's user passes through it when we are root; the umask may have said otherwise.
    fresh.chmod(0o711)
    held = lock.take(fresh / "lock")
    if held is None:
        raise Problem(f"{fresh} was taken in the instant it was made; try again.")
    fresh.rename(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.release()


def _base() -> Path:
    if os.geteuid() == 0:
        return privileges.neutral_folder("throwaway")
    base = Path(tempfile.gettempdir()) / f"contactcentre-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    status = base.lstat()
    if status.st_uid != os.getuid() or not base.is_dir() or base.is_symlink():
        raise Problem(f"{base} belongs to somebody else: remove it, or set TMPDIR to a folder of your own.")
    return base


def _remove_if_abandoned(folder: Path) -> None:
    if folder.name.startswith(FRESH):
        return
    try:
        held = lock.take(folder / "lock")
    except OSError:
        # Removed by its owner between the two looks, or no folder of ours.
        return
    if held is None:
        return
    try:
        leftovers.end(leftovers.working_in(folder / "postgres" / "data"))
        leftovers.end(leftovers.marked(folder / "var"))
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        held.release()


def _say(text: str) -> None:
    print(f"[supervisor] {text}", file=sys.stderr, flush=True)
