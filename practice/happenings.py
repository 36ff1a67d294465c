"""What happened on the practice networks, newest last, for the page and for scripts that wait for something."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass

#: More than anybody reads, and little enough that the table never needs looking after.
KEPT = 500

_SCHEMA = """
CREATE TABLE IF NOT EXISTS happening (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    network TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Happening:
    """One line of the list. `at` is seconds since 1970; `kind` is a stable word for scripts, `words` are for people."""

    id: int
    at: float
    network: str
    kind: str
    words: str


class Happenings:
    """Writes the list and reads it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._another = asyncio.Event()
        self._over = False
        db.execute(_SCHEMA)

    def note(self, network: str, kind: str, words: str) -> None:
        """Add a line, and forget those that nobody will read any more."""
        cursor = self._db.execute(
            "INSERT INTO happening (at, network, kind, words) VALUES (?, ?, ?, ?)", (time.time(), network, kind, words)
        )
        self._db.execute("DELETE FROM happening WHERE id <= ?", ((cursor.lastrowid or 0) - KEPT,))
        self._another.set()
        self._another = asyncio.Event()

    def newest(self, limit: int) -> list[Happening]:
        """Return at most `limit` lines, newest first."""
        rows = self._db.execute("SELECT id, at, network, kind, words FROM happening ORDER BY id DESC LIMIT ?", (limit,))
        return [Happening(*row) for row in rows]

    def after(self, known: int, limit: int = KEPT) -> list[Happening]:
        """Return the lines after the one with the id `known`, oldest first."""
        rows = self._db.execute(
            "SELECT id, at, network, kind, words FROM happening WHERE id > ? ORDER BY id LIMIT ?", (known, limit)
        )
        return [Happening(*row) for row in rows]

    def end(self) -> None:
        """Let nobody wait any longer: the program ends."""
        self._over = True
        self._another.set()

    async def wait_after(self, known: int, *, kind: str, seconds: float) -> list[Happening]:
        """Return the lines after a known one as soon as one of this kind (or any, for "") is among them.

        After `seconds` return what there is, be it nothing.
        """
        ends_at = time.monotonic() + seconds
        while True:
            another, lines = self._another, self.after(known)
            left = ends_at - time.monotonic()
            if self._over or left <= 0 or any(kind in ("", line.kind) for line in lines):
                return lines
            try:
                await asyncio.wait_for(another.wait(), left)
            except TimeoutError:
                return lines
