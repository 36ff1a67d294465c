"""Where our app wants to be told, and of what: its subscription, as in Meta's developer console or over the Graph."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

#: What a Page can tell of, of all that Meta lists: what is played here.
FIELDS = (
    "feed",
    "messages",
    "message_echoes",
    "message_edits",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "messaging_postbacks",
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_callback (
    object TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    verify_token TEXT NOT NULL,
    fields TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Callback:
    """A subscription of the app. `fields` are those it wants to hear of."""

    object_name: str
    url: str
    verify_token: str
    fields: tuple[str, ...]

    def told(self, version: str) -> dict[str, Any]:
        """Return it as `GET /{app-id}/subscriptions` tells it."""
        return {
            "object": self.object_name,
            "callback_url": self.url,
            "active": True,
            "fields": [{"name": name, "version": version} for name in self.fields],
        }


class Callbacks:
    """Keeps the app's subscriptions; they stay through a restart. Of objects there is one, `page`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def keep(self, callback: Callback) -> None:
        """Keep a subscription in place of an earlier one."""
        self._db.execute(
            "INSERT OR REPLACE INTO fb_callback (object, url, verify_token, fields) VALUES (?, ?, ?, ?)",
            (callback.object_name, callback.url, callback.verify_token, json.dumps(list(callback.fields))),
        )

    def find(self, object_name: str = "page") -> Callback | None:
        """Return the app's subscription, if it has one."""
        row = self._db.execute("SELECT * FROM fb_callback WHERE object = ?", (object_name,)).fetchone()
        if row is None:
            return None
        return Callback(row["object"], row["url"], row["verify_token"], tuple(json.loads(row["fields"])))

    def forget(self, object_name: str = "page") -> None:
        """Take a subscription back."""
        self._db.execute("DELETE FROM fb_callback WHERE object = ?", (object_name,))
