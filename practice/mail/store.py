"""Where mail lies: mailboxes with folders, letters byte for byte as they arrived, UIDs that are never used twice.

It stands in SQLite rather than in Maildir folders. A letter, its UID and its flags then change together or not
at all, so a SIGKILL leaves neither a letter without a UID nor a lock that nobody will ever open; and pymap's own
Maildir backend hands letters out re-written by `email.message`, which mends exactly the broken headers that one wants
to practise on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from practice.database import transaction

INBOX = "INBOX"
SENT = "Sent"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail_folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL DEFAULT 1,
    subscribed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (address, name)
);
CREATE TABLE IF NOT EXISTS mail_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder_id INTEGER NOT NULL REFERENCES mail_folder (id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    arrived_at REAL NOT NULL,
    flags TEXT NOT NULL,
    is_recent INTEGER NOT NULL,
    size INTEGER NOT NULL,
    raw BLOB NOT NULL,
    UNIQUE (folder_id, uid)
);
CREATE TABLE IF NOT EXISTS mail_held (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    folder TEXT NOT NULL,
    raw BLOB NOT NULL
);
"""


@dataclass(frozen=True)
class Folder:
    """A folder of a mailbox."""

    id: int
    address: str
    name: str
    uid_validity: int
    uid_next: int


@dataclass(frozen=True)
class Letter:
    """A letter in a folder, without its bytes. `arrived_at` is IMAP's INTERNALDATE in seconds since 1970."""

    id: int
    folder_id: int
    uid: int
    arrived_at: float
    flags: frozenset[str]
    is_recent: bool
    size: int


