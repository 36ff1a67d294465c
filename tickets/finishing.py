"""How every act of ours on a contact ends, a reply as well as a call: whose the ticket is by then and in which state,
its rows, and the news of it. The caller holds a transaction and the locks of customer and ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from tickets import urgency
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, Message, State, Ticket
from tickets.targets import Targets

# What words, calls and answers change on a ticket, beside what follows from its contacts (urgency.SUMMARY).
CHANGED = (
    "state",
    "owner",
    "snoozed_until",
    "solved_at",
    "subject",
    "arrivals",
    "last_at",
    "last_words",
    "last_direction",
    "last_author",
    "last_customer_at",
    "surfaces",
)
_ACTS = {State.WAITING: "ticket.waiting", State.SOLVED: "ticket.solved", State.OPEN: "ticket.reopened"}


def before(ticket: Ticket) -> dict[str, Any]:
    """What undoing a message brings back, as JSON holds it: frozen with the message before it changes the ticket."""
    return {
        "ticket_before": ticket.pk,
        "state_before": ticket.state,
        "snoozed_before": ticket.snoozed_until.isoformat() if ticket.snoozed_until else "",
        "solved_before": ticket.solved_at.isoformat() if ticket.solved_at else "",
        "owner_before": ticket.owner_id,
    }


def take(ticket: Ticket, *, person: Person, now: datetime) -> None:
    """Who answers a ticket that is nobody's takes it."""
    if ticket.owner_id is not None:
        return
    ticket.owner = person
    history.record(
        at=now,
        act="ticket.assigned",
        actor=person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        owner=person.pk,
    )


def becomes(ticket: Ticket, state: State | None, *, message: Message, now: datetime) -> None:
    """Put the ticket into the state that its author wanted with this message; None leaves it as it is."""
    if state is None or state == ticket.state:
        return
    history.record(
        at=now,
        act=_ACTS[state],
        actor=message.person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        was=ticket.state,
        message=message.pk,
    )
    ticket.state, ticket.snoozed_until = state, None
    ticket.solved_at = now if state == State.SOLVED else None


def may_open(ticket: Ticket) -> bool:
    """Whether the ticket may be live: a solved one opens again only where its customer has no newer live one."""
    return not Ticket.objects.filter(customer_id=ticket.customer_id, state__in=LIVE).exclude(pk=ticket.pk).exists()


def finish(ticket: Ticket, contact: Contact, *columns: str) -> None:
    """Write the ticket and these columns of the contact, count anew what is unanswered, and tell the open pages."""
    if contact.surface not in ticket.surfaces:
        ticket.surfaces = [*ticket.surfaces, contact.surface]
    urgency.recount(ticket, Targets.load(), also=CHANGED, contact=contact, contact_also=columns)
    realtime.publish(*ticket_changed(ticket))
