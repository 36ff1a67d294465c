"""How far somebody has read."""

from __future__ import annotations

from datetime import datetime

from agents.models import Person
from contactcentre.lib.plans import Statement
from tickets.access import Opened
from tickets.models import Ticket


def look(*, person: Person, opened: Opened, now: datetime) -> None:
    """Note that this person looks at the ticket they opened; no statement where they had read all of it."""
    if opened.read is None or opened.read < opened.ticket.arrivals:
        mark(person=person, ticket=opened.ticket, arrival=opened.ticket.arrivals, now=now)


def mark(*, person: Person, ticket: Ticket, arrival: int, now: datetime) -> None:
    """Note that this person has everything up to `arrival` on their screen; never goes back. One statement."""
    _MARK.rows([ticket.pk, person.pk, arrival, now, ticket.pk, person.pk, arrival])


# Where it is known it writes nothing: ON CONFLICT alone would lock the row, and wait for the disc at its commit.
_MARKED = (
    "INSERT INTO tickets_reading (ticket_id, person_id, arrival, read_at)"
    " SELECT %s, %s, %s, %s WHERE NOT EXISTS"
    " (SELECT FROM tickets_reading WHERE ticket_id = %s AND person_id = %s AND arrival >= %s)"
    " ON CONFLICT (person_id, ticket_id) DO UPDATE SET arrival = EXCLUDED.arrival, read_at = EXCLUDED.read_at"
    " WHERE tickets_reading.arrival < EXCLUDED.arrival"
)
_MARK = Statement("mark_read", _MARKED, [None] * 7, range(7))
