"""How far somebody has read."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from agents.models import Person
from tickets.models import Ticket


def mark(*, person: Person, ticket: Ticket, arrival: int, now: datetime) -> int:
    """Note that this person has everything up to `arrival` on their screen; never goes back.

    Returns how far they had read before, 0 for a first visit. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH before AS (SELECT arrival FROM tickets_reading WHERE ticket_id = %s AND person_id = %s), "
            "done AS (INSERT INTO tickets_reading (ticket_id, person_id, arrival, read_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (person_id, ticket_id) DO UPDATE SET arrival = EXCLUDED.arrival, read_at = EXCLUDED.read_at"
            " WHERE tickets_reading.arrival < EXCLUDED.arrival)"
            " SELECT coalesce((SELECT arrival FROM before), 0)",
            [ticket.pk, person.pk, ticket.pk, person.pk, arrival, now],
        )
        return int(cursor.fetchone()[0])
