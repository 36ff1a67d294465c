"""Where posts and comments lie, and what subscribers of the Page are told when one changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from practice.database import transaction
from practice.facebook.media import File, Media
from practice.facebook.numbers import Numbers
from practice.facebook.pages import Page, Profiles, commenter_id_of, page_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_post (
    number INTEGER PRIMARY KEY,
    page_id TEXT NOT NULL,
    person_key TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    media_id TEXT NOT NULL,
    private_reply TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS fb_post_page ON fb_post (page_id, number);
CREATE TABLE IF NOT EXISTS fb_comment (
    number INTEGER PRIMARY KEY,
    post INTEGER NOT NULL REFERENCES fb_post (number),
    parent INTEGER REFERENCES fb_comment (number),
    page_id TEXT NOT NULL,
    person_key TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at REAL NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    edits INTEGER NOT NULL DEFAULT 0,
    shares_profile INTEGER NOT NULL DEFAULT 1,
    media_id TEXT NOT NULL,
    private_reply TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS fb_comment_post ON fb_comment (post, number);
CREATE INDEX IF NOT EXISTS fb_comment_parent ON fb_comment (parent, number) WHERE parent IS NOT NULL;
"""
_LARGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post on a Page. `person_key` is who wrote it, "" for the Page itself. Times are seconds since 1970.

    `updated_at` moves with every comment, as Facebook's does. `private_reply` is the conversation of the private
    reply to it, "" before there is one.
    """

    number: int
    page_id: str
    person_key: str
    message: str
    created_at: float
    updated_at: float
    hidden: bool
    deleted: bool
    media_id: str
    private_reply: str

    @property
    def id(self) -> str:
        """Return the id the API knows it by."""
        return f"{self.page_id}_{self.number}"


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment on a post, or on a comment (`parent`, which is always one on the post itself)."""

    number: int
    post: int
    parent: int | None
    page_id: str
    person_key: str
    message: str
    created_at: float
    hidden: bool
    deleted: bool
    edits: int
    shares_profile: bool
    media_id: str
    private_reply: str

    @property
    def id(self) -> str:
        """Return the id the API knows it by."""
        return f"{self.post}_{self.number}"

    @property
    def post_id(self) -> str:
        """Return the id of its post."""
        return f"{self.page_id}_{self.post}"

    @property
    def parent_id(self) -> str:
        """Return the id of what it answers: the post's, or that of the comment above it."""
        return self.post_id if self.parent is None else f"{self.post}_{self.parent}"


