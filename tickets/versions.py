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
    """Put a message's new text in place of the old one. The message keeps its first id: an edit on X has a new one."""
    ids = [edited.previous_id or edited.external_id, edited.external_id]
    found = _find(edited.channel_kind, edited.scope, ids)
    if found is None:
        return Answer("an edit of nothing we know")
    ticket, message = found
    if message.text == edited.text or (message.edited_at is not None and message.edited_at >= edited.edited_at):
        return PROCESSED
    _replace(ticket, message, edited.text, now=now)
    message.edited_at = edited.edited_at
    message.save(update_fields=["text", "edited_at", "arrival"])
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
    message.save(update_fields=["text", "deleted_at", "arrival"])
    realtime.publish(*ticket_changed(ticket))
    return PROCESSED


def _find(kind: str, scope: str, ids: list[str]) -> tuple[Ticket, Message] | None:
    known = (
        Message.objects.filter(channel_kind=kind, scope=scope, external_id__in=ids).only("id", "customer_id").first()
    )
    if known is None:
        return None
    resolving.lock(known.customer_id)
    message = Message.objects.select_for_update(of=("self",)).select_related("contact__entry_queue").get(pk=known.pk)
    return Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=message.ticket_id), message


def _replace(ticket: Ticket, message: Message, text: str, *, now: datetime) -> None:
    """Keep the old text as a version and show the new one, which stops a reply that was written before it."""
    MessageVersion.objects.create(message=message, text=message.text, replaced_at=now)
    was_last = ticket.last_words == snippet(message.text)
    message.text = text
    ticket.arrivals += 1
    message.arrival = ticket.arrivals
    if was_last and not message.contact.entry_queue.is_confidential:
        ticket.last_words = snippet(text)
    ticket.save(update_fields=["arrivals", "last_words"])
