"""Times that can be changed while the program runs, so that nobody has to wait two hours for a token to expire."""

from __future__ import annotations

import sqlite3

#: What can be tuned, with X's own time, in seconds: how long an access token and an authorisation code live, how long a
#: post takes to appear in lists, how long a text counts as a duplicate, how long a rate limit's window is, and how far
#: off the end of a made-up one.
TIMES = {
    "token_seconds": 7200.0,
    "code_seconds": 30.0,
    "index_seconds": 0.0,
    "duplicate_seconds": 900.0,
    "window_seconds": 900.0,
    "reset_seconds": 60.0,
}
_LONGEST = 86_400.0

_SCHEMA = "CREATE TABLE IF NOT EXISTS x_tuning (name TEXT PRIMARY KEY, seconds REAL NOT NULL)"


class Tuning:
    """Keeps the times."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def seconds(self, name: str) -> float:
        """Return a time in seconds."""
        row = self._db.execute("SELECT seconds FROM x_tuning WHERE name = ?", (name,)).fetchone()
        return float(row[0]) if row else TIMES[name]

    def tune(self, name: str, seconds: float | None) -> None:
        """Change a time; None puts it back. Raises ValueError for a time that makes no sense."""
        if seconds is None:
            self._db.execute("DELETE FROM x_tuning WHERE name = ?", (name,))
            return
        if not 0 <= seconds <= _LONGEST:
            raise ValueError(f"{name} must be from 0 to {_LONGEST:.0f} seconds.")
        self._db.execute("INSERT OR REPLACE INTO x_tuning (name, seconds) VALUES (?, ?)", (name, seconds))

    def all(self) -> dict[str, float]:
        """Return every time as it stands."""
        return {name: self.seconds(name) for name in TIMES}
