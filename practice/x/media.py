"""Pictures in posts and messages: uploaded, then named by whoever uploaded them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from practice.x.problems import invalid
from practice.x.profiles import Profile
from practice.x.snowflake import Snowflakes

#: The largest picture (docs.x.com, media best practices), in bytes.
LARGEST = 5 * 1024 * 1024
#: How long an upload can be used, in seconds.
KEPT_SECONDS = 86_400
_PNG = b"\x89PNG\r\n\x1a\n"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS x_media (
    id INTEGER PRIMARY KEY,
    owner_id TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    content BLOB NOT NULL
)
"""


@dataclass(frozen=True)
class Picture:
    """A picture without its bytes; width and height in pixels."""

    id: int
    owner_id: str
    width: int
    height: int

    @property
    def key(self) -> str:
        """Return what posts call it. 3 is X's number for pictures."""
        return f"3_{self.id}"

    @property
    def address(self) -> str:
        """Return where X says it lies. It really lies under the same path of the practice origin."""
        return f"https://pbs.twimg.com/media/{self.id}.png"

    def address_in(self, event: int) -> str:
        """Return where X says the picture of a message lies. Apps get it from the API's "Download DM Media"."""
        return f"https://ton.twitter.com/1.1/ton/data/dm/{event}/{self.id}/{self.id}.png"


class Media:
    """Keeps pictures. Only PNG: that is enough to practise on, and says its size in its first bytes."""

    def __init__(self, db: sqlite3.Connection, numbers: Snowflakes) -> None:
        self._db = db
        self._numbers = numbers
        db.execute(_SCHEMA)

    def upload(self, owner: Profile, content: bytes, *, now: float) -> Picture:
        """Return the picture that was kept; raise Problem for what is none, or is too large."""
        if not content.startswith(_PNG) or len(content) < 24 or len(content) > LARGEST:
            raise invalid("`media`: media type unrecognized, or more than 5 MB.", {"media": []})
        width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        picture = Picture(self._numbers.next(now), owner.id, width, height)
        self._db.execute(
            "INSERT INTO x_media (id, owner_id, width, height, content) VALUES (?, ?, ?, ?, ?)",
            (picture.id, owner.id, width, height, content),
        )
        return picture

    def claim(self, keys: Sequence[str], owner: Profile) -> None:
        """Make sure that all of these belong to somebody; raise Problem when one does not."""
        for key in keys:
            picture = self.get(key)
            if picture is None or picture.owner_id != owner.id:
                raise invalid("Your media IDs are invalid.", {"media.media_ids": [key.partition("_")[2]]})

    def get(self, key: str) -> Picture | None:
        """Return the picture of a media key."""
        number = min(int(key.partition("_")[2]), 2**63 - 1)
        row = self._db.execute("SELECT id, owner_id, width, height FROM x_media WHERE id = ?", (number,)).fetchone()
        return Picture(*row) if row else None

    def content(self, number: int) -> bytes | None:
        """Return a picture's bytes."""
        row = self._db.execute("SELECT content FROM x_media WHERE id = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None
