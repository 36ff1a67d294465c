"""Edits and deletions: the text changes in place, its earlier versions are kept (row 29).

Applied once, however many ledger rows tell of it: what is told is compared with what stands there.
"""

from __future__ import annotations

from datetime import datetime

from channels.happenings import Deleted, Edited
from channels.receiver import PROCESSED, Answer
from contactcentre.lib import realtime
from contactcentre.lib.text import snippet
from customers import resolving
from tickets.events import ticket_changed
from tickets.models import Message, MessageVersion, Ticket


def edited(edited: Edited, *, now: datetime) -> Answer:
    """Put a message's new text in place of the old one. The message keeps its first id: an edit on X has a new one.

    What is gone stays gone, also where an edit of it comes late. Of two edits of the same time the one that comes
    later is the later one, since some networks count whole seconds; one told again is known by its words.
    """
    ids = [edited.previous_id or edited.external_id, edited.external_id]
    found = _find(edited.channel_kind, edited.scope, ids)
    if found is None:
        return Answer("an edit of nothing we know")
    ticket, message = found
    if message.deleted_at is not None or (message.edited_at is not None and message.edited_at > edited.edited_at):
        return PROCESSED
    if message.text == edited.text:
        if message.edited_at != edited.edited_at:
            # An edit came before its message and is the message: one from before it must not take its place.
            message.edited_at = edited.edited_at
            message.save(update_fields=["edited_at"])
        return PROCESSED
    if message.edited_at == edited.edited_at and message.versions.filter(text=edited.text).exists():
        return PROCESSED
    _replace(ticket, message, edited.text, now=now)
    message.edited_at = edited.edited_at
    message.save(update_fields=["text", "edited_at", "changed_arrival"])
    realtime.publish(*ticket_changed(ticket))
    return PROCESSED


def deleted(deleted: Deleted, *, now: datetime) -> Answer:
    """Mark a message as gone at the provider; what it said stays here among its versions."""
    found = _find(deleted.channel_kind, deleted.scope, [deleted.external_id])
    if found is None:
        return Answer("a deletion of nothing we know")
    ticket, message = found
    if message.deleted_at is not None:
        return PROCESSED
    _replace(ticket, message, "", now=now)
    message.deleted_at = min(deleted.deleted_at, now)
    message.save(update_fields=["text", "deleted_at", "changed_arrival"])
    realtime.publish(*ticket_changed(ticket))
    return PROCESSED


def _find(kind: str, scope: str, ids: list[str]) -> tuple[Ticket, Message] | None:
    """The message with one of these ids and its ticket, both locked, after whose customer it is by then."""
    known = Message.objects.filter(channel_kind=kind, scope=scope, external_id__in=ids).order_by("id")
    if resolving.lock_whose(lambda: known.values_list("customer_id", flat=True).first()) is None:
        return None
    message_id, ticket_id = known.values_list("pk", "ticket_id")[0]
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket_id)
    rows = Message.objects.select_for_update(of=("self",)).select_related("contact__entry_queue")
    return ticket, rows.get(pk=message_id)


def _replace(ticket: Ticket, message: Message, text: str, *, now: datetime) -> None:
    """Keep the old text as a version and show the new one, which stops a reply that was written before it.

    The message keeps its own arrival number: by that it is known what is answered, and an edit asks nothing again.
    """
    MessageVersion.objects.create(message=message, text=message.text, replaced_at=now)
    was_last = ticket.last_words == snippet(message.text)
    message.text = text
    ticket.arrivals += 1
    message.changed_arrival = ticket.arrivals
    if was_last and not message.contact.entry_queue.is_confidential:
        ticket.last_words = snippet(text)
    ticket.save(update_fields=["arrivals", "last_words"])
