"""Where posts lie. Every version of an edited post is a row of its own, as every version has an id of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from practice.database import transaction
from practice.x.wording import Link

_SCHEMA = """
CREATE TABLE IF NOT EXISTS x_post (
    id INTEGER PRIMARY KEY,
    first_id INTEGER NOT NULL,
    author_id TEXT NOT NULL,
    text TEXT NOT NULL,
    said TEXT NOT NULL,
    links TEXT NOT NULL,
    media TEXT NOT NULL,
    conversation_id INTEGER NOT NULL,
    reply_to INTEGER,
    quoted INTEGER,
    retweeted INTEGER,
    hidden INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    replaced_by INTEGER,
    listed_at REAL
);
CREATE INDEX IF NOT EXISTS x_post_author ON x_post (author_id, id);
CREATE INDEX IF NOT EXISTS x_post_conversation ON x_post (conversation_id, id);
CREATE INDEX IF NOT EXISTS x_post_first ON x_post (first_id);
CREATE INDEX IF NOT EXISTS x_post_reply ON x_post (reply_to) WHERE reply_to IS NOT NULL;
CREATE INDEX IF NOT EXISTS x_post_retweeted ON x_post (retweeted) WHERE retweeted IS NOT NULL;
CREATE INDEX IF NOT EXISTS x_post_quoted ON x_post (quoted) WHERE quoted IS NOT NULL;
CREATE TABLE IF NOT EXISTS x_mention (
    user_id TEXT NOT NULL,
    post_id INTEGER NOT NULL REFERENCES x_post (id),
    PRIMARY KEY (user_id, post_id)
) WITHOUT ROWID;
"""

_COLUMNS = (
    "id, first_id, author_id, text, said, links, media, conversation_id, reply_to, quoted, retweeted, hidden, deleted, "
    "replaced_by"
)

#: What counts as being there: the newest version of what was not deleted, by an author whom the asker may read.
_THERE = (
    "deleted = 0 AND replaced_by IS NULL AND (author_id = :viewer OR author_id NOT IN "
    "(SELECT user_id FROM x_profile WHERE protected = 1))"
)
_LISTED = f"{_THERE} AND listed_at <= :now"


@dataclass(frozen=True, kw_only=True)
class Post:
    """One version of a post.

    `text` is the whole of it, with t.co addresses in the place of `links`; `said` is what it was made from.
    """

    id: int
    first_id: int
    author_id: str
    text: str
    said: str
    links: list[Link] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    conversation_id: int
    reply_to: int | None = None
    quoted: int | None = None
    retweeted: int | None = None
    hidden: bool = False
    deleted: bool = False
    replaced_by: int | None = None


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which part of a list is asked for: ids above `above` and below `below`, at most `limit`, newest first.

    `oldest_first` takes the ones next to `above` in place of the newest; they too come newest first.
    """

    above: int = 0
    below: int = 2**63 - 1
    limit: int = 10
    oldest_first: bool = False


