"""Edges: the lists that hang on Pages, posts, comments and conversations, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from practice.facebook.calls import Call
from practice.facebook.feed_store import Comment, Post
from practice.facebook.fields import Field, written
from practice.facebook.message_store import Conversation, Message
from practice.facebook.pages import Page
from practice.facebook.paging import Item, page, told, turned
from practice.facebook.problems import parameter
from practice.facebook.shapes import NODES
from practice.facebook.store import Store

if TYPE_CHECKING:
    from practice.facebook.objects import Objects

_PAGED = ("limit", "after", "before")
#: The parameters of each edge.
KNOWN = {
    "comments": (*_PAGED, "filter", "order", "since", "until", "summary"),
    "messages": _PAGED,
    "feed": (*_PAGED, "since", "until"),
    "conversations": (*_PAGED, "platform", "user_id", "folder"),
}
_LARGEST = 2**63 - 1


class Lists:
    """Tells lists. A list on its own address and one inside a node are the same list."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def asked(self, call: Call, edge: str, kind: str, objects: Objects) -> Field:
        """Return the edge that a call's address and parameters ask for; raise Problem for a parameter it has not."""
        call.only("fields", *KNOWN[edge])
        arguments = {name: value for name, value in call.parameters.items() if name in KNOWN[edge]}
        return Field(edge, arguments, objects.asked(call, kind))

    def edge(self, kind: str, thing: Any, field: Field, call: Call, objects: Objects) -> dict[str, Any]:
        """Return the list of a node's edge; raise Problem."""
        if field.name == "messages":
            return self.messages(thing, field, call, objects)
        return self.comments(thing, field, call, objects)

    def comments(self, thing: Post | Comment, field: Field, call: Call, objects: Objects) -> dict[str, Any]:
        """Return the comments on a post, or the answers to a comment."""
        call.needs("pages_read_user_content", code=10)
        order = _one_of(field, "order", "chronological", "reverse_chronological")
        everything = _one_of(field, "filter", "toplevel", "stream") == "stream"
        since = _seconds(field, "since", 0.0)
        if isinstance(thing, Post):
            post, below = thing, None
        else:
            found = self._store.feed.post(thing.post_id)
            assert found is not None
            post, below = found, thing.number

        def fetch(past: str, limit: int) -> Sequence[Comment]:
            return self._store.feed.comments(
                post,
                below_comment=below,
                replies=everything,
                newest_first=order == "reverse_chronological",
                past=_number(past) if past else None,
                since=since,
                limit=limit,
            )

        answer = self._told("Comment", thing.id, field, fetch, lambda each: str(each.number), call, objects)
        if _one_of(field, "summary", "", "true", "1", "false", "0") in ("true", "1"):
            count = self._store.feed.count(post, below_comment=below, replies=everything)
            answer["summary"] = {"order": order, "total_count": count, "can_comment": True}
        return answer

    def messages(self, conversation: Conversation, field: Field, call: Call, objects: Objects) -> dict[str, Any]:
        """Return the messages of a conversation, newest first."""

        def fetch(past: str, limit: int) -> Sequence[Message]:
            below = _number(past) if past else _LARGEST
            return self._store.inbox.messages(conversation, below=below, limit=limit)

        return self._told("Message", conversation.id, field, fetch, lambda each: str(each.number), call, objects)

    def posts(self, at: Page, by: str, field: Field, call: Call, objects: Objects) -> dict[str, Any]:
        """Return posts on a Page, newest first; `by` as in FeedStore.posts."""
        since, until = _seconds(field, "since", 0.0), _seconds(field, "until", float("inf"))

        def fetch(past: str, limit: int) -> Sequence[Post]:
            below = _number(past) if past else _LARGEST
            return self._store.feed.posts(at.id, by=by, below=below, since=since, until=until, limit=limit)

        return self._told("PagePost", at.id, field, fetch, lambda each: str(each.number), call, objects, call.edge)

    def conversations(
        self, at: Page, person_key: str | None, field: Field, call: Call, objects: Objects
    ) -> dict[str, Any]:
        """Return conversations of a Page, the liveliest first; with one person only, or with nobody for None."""

        def fetch(past: str, limit: int) -> Sequence[Conversation]:
            if person_key is None:
                return []
            moment, _, number = past.partition(":")
            try:
                known = (float(moment), int(number)) if past else None
            except ValueError:
                raise parameter("Invalid cursors values for before/after") from None
            return self._store.inbox.conversations(at.id, person_key=person_key, past=known, limit=limit)

        def key(each: Conversation) -> str:
            return f"{each.updated_at!r}:{each.number}"

        return self._told("UnifiedThread", at.id, field, fetch, key, call, objects)

    def _told(
        self,
        kind: str,
        node_id: str,
        field: Field,
        fetch: Callable[[str, int], Sequence[Item]],
        key: Callable[[Item], str],
        call: Call,
        objects: Objects,
        edge: str = "",
    ) -> dict[str, Any]:
        for name in field.arguments:
            if name not in KNOWN[field.name]:
                raise parameter(f"Unexpected parameter: {name}")
        inner = field.inner or tuple(Field(name) for name in NODES[kind].default)
        items, more = page(fetch, key, turned(field.arguments))
        data = [objects.told(kind, each, inner, call) for each in items]
        return told(
            data,
            [key(each) for each in items],
            more=more,
            path=f"/{call.version}/{node_id}/{edge or field.name}",
            parameters={"fields": written(inner), "limit": "25", **field.arguments},
            token=call.caller.token,
        )


def _one_of(field: Field, name: str, default: str, *others: str) -> str:
    given = field.arguments.get(name, default)
    if given not in (default, *others):
        raise parameter(f"Param {name} must be one of {{{', '.join(each for each in (default, *others) if each)}}}")
    return given


def _seconds(field: Field, name: str, default: float) -> float:
    given = field.arguments.get(name, "")
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 11:
        raise parameter(f"Param {name} must be a valid timestamp")
    return float(given)


def _number(text: str) -> int:
    if not text.isdigit() or len(text) > 18:
        raise parameter("Invalid cursors values for before/after")
    return int(text)
