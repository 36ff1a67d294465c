"""A solved ticket opens again because its customer wrote (docs/one-ticket.md, rows 3 and 4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from agents import history
from tickets.models import State, Ticket

# It stays with an owner who was seen this recently.
OWNER_STAYS = timedelta(hours=8)


def reopen(ticket: Ticket, *, now: datetime) -> None:
    """Open it, with its owner where they are still about, else for anybody. The caller saves the ticket."""
    owner = ticket.owner
    stays = (
        owner is not None
        and owner.is_active
        and owner.works_tickets
        and owner.last_seen_at is not None
        and now - owner.last_seen_at <= OWNER_STAYS
    )
    history.record(
        at=now,
        act="ticket.reopened",
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        was=ticket.state,
        by="customer",
        owner_before=ticket.owner_id,
        owner_stays=bool(stays),
    )
    ticket.state, ticket.solved_at, ticket.snoozed_until = State.OPEN, None, None
    if not stays:
        ticket.owner = None
