"""Ids as X makes them: the milliseconds since its epoch in the upper bits, so that a later thing has a larger id."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

#: 2010-11-04T01:42:54.657Z, where X's ids begin to count, in milliseconds since 1970.
EPOCH = 1_288_834_974_657
#: Bits below the milliseconds.
_BELOW = 22

_SCHEMA = "CREATE TABLE IF NOT EXISTS x_number (last INTEGER NOT NULL)"


class Snowflakes:
    """Gives ids that only ever grow, also through a restart and when the clock is set back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)
        db.execute("INSERT INTO x_number (last) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM x_number)")

    def next(self, now: float) -> int:
        """Return a new id for something that happens `now`, in seconds since 1970."""
        row = self._db.execute(
            "UPDATE x_number SET last = max(last + 1, ?) RETURNING last", (first_of(now),)
        ).fetchone()
        return int(row[0])


def first_of(at: float) -> int:
    """Return the smallest id of a moment, in seconds since 1970; 0 for a moment before X."""
    return max(int(at * 1000) - EPOCH, 0) << _BELOW


def moment_of(number: int) -> float:
    """Return when an id was made, in seconds since 1970, exact to the millisecond."""
    return ((number >> _BELOW) + EPOCH) / 1000


def written(at: float) -> str:
    """Return a moment as X writes it: UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
