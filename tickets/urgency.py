"""Who must act on a ticket, by when, and in which queues it stands: derived from its contacts.

Rows 2 and 6 of docs/one-ticket.md. Everything here works on rows the caller has locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max, Min, Q

from channels.surfaces import SURFACES
from tickets.models import Contact, Message, Ticket
from tickets.models.ticket import Awaiting
from tickets.targets import Targets, urgency

# A reply or call of ours in one of these has not answered anybody (row 23).
UNANSWERING = ("failed", "unknown", "cancelled", "missed")


def summarise(ticket: Ticket, contacts: Iterable[Contact]) -> None:
    """Set on the ticket what follows from its contacts; the caller saves SUMMARY columns."""
    everything = list(contacts)
    unanswered = [contact for contact in everything if contact.unanswered_since]
    ticket.awaiting = Awaiting.US if unanswered else Awaiting.CUSTOMER
    ticket.unanswered_since = min(
        (contact.unanswered_since for contact in unanswered if contact.unanswered_since), default=None
    )
    first_due = min((contact for contact in unanswered if contact.due_at), key=_due_at, default=None)
    ticket.due_at = first_due.due_at if first_due else None
    ticket.due_reason = _reason(first_due) if first_due else ""
    ticket.urgent_at = urgency(due_at=ticket.due_at, unanswered_since=ticket.unanswered_since, last_at=ticket.last_at)
    ticket.also_queue_ids = sorted({contact.entry_queue_id for contact in unanswered} - {ticket.queue_id})
    ticket.reader_queue_ids = sorted({contact.entry_queue_id for contact in everything} | {ticket.queue_id})


SUMMARY = ["awaiting", "unanswered_since", "due_at", "due_reason", "urgent_at", "also_queue_ids", "reader_queue_ids"]


def _due_at(contact: Contact) -> datetime:
    if contact.due_at is None:
        raise ValueError("a contact without due time is never the first due")
    return contact.due_at


def _reason(contact: Contact) -> str:
    window = _window_end(contact)
    return "window" if window is not None and window == contact.due_at else "target"


def _window_end(contact: Contact) -> datetime | None:
    surface = SURFACES.get(contact.surface)
    if surface is None or surface.window is None or contact.last_in_at is None:
        return None
    return contact.last_in_at + surface.window


def set_due(contact: Contact, targets: Targets) -> None:
    """Set the contact's due time from its unanswered words; the caller saves it."""
    end = targets.due(
        queue_id=contact.entry_queue_id,
        surface=contact.surface,
        unanswered_since=contact.unanswered_since,
        last_in_at=contact.last_in_at,
    )
    contact.due_at = end.at if end else None


def recount(ticket: Ticket, targets: Targets) -> list[Contact]:
    """Work out anew which contacts of the ticket are unanswered, save them and the ticket, return the contacts.

    A contact is unanswered from the first customer message after our last answer in the same entry queue, a
    failed, unknown or cancelled reply being none, and after the last "no reply needed". Four statements.
    """
    contacts = list(Contact.objects.filter(ticket=ticket).order_by("id"))
    answered = dict(
        Message.objects.filter(ticket=ticket, direction="out")
        .exclude(state__in=UNANSWERING)
        .values_list("contact__entry_queue_id")
        .annotate(Max("arrival"))
        .order_by()
    )
    floor = {contact.pk: max(answered.get(contact.entry_queue_id, 0), contact.no_reply_arrival) for contact in contacts}
    wanted = Q()
    for contact in contacts:
        wanted |= Q(contact_id=contact.pk, arrival__gt=floor[contact.pk])
    since: dict[int, datetime] = {}
    if contacts:
        since = dict(
            Message.objects.filter(wanted, ticket=ticket, asked_at__isnull=False)
            .values_list("contact_id")
            .annotate(Min("asked_at"))
            .order_by()
        )
    for contact in contacts:
        contact.unanswered_since = since.get(contact.pk)
        set_due(contact, targets)
    Contact.objects.bulk_update(contacts, ["unanswered_since", "due_at"])
    summarise(ticket, contacts)
    ticket.save(update_fields=SUMMARY)
    return contacts
