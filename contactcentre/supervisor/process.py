"""One child process: how it is started, how it dies with us, how it is stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from contactcentre.supervisor.privileges import Account

# Every child carries the var folder it belongs to in its environment, and hands it down to children of its own. That
# is how a later start recognises what an earlier one left behind: a process id alone may be somebody else's by now.
MARK = "CONTACTCENTRE_SUPERVISED"

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Process: TypeAlias = "subprocess.Popen[bytes]"


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Child:
    """What is to run, as data."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    account: Account | None = None
    # Servers stand on stage 0 and go last: the product's processes (stage 1) write to them until their end.
    stage: int = 1
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    # What the kernel sends it when the supervisor itself was killed.
    death_signal: signal.Signals = signal.SIGKILL
    # Asked before each start; False means not yet, for instance while remains of the last one are still ending.
    may_start: Callable[[], bool] = _always
    # Lines with one of these in them are not worth showing.
    hides: Sequence[str] = ()
    # False: shares our terminal and our process group, its output is not touched.
    piped: bool = True


def _die_with_parent(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec so that the kernel ends it with its parent; Linux only.

    Set after the change of user, which clears it (prctl(2)), and checked against a parent that is gone already.
    """
    if _libc is None:
        return None
    prctl = _libc.prctl

    def leash() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return leash


def spawn(child: Child) -> Process:
    """Start `child`. Raises OSError if its program cannot be started.

    Call it from a thread that lives as long as the process: the kernel ties the child to the thread that made it.
    """
    return subprocess.Popen(
        list(child.command),
        cwd=child.folder,
        env=dict(child.environment),
        stdin=subprocess.DEVNULL if child.piped else None,
        stdout=subprocess.PIPE if child.piped else None,
        stderr=subprocess.STDOUT if child.piped else None,
        user=child.account.uid if child.account else None,
        group=child.account.gid if child.account else None,
        extra_groups=[] if child.account else None,
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we stop the children in order.
        start_new_session=child.piped,
        # Safe here: the supervisor has one thread, so no lock can be held by another one at the fork.
        preexec_fn=_die_with_parent(os.getpid(), child.death_signal),
    )


def signal_group(process: Process, number: signal.Signals) -> None:
    """Send `number` to everything in the process group that `process` leads, also after its own end."""
    # The group is empty, or what is left of it changed its user: either way nothing of ours is left to stop.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
