"""Calls, in progress and over, and what was said in them."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass

from practice.people import Person
from practice.telephony.lines import OUR_NAME

#: How many calls are kept; the oldest that are over go first.
KEPT = 2000
#: How much of a talk is kept, in utterances.
SAID_KEPT = 200

RINGING, TALKING, VOICEMAIL, ENDED = "ringing", "talking", "voicemail", "ended"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS telephony_call (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    number TEXT NOT NULL,
    told TEXT NOT NULL,
    line TEXT NOT NULL,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    by_itself INTEGER NOT NULL,
    began_at REAL NOT NULL,
    answered_at REAL,
    ended_at REAL,
    user TEXT NOT NULL DEFAULT '',
    cause TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS telephony_call_live ON telephony_call (position) WHERE state != 'ended';
CREATE INDEX IF NOT EXISTS telephony_call_person ON telephony_call (person, position);
CREATE TABLE IF NOT EXISTS telephony_said (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    call TEXT NOT NULL,
    by_us INTEGER NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS telephony_said_call ON telephony_said (call, id);
"""

_COLUMNS = (
    "id", "person", "number", "told", "line", "direction", "state", "by_itself",
    "began_at", "answered_at", "ended_at", "user", "cause",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM telephony_call"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. Times are seconds since 1970; `person` is a key, "" for a caller who is none of the people.

    `number` is the customer's, `told` what the exchange says it is ("anonymous" when withheld). `by_itself` marks the
    busy hour's, which are nobody's to answer. `user` is the one of us who rings or has answered.
    """

    id: str
    person: str
    number: str
    told: str
    line: str
    direction: str
    state: str
    by_itself: bool
    began_at: float
    answered_at: float | None
    ended_at: float | None
    user: str
    cause: str

    @property
    def incoming(self) -> bool:
        """Return whether the customer rang us."""
        return self.direction == "in"

    @property
    def live(self) -> bool:
        """Return whether it goes on."""
        return self.state != ENDED

    def seconds(self, now: float) -> float:
        """Return how long it has gone on: the talk once there is one, the waiting until then."""
        return max(0.0, (self.ended_at or now) - (self.answered_at or self.began_at))

    def who(self, person: Person | None) -> str:
        """Return the customer as our side would say it."""
        return person.name if person else (self.number or "Somebody")


@dataclass(frozen=True)
class Said:
    """One utterance."""

    by_us: bool
    text: str

    @property
    def speaker(self) -> str:
        """Return who spoke, as the customer sees it."""
        return OUR_NAME if self.by_us else "You"


class Calls:
    """Keeps the calls. Every change is one statement; the exchange puts those that belong together in a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    def begin(self, *, person: str, number: str, told: str, line: str, user: str, by_itself: bool) -> Call:
        """Return a new call that rings: the one of us who rings is `user`, "" where the customer rings us."""
        call_id = secrets.token_hex(16)
        self._db.execute(
            "INSERT INTO telephony_call (id, person, number, told, line, direction, state, by_itself, began_at, user) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (call_id, person, number, told, line, "out" if user else "in", RINGING, by_itself, time.time(), user),
        )
        self._forget()
        return self.by_id(call_id)

    def answer(self, call: Call, by: str, *, voicemail: bool) -> Call:
        """Return the call once somebody, or the voicemail box, has taken it."""
        self._db.execute(
            "UPDATE telephony_call SET state = ?, answered_at = ?, user = ? WHERE id = ?",
            (VOICEMAIL if voicemail else TALKING, time.time(), by, call.id),
        )
        return self.by_id(call.id)

    def end(self, call: Call, cause: str) -> Call:
        """Return the call once it is over."""
        self._db.execute(
            "UPDATE telephony_call SET state = ?, ended_at = ?, cause = ? WHERE id = ?",
            (ENDED, time.time(), cause, call.id),
        )
        return self.by_id(call.id)

    def say(self, call: Call, text: str, *, by_us: bool) -> None:
        """Keep what somebody said."""
        self._db.execute(
            "INSERT INTO telephony_said (call, by_us, text, at) VALUES (?, ?, ?, ?)",
            (call.id, by_us, text, time.time()),
        )

    def by_id(self, call_id: str) -> Call:
        """Return a call; raise KeyError when it is not there."""
        row = self._db.execute(f"{_SELECT} WHERE id = ?", (call_id,)).fetchone()
        if row is None:
            raise KeyError(call_id)
        return _call(row)

    def live(self) -> list[Call]:
        """Return the calls in progress, the longest first."""
        rows = self._db.execute(f"{_SELECT} WHERE state != 'ended' ORDER BY position LIMIT {KEPT}")
        return [_call(row) for row in rows]

    def live_of(self, *, person: str, number: str = "") -> Call | None:
        """Return the call in which somebody is, by their key or their number."""
        return next(
            (
                call
                for call in self.live()
                if (person and call.person == person) or (number and not call.person and call.number == number)
            ),
            None,
        )

    def newest(self, limit: int, *, person: str = "") -> list[Call]:
        """Return the last calls, of one person or of everybody, newest first."""
        of_person = ("WHERE person = ?", [person]) if person else ("", [])
        rows = self._db.execute(f"{_SELECT} {of_person[0]} ORDER BY position DESC LIMIT ?", [*of_person[1], limit])
        return [_call(row) for row in rows]

    def place(self, call: Call) -> int:
        """Return the call's place in its line's queue: 1 is next, 0 is not waiting."""
        waiting = [
            each.id for each in self.live() if each.incoming and each.state == RINGING and each.line == call.line
        ]
        return waiting.index(call.id) + 1 if call.id in waiting else 0

    def said(self, call: Call, limit: int = SAID_KEPT) -> list[Said]:
        """Return what was said in a call, oldest first."""
        rows = self._db.execute(
            "SELECT by_us, text FROM telephony_said WHERE call = ? ORDER BY id DESC LIMIT ?", (call.id, limit)
        ).fetchall()
        return [Said(bool(by_us), text) for by_us, text in reversed(rows)]

    def _forget(self) -> None:
        old = "state = 'ended' AND position <= (SELECT max(position) FROM telephony_call) - ?"
        gone = f"SELECT id FROM telephony_call WHERE {old}"
        self._db.execute(f"DELETE FROM telephony_said WHERE call IN ({gone})", (KEPT,))
        self._db.execute(f"DELETE FROM telephony_call WHERE {old}", (KEPT,))


def _call(row: sqlite3.Row) -> Call:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Call(**{**values, "by_itself": bool(values["by_itself"])})
