"""Whether something of ours whose sending ended in the dark stands at X."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from channels.adapters.base import Connection, Looked
from channels.adapters.x import api, dms, fields, posts, snowflakes, words
from channels.adapters.x.api import Api
from channels.adapters.x.fields import Object
from channels.happenings import Outgoing

# X's clock and ours may differ; what was said this long before the attempt is still taken for it.
SKEW = timedelta(minutes=2)
PAGE = 100
PAGES = 3


def look(access: Api, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
    """The reply at X, if it is there. Raises XProblem where the look itself failed.

    A post that is not in our own timeline after all of it was read was never made. Of messages X shows only part
    (its encrypted ones are in no list), so there absence proves nothing.
    """
    if outgoing.surface == dms.SURFACE:
        return _message(access, connection, outgoing, since=since)
    number, was_whole = _post(access, connection, outgoing, since=since)
    return Looked(external_id=number, absence_proves=was_whole and not number)


def answered_with(access: Api, connection: Connection, text: str) -> set[str]:
    """The ids of the posts below which we said just this among our newest posts; empty for said to nobody."""
    listed = access.read(api.TIMELINE, connection.address, max_results=PAGE).as_list()
    return {posts.replied_to(post) for post in fields.objects(listed.body, "data") if words.same(text, _text(post))}


def _post(access: Api, connection: Connection, outgoing: Outgoing, *, since: datetime) -> tuple[str, bool]:
    """The id of our answer (empty: not found), and whether all of the timeline back to `since` was read and told."""
    lowest, until, is_clear = snowflakes.id_at(since - SKEW), 0, True
    for _page in range(PAGES):
        answer = access.read(
            api.TIMELINE,
            connection.address,
            since_id=str(lowest) if lowest else None,
            until_id=str(until) if until else None,
            max_results=PAGE,
        )
        numbers = []
        for post in fields.objects(answer.as_list().body, "data"):
            number = fields.as_ident(post.get("id"))
            numbers.append(int(number or 0))
            is_clear = is_clear and bool(number) and not _may_be(post, outgoing)
            if number and posts.replied_to(post) == outgoing.parent_id and words.same(outgoing.text, _text(post)):
                return number, True
        oldest = min((each for each in numbers if each), default=0)
        if not fields.inner(answer.body, "meta").get("next_token") and len(numbers) < PAGE:
            return "", is_clear
        if not oldest or (until and oldest >= until):
            # X says that there is more and hands over nothing new: this proves nothing.
            return "", False
        until = oldest
    return "", False


def _message(access: Api, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
    for event in _messages_with(access, outgoing.recipient.value):
        number = fields.as_ident(event.get("id"))
        if not number or int(number) < snowflakes.id_at(since - SKEW):
            continue
        if fields.as_ident(event.get("sender_id")) == connection.address and words.same(outgoing.text, _said(event)):
            return Looked(external_id=dms.external_id(number))
    return Looked()


def _messages_with(access: Api, other: str) -> Iterator[Object]:
    """The newest messages with one person. One page: nobody writes a hundred in the two minutes of the looks."""
    answer = access.read(api.MESSAGES_WITH, other, event_types="MessageCreate", max_results=PAGE)
    yield from fields.objects(answer.as_list().body, "data")


def _may_be(post: Object, outgoing: Outgoing) -> bool:
    """Whether this post, which is not known to be the reply, may be it all the same: X did not say its words, or not
    what it answers although it lies in somebody's conversation."""
    if not isinstance(post.get("text"), str):
        return True
    is_answer = fields.as_ident(post.get("conversation_id")) not in ("", fields.as_ident(post.get("id")))
    return is_answer and not posts.replied_to(post) and words.same(outgoing.text, _text(post))


def _text(post: Object) -> str:
    text = post.get("text")
    return posts.whole_text(post) if isinstance(text, str) else ""


def _said(event: Object) -> str:
    text = event.get("text")
    return words.expanded(text, fields.inner(event, "entities")) if isinstance(text, str) else ""
