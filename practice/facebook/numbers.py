"""Ids as Facebook makes them: long decimal numbers that grow, and opaque ones for messages."""

from __future__ import annotations

import secrets
import sqlite3

_SCHEMA = "CREATE TABLE IF NOT EXISTS fb_number (last INTEGER NOT NULL)"


class Numbers:
    """Gives numbers that only ever grow, also through a restart and when the clock is set back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)
        db.execute("INSERT INTO fb_number (last) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM fb_number)")

    def next(self, now: float) -> int:
        """Return a new number of 15 digits for something that happens `now`, in seconds since 1970."""
        row = self._db.execute(
            "UPDATE fb_number SET last = max(last + 1, ?) RETURNING last", (int(now * 1000) * 100,)
        ).fetchone()
        return int(row[0])


def message_id() -> str:
    """Return a new message id. Meta's are as long, and say as little."""
    return f"m_{secrets.token_urlsafe(48)}"
