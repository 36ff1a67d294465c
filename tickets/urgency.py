"""Who must act on a ticket, by when, and in which queues it stands: derived from its contacts.

Rows 2 and 6 of docs/one-ticket.md. Everything here works on rows the caller has locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer to one contact: its arrival number, and whether it answers other contacts of the queue."""

    contact_id: int
    queue_id: int
    own_only: bool
    arrival: int


def answers(ticket: Ticket) -> list[Answer]:
    """Our last answers on the ticket, contact by contact; what failed or was taken back is none. One statement."""
    rows = (
        Message.objects.filter(ticket=ticket, direction="out")
        .exclude(state__in=UNANSWERING)
        .values_list("contact_id", "contact__entry_queue_id", "answers_own_only")
        .annotate(Max("arrival"))
        .order_by()
    )
    return [Answer(*row) for row in rows]


def floors(contacts: Iterable[Contact], given: Iterable[Answer]) -> dict[Contact, int]:
    """Up to which arrival number each contact is answered: by its own answers, by those to the others of its entry
    queue, and by "no reply needed"."""
    rows = list(given)
    return {
        contact: max(
            contact.no_reply_arrival,
            contact.answered_arrival,
            *(row.arrival for row in rows if row.contact_id == contact.pk or _meets(row, contact)),
        )
        for contact in contacts
    }


def _meets(row: Answer, contact: Contact) -> bool:
    return row.queue_id == contact.entry_queue_id and not row.own_only


def recount(ticket: Ticket, targets: Targets) -> list[Contact]:
    """Work out anew which contacts of the ticket are unanswered, save them and the ticket, return the contacts.

    A contact is unanswered from the first customer message after our last answer in the same entry queue, a
    failed, unknown or cancelled reply being none, and after the last "no reply needed". Four statements.
    """
    contacts = list(Contact.objects.filter(ticket=ticket).order_by("id"))
    floor = {contact.pk: last for contact, last in floors(contacts, answers(ticket)).items()}
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
