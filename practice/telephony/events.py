"""What the exchange tells of calls, waiting to be posted: rows, so that a restart forgets none.

The fields are those of Zammad's generic CTI interface (docs.zammad.org, "Generic CTI"): event, from, to, direction,
callId, user[], queue, answeringNumber, user, cause.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

#: Waits after a failed post: one second, doubling, at most this long, in seconds.
LONGEST_WAIT = 60.0
#: After this many failures it is given up: a little over three hours.
MOST_ATTEMPTS = 200
#: How many events that are settled stay to be looked at.
KEPT = 1000

#: Why a hang-up can have happened, in the interface's own words.
CAUSES = ("normalClearing", "busy", "cancel", "noAnswer", "congestion", "notFound", "forwarded")

WAITING, DELIVERED, LOST, GIVEN_UP = "waiting", "delivered", "lost", "given up"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS telephony_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    call TEXT NOT NULL,
    line TEXT NOT NULL,
    fields TEXT NOT NULL,
    as_json INTEGER NOT NULL,
    state TEXT NOT NULL,
    held TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS telephony_event_due ON telephony_event (due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS telephony_event_call ON telephony_event (call, id);
"""

_SELECT = "SELECT id, call, line, fields, as_json, attempts FROM telephony_event"

#: Values of an event's fields; a list stands for a field that comes several times.
Fields = dict[str, str | list[str]]


@dataclass(frozen=True)
class Event:
    """One event to post."""

    id: int
    call: str
    line: str
    fields: Fields
    as_json: bool
    attempts: int

    @property
    def name(self) -> str:
        """Return which event it is."""
        return str(self.fields["event"])

    def body(self) -> tuple[bytes, str]:
        """Return the bytes to post and their content type."""
        if self.as_json:
            # In JSON a field that comes several times is a list, and its name needs no brackets.
            told = {name.removesuffix("[]"): value for name, value in self.fields.items()}
            return json.dumps(told, ensure_ascii=False).encode(), "application/json"
        return urlencode(self.fields, doseq=True).encode(), "application/x-www-form-urlencoded"


class Events:
    """Keeps the events until they are posted."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    def add(self, *, call: str, line: str, fields: Fields, as_json: bool, state: str = WAITING, held: str = "") -> None:
        """Add an event. `held` names the switch that holds it back, if one does."""
        cursor = self._db.execute(
            "INSERT INTO telephony_event (call, line, fields, as_json, state, held, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (call, line, json.dumps(fields, ensure_ascii=False), as_json, state, held, time.time()),
        )
        self._db.execute(
            "DELETE FROM telephony_event WHERE state != 'waiting' AND id <= ?", ((cursor.lastrowid or 0) - KEPT,)
        )

    def due(self, limit: int, *, busy: Collection[str]) -> list[Event]:
        """Return what must be posted now, the oldest first: one of a call at a time, and none of the `busy` calls."""
        rows = self._db.execute(
            f"{_SELECT} WHERE state = 'waiting' AND held = '' AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            (time.time(), limit + 4 * len(busy) + 20),
        )
        chosen: dict[str, Event] = {}
        for row in rows:
            if row["call"] not in busy and row["call"] not in chosen and len(chosen) < limit:
                chosen[row["call"]] = _event(row)
        return list(chosen.values())

    def next_due_at(self, *, busy: Collection[str]) -> float | None:
        """Return when the next event of another than the `busy` calls is due; None when there is none."""
        marks = ", ".join("?" * len(busy))
        row = self._db.execute(
            f"SELECT min(due_at) FROM telephony_event WHERE state = 'waiting' AND held = '' AND call NOT IN ({marks})",
            list(busy),
        ).fetchone()
        return None if row[0] is None else float(row[0])

    def settle(self, event: Event, state: str, answer: str) -> None:
        """Note that an event needs no more posting; an earlier one of its call that waited for it may go now."""
        self._db.execute("UPDATE telephony_event SET state = ?, answer = ? WHERE id = ?", (state, answer, event.id))
        self._db.execute(
            "UPDATE telephony_event SET held = '' WHERE call = ? AND id < ? AND held = 'call_event_disorder'",
            (event.call, event.id),
        )

    def put_off(self, event: Event, answer: str) -> float:
        """Let an event be tried again later; return after how many seconds."""
        wait = min(LONGEST_WAIT, 2.0 ** min(event.attempts, 10))
        self._db.execute(
            "UPDATE telephony_event SET attempts = attempts + 1, due_at = ?, answer = ? WHERE id = ?",
            (time.time() + wait, answer, event.id),
        )
        return wait

    def release(self, switch: str) -> None:
        """Let go what a switch held back."""
        self._db.execute("UPDATE telephony_event SET held = '' WHERE held = ?", (switch,))

    def hurry(self, line: str) -> None:
        """Try a line's waiting events at once: its hook is new."""
        self._db.execute(
            "UPDATE telephony_event SET due_at = ? WHERE line = ? AND state = 'waiting'", (time.time(), line)
        )

    def waiting(self) -> int:
        """Return how many events are not posted yet, held ones too."""
        return int(self._db.execute("SELECT count(*) FROM telephony_event WHERE state = 'waiting'").fetchone()[0])

    def newest(self, limit: int) -> list[dict[str, object]]:
        """Tell of the last events and what became of them, newest first."""
        rows = self._db.execute(
            "SELECT id, call, line, fields, state, held, attempts, answer FROM telephony_event "
            "ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [{**dict(row), "fields": json.loads(row["fields"])} for row in rows]


def _event(row: sqlite3.Row) -> Event:
    return Event(row["id"], row["call"], row["line"], json.loads(row["fields"]), bool(row["as_json"]), row["attempts"])