class Posts:
    """Reads posts and keeps them. Who may do what stands in `publishing`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    def get(self, post_id: int) -> Post | None:
        """Return one version of a post, deleted or not."""
        found = self._posts("SELECT {} FROM x_post WHERE id = :id", {"id": post_id})
        return found[0] if found else None

    def versions(self, first_id: int) -> list[int]:
        """Return the ids of all versions of a post, the first one first."""
        return [row[0] for row in self._db.execute("SELECT id FROM x_post WHERE first_id = ? ORDER BY id", (first_id,))]

    def newest_version(self, post: Post) -> Post:
        """Return what became of a post by editing."""
        newest = self.get(self.versions(post.first_id)[-1])
        assert newest is not None
        return newest

    def mentioning(self, user_id: str, window: Window, *, viewer: str, now: float, reachable: int) -> list[Post]:
        """Return posts that name an account, of its `reachable` newest ones. Retweets do not name anybody."""
        oldest = self._db.execute(
            "SELECT post_id FROM x_mention WHERE user_id = ? ORDER BY post_id DESC LIMIT 1 OFFSET ?",
            (user_id, reachable - 1),
        ).fetchone()
        return self._window(
            "id IN (SELECT post_id FROM x_mention WHERE user_id = :user AND post_id > :above AND post_id < :below) "
            f"AND id >= :oldest AND {_LISTED}",
            window,
            {"user": user_id, "oldest": oldest[0] if oldest else 0, "viewer": viewer, "now": now},
        )

    def by_author(
        self,
        user_id: str,
        window: Window,
        *,
        viewer: str,
        without_replies: bool = False,
        without_retweets: bool = False,
    ) -> list[Post]:
        """Return what an account wrote; there nothing is late."""
        conditions = [f"author_id = :user AND {_THERE}"]
        if without_replies:
            conditions.append("reply_to IS NULL")
        if without_retweets:
            conditions.append("retweeted IS NULL")
        return self._window(" AND ".join(conditions), window, {"user": user_id, "viewer": viewer})

    def searchable(self, window: Window, *, viewer: str, now: float) -> list[Post]:
        """Return posts that a search may find. Retweets are not among them (X's index since May 2026)."""
        return self._window(f"retweeted IS NULL AND {_LISTED}", window, {"viewer": viewer, "now": now})

    def of_conversation(self, conversation_id: int, limit: int) -> list[Post]:
        """Return the newest posts of a conversation, oldest first."""
        found = self._window(
            "conversation_id = :conversation AND retweeted IS NULL AND deleted = 0 AND replaced_by IS NULL",
            Window(limit=limit),
            {"conversation": conversation_id},
        )
        return found[::-1]

    def conversations_of(self, user_id: str, limit: int) -> list[int]:
        """Return the conversations in which somebody took part or was named, the liveliest first."""
        rows = self._db.execute(
            "SELECT conversation_id, max(id) FROM x_post WHERE deleted = 0 AND replaced_by IS NULL "
            "AND retweeted IS NULL AND conversation_id IN "
            "(SELECT conversation_id FROM x_post WHERE author_id = :user UNION "
            "SELECT conversation_id FROM x_post JOIN x_mention ON post_id = id WHERE user_id = :user) "
            "GROUP BY conversation_id ORDER BY max(id) DESC LIMIT :limit",
            {"user": user_id, "limit": limit},
        )
        return [row[0] for row in rows]

    def counts(self, post: Post) -> dict[str, int]:
        """Return how often a post, in any version, was answered, retweeted and quoted."""
        versions = f"(SELECT id FROM x_post WHERE first_id = {post.first_id})"
        return {
            column: self._db.execute(
                f"SELECT count(*) FROM x_post WHERE {column} IN {versions} AND deleted = 0 AND replaced_by IS NULL"
            ).fetchone()[0]
            for column in ("reply_to", "retweeted", "quoted")
        }

    def written_by(self, user_id: str) -> int:
        """Return how many posts an account has."""
        count = self._db.execute(
            "SELECT count(*) FROM x_post WHERE author_id = ? AND deleted = 0 AND replaced_by IS NULL", (user_id,)
        ).fetchone()[0]
        return int(count)

    def said_before(self, author_id: str, said: str, since_id: int) -> bool:
        """Return whether somebody wrote the same after an id, in a post that is still there."""
        row = self._db.execute(
            "SELECT 1 FROM x_post WHERE author_id = ? AND id > ? AND said = ? AND deleted = 0 AND replaced_by IS NULL",
            (author_id, since_id, said),
        ).fetchone()
        return row is not None

    def addressed(self, author_id: str, user_id: str, conversation_id: int) -> bool:
        """Return whether somebody named an account in a conversation, or quoted it there."""
        row = self._db.execute(
            "SELECT 1 FROM x_post WHERE author_id = :author AND conversation_id = :conversation AND deleted = 0 AND "
            "(id IN (SELECT post_id FROM x_mention WHERE user_id = :user) OR "
            "quoted IN (SELECT id FROM x_post WHERE author_id = :user))",
            {"author": author_id, "user": user_id, "conversation": conversation_id},
        ).fetchone()
        return row is not None

    def retweet_of(self, author_id: str, post: Post) -> Post | None:
        """Return somebody's retweet of a post."""
        found = self._posts(
            "SELECT {} FROM x_post WHERE author_id = :author AND deleted = 0 AND retweeted IN "
            "(SELECT id FROM x_post WHERE first_id = :first)",
            {"author": author_id, "first": post.first_id},
        )
        return found[0] if found else None

    def add(self, post: Post, *, mentions: Sequence[str], listed_at: float | None) -> None:
        """Keep a new post or a new version of one. `listed_at` of None means: until it is released."""
        with transaction(self._db):
            self._db.execute(
                f"INSERT INTO x_post ({_COLUMNS}, listed_at) VALUES (:id, :first_id, :author_id, :text, :said, :links, "
                ":media, :conversation_id, :reply_to, :quoted, :retweeted, :hidden, :deleted, :replaced_by, "
                ":listed_at)",
                {
                    **asdict(post),
                    "links": json.dumps([[link.short, link.full] for link in post.links]),
                    "media": json.dumps(post.media),
                    "listed_at": listed_at,
                },
            )
            self._db.execute(
                "UPDATE x_post SET replaced_by = ? WHERE first_id = ? AND id < ?", (post.id, post.first_id, post.id)
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO x_mention (user_id, post_id) VALUES (?, ?)",
                [(user_id, post.id) for user_id in mentions],
            )

    def delete(self, post: Post) -> None:
        """Take a post away in all its versions, and its retweets with it."""
        self._db.execute(
            "UPDATE x_post SET deleted = 1 WHERE first_id = :first OR retweeted IN "
            "(SELECT id FROM x_post WHERE first_id = :first)",
            {"first": post.first_id},
        )

    def hide(self, post: Post, hidden: bool) -> None:
        """Hide a reply below our post, or show it again."""
        self._db.execute("UPDATE x_post SET hidden = ? WHERE first_id = ?", (hidden, post.first_id))

    def release(self, now: float) -> int:
        """List what was held back, and return how much that was."""
        return self._db.execute("UPDATE x_post SET listed_at = ? WHERE listed_at IS NULL", (now,)).rowcount

    def held(self) -> int:
        """Return how many posts are held back."""
        return int(self._db.execute("SELECT count(*) FROM x_post WHERE listed_at IS NULL").fetchone()[0])

    def _window(self, condition: str, window: Window, values: dict[str, Any]) -> list[Post]:
        order = "ASC" if window.oldest_first else "DESC"
        found = self._posts(
            f"SELECT {{}} FROM x_post WHERE {condition} AND id > :above AND id < :below "
            f"ORDER BY id {order} LIMIT :limit",
            {**values, "above": window.above, "below": window.below, "limit": window.limit},
        )
        return found[::-1] if window.oldest_first else found

    def _posts(self, statement: str, values: dict[str, Any]) -> list[Post]:
        return [_post(row) for row in self._db.execute(statement.format(_COLUMNS), values)]


def _post(row: sqlite3.Row) -> Post:
    return Post(
        **{
            **dict(row),
            "links": [Link(*each) for each in json.loads(row["links"])],
            "media": json.loads(row["media"]),
            "hidden": bool(row["hidden"]),
            "deleted": bool(row["deleted"]),
        }
    )
