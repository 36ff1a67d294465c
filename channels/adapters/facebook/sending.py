"""A reply goes out by Facebook: as a comment below the conversation it belongs to, or by Messenger.

Files go to Messenger one a call, uploaded with the message (multipart/form-data with the field `filedata`; Meta,
"Saving assets" of the Messenger Platform, developers.facebook.com/docs/messenger-platform/send-messages/saving-assets):
a public address of ours would show a customer's papers to anybody who learns it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, DeliveryError, Opener
from channels.adapters.facebook import fields, graph, looking, messages, problems, texts
from channels.adapters.facebook.graph import Accesses, Graph
from channels.adapters.facebook.problems import GraphProblem
from channels.happenings import Outgoing, Sent

# Meta, "Saving assets": the largest file of any kind.
LARGEST = 25 * 1024 * 1024
# Words found below the conversation from longer ago than this are not this try's.
_LATELY = timedelta(minutes=10)


def send(
    accesses: Accesses, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
) -> Sent:
    """Hand it to Facebook. Raises DeliveryError, GraphProblem."""
    if outgoing.surface == messages.SURFACE:
        return _message(accesses, connection, outgoing, opener=opener, still_ours=still_ours)
    if outgoing.files:
        raise DeliveryError(_("Comments on Facebook take no files from here."), permanent=True, code="files")
    if not fields.as_ident(outgoing.thread):
        raise DeliveryError(_("It is not known which comment this answers."), permanent=True, code="nobody")
    access = accesses.of(connection)
    _stop_unless(still_ours)
    try:
        # Facebook lets answers stand one level deep: all of them below the top-level comment, or the visitor's post.
        answer = access.post(graph.path(outgoing.thread, "comments"), message=outgoing.text)
    except GraphProblem as problem:
        if problem.code != "duplicate" or not _is_there(access, connection, outgoing):
            raise
        # An earlier try of this very answer may have arrived; it is looked for like any other of unknown fate.
        raise GraphProblem(str(problem), code="duplicate", done="unknown", status=problem.status) from problem
    return _sent(answer, "id")


def _message(
    accesses: Accesses, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
) -> Sent:
    to = fields.as_ident(outgoing.recipient.value)
    if not to:
        raise DeliveryError(_("It is not known whom this is for."), permanent=True, code="nobody")
    if outgoing.recipient.scope not in ("", connection.address):
        # The id would mean nobody, or somebody else.
        words = _("This person is known to another Page of ours only.")
        raise DeliveryError(words, permanent=True, code="other-page")
    if len(outgoing.files) > 1 or (outgoing.files and outgoing.text):
        raise DeliveryError(_("Messenger takes one file at a time."), permanent=True, code="files")
    where = graph.path(connection.address, "messages")
    given: dict[str, Any] = {"recipient": {"id": to}, "messaging_type": "RESPONSE"}
    if not outgoing.files:
        access = accesses.of(connection)
        _stop_unless(still_ours)
        # The mark comes back in the echo, and tells this message from any other with the same words.
        said = {"text": outgoing.text, "metadata": outgoing.marker}
        return _sent(access.post(where, **given, message=said), "message_id")
    file = outgoing.files[0]
    if file.size > LARGEST:
        words = _("Messenger takes files of at most 25 MB, %(name)s is larger.") % {"name": file.name}
        raise DeliveryError(words, permanent=True, code="file-too-large")
    attached = {"attachment": {"type": _type(file.content_type), "payload": {"is_reusable": False}}}
    access = accesses.for_upload(connection)
    try:
        with opener(file.path) as content:
            _stop_unless(still_ours)
            part = {"filedata": (file.name, content, file.content_type or "application/octet-stream")}
            answer = access.post(where, files=part, **given, message={**attached, "metadata": outgoing.marker})
    finally:
        access.close()
    return _sent(answer, "message_id")


def _type(content_type: str) -> str:
    """Messenger's word for a kind of file; pictures it does not show as such (SVG, TIFF) go as files."""
    main = content_type.partition("/")[0]
    if content_type in ("image/jpeg", "image/png", "image/gif", "image/webp"):
        return "image"
    return main if main in ("video", "audio") else "file"


def _stop_unless(still_ours: Callable[[], bool]) -> None:
    if not still_ours():
        raise DeliveryError(_("Somebody else has taken this message over meanwhile."), code="lease-lost")


def _sent(answer: dict[str, Any], name: str) -> Sent:
    number = fields.as_ident(answer.get(name))
    if not number:
        # It was taken, and nobody knows as what.
        raise problems.unreadable(200)
    return Sent(external_id=number)


def _is_there(access: Graph, connection: Connection, outgoing: Outgoing) -> bool:
    """Whether just these words of ours stand below the conversation of late."""
    # The clock is read at this edge: Facebook says when, what is asked for is how long ago.
    earliest = datetime.now(UTC) - _LATELY
    try:
        found = list(looking.comments(access, outgoing.thread))
    except GraphProblem:
        # It cannot be told, so it may be: a person decides rather than a customer reads it twice.
        return True
    for each in found:
        text, said_at = each.get("message"), fields.moment(each.get("created_time"))
        author = fields.as_ident(fields.inner(each, "from").get("id"))
        is_late = said_at is not None and said_at >= earliest
        if author == connection.address and is_late and isinstance(text, str) and texts.same(outgoing.text, text):
            return True
    return False
