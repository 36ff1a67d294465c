"""What an earlier start left running, after a `kill -9` or a crash."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from contactcentre.supervisor.process import MARK

PATIENCE_SECONDS = 5.0


def _find(belongs: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.status() != psutil.STATUS_ZOMBIE and belongs(process):
                found.append(process)
        except (psutil.Error, OSError):
            # Ended meanwhile, or another user's: not ours either way.
            continue
    return found


def marked(var: Path) -> list[psutil.Process]:
    """The running processes whose environment says that they belong to `var`, us excepted."""
    mine = str(var)
    return _find(lambda process: process.environ().get(MARK) == mine)


def working_in(folder: Path) -> list[psutil.Process]:
    """The running processes whose working folder is `folder`. PostgreSQL's always work in their data folder."""
    here = str(folder.resolve())
    return _find(lambda process: process.cwd() == here)


def end(processes: list[psutil.Process]) -> None:
    """Ask them to end, wait PATIENCE_SECONDS at most, kill the rest. psutil compares start times before it signals,
    so a process id given to somebody else meanwhile is never hit."""
    for process in processes:
        _tell(process.terminate)
    _, stubborn = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    for process in stubborn:
        _tell(process.kill)
    psutil.wait_procs(stubborn, timeout=PATIENCE_SECONDS)


def _tell(act: Callable[[], None]) -> None:
    try:
        act()
    except psutil.Error:
        # It ended by itself.
        return
