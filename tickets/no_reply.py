"""Which contacts "no reply needed" is about: those of one entry queue; others are marked in theirs (rows 2 and 5)."""

from __future__ import annotations

from tickets.access import Rights
from tickets.models import Contact, Ticket


def chosen(
    have: Rights, ticket: Ticket, *, contact_id: int | None = None, queue_id: int | None = None
) -> tuple[list[Contact], list[Contact]]:
    """The waiting contacts to mark, and those that wait elsewhere as far as this person may read them.

    `contact_id` is the one contact a person points at; `queue_id` is the queue whose list they look at. Without
    either it is the ticket's own queue where they work for it, else the queues they serve, else, for a lead, the one
    queue that waits.
    """
    waiting = Contact.objects.filter(ticket=ticket, unanswered_since__isnull=False).order_by("id")
    readable = [contact for contact in waiting if have.may_read_contact(contact.entry_queue_id)]
    if contact_id is not None:
        return [contact for contact in readable if contact.pk == contact_id], []
    for queues in _places(have, ticket, readable, queue_id):
        marked = [contact for contact in readable if contact.entry_queue_id in queues]
        if marked:
            return marked, [contact for contact in readable if contact not in marked]
    return [], readable


def _places(have: Rights, ticket: Ticket, readable: list[Contact], queue_id: int | None) -> list[frozenset[int]]:
    """Sets of queues; the first in which something waits is meant."""
    if queue_id is not None:
        return [frozenset([queue_id])]
    works_for = have.everything or ticket.queue_id in have.queues or ticket.owner_id == have.person_id
    places = [frozenset([ticket.queue_id]) if works_for else frozenset(), have.queues]
    every = frozenset(contact.entry_queue_id for contact in readable)
    if have.everything and len(every) == 1:
        places.append(every)
    return places
