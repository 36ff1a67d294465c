"""Pictures and files: what was uploaded, and where it is read. The host is one of Meta's in all but its middle."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from dataclasses import dataclass

from practice.facebook.numbers import Numbers

#: The host in the addresses of pictures and files. A client sends it to the practice origin, as it does the API's.
HOST = "https://scontent.practice.fbcdn.net"
#: The largest file, in bytes (Send API: 25 MB).
LARGEST = 25 * 1024 * 1024
KINDS = ("image", "video", "audio", "file")

_PNG = b"\x89PNG\r\n\x1a\n"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_media (
    id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    reusable INTEGER NOT NULL,
    content BLOB NOT NULL
)
"""


@dataclass(frozen=True, kw_only=True)
class File:
    """A picture or file without its bytes. `kind` is one of KINDS, `type` a media type, `size` in bytes.

    `id` is also the attachment id by which a reusable one is sent again. Width and height are 0 where unknown.
    """

    id: str
    page_id: str
    kind: str
    name: str
    type: str
    width: int
    height: int
    reusable: bool
    size: int

    @property
    def path(self) -> str:
        """Return the path below HOST. Meta signs its addresses; this has the look of it."""
        signature = hashlib.sha256(f"practice {self.id}".encode()).hexdigest()[:16]
        ending = re.sub(r"[^A-Za-z0-9._-]+", "_", self.name) or "file"
        return f"/v/t1.15752-9/{self.id}/{ending}?_nc_oc={signature}&oe=7FFFFFFF"

    @property
    def url(self) -> str:
        """Return the public address."""
        return HOST + self.path


class Media:
    """Keeps files and gives them back."""

    def __init__(self, db: sqlite3.Connection, numbers: Numbers) -> None:
        self._db = db
        self._numbers = numbers
        db.execute(_SCHEMA)

    def add(
        self,
        *,
        page_id: str,
        kind: str,
        name: str,
        type: str,  # noqa: A002 (files have a type, and everybody calls it so)
        content: bytes,
        now: float,
        reusable: bool = False,
    ) -> File:
        """Return the file after it was kept; raise ValueError for an unknown kind, an empty or a too large one."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}.")
        if not 0 < len(content) <= LARGEST:
            raise ValueError(f"A file has from 1 to {LARGEST} bytes, not {len(content)}.")
        number = str(self._numbers.next(now))
        width = height = 0
        if content.startswith(_PNG) and len(content) >= 24:
            width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        self._db.execute(
            "INSERT INTO fb_media (id, page_id, kind, name, type, width, height, reusable, content) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, page_id, kind, name, type, width, height, reusable, content),
        )
        found = self.get(number)
        assert found is not None
        return found

    def get(self, number: str) -> File | None:
        """Return a file without its bytes."""
        row = self._db.execute(
            "SELECT id, page_id, kind, name, type, width, height, reusable, length(content) AS size "
            "FROM fb_media WHERE id = ?",
            (number,),
        ).fetchone()
        return File(**{**dict(row), "reusable": bool(row["reusable"])}) if row else None

    def content(self, number: str) -> bytes | None:
        """Return a file's bytes."""
        row = self._db.execute("SELECT content FROM fb_media WHERE id = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None
