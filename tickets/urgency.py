"""Who must act on a ticket, by when, and in which queues it stands: derived from its contacts.

Rows 2 and 6 of docs/one-ticket.md. Everything here works on rows the caller has locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from channels.surfaces import SURFACES
from contactcentre.lib.plans import Statement
from contactcentre.lib.prepared import Prepared, update
from tickets import intake_rows
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


SUMMARY = ("awaiting", "unanswered_since", "due_at", "due_reason", "urgent_at", "also_queue_ids", "reader_queue_ids")


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
    """Our last answers on the ticket, contact by contact; what failed or was taken back is none. One statement.

    Those from outside this inbox are not among them: they meet what was asked until they were said, which the contact
    itself knows (`answered_until`), because we may hear of them after what the customer said to them.
    """
    return [Answer(*row) for row in _ANSWERS.rows(ticket_id=ticket.pk)]


def _answers_of(*, ticket_id: int) -> QuerySet[Message, tuple[Any, ...]]:
    return (
        Message.objects.filter(ticket_id=ticket_id, direction="out", is_outside=False)
        .exclude(state__in=UNANSWERING)
        .values_list("contact_id", "contact__entry_queue_id", "answers_own_only")
        .annotate(Max("arrival"))
        .order_by()
    )


_ANSWERS = Prepared(_answers_of)


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


def recount(
    ticket: Ticket,
    targets: Targets,
    *,
    also: tuple[str, ...] = (),
    contact: Contact | None = None,
    contact_also: tuple[str, ...] = (),
) -> list[Contact]:
    """Work out anew which contacts of the ticket are unanswered, write them and the ticket, return the contacts.

    A contact is unanswered from the first customer message after our last answer in the same entry queue, a
    failed, unknown or cancelled reply being none, after its last answer from outside, and after the last "no reply
    needed". At most five statements.

    `also` are further columns of the ticket that the caller has changed, and `contact` one of its contacts with changes
    of the caller's in `contact_also`: written here too, so that no row is written twice.
    """
    contacts = intake_rows.CONTACTS.all(ticket_id=ticket.pk)
    if contact is not None:
        contacts = [contact if one.pk == contact.pk else one for one in contacts]
    since = _asked_since(ticket, floors(contacts, answers(ticket)))
    changed = []
    for one in contacts:
        before = (one.unanswered_since, one.due_at)
        one.unanswered_since = since.get(one.pk)
        set_due(one, targets)
        if one is contact:
            update(one, (*contact_also, "unanswered_since", "due_at"))
        elif before != (one.unanswered_since, one.due_at):
            changed.append(one)
    if changed:
        rows = [(one.pk, one.unanswered_since, one.due_at) for one in changed]
        _WAITING.rows([list(column) for column in zip(*rows, strict=True)])
    summarise(ticket, contacts)
    update(ticket, (*also, *SUMMARY))
    return contacts


def _asked_since(ticket: Ticket, answered: dict[Contact, int]) -> dict[int, datetime]:
    """Since when each contact waits, by its id; those that were answered up to an arrival number and asked nothing
    since are left out. No statement where nothing came after the last answer."""
    waiting = {contact.pk: floor for contact, floor in answered.items() if floor < ticket.arrivals}
    if not waiting:
        return {}
    until = [contact.answered_until for contact in answered if contact.pk in waiting]
    found = _ASKED.rows((list(waiting), list(waiting.values()), until, ticket.pk, min(waiting.values())))
    return dict(found)


# By hand: each contact has an arrival number of its own, and Django would write as many conditions.
_ASKED = Statement(
    "asked_since",
    """
SELECT answered.contact, min(message.asked_at)
FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS answered (contact, arrival, until)
JOIN tickets_message message ON message.contact_id = answered.contact AND message.arrival > answered.arrival
WHERE message.ticket_id = %s AND message.arrival > %s AND message.asked_at IS NOT NULL
    AND (answered.until IS NULL OR message.asked_at > answered.until)
GROUP BY 1
""",
    [None] * 5,
    range(5),
)
_WAITING = Statement(
    "contacts_wait",
    """
UPDATE tickets_contact contact SET unanswered_since = given.since, due_at = given.due
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS given (id, since, due)
WHERE contact.id = given.id
""",
    [None] * 3,
    range(3),
)
