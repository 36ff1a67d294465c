"""What our app has to be told, waiting to be posted: rows, so that a restart forgets none.

An event is one thing that happened. A post is the body of one request, with what happened in a short while; it is
frozen when it is made, because Facebook tries again with the same bytes.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from practice.database import transaction

#: Waits after a failed post: a tenth of a second, doubling, at most this long, in seconds.
LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.1
#: After this many failures a post is given up: about three hours. Meta gives up after some 36.
MOST_ATTEMPTS = 200
#: How many posts that are settled stay to be looked at, and how many events are posted in one.
KEPT = 1000
MOST_IN_ONE = 50
#: How long an event waits for company, in seconds.
BATCH = 0.03

WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given up"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    place INTEGER NOT NULL DEFAULT 0,
    page TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    at REAL NOT NULL,
    held TEXT NOT NULL,
    due_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS fb_event_due ON fb_event (due_at) WHERE held = '';
CREATE TABLE IF NOT EXISTS fb_hook_post (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body BLOB NOT NULL,
    pages TEXT NOT NULL,
    last_event INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS fb_hook_post_due ON fb_hook_post (due_at) WHERE state = 'waiting';
"""


@dataclass(frozen=True)
class Event:
    """One thing that happened on a Page. `at` is seconds since 1970; `value` is what Meta tells of it."""

    id: int
    page: str
    field: str
    value: dict[str, Any]
    at: float


@dataclass(frozen=True)
class Post:
    """One request to make. `pages` are those it tells of."""

    id: int
    body: bytes
    pages: tuple[str, ...]
    attempts: int


class Events:
    """Keeps events and posts until they are taken."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    def add(self, *, page: str, field: str, value: dict[str, Any], at: float, held: str = "") -> None:
        """Add an event. `held` names the switch that holds it back, if one does."""
        now = time.time()
        cursor = self._db.execute(
            "INSERT INTO fb_event (page, field, value, at, held, due_at) VALUES (?, ?, ?, ?, ?, ?)",
            (page, field, json.dumps(value), at, held, now + BATCH),
        )
        self._db.execute("UPDATE fb_event SET place = id WHERE id = ?", (cursor.lastrowid,))

    def holds(self, page: str, switch: str) -> bool:
        """Return whether a switch holds an event of a Page back."""
        row = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM fb_event WHERE page = ? AND held = ?)", (page, switch)
        ).fetchone()
        return bool(row[0])

    def gather(self, write: Callable[[Sequence[Event]], bytes]) -> bool:
        """Make one post of what is due, with the body that `write` makes of it; return whether anything was."""
        now = time.time()
        with transaction(self._db):
            due = self._db.execute(
                "SELECT EXISTS (SELECT 1 FROM fb_event WHERE held = '' AND due_at <= ?)", (now,)
            ).fetchone()
            if not due[0]:
                return False
            # Once one is due the others come along: that is how several of them get into one request.
            rows = self._db.execute(
                "SELECT id, page, field, value, at FROM fb_event WHERE held = '' ORDER BY place LIMIT ?",
                (MOST_IN_ONE,),
            ).fetchall()
            events = [Event(row["id"], row["page"], row["field"], json.loads(row["value"]), row["at"]) for row in rows]
            self._db.executemany("DELETE FROM fb_event WHERE id = ?", [(event.id,) for event in events])
            self._post(write(events), sorted({event.page for event in events}), max(event.id for event in events))
        return True

    def again(self, post: Post) -> int:
        """Post the same body once more, whatever becomes of the first; return the copy's id."""
        last = self._db.execute("SELECT last_event FROM fb_hook_post WHERE id = ?", (post.id,)).fetchone()[0]
        return self._post(post.body, post.pages, last)

    def due(self, limit: int, *, busy: Collection[int]) -> list[Post]:
        """Return the posts that must be made now, the oldest first, without those that are under way."""
        rows = self._db.execute(
            "SELECT id, body, pages, attempts FROM fb_hook_post WHERE state = 'waiting' AND due_at <= ? "
            "ORDER BY due_at, id LIMIT ?",
            (time.time(), limit + len(busy)),
        )
        posts = [
            Post(row["id"], bytes(row["body"]), tuple(row["pages"].split(",")), row["attempts"])
            for row in rows
            if row["id"] not in busy
        ]
        return posts[:limit]

    def next_due_at(self, *, busy: Collection[int]) -> float | None:
        """Return when the next event or post is due that is not under way; None when there is none."""
        marks = ", ".join("?" * len(busy))
        row = self._db.execute(
            "SELECT min(due_at) FROM (SELECT due_at FROM fb_event WHERE held = '' UNION ALL "
            f"SELECT due_at FROM fb_hook_post WHERE state = 'waiting' AND id NOT IN ({marks}))",
            list(busy),
        ).fetchone()
        return None if row[0] is None else float(row[0])

    def settle(self, post: Post, state: str, answer: str) -> None:
        """Note that a post needs no more posting; earlier events of its Pages that waited for it may go now."""
        with transaction(self._db):
            last = self._db.execute("SELECT last_event FROM fb_hook_post WHERE id = ?", (post.id,)).fetchone()[0]
            self._db.execute("UPDATE fb_hook_post SET state = ?, answer = ? WHERE id = ?", (state, answer, post.id))
            for page in post.pages:
                self._db.execute(
                    "UPDATE fb_event SET held = '' WHERE page = ? AND id < ? AND held = 'fb_hook_disorder'",
                    (page, last),
                )

    def put_off(self, post: Post, answer: str) -> float:
        """Let a post be tried again later; return after how many seconds."""
        wait = min(LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(post.attempts, 10))
        self._db.execute(
            "UPDATE fb_hook_post SET attempts = attempts + 1, due_at = ?, answer = ? WHERE id = ?",
            (time.time() + wait, answer, post.id),
        )
        return wait

    def release(self, switch: str) -> int:
        """Let go what a switch held back, what was late with the newest first; return how many events that are."""
        place = "-id" if switch == "fb_hook_late" else "place"
        cursor = self._db.execute(
            f"UPDATE fb_event SET held = '', place = {place} WHERE held = ?", (switch,)
        )
        return cursor.rowcount

    def hurry(self) -> None:
        """Try everything that waits at once: the callback is new."""
        self._db.execute("UPDATE fb_hook_post SET due_at = ? WHERE state = 'waiting'", (time.time(),))

    def waiting(self) -> int:
        """Return how many events and posts are not taken yet, held ones too."""
        events = self._db.execute("SELECT count(*) FROM fb_event").fetchone()[0]
        posts = self._db.execute("SELECT count(*) FROM fb_hook_post WHERE state = 'waiting'").fetchone()[0]
        return int(events) + int(posts)

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Tell of the last posts and what became of them, newest first."""
        rows = self._db.execute(
            "SELECT id, body, state, attempts, answer FROM fb_hook_post ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [{**dict(row), "body": json.loads(row["body"])} for row in rows]

    def _post(self, body: bytes, pages: Sequence[str], last_event: int) -> int:
        cursor = self._db.execute(
            "INSERT INTO fb_hook_post (body, pages, last_event, state, due_at) VALUES (?, ?, ?, 'waiting', ?)",
            (body, ",".join(pages), last_event, time.time()),
        )
        self._db.execute(
            "DELETE FROM fb_hook_post WHERE state != 'waiting' AND id <= ?", ((cursor.lastrowid or 0) - KEPT,)
        )
        return cursor.lastrowid or 0
