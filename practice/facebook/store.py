"""Everything Facebook keeps, in one place: the API reads it, the customer's acts write it, and webhooks tell of it.

Whatever changes is written as a happening in the same transaction, in the words of a webhook: who only writes here
need not think of webhooks, and what a webhook says is what the API says.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from practice.database import transaction
from practice.facebook.feed_store import FeedStore
from practice.facebook.media import Media
from practice.facebook.message_store import MessageStore
from practice.facebook.numbers import Numbers
from practice.facebook.pages import PAGES, Page, Profiles
from practice.people import People

#: How many happenings are kept. A webhook that could not be posted for so long is lost, as with Meta.
KEPT = 5000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_subscription (
    page_id TEXT PRIMARY KEY,
    fields TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS fb_happening (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    page_id TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL
);
"""
_FIRST_POSTS = (
    "New this week: the quiet grinder. Half the noise, the same coffee. Tell us how yours sounds!",
    "The spring clear-out has begun: last season’s machines at two thirds of the price.",
)


@dataclass(frozen=True)
class Happened:
    """Something that subscribers of a Page are told of.

    `field` is the webhook field: "feed", or for Messenger "messages", "message_echoes", "message_edits",
    "message_deliveries", "message_reads", "message_reactions", "messaging_postbacks". `value` is the webhook's own:
    for feed that of `changes[].value`, for Messenger the whole item of `messaging[]`. `at` is seconds since 1970.
    """

    id: int
    at: float
    page_id: str
    field: str
    value: dict[str, Any]


class Store:
    """The store. `feed` has posts and comments, `inbox` conversations and messages, `profiles` the people."""

    def __init__(self, db: sqlite3.Connection, people: People) -> None:
        #: For callers that write several things as one.
        self.db = self._db = db
        self._listeners: list[Callable[[Happened], None]] = []
        db.executescript(_SCHEMA)
        self.numbers = Numbers(db)
        self.profiles = Profiles(db, people)
        self.media = Media(db, self.numbers)
        self.feed = FeedStore(db, self.numbers, self.profiles, self.media, self.happened)
        self.inbox = MessageStore(db, self.numbers, self.profiles, self.media, self.happened)
        self._begin()

    def happened(self, page_id: str, field: str, value: dict[str, Any]) -> None:
        """Note something for the subscribers of a Page, and tell the listeners at once.

        A listener must not await: it notes that there is something to post, and returns.
        """
        at = time.time()
        number = self._db.execute(
            "INSERT INTO fb_happening (at, page_id, field, value) VALUES (?, ?, ?, ?)",
            (at, page_id, field, json.dumps(value)),
        ).lastrowid
        self._db.execute("DELETE FROM fb_happening WHERE id <= ?", ((number or 0) - KEPT,))
        for listener in self._listeners:
            listener(Happened(number or 0, at, page_id, field, value))

    def on_happened(self, listener: Callable[[Happened], None]) -> None:
        """Have a function called for everything that happens from now on."""
        self._listeners.append(listener)

    def happenings_after(self, known: int, limit: int = 500) -> list[Happened]:
        """Return what happened after a known happening, oldest first."""
        rows = self._db.execute(
            "SELECT id, at, page_id, field, value FROM fb_happening WHERE id > ? ORDER BY id LIMIT ?", (known, limit)
        )
        return [Happened(row[0], row[1], row[2], row[3], json.loads(row[4])) for row in rows]

    def last_happening(self) -> int:
        """Return the id of the last happening, 0 before the first."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM fb_happening").fetchone()[0])

    def pages(self) -> Sequence[Page]:
        """Return our Pages."""
        return PAGES

    def subscribed_fields(self, page_id: str) -> list[str]:
        """Return the webhook fields the app subscribed to for a Page; empty when it is not installed there."""
        row = self._db.execute("SELECT fields FROM fb_subscription WHERE page_id = ?", (page_id,)).fetchone()
        return row[0].split(",") if row else []

    def subscribe(self, page_id: str, fields: Sequence[str]) -> None:
        """Subscribe the app to these fields of a Page, in the place of those before."""
        self._db.execute(
            "INSERT OR REPLACE INTO fb_subscription (page_id, fields) VALUES (?, ?)", (page_id, ",".join(fields))
        )

    def unsubscribe(self, page_id: str) -> None:
        """Take the app off a Page."""
        self._db.execute("DELETE FROM fb_subscription WHERE page_id = ?", (page_id,))

    def _begin(self) -> None:
        """Give each Page a first post, so that there is something to comment on. Nobody is told of it."""
        with transaction(self._db):
            for page, words in zip(PAGES, _FIRST_POSTS, strict=True):
                if not self.feed.posts(page.id, limit=1):
                    self.feed.add_post(page.id, words, now=time.time(), told=False)
