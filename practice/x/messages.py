"""Direct messages: conversations of two or more, and what happened in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from practice.database import transaction
from practice.network import World
from practice.x.media import Media
from practice.x.problems import forbidden, invalid
from practice.x.profiles import Profile, Profiles
from practice.x.snowflake import Snowflakes, first_of
from practice.x.switches import NETWORK
from practice.x.tuning import Tuning
from practice.x.wording import Link, shortened

MESSAGE = "MessageCreate"
JOIN = "ParticipantsJoin"
LEAVE = "ParticipantsLeave"
#: How far back events can be read (docs.x.com, direct messages lookup), in seconds.
REACHABLE_SECONDS = 30 * 86_400
#: The longest message, in letters.
LONGEST = 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS x_message (
    id INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    text TEXT NOT NULL,
    links TEXT NOT NULL,
    media TEXT NOT NULL,
    others TEXT NOT NULL,
    listed_at REAL
);
CREATE INDEX IF NOT EXISTS x_message_conversation ON x_message (conversation_id, id);
CREATE TABLE IF NOT EXISTS x_participant (
    user_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    PRIMARY KEY (user_id, conversation_id)
) WITHOUT ROWID;
"""
_COLUMNS = "id, conversation_id, kind, sender_id, text, links, media, others"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something in a conversation. `others` are those who joined or left."""

    id: int
    conversation_id: str
    kind: str
    sender_id: str
    text: str = ""
    links: list[Link] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


class Messages:
    """Keeps conversations; `send` and `open_group` write, and refuse by raising a Problem."""

    def __init__(self, *, world: World, profiles: Profiles, media: Media, numbers: Snowflakes, tuning: Tuning) -> None:
        self._world = world
        self._db = world.db
        self._profiles = profiles
        self._media = media
        self._numbers = numbers
        self._tuning = tuning
        self._db.executescript(_SCHEMA)

    def send(
        self, sender: Profile, conversation_id: str, text: str, media: list[str], *, by_app: bool, now: float
    ) -> Event:
        """Return the message after it was sent into a conversation of the sender's."""
        if sender.id not in self._expected(conversation_id):
            raise forbidden("You are not permitted to perform this action.")
        for user_id in self._expected(conversation_id):
            if user_id != sender.id and "-" in conversation_id:
                self._check_open(sender, user_id, by_app=by_app)
        if len(text) > LONGEST:
            raise invalid(f"$.text: must be at most {LONGEST} characters long", {"text": [text[:20]]})
        self._media.claim(media, sender)
        number = self._numbers.next(now)
        text, links = shortened(text, str(number))
        event = Event(
            id=number,
            conversation_id=conversation_id,
            kind=MESSAGE,
            sender_id=sender.id,
            text=text,
            links=links,
            media=media,
        )
        with transaction(self._db):
            self._take_part(conversation_id, self._expected(conversation_id))
            self._add(event, self._listed_at(sender, now))
        self._world.happenings.note(NETWORK, "message", f"@{sender.handle} wrote a message: {text[:120]}")
        return event

    def open_group(self, opener: Profile, others: Sequence[str], text: str, *, by_app: bool, now: float) -> Event:
        """Return the first message of a new group."""
        for user_id in others:
            self._check_open(opener, user_id, by_app=by_app)
        conversation_id = str(self._numbers.next(now))
        everybody = list(dict.fromkeys([opener.id, *others]))
        joined = Event(
            id=self._numbers.next(now),
            conversation_id=conversation_id,
            kind=JOIN,
            sender_id=opener.id,
            others=everybody,
        )
        with transaction(self._db):
            self._take_part(conversation_id, everybody)
            self._add(joined, self._listed_at(opener, now))
            return self.send(opener, conversation_id, text, [], by_app=by_app, now=now)

    def of_user(
        self,
        user_id: str,
        *,
        conversation_id: str,
        kinds: Sequence[str],
        above: int,
        below: int,
        limit: int,
        now: float,
    ) -> list[Event]:
        """Return events of somebody's conversations, newest first; of one of them where it is named."""
        marks = ", ".join("?" * len(kinds))
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM x_message WHERE conversation_id IN "
            "(SELECT conversation_id FROM x_participant WHERE user_id = ?) AND (? = '' OR conversation_id = ?) "
            f"AND kind IN ({marks}) AND id > ? AND id < ? AND listed_at <= ? ORDER BY id DESC LIMIT ?",
            (
                user_id,
                conversation_id,
                conversation_id,
                *kinds,
                max(above, first_of(now - REACHABLE_SECONDS)),
                below,
                now,
                limit,
            ),
        )
        return [_event(row) for row in rows]

    def on_screen(self, conversation_id: str, limit: int) -> list[Event]:
        """Return the newest messages of a conversation, oldest first. On the telephone nothing is late."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM x_message WHERE conversation_id = ? AND kind = ? ORDER BY id DESC LIMIT ?",
            (conversation_id, MESSAGE, limit),
        )
        return [_event(row) for row in rows][::-1]

    def conversations(self, user_id: str, limit: int) -> list[str]:
        """Return somebody's conversations, the one written in last first."""
        rows = self._db.execute(
            "SELECT conversation_id FROM x_message WHERE conversation_id IN "
            "(SELECT conversation_id FROM x_participant WHERE user_id = ?) "
            "GROUP BY conversation_id ORDER BY max(id) DESC LIMIT ?",
            (user_id, limit),
        )
        return [row[0] for row in rows]

    def participants(self, conversation_id: str) -> list[str]:
        """Return who takes part in a conversation."""
        rows = self._db.execute("SELECT user_id FROM x_participant WHERE conversation_id = ?", (conversation_id,))
        return [row[0] for row in rows]

    def shows(self, user_id: str, number: int, picture: int) -> bool:
        """Return whether a message shows this picture to somebody who takes part in its conversation."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM x_message WHERE id = ? AND conversation_id IN "
            "(SELECT conversation_id FROM x_participant WHERE user_id = ?)",
            (min(number, 2**63 - 1), user_id),
        ).fetchone()
        return row is not None and f"3_{picture}" in _event(row).media

    def release(self, now: float) -> int:
        """List what was held back, and return how much that was."""
        return self._db.execute("UPDATE x_message SET listed_at = ? WHERE listed_at IS NULL", (now,)).rowcount

    def held(self) -> int:
        """Return how many messages are held back."""
        return int(self._db.execute("SELECT count(*) FROM x_message WHERE listed_at IS NULL").fetchone()[0])

    def _expected(self, conversation_id: str) -> list[str]:
        """Return who belongs to a conversation, also to one between two who never wrote to each other."""
        return conversation_id.split("-") if "-" in conversation_id else self.participants(conversation_id)

    def _check_open(self, sender: Profile, user_id: str, *, by_app: bool) -> None:
        refused = by_app and self._world.mischief.take(NETWORK, "x_message_refused", address=sender.handle.lower())
        recipient = self._profiles.by_id(user_id)
        if refused or recipient is None or user_id == sender.id or self._profiles.habits(user_id).blocks_messages:
            raise forbidden("You cannot send messages to this user.")

    def _listed_at(self, sender: Profile, now: float) -> float | None:
        if not sender.ours and self._world.mischief.take(NETWORK, "x_late"):
            self._world.happenings.note(NETWORK, "held", f"A message of @{sender.handle} is held back.")
            return None
        return now + (0 if sender.ours else self._tuning.seconds("index_seconds"))

    def _take_part(self, conversation_id: str, user_ids: Sequence[str]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO x_participant (user_id, conversation_id) VALUES (?, ?)",
            [(user_id, conversation_id) for user_id in user_ids],
        )

    def _add(self, event: Event, listed_at: float | None) -> None:
        self._db.execute(
            f"INSERT INTO x_message ({_COLUMNS}, listed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.id,
                event.conversation_id,
                event.kind,
                event.sender_id,
                event.text,
                json.dumps([[link.short, link.full] for link in event.links]),
                json.dumps(event.media),
                json.dumps(event.others),
                listed_at,
            ),
        )


def between(one: str, other: str) -> str:
    """Return the id of the conversation of two: both ids, the smaller number first."""
    return "-".join(sorted((one, other), key=int))


def _event(row: sqlite3.Row) -> Event:
    return Event(
        **{
            **dict(row),
            "links": [Link(*each) for each in json.loads(row["links"])],
            "media": json.loads(row["media"]),
            "others": json.loads(row["others"]),
        }
    )