class MailStore:
    """All mail of everybody. `watch` is called with a folder's id after anything in it changed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._watchers: list[Callable[[int], None]] = []
        db.executescript(_SCHEMA)
        #: Bytes of the letters read last: a client asks for size, header and text of the same letter one by one.
        self.raw = lru_cache(maxsize=4)(self._raw)

    def watch(self, watcher: Callable[[int], None]) -> None:
        """Call `watcher` after every change from now on."""
        self._watchers.append(watcher)

    # Folders

    def open_mailbox(self, address: str) -> None:
        """Make sure that the mailbox has its two folders."""
        for name in (INBOX, SENT):
            if self.folder(address, name) is None:
                self.add_folder(address, name)

    def folders(self, address: str) -> list[Folder]:
        """Return the folders of a mailbox."""
        rows = self._db.execute(
            "SELECT id, address, name, uid_validity, uid_next FROM mail_folder WHERE address = ? ORDER BY id LIMIT 500",
            (address,),
        )
        return [Folder(*row) for row in rows]

    def folder(self, address: str, name: str) -> Folder | None:
        """Return one folder. INBOX is found whatever its capitals (RFC 3501 section 5.1)."""
        name = INBOX if name.upper() == INBOX else name
        row = self._db.execute(
            "SELECT id, address, name, uid_validity, uid_next FROM mail_folder WHERE address = ? AND name = ?",
            (address, name),
        ).fetchone()
        return Folder(*row) if row else None

    def add_folder(self, address: str, name: str) -> Folder:
        """Return a new folder; raise ValueError when there is one of that name."""
        try:
            self._db.execute(
                "INSERT INTO mail_folder (address, name, uid_validity) VALUES (?, ?, ?)",
                (address, name, int(time.time())),
            )
        except sqlite3.IntegrityError:
            raise ValueError(name) from None
        folder = self.folder(address, name)
        assert folder is not None
        return folder

    def remove_folder(self, address: str, name: str) -> None:
        """Remove a folder and what is in it; raise KeyError when there is none."""
        folder = self._known(address, name)
        self._db.execute("DELETE FROM mail_folder WHERE id = ?", (folder.id,))
        self._changed(folder.id)

    def rename_folder(self, address: str, before: str, after: str) -> None:
        """Rename a folder; raise KeyError when there is none, ValueError when the new name is taken."""
        folder = self._known(address, before)
        try:
            self._db.execute("UPDATE mail_folder SET name = ? WHERE id = ?", (after, folder.id))
        except sqlite3.IntegrityError:
            raise ValueError(after) from None
        self._changed(folder.id)

    def recreate(self, address: str, name: str) -> Folder:
        """Give the folder a new UIDVALIDITY and number its letters anew from 1, as a rebuilt mailbox does.

        Every UID a client remembered is void from here on (RFC 3501 section 2.3.1.1). Raises KeyError.
        """
        folder = self._known(address, name)
        with transaction(self._db):
            ids = [letter.id for letter in self.letters(folder.id)]
            # By way of negative numbers: a UID may be taken by a letter that has not been renumbered yet.
            self._db.execute("UPDATE mail_letter SET uid = -uid WHERE folder_id = ?", (folder.id,))
            self._db.executemany("UPDATE mail_letter SET uid = ? WHERE id = ?", list(enumerate(ids, 1)))
            self._db.execute(
                "UPDATE mail_folder SET uid_validity = ?, uid_next = ? WHERE id = ?",
                (max(folder.uid_validity + 1, int(time.time())), len(ids) + 1, folder.id),
            )
        self._changed(folder.id)
        return self._known(address, name)

    def subscribe(self, address: str, name: str, subscribed: bool) -> None:
        """Remember whether a client wants to see the folder in LSUB."""
        self._db.execute(
            "UPDATE mail_folder SET subscribed = ? WHERE address = ? AND name = ?", (subscribed, address, name)
        )

    def subscribed(self, address: str) -> list[str]:
        """Return the names of the folders that clients want to see."""
        rows = self._db.execute("SELECT name FROM mail_folder WHERE address = ? AND subscribed LIMIT 500", (address,))
        return [row[0] for row in rows]

    # Letters

    def file(
        self,
        address: str,
        name: str,
        raw: bytes,
        *,
        arrived_at: float | None = None,
        flags: Iterable[str] = (),
        is_recent: bool = True,
    ) -> Letter:
        """Put a letter into a folder and return it; raise KeyError when there is no such folder."""
        folder = self._known(address, name)
        with transaction(self._db):
            uid = self._db.execute("SELECT uid_next FROM mail_folder WHERE id = ?", (folder.id,)).fetchone()[0]
            self._db.execute("UPDATE mail_folder SET uid_next = uid_next + 1 WHERE id = ?", (folder.id,))
            cursor = self._db.execute(
                "INSERT INTO mail_letter (folder_id, uid, arrived_at, flags, is_recent, size, raw)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    folder.id, uid, time.time() if arrived_at is None else arrived_at, " ".join(sorted(flags)),
                    is_recent, len(raw), raw,
                ),
            )  # fmt: skip
        self._changed(folder.id)
        letter = self.letter(cursor.lastrowid or 0)
        assert letter is not None
        return letter

    def letters(self, folder_id: int) -> list[Letter]:
        """Return all letters of a folder in the order of their UIDs."""
        rows = self._db.execute(f"SELECT {_LETTER} FROM mail_letter WHERE folder_id = ? ORDER BY uid", (folder_id,))
        return [_letter(row) for row in rows]

    def newest(self, address: str, limit: int, folder: str | None = None) -> list[tuple[str, Letter]]:
        """Return the newest letters of a mailbox with the names of their folders, newest first."""
        rows = self._db.execute(
            f"SELECT f.name, {', '.join('l.' + column for column in _LETTER.split(', '))}"
            " FROM mail_letter l JOIN mail_folder f ON f.id = l.folder_id"
            " WHERE f.address = ? AND (? IS NULL OR f.name = ?) ORDER BY l.id DESC LIMIT ?",
            (address, folder, folder, limit),
        )
        return [(row[0], _letter(row[1:])) for row in rows]

    def letter(self, letter_id: int) -> Letter | None:
        """Return one letter."""
        row = self._db.execute(f"SELECT {_LETTER} FROM mail_letter WHERE id = ?", (letter_id,)).fetchone()
        return _letter(row) if row else None

    def letter_by_uid(self, folder_id: int, uid: int) -> Letter | None:
        """Return the letter with this UID in a folder."""
        row = self._db.execute(
            f"SELECT {_LETTER} FROM mail_letter WHERE folder_id = ? AND uid = ?", (folder_id, uid)
        ).fetchone()
        return _letter(row) if row else None

    def owner(self, letter_id: int) -> str | None:
        """Return the address of the mailbox that a letter lies in."""
        row = self._db.execute(
            "SELECT f.address FROM mail_letter l JOIN mail_folder f ON f.id = l.folder_id WHERE l.id = ?", (letter_id,)
        ).fetchone()
        return row[0] if row else None

    def _raw(self, letter_id: int) -> bytes:
        """Return a letter's bytes exactly as they arrived, or b"" once it is gone."""
        row = self._db.execute("SELECT raw FROM mail_letter WHERE id = ?", (letter_id,)).fetchone()
        return bytes(row[0]) if row else b""

    def set_flags(self, letter: Letter, flags: Iterable[str]) -> None:
        """Set the flags that everybody who opens the mailbox sees."""
        self._db.execute("UPDATE mail_letter SET flags = ? WHERE id = ?", (" ".join(sorted(flags)), letter.id))
        self._changed(letter.folder_id)

    def claim_recent(self, folder_id: int) -> list[int]:
        """Return the UIDs that no client has been told of yet; the next one is not told again (RFC 3501 \\Recent)."""
        recent = "folder_id = ? AND is_recent"
        rows = self._db.execute(f"SELECT uid FROM mail_letter WHERE {recent}", (folder_id,)).fetchall()
        self._db.execute(f"UPDATE mail_letter SET is_recent = 0 WHERE {recent}", (folder_id,))
        return [row[0] for row in rows]

    def remove(self, folder_id: int, uids: Iterable[int]) -> None:
        """Remove letters; those already gone stay gone."""
        self._db.executemany(
            "DELETE FROM mail_letter WHERE folder_id = ? AND uid = ?", [(folder_id, uid) for uid in uids]
        )
        self._changed(folder_id)

    # Letters that are held back on purpose

    def hold(self, address: str, name: str, raw: bytes) -> None:
        """Keep a letter for later. It is taken: the sender has been told so, and a restart does not lose it."""
        self._db.execute("INSERT INTO mail_held (address, folder, raw) VALUES (?, ?, ?)", (address, name, raw))

    def held(self, folder: str) -> int:
        """Return how many letters are held back from the folders of this name."""
        return int(self._db.execute("SELECT count(*) FROM mail_held WHERE folder = ?", (folder,)).fetchone()[0])

    def take_held(self, folder: str) -> list[tuple[str, bytes]]:
        """Return the addresses and bytes of what was held, newest first, and hold it no more."""
        rows = self._db.execute(
            "SELECT address, raw FROM mail_held WHERE folder = ? ORDER BY id DESC", (folder,)
        ).fetchall()
        self._db.execute("DELETE FROM mail_held WHERE folder = ?", (folder,))
        return [(row[0], bytes(row[1])) for row in rows]

    def _known(self, address: str, name: str) -> Folder:
        folder = self.folder(address, name)
        if folder is None:
            raise KeyError(name)
        return folder

    def _changed(self, folder_id: int) -> None:
        for watcher in self._watchers:
            watcher(folder_id)


_LETTER = "id, folder_id, uid, arrived_at, flags, is_recent, size"


def _letter(row: Any) -> Letter:
    letter_id, folder_id, uid, arrived_at, flags, is_recent, size = row
    return Letter(letter_id, folder_id, uid, arrived_at, frozenset(flags.split()), bool(is_recent), size)
