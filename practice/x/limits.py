"""X's rate limits: how often each user, and all users of an app, may ask for what (docs.x.com, rate limits)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from practice.x.tuning import Tuning

_DAY = 86_400.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS x_limit (
    operation TEXT NOT NULL,
    who TEXT NOT NULL,
    ends_at REAL NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (operation, who)
)
"""


@dataclass(frozen=True)
class Limit:
    """How many requests a window has room for: of one user, of an app, and in 24 hours. 0 means: no such limit."""

    user: int
    app: int = 0
    user_day: int = 0
    app_day: int = 0


LIMITS = {
    "mentions": Limit(300, 450),
    "timeline": Limit(900, 10_000),
    "search": Limit(300, 450),
    "posts": Limit(5_000, 3_500),
    "post": Limit(900, 450),
    "create_post": Limit(100, app_day=10_000),
    "delete_post": Limit(50),
    "hide_reply": Limit(50),
    "retweet": Limit(50),
    "upload": Limit(500),
    "message_events": Limit(15),
    "message_events_with": Limit(15),
    "message_events_of": Limit(15),
    "message_to": Limit(15, user_day=1_440),
    "message_into": Limit(15, user_day=1_440),
    "open_group": Limit(15, user_day=1_440),
    "me": Limit(75),
    "user_by_handle": Limit(900, 300),
    "user": Limit(900, 300),
    "users": Limit(900, 300),
}


@dataclass(frozen=True)
class Count:
    """How a request stands with its limits: whether it may go on, and the headers that say so."""

    allowed: bool
    headers: dict[str, str]


class Limits:
    """Counts requests."""

    def __init__(self, db: sqlite3.Connection, tuning: Tuning) -> None:
        self._db = db
        self._tuning = tuning
        db.execute(_SCHEMA)

    def count(self, operation: str, user_id: str, *, now: float) -> Count:
        """Count a request by a user, or by the app itself for "", and return how it stands."""
        limit, window = LIMITS[operation], self._tuning.seconds("window_seconds")
        most = limit.user if user_id else limit.app or limit.user
        used, ends_at = self._use(operation, user_id or "app", window, now)
        headers = _headers("x-rate-limit", most, used, ends_at)
        allowed = used <= most
        for who, most_a_day in ((user_id, limit.user_day), ("all", limit.app_day)):
            if most_a_day:
                used, ends_at = self._use(f"{operation} a day", who, _DAY, now)
                kind = "app" if who == "all" else "user"
                headers |= _headers(f"x-{kind}-limit-24hour", most_a_day, used, ends_at)
                allowed = allowed and used <= most_a_day
        return Count(allowed, headers)

    def forget(self) -> None:
        """Begin all windows anew."""
        self._db.execute("DELETE FROM x_limit")

    def _use(self, operation: str, who: str, window: float, now: float) -> tuple[int, float]:
        row = self._db.execute(
            "INSERT INTO x_limit (operation, who, ends_at, used) VALUES (:operation, :who, :ends_at, 1) "
            "ON CONFLICT (operation, who) DO UPDATE SET "
            "used = CASE WHEN ends_at <= :now THEN 1 ELSE used + 1 END, "
            "ends_at = CASE WHEN ends_at <= :now THEN :ends_at ELSE ends_at END RETURNING used, ends_at",
            {"operation": operation, "who": who, "ends_at": now + window, "now": now},
        ).fetchone()
        return int(row["used"]), float(row["ends_at"])


def _headers(name: str, most: int, used: int, ends_at: float) -> dict[str, str]:
    return {
        f"{name}-limit": str(most),
        f"{name}-remaining": str(max(most - used, 0)),
        f"{name}-reset": str(int(ends_at) + 1),
    }
