"""How far somebody has read."""

from __future__ import annotations

from datetime import datetime

from agents.models import Person
from contactcentre.lib.plans import Statement
from tickets.models import Ticket


def mark(*, person: Person, ticket: Ticket, arrival: int, now: datetime) -> int:
    """Note that this person has everything up to `arrival` on their screen; never goes back.

    Returns how far they had read before, 0 for a first visit. One statement.
    """
    ((before,),) = _MARK.rows([ticket.pk, person.pk, ticket.pk, person.pk, arrival, now, arrival])
    return int(before)


# The second look at a page writes nothing: ON CONFLICT alone would lock the row, and wait for the disc at its commit.
_MARKED = (
    "WITH before AS (SELECT arrival FROM tickets_reading WHERE ticket_id = %s AND person_id = %s), "
    "done AS (INSERT INTO tickets_reading (ticket_id, person_id, arrival, read_at)"
    " SELECT %s, %s, %s, %s WHERE coalesce((SELECT arrival FROM before), -1) < %s"
    " ON CONFLICT (person_id, ticket_id) DO UPDATE SET arrival = EXCLUDED.arrival, read_at = EXCLUDED.read_at"
    " WHERE tickets_reading.arrival < EXCLUDED.arrival)"
    " SELECT coalesce((SELECT arrival FROM before), 0)"
)
_MARK = Statement("mark_read", _MARKED, [None] * 7, range(7))
