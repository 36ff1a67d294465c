"""Who holds a folder: a lock of the operating system, which a `kill -9` gives back by itself."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """A held lock. It ends with `release()` or with the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._descriptor)


def take(path: Path) -> Lock | None:
    """The lock on `path` (made if missing), or None while another process holds it.

    The descriptor is not inherited by children: one that outlived us would otherwise keep the folder locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Lock(descriptor)
