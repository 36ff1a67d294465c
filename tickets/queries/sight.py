"""Whether somebody still sees a ticket once it is moved or given away: said before it is done (row 7).

A contact that entered by a queue of theirs keeps it in sight wherever it lies. The ticket's own columns do not tell
whether one entered by the queue it lies in now: somebody may have moved it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tickets.access import Rights, visible
from tickets.models import Contact, Ticket


@dataclass(frozen=True, slots=True)
class Lost:
    """The chosen tickets that go out of somebody's sight: by moving them, and by giving them away."""

    by_move: tuple[int, ...] = ()
    by_giving: tuple[int, ...] = ()


def if_given(have: Rights, ticket: Ticket) -> bool:
    """Whether they see it without owning it."""
    return have.everything or bool(have.queues & set(ticket.reader_queue_ids))


def if_moved(have: Rights, ticket: Ticket, contacts: Iterable[Contact] = ()) -> bool:
    """Whether they see it in a queue they do not serve, where who owns it lets it go.

    `contacts` are some of the customer's that the caller has read. A statement only where none of them settles it.
    """
    if have.everything or have.queues & (set(ticket.reader_queue_ids) - {ticket.queue_id}):
        return True
    if ticket.queue_id not in have.queues:
        return False
    if any(one.ticket_id == ticket.pk and one.entry_queue_id == ticket.queue_id for one in contacts):
        return True
    return Contact.objects.filter(ticket=ticket, entry_queue_id=ticket.queue_id).exists()


def lost(have: Rights, chosen: Sequence[int], *, queue_id: int | None) -> Lost:
    """Which of these tickets they will no longer see: moved to this queue, or given to somebody else. Two statements
    at most, none for a lead."""
    if have.everything:
        return Lost()
    tickets = list(visible(have, Ticket.objects.filter(pk__in=chosen)).order_by("id"))
    by_giving = tuple(ticket.pk for ticket in tickets if not if_given(have, ticket))
    if queue_id is None or queue_id in have.queues:
        return Lost(by_giving=by_giving)
    entered = Contact.objects.filter(ticket__in=tickets, entry_queue_id__in=sorted(have.queues))
    kept = set(entered.values_list("ticket_id", flat=True).distinct())
    by_move = tuple(ticket.pk for ticket in tickets if ticket.pk not in kept and ticket.queue_id != queue_id)
    return Lost(by_move, by_giving)
