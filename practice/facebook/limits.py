"""How much of the limits is used up (Graph API, "Rate Limits"): of the app's by users' and the app's own tokens, of a
Page's business use case by its own. Both are told with every answer, as percents."""

from __future__ import annotations

import json
import sqlite3

from practice.facebook.problems import Problem

#: Calls in an hour: 200 for each user of the app; a Page's 4800 times its engaged users in a day come to far more.
_MOST = {"app": 2400, "pages": 4800, "messenger": 4800}
_HOUR = 3600.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_limit (
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    ends_at REAL NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (kind, who)
)
"""


class Limits:
    """Counts calls."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def count(self, kind: str, who: str, *, now: float, heeded: bool = True) -> dict[str, str]:
        """Count a call and return the headers that tell of it; raise Problem when too many were made.

        `kind` is "app", "pages" or "messenger", `who` an app's or Page's id.
        """
        row = self._db.execute(
            "INSERT INTO fb_limit (kind, who, ends_at, used) VALUES (:kind, :who, :ends_at, 1) "
            "ON CONFLICT (kind, who) DO UPDATE SET used = CASE WHEN ends_at <= :now THEN 1 ELSE used + 1 END, "
            "ends_at = CASE WHEN ends_at <= :now THEN :ends_at ELSE ends_at END RETURNING used, ends_at",
            {"kind": kind, "who": who, "ends_at": now + _HOUR, "now": now},
        ).fetchone()
        percent = row["used"] * 100 // _MOST[kind]
        full = percent >= 100 and heeded
        usage = {"call_count": percent, "total_cputime": percent // 2, "total_time": percent // 2}
        if kind == "app":
            headers = {"x-app-usage": json.dumps(usage)}
            refusal = Problem("(#4) Application request limit reached", 4, status=403, transient=True, headers=headers)
        else:
            minutes = int((row["ends_at"] - now) / 60) + 1 if full else 0
            told = {who: [{"type": kind, **usage, "estimated_time_to_regain_access": minutes}]}
            headers = {"x-business-use-case-usage": json.dumps(told)}
            refusal = Problem(
                "(#80001) There have been too many calls to this Page account. Wait a bit and try again."
                if kind == "pages"
                else "(#80006) There have been too many calls to this Messenger account. Wait a bit and try again.",
                80001 if kind == "pages" else 80006,
                transient=True,
                headers=headers,
            )
        if full:
            raise refusal
        return headers

    def forget(self) -> None:
        """Begin all hours anew."""
        self._db.execute("DELETE FROM fb_limit")
