"""What open pages are told: names and ids, never content."""

from __future__ import annotations

from contactcentre.lib.realtime import Event
from tickets.models import Ticket


def call_rings(ticket: Ticket, message_id: int) -> list[Event]:
    """Somebody is calling: tells those who may answer, for the screen pop."""
    people = frozenset({ticket.owner_id} if ticket.owner_id else set())
    return [Event(name=f"call-{message_id}", queues=frozenset(ticket.reader_queue_ids), people=people)]


def ticket_changed(
    ticket: Ticket, *, also_queues: set[int] | None = None, also_people: set[int] | None = None
) -> list[Event]:
    """The events of a change: the ticket's own, and one for each list it stands in.

    `also_queues` and `also_people` are those who could see it until now, so that after a move the old
    viewers are told as well as the new.
    """
    queues = set(ticket.reader_queue_ids) | {ticket.queue_id} | (also_queues or set())
    people = ({ticket.owner_id} if ticket.owner_id else set()) | (also_people or set())
    names = [f"ticket-{ticket.pk}", "lists", *(f"queue-{queue}" for queue in sorted(queues))]
    return [Event(name=name, queues=frozenset(queues), people=frozenset(people)) for name in names]
