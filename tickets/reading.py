"""How far somebody has read."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from agents.models import Person
from tickets.models import Ticket


def mark(*, person: Person, ticket: Ticket, arrival: int, now: datetime) -> None:
    """Note that this person has everything up to `arrival` on their screen; never goes back. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tickets_reading (ticket_id, person_id, arrival, read_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (person_id, ticket_id) DO UPDATE SET arrival = EXCLUDED.arrival, read_at = EXCLUDED.read_at"
            " WHERE tickets_reading.arrival < EXCLUDED.arrival",
            [ticket.pk, person.pk, arrival, now],
        )
