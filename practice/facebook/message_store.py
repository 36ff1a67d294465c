"""Where conversations of Messenger lie, one for each person and Page, and what subscribers of the Page are told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from practice.database import transaction
from practice.facebook.media import File, Media
from practice.facebook.numbers import Numbers, message_id
from practice.facebook.pages import PAGE_INBOX_APP, Page, Profiles, page_of, psid_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_conversation (
    number INTEGER PRIMARY KEY,
    page_id TEXT NOT NULL,
    person_key TEXT NOT NULL,
    updated_at REAL NOT NULL,
    person_wrote_at REAL NOT NULL DEFAULT 0,
    page_read_at REAL NOT NULL DEFAULT 0,
    person_read_at REAL NOT NULL DEFAULT 0,
    typing_at REAL NOT NULL DEFAULT 0,
    UNIQUE (page_id, person_key)
);
CREATE TABLE IF NOT EXISTS fb_message (
    number INTEGER PRIMARY KEY,
    mid TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES fb_conversation (number),
    by_page INTEGER NOT NULL,
    text TEXT NOT NULL,
    media TEXT NOT NULL,
    metadata TEXT NOT NULL,
    app_id TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    created_at REAL NOT NULL,
    edits INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    unsupported INTEGER NOT NULL DEFAULT 0,
    delivered_at REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS fb_message_conversation ON fb_message (conversation, number);
"""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A person and a Page. Times are seconds since 1970, 0 for never.

    `person_wrote_at` opens the window of 24 hours; `…_read_at` is up to when each side has read.
    """

    number: int
    page_id: str
    person_key: str
    updated_at: float
    person_wrote_at: float
    page_read_at: float
    person_read_at: float
    typing_at: float

    @property
    def id(self) -> str:
        """Return the id the API knows it by."""
        return f"t_{self.number}"


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message, by the Page or by the person. `media` are ids; `metadata` and `app_id` are the sending app's.

    A deleted one was unsent: the row stays, and nobody is shown it. `delivered_at` is 0 for one by the person.
    """

    number: int
    mid: str
    conversation: int
    by_page: bool
    text: str
    media: tuple[str, ...]
    metadata: str
    app_id: str
    reply_to: str
    created_at: float
    edits: int
    deleted: bool
    unsupported: bool
    delivered_at: float


