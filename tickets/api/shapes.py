"""From rows and plain values to what the API answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from channels import asides
from channels.models import ChannelAccount
from customers.models import Customer, Identity
from tickets import rows
from tickets.access import Rights
from tickets.models import Contact, Queue, Ticket
from tickets.outgoing import window_end

Shape = dict[str, Any]


def ticket(have: Rights, row: Ticket) -> Shape:
    """A ticket read with its customer and owner; nothing confidential stands in its columns."""
    return {
        "id": row.pk,
        "url": settings.BASE_URL + reverse("tickets:ticket", args=[row.pk]),
        "state": row.state,
        "priority": row.priority,
        "subject": row.subject,
        "customer": {"id": row.customer_id, "name": str(row.customer)},
        "queue": queue(have, row.queue_id),
        "also_queues": [queue(have, one) for one in row.also_queue_ids],
        "owner": {"id": row.owner.pk, "name": row.owner.name} if row.owner else None,
        "tags": row.tags,
        "surfaces": row.surfaces,
        "awaiting": row.awaiting,
        "unanswered_since": row.unanswered_since,
        "due_at": row.due_at if row.is_live else None,
        "due_reason": row.due_reason if row.is_live else "",
        "arrivals": row.arrivals,
        "opened_at": row.opened_at,
        "last_at": row.last_at,
        "last_words": row.last_words,
        "last_direction": row.last_direction,
        "snoozed_until": row.snoozed_until,
        "solved_at": row.solved_at,
        "closed_at": row.closed_at,
        "merged_into": row.merged_into_id,
        "previous": row.previous_id,
        "send_trouble": row.send_trouble,
    }


def queue(have: Rights, queue_id: int) -> Shape:
    """A queue by its name."""
    return {"id": queue_id, "name": have.queue_name(queue_id)}


def contact(have: Rights, row: Contact) -> Shape:
    """A contact read with its account and identity."""
    return {
        "id": row.pk,
        "surface": row.surface,
        "account": {"id": row.account_id, "name": str(row.account)},
        "identity": identity(row.identity),
        "entry_queue": queue(have, row.entry_queue_id),
        "subject": row.subject,
        "is_outbound": row.is_outbound,
        "first_said_at": row.first_said_at,
        "last_said_at": row.last_said_at,
        "unanswered_since": row.unanswered_since,
        "due_at": row.due_at,
        "window_until": window_end(row),
    }


def identity(row: Identity) -> Shape:
    """One address of a customer."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "value": row.value,
        "label": row.label,
        "name": row.name,
        "is_shared": row.is_shared,
    }


def customer(row: Customer, identities: Iterable[Identity], live_ticket: int | None) -> Shape:
    """A customer with their addresses."""
    return {
        "id": row.pk,
        "name": str(row),
        "kind": row.kind,
        "is_provisional": row.is_provisional,
        "is_blocked": row.blocked_at is not None,
        "created_at": row.created_at,
        "live_ticket": live_ticket,
        "identities": [identity(one) for one in identities],
    }


def account(row: ChannelAccount, feeds: Queue | None) -> Shape:
    """A channel account; credentials and settings never leave the house."""
    return {
        "id": row.pk,
        "name": str(row),
        "kind": row.kind,
        "address": row.address,
        "state": row.state,
        "queue": {"id": feeds.pk, "name": feeds.name} if feeds else None,
        "polled_at": row.polled_at,
        "heard_at": row.heard_at,
        "error": asides.wrong_now(row),
    }


def entries(found: Iterable[rows.Entry]) -> list[Shape]:
    """The timeline's entries; every message names its contact."""
    shapes: list[Shape] = []
    current: int | None = None
    for entry in found:
        if entry.contact is not None:
            current = entry.contact.id
        if entry.bubble is not None:
            shapes.append(_message(entry, entry.bubble, current))
        elif entry.note is not None:
            shapes.append(_note(entry, entry.note))
        elif entry.hidden:
            shapes.append({**_plain(entry, "hidden", entry.at), "contact": current, "text": entry.hidden})
        else:
            shapes += [{**_plain(entry, "event", line.at), "text": line.words} for line in entry.system]
    return shapes


def _plain(entry: rows.Entry, kind: str, at: datetime) -> Shape:
    return {"kind": kind, "id": None, "ticket": entry.ticket_id, "at": at, "contact": None}


def _note(entry: rows.Entry, note: rows.NoteRow) -> Shape:
    return {
        **_plain(entry, "note", note.written_at),
        "id": note.id,
        "arrival": note.arrival,
        "author": note.person.name,
        "text": note.text,
    }


def _message(entry: rows.Entry, bubble: rows.Bubble, contact_id: int | None) -> Shape:
    call = bubble.call
    return {
        **_plain(entry, "message", bubble.said_at),
        "id": bubble.id,
        "contact": contact_id,
        "direction": bubble.direction,
        "surface": bubble.surface.name,
        "arrival": bubble.arrival,
        "author": bubble.who,
        "subject": bubble.subject,
        "text": bubble.text,
        "quoted": bubble.quoted,
        "permalink": bubble.permalink,
        "automatic": bubble.automatic,
        "state": bubble.state,
        "state_reason": bubble.state_reason,
        "edited_at": bubble.edited_at,
        "deleted_at": bubble.deleted_at,
        "attachments": [
            {
                "id": file.id,
                "name": file.name,
                "content_type": file.content_type,
                "size": file.size,
                "url": settings.BASE_URL + reverse("api:attachment", args=[file.id]) if file.url else "",
                "note": file.note,
            }
            for file in bubble.files
        ],
        "call": {
            "number": call.number,
            "line": call.line,
            "disposition": call.outcome,
            "duration_seconds": call.duration_seconds,
            "answered_after_seconds": call.answered_after_seconds,
        }
        if call
        else None,
    }
