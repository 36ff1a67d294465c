"""Whether something of ours whose sending ended in the dark stands at Facebook.

What is not found proves nothing: Facebook shows only part of a conversation, and a new comment may be late in its
lists. So a person decides then. Of a message the echo with our mark mostly settles it before anybody looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from channels.adapters.base import Connection, Looked
from channels.adapters.facebook import fields, graph, messages, texts
from channels.adapters.facebook.fields import Object
from channels.adapters.facebook.graph import Graph
from channels.happenings import Outgoing

# Facebook's clock and ours may differ by so much. Longer, and the same words said a minute before would be taken.
SKEW = timedelta(seconds=30)
COMMENTS = 50
MESSAGES = 20


def look(access: Graph, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
    """The reply at Facebook, if it is there. Raises GraphProblem where the look itself failed."""
    found = (
        _messages(access, connection, outgoing)
        if outgoing.surface == messages.SURFACE
        else comments(access, outgoing.thread)
    )
    for each in found:
        said_at = fields.moment(each.get("created_time"))
        if said_at is None or said_at < since - SKEW or not _is_ours(each, connection):
            continue
        number = fields.as_ident(each.get("id"))
        if number and _says(each, outgoing):
            return Looked(external_id=number)
    return Looked()


def comments(access: Graph, thread: str) -> Iterator[Object]:
    """The newest comments below a post or comment."""
    page = access.get(
        graph.path(thread, "comments"),
        order="reverse_chronological",
        fields="id,from,message,created_time",
        limit=COMMENTS,
    )
    yield from graph.rows(page)


def _messages(access: Graph, connection: Connection, outgoing: Outgoing) -> Iterator[Object]:
    page = access.get(
        graph.path(connection.address, "conversations"),
        platform="messenger",
        user_id=outgoing.recipient.value,
        fields=f"id,messages.limit({MESSAGES}){{id,created_time,from,message,attachments{{name,size}}}}",
    )
    for chat in graph.rows(page):
        yield from fields.data(chat, "messages")


def _is_ours(said: Object, connection: Connection) -> bool:
    return fields.as_ident(fields.inner(said, "from").get("id")) == connection.address


def _says(said: Object, outgoing: Outgoing) -> bool:
    """The same words; of a file the same name and size, because several may have left in one minute."""
    if not outgoing.files:
        text = said.get("message")
        return isinstance(text, str) and texts.same(outgoing.text, text)
    wanted = outgoing.files[0]
    return any(
        fields.line(each, "name", 200) == wanted.name and fields.whole(each.get("size")) == wanted.size
        for each in fields.data(said, "attachments")
    )