class FeedStore:
    """Reads and writes posts and comments. Who may do what is the callers' business."""

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

    def post(self, post_id: str) -> Post | None:
        """Return a post by its id ("PAGE_NUMBER"), deleted or not."""
        page, _, number = post_id.partition("_")
        found = self._posts("page_id = ? AND number = ?", (page, _number(number)), "LIMIT 1")
        return found[0] if found else None

    def comment(self, comment_id: str) -> Comment | None:
        """Return a comment by its id ("POSTNUMBER_NUMBER"), deleted or not."""
        post, _, number = comment_id.partition("_")
        found = self._comments("post = ? AND number = ?", (_number(post), _number(number)), "LIMIT 1")
        return found[0] if found else None

    def posts(
        self,
        page_id: str,
        *,
        by: str = "all",
        below: int = _LARGEST,
        since: float = 0.0,
        until: float = float("inf"),
        limit: int = 25,
    ) -> list[Post]:
        """Return posts on a Page that are there, newest first; `by` is "all", "page" or "visitors"."""
        whose = {"all": "", "page": "AND person_key = ''", "visitors": "AND person_key != ''"}[by]
        return self._posts(
            f"page_id = ? AND deleted = 0 AND number < ? AND created_at >= ? AND created_at <= ? {whose}",
            (page_id, below, since, until),
            f"ORDER BY number DESC LIMIT {int(limit)}",
        )

    def comments(
        self,
        post: Post,
        *,
        below_comment: int | None = None,
        replies: bool = True,
        newest_first: bool = False,
        past: int | None = None,
        since: float = 0.0,
        limit: int = 25,
    ) -> list[Comment]:
        """Return comments of a post that are there; of one comment only, or (`replies` false) only those above all.

        `past` is the number of the last one seen, in the same order.
        """
        conditions, values = ["post = ?", "deleted = 0", "created_at >= ?"], [post.number, since]
        if below_comment is not None:
            conditions.append("parent = ?")
            values.append(below_comment)
        elif not replies:
            conditions.append("parent IS NULL")
        if past is not None:
            conditions.append("number < ?" if newest_first else "number > ?")
            values.append(past)
        order = "DESC" if newest_first else "ASC"
        return self._comments(" AND ".join(conditions), tuple(values), f"ORDER BY number {order} LIMIT {int(limit)}")

    def count(self, post: Post, *, below_comment: int | None = None, replies: bool = True) -> int:
        """Return how many comments there are below a post or a comment."""
        condition = "parent = :parent" if below_comment is not None else "1" if replies else "parent IS NULL"
        row = self._db.execute(
            f"SELECT count(*) FROM fb_comment WHERE post = :post AND deleted = 0 AND {condition}",
            {"post": post.number, "parent": below_comment},
        ).fetchone()
        return int(row[0])

    def answers(self, comment: Comment) -> int:
        """Return how many answers to a comment there are."""
        row = self._db.execute(
            "SELECT count(*) FROM fb_comment WHERE parent = ? AND deleted = 0", (comment.number,)
        ).fetchone()
        return int(row[0])

    def add_post(
        self, page_id: str, message: str, *, now: float, person_key: str = "", media_id: str = "", told: bool = True
    ) -> Post:
        """Return a new post, by a visitor or by the Page itself ("")."""
        number = self._numbers.next(now)
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO fb_post (number, page_id, person_key, message, created_at, updated_at, media_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, page_id, person_key, message, now, now, media_id),
            )
            post = self._known_post(f"{page_id}_{number}")
            if told:
                self.tell_of_post(post, "add")
        return post

    def edit_post(self, post: Post, message: str, *, now: float) -> Post:
        """Return the post with other words."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE fb_post SET message = ?, updated_at = ? WHERE number = ?", (message, now, post.number)
            )
            edited = self._known_post(post.id)
            self.tell_of_post(edited, "edited")
        return edited

    def delete_post(self, post: Post) -> None:
        """Take a post away, with what is below it."""
        with transaction(self._db):
            self._db.execute("UPDATE fb_post SET deleted = 1 WHERE number = ?", (post.number,))
            self._db.execute("UPDATE fb_comment SET deleted = 1 WHERE post = ?", (post.number,))
            self.tell_of_post(post, "remove")

    def hide_post(self, post: Post, hidden: bool) -> None:
        """Hide a visitor's post, or show it again."""
        with transaction(self._db):
            self._db.execute("UPDATE fb_post SET hidden = ? WHERE number = ?", (hidden, post.number))
            self.tell_of_post(self._known_post(post.id), "hide" if hidden else "unhide")

    def add_comment(
        self, post: Post, message: str, *, now: float, parent: Comment | None = None, person_key: str = "",
        media_id: str = "",
    ) -> Comment:  # fmt: skip
        """Return a new comment by a person, or by the Page itself (""). An answer to an answer joins its siblings."""
        number = self._numbers.next(now)
        above = None if parent is None else parent.number if parent.parent is None else parent.parent
        shares = not person_key or self._profiles.habits(person_key).shares_profile
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO fb_comment (number, post, parent, page_id, person_key, message, created_at, "
                "shares_profile, media_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, post.number, above, post.page_id, person_key, message, now, shares, media_id),
            )
            self._db.execute("UPDATE fb_post SET updated_at = ? WHERE number = ?", (now, post.number))
            comment = self._known_comment(f"{post.number}_{number}")
            self.tell_of_comment(comment, "add")
        return comment

    def edit_comment(self, comment: Comment, message: str, *, now: float) -> Comment:
        """Return the comment with other words."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE fb_comment SET message = ?, edits = edits + 1 WHERE number = ?", (message, comment.number)
            )
            self._db.execute("UPDATE fb_post SET updated_at = ? WHERE number = ?", (now, comment.post))
            edited = self._known_comment(comment.id)
            self.tell_of_comment(edited, "edited")
        return edited

    def delete_comment(self, comment: Comment) -> None:
        """Take a comment away, with the answers to it."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE fb_comment SET deleted = 1 WHERE number = ? OR parent = ?", (comment.number, comment.number)
            )
            self.tell_of_comment(comment, "remove")

    def hide_comment(self, comment: Comment, hidden: bool) -> None:
        """Hide a comment from all but its author and their friends, or show it again."""
        with transaction(self._db):
            self._db.execute("UPDATE fb_comment SET hidden = ? WHERE number = ?", (hidden, comment.number))
            self.tell_of_comment(self._known_comment(comment.id), "hide" if hidden else "unhide")

    def answered_privately(self, thing: Post | Comment, conversation_id: str) -> None:
        """Keep that a private reply was sent: there can be one only."""
        table = "fb_post" if isinstance(thing, Post) else "fb_comment"
        self._db.execute(f"UPDATE {table} SET private_reply = ? WHERE number = ?", (conversation_id, thing.number))

    def let_pass(self, thing: Post | Comment, seconds: float) -> None:
        """Make a post or comment older, for the seven days in which it can be answered privately."""
        table = "fb_post" if isinstance(thing, Post) else "fb_comment"
        self._db.execute(
            f"UPDATE {table} SET created_at = created_at - ? WHERE number = ?", (seconds, thing.number)
        )

    def author(self, thing: Post | Comment) -> dict[str, str] | None:
        """Return `from` as the API and webhooks tell it, or None for who does not share their profile."""
        page = self._page(thing.page_id)
        if not thing.person_key:
            return {"id": page.id, "name": page.name}
        # A comment keeps what was so when it was written; for posts there is only what is so now.
        if isinstance(thing, Comment):
            shares = thing.shares_profile
        else:
            shares = self._profiles.habits(thing.person_key).shares_profile
        if not shares:
            return None
        person = self._profiles.known(thing.person_key)
        return {"id": commenter_id_of(person, page), "name": person.name}

    def tell_of_post(self, post: Post, verb: str) -> None:
        """Tell subscribers of a post. The Page's own posts are of the kind "status", visitors' "post"."""
        value: dict[str, Any] = {"item": "post" if post.person_key else "status", "verb": verb, "post_id": post.id}
        author = self.author(post)
        if author:
            value["from"] = author
        if verb != "remove":
            value |= {"published": 1, "created_time": int(post.created_at), "message": post.message}
        value |= self._picture(post.media_id, "link", verb)
        self._happened(post.page_id, "feed", value)

    def tell_of_comment(self, comment: Comment, verb: str) -> None:
        """Tell subscribers of a comment. What is removed is told without its words."""
        value: dict[str, Any] = {
            "item": "comment",
            "verb": verb,
            "comment_id": comment.id,
            "post_id": comment.post_id,
            "parent_id": comment.parent_id,
            "created_time": int(comment.created_at),
        }
        author = self.author(comment)
        if author:
            value["from"] = author
        if verb != "remove":
            value["message"] = comment.message
        value |= self._picture(comment.media_id, "photo", verb)
        self._happened(comment.page_id, "feed", value)

    def file(self, thing: Post | Comment) -> File | None:
        """Return the picture of a post or comment."""
        return self._media.get(thing.media_id) if thing.media_id else None

    def _picture(self, media_id: str, name: str, verb: str) -> dict[str, str]:
        file = self._media.get(media_id) if media_id and verb != "remove" else None
        return {name: file.url} if file else {}

    def _page(self, page_id: str) -> Page:
        page = page_of(page_id)
        assert page is not None, page_id
        return page

    def _known_post(self, post_id: str) -> Post:
        post = self.post(post_id)
        assert post is not None, post_id
        return post

    def _known_comment(self, comment_id: str) -> Comment:
        comment = self.comment(comment_id)
        assert comment is not None, comment_id
        return comment

    def _posts(self, condition: str, values: tuple[Any, ...], rest: str) -> list[Post]:
        rows = self._db.execute(f"SELECT * FROM fb_post WHERE {condition} {rest}", values)
        return [
            Post(**{**dict(row), "hidden": bool(row["hidden"]), "deleted": bool(row["deleted"])}) for row in rows
        ]

    def _comments(self, condition: str, values: tuple[Any, ...], rest: str) -> list[Comment]:
        rows = self._db.execute(f"SELECT * FROM fb_comment WHERE {condition} {rest}", values)
        flags = ("hidden", "deleted", "shares_profile")
        return [Comment(**{**dict(row), **{name: bool(row[name]) for name in flags}}) for row in rows]


def _number(text: str) -> int:
    """Return an id's number, or one that nothing has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
