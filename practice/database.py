"""The one SQLite file that outlives the program: people, switches, mail, and the list of what happened."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: The layout of the file. A file of another layout is refused rather than misread.
LAYOUT = 1


class DatabaseError(Exception):
    """The folder cannot be used. The text is one line that says what to do."""


def open_database(folder: Path) -> sqlite3.Connection:
    """Return the connection that the whole program shares; raise DatabaseError when the folder is in use or unreadable.

    Only the event loop's thread uses it, so there is no lock. Write-ahead logging keeps every committed row through a
    SIGKILL: the rows are in the operating system's hands before the statement returns.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _claim(folder)
        db = sqlite3.connect(folder / "practice.sqlite3", isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        layout = db.execute("PRAGMA user_version").fetchone()[0]
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"Cannot keep anything in {folder}: {error}.") from error
    if layout not in (0, LAYOUT):
        raise DatabaseError(f"{folder} was written by another version; remove it to begin anew.")
    db.execute(f"PRAGMA user_version = {LAYOUT}")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing of it. Inside another transaction it simply takes part."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _claim(folder: Path) -> None:
    """Hold the folder for this process. The kernel lets go when the process ends, however it ends."""
    handle = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise DatabaseError(f"Other practice networks are running on {folder}; stop them first.") from None