class MessageStore:
    """Reads and writes conversations. Who may write when is the callers' business."""

    def __init__(
        self,
        db: sqlite3.Connection,
        numbers: Numbers,
        profiles: Profiles,
        media: Media,
        happened: Callable[[str, str, dict[str, Any]], None],
    ) -> None:
        self._db = db
        self._numbers = numbers
        self._profiles = profiles
        self._media = media
        self._happened = happened
        db.executescript(_SCHEMA)

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return a conversation by its id ("t_NUMBER")."""
        digits = conversation_id.removeprefix("t_")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return None
        return self._one("number = ?", int(digits))

    def between(self, page_id: str, person_key: str) -> Conversation | None:
        """Return the conversation of a person with a Page."""
        return self._one("page_id = ? AND person_key = ?", page_id, person_key)

    def begun(self, page_id: str, person_key: str, *, now: float) -> Conversation:
        """Return the conversation of a person with a Page, made now if there was none."""
        found = self.between(page_id, person_key)
        if found is None:
            self._db.execute(
                "INSERT INTO fb_conversation (number, page_id, person_key, updated_at) VALUES (?, ?, ?, ?)",
                (self._numbers.next(now), page_id, person_key, now),
            )
            found = self.between(page_id, person_key)
        assert found is not None
        return found

    def conversations(
        self, page_id: str, *, person_key: str = "", past: tuple[float, int] | None = None, limit: int = 25
    ) -> list[Conversation]:
        """Return conversations of a Page with at least one message, the liveliest first.

        `past` is `updated_at` and number of the last one seen.
        """
        conditions = [
            "page_id = ?",
            "EXISTS (SELECT 1 FROM fb_message WHERE conversation = fb_conversation.number)",
        ]
        parameters: list[Any] = [page_id]
        if person_key:
            conditions.append("person_key = ?")
            parameters.append(person_key)
        if past is not None:
            conditions.append("(updated_at, number) < (?, ?)")
            parameters.extend(past)
        rows = self._db.execute(
            f"SELECT * FROM fb_conversation WHERE {' AND '.join(conditions)} "
            f"ORDER BY updated_at DESC, number DESC LIMIT {int(limit)}",
            parameters,
        )
        return [Conversation(**dict(row)) for row in rows]

    def conversations_of(self, person_key: str) -> list[Conversation]:
        """Return a person's conversations, the liveliest first."""
        rows = self._db.execute(
            "SELECT * FROM fb_conversation WHERE person_key = ? ORDER BY updated_at DESC LIMIT 50", (person_key,)
        )
        return [Conversation(**dict(row)) for row in rows]

    def message(self, mid: str) -> Message | None:
        """Return a message, deleted or not."""
        found = self._messages("mid = ?", (mid,), 1)
        return found[0] if found else None

    def messages(
        self, conversation: Conversation, *, below: int = 2**63 - 1, with_deleted: bool = False, limit: int = 25
    ) -> list[Message]:
        """Return messages of a conversation, newest first, with numbers below one."""
        condition = "conversation = ? AND number < ?" + ("" if with_deleted else " AND deleted = 0")
        return self._messages(condition, (conversation.number, below), limit)

    def count(self, conversation: Conversation, *, unread: bool = False) -> int:
        """Return how many messages there are, or how many of the person's the Page has not read."""
        condition = " AND by_page = 0 AND created_at > ?" if unread else " AND ? IS NOT NULL"
        row = self._db.execute(
            f"SELECT count(*) FROM fb_message WHERE conversation = ? AND deleted = 0{condition}",
            (conversation.number, conversation.page_read_at),
        ).fetchone()
        return int(row[0])

    def newer(self, message: Message) -> int:
        """Return how many messages of its conversation came after one and are still there."""
        row = self._db.execute(
            "SELECT count(*) FROM fb_message WHERE conversation = ? AND number > ? AND deleted = 0",
            (message.conversation, message.number),
        ).fetchone()
        return int(row[0])

    def said(
        self,
        conversation: Conversation,
        text: str,
        *,
        now: float,
        media: Sequence[str] = (),
        reply_to: str = "",
        unsupported: bool = False,
    ) -> Message:
        """Return a message by the person, after it was kept. It opens the window."""
        with transaction(self._db):
            message = self._add(conversation, text, now=now, media=media, reply_to=reply_to, unsupported=unsupported)
            self._db.execute(
                "UPDATE fb_conversation SET person_wrote_at = ?, person_read_at = ? WHERE number = ?",
                (now, now, conversation.number),
            )
            self.tell(message, "messages")
        return message

    def answered(
        self,
        conversation: Conversation,
        text: str,
        *,
        now: float,
        media: Sequence[str] = (),
        reply_to: str = "",
        metadata: str = "",
        app_id: str = PAGE_INBOX_APP,
    ) -> Message:
        """Return a message by the Page, after it was kept; by default one written in Facebook's own inbox."""
        with transaction(self._db):
            message = self._add(
                conversation, text, now=now, media=media, reply_to=reply_to, metadata=metadata, app_id=app_id, page=True
            )
            self._db.execute(
                "UPDATE fb_conversation SET page_read_at = ?, typing_at = 0 WHERE number = ?",
                (now, conversation.number),
            )
            self.tell(message, "message_echoes")
        return message

    def delivered(self, conversation: Conversation, *, now: float) -> list[str]:
        """Bring to the person's phone what was not there yet, and return its mids."""
        with transaction(self._db):
            rows = self._db.execute(
                "UPDATE fb_message SET delivered_at = ? WHERE conversation = ? AND by_page = 1 AND delivered_at = 0 "
                "RETURNING mid",
                (now, conversation.number),
            ).fetchall()
            mids = [row[0] for row in rows]
            if mids:
                told = {"delivery": {"mids": mids, "watermark": _milliseconds(now)}}
                self._happen(conversation, "message_deliveries", told, now)
        return mids

    def read_by_person(self, conversation: Conversation, *, now: float) -> None:
        """Keep that the person has seen everything until now. A second time tells nobody anything."""
        newest = self.messages(conversation, limit=1)
        if not newest or conversation.person_read_at >= newest[0].created_at:
            return
        with transaction(self._db):
            self._db.execute(
                "UPDATE fb_conversation SET person_read_at = ? WHERE number = ?", (now, conversation.number)
            )
            self._happen(conversation, "message_reads", {"read": {"watermark": _milliseconds(now)}}, now)

    def read_by_page(self, conversation: Conversation, *, now: float) -> None:
        """Keep that the Page has seen everything until now."""
        self._db.execute("UPDATE fb_conversation SET page_read_at = ? WHERE number = ?", (now, conversation.number))

    def typing(self, conversation: Conversation, *, now: float) -> None:
        """Keep since when the Page is typing; 0 for no longer."""
        self._db.execute("UPDATE fb_conversation SET typing_at = ? WHERE number = ?", (now, conversation.number))

    def edit(self, message: Message, text: str, *, now: float) -> Message:
        """Return the person's message with other words."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE fb_message SET text = ?, edits = edits + 1 WHERE number = ?", (text, message.number)
            )
            edited = self._known(message.mid)
            told = {"message_edit": {"mid": message.mid, "text": text, "num_edit": edited.edits}}
            self._happen(self._of(message), "message_edits", told, now)
        return edited

    def unsend(self, message: Message, *, now: float) -> None:
        """Take a message of the person's back on both sides."""
        with transaction(self._db):
            self._db.execute("UPDATE fb_message SET deleted = 1 WHERE number = ?", (message.number,))
            self._happen(self._of(message), "messages", {"message": {"mid": message.mid, "is_deleted": True}}, now)

    def let_pass(self, conversation: Conversation, seconds: float) -> None:
        """Make everything in a conversation older, so that a window can be seen closing."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE fb_conversation SET updated_at = updated_at - :s, person_wrote_at = person_wrote_at - :s, "
                "page_read_at = page_read_at - :s, person_read_at = person_read_at - :s WHERE number = :number",
                {"s": seconds, "number": conversation.number},
            )
            self._db.execute(
                "UPDATE fb_message SET created_at = created_at - ? WHERE conversation = ?",
                (seconds, conversation.number),
            )

    def sides(self, conversation: Conversation) -> tuple[str, str]:
        """Return the person's and the Page's id in a conversation."""
        page = self.page(conversation)
        return psid_of(self._profiles.known(conversation.person_key), page), page.id

    def page(self, conversation: Conversation) -> Page:
        """Return the Page of a conversation."""
        page = page_of(conversation.page_id)
        assert page is not None, conversation.page_id
        return page

    def files(self, message: Message) -> list[File]:
        """Return a message's pictures and files."""
        return [file for each in message.media if (file := self._media.get(each))]

    def tell(self, message: Message, field: str) -> None:
        """Tell subscribers of a message: "messages" for the person's, "message_echoes" for the Page's."""
        told: dict[str, Any] = {"mid": message.mid}
        if message.unsupported:
            told["is_unsupported"] = True
        if message.text and not message.unsupported:
            told["text"] = message.text
        if message.reply_to:
            told["reply_to"] = {"mid": message.reply_to}
        if message.media:
            told["attachments"] = [{"type": each.kind, "payload": {"url": each.url}} for each in self.files(message)]
        if message.by_page:
            told |= {"is_echo": True, "app_id": int(message.app_id)}
            if message.metadata:
                told["metadata"] = message.metadata
        self._happen(self._of(message), field, {"message": told}, message.created_at, by_page=message.by_page)

    def _happen(
        self, conversation: Conversation, field: str, value: dict[str, Any], at: float, *, by_page: bool = False
    ) -> None:
        person, page = self.sides(conversation)
        sender, recipient = (page, person) if by_page else (person, page)
        self._happened(
            conversation.page_id,
            field,
            {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": _milliseconds(at), **value},
        )

    def _add(
        self,
        conversation: Conversation,
        text: str,
        *,
        now: float,
        media: Sequence[str],
        reply_to: str,
        metadata: str = "",
        app_id: str = "",
        page: bool = False,
        unsupported: bool = False,
    ) -> Message:
        mid = message_id()
        self._db.execute(
            "INSERT INTO fb_message (number, mid, conversation, by_page, text, media, metadata, app_id, reply_to, "
            "created_at, unsupported) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self._numbers.next(now), mid, conversation.number, page, text, json.dumps(list(media)), metadata),
                *(app_id, reply_to, now, unsupported),
            ),
        )
        self._db.execute("UPDATE fb_conversation SET updated_at = ? WHERE number = ?", (now, conversation.number))
        return self._known(mid)

    def _of(self, message: Message) -> Conversation:
        found = self._one("number = ?", message.conversation)
        assert found is not None
        return found

    def _known(self, mid: str) -> Message:
        message = self.message(mid)
        assert message is not None, mid
        return message

    def _one(self, condition: str, *values: Any) -> Conversation | None:
        row = self._db.execute(f"SELECT * FROM fb_conversation WHERE {condition}", values).fetchone()
        return Conversation(**dict(row)) if row else None

    def _messages(self, condition: str, values: tuple[Any, ...], limit: int) -> list[Message]:
        rows = self._db.execute(
            f"SELECT * FROM fb_message WHERE {condition} ORDER BY number DESC LIMIT {int(limit)}", values
        )
        flags = ("by_page", "deleted", "unsupported")
        told = [{**dict(row), **{name: bool(row[name]) for name in flags}} for row in rows]
        return [Message(**{**each, "media": tuple(json.loads(each["media"]))}) for each in told]


def _milliseconds(at: float) -> int:
    return int(at * 1000)
