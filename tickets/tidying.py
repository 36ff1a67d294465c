"""What time does to tickets: snoozes end, solved ones close, and the work of people who left goes back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from tickets.events import ticket_changed
from tickets.models import LIVE, State, Ticket

AT_ONCE = 200
DAY = Value(timedelta(days=1), output_field=DurationField())


def wake(*, now: datetime) -> int:
    """Open the snoozed tickets whose time has come; returns how many."""
    due = Ticket.objects.filter(state=State.SNOOZED, snoozed_until__lte=now).order_by("snoozed_until")
    woken = 0
    for ticket_id in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            ticket = (
                Ticket.objects.select_for_update(skip_locked=True, no_key=True)
                .filter(pk=ticket_id, state=State.SNOOZED, snoozed_until__lte=now)
                .first()
            )
            if ticket is None:
                continue
            ticket.state, ticket.snoozed_until = State.OPEN, None
            ticket.save(update_fields=["state", "snoozed_until"])
            history.record(at=now, act="ticket.woken", ticket_id=ticket.pk, customer_id=ticket.customer_id)
            realtime.publish(*ticket_changed(ticket))
            woken += 1
    return woken


def close(*, now: datetime) -> int:
    """Close the solved tickets whose reopen window is over; returns how many (row 3)."""
    over = Ticket.objects.filter(
        state=State.SOLVED,
        solved_at__lte=ExpressionWrapper(Value(now) - DAY * F("queue__reopen_days"), DateTimeField()),
    )
    closed = 0
    for ticket_id in list(over.order_by("solved_at").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            changed = Ticket.objects.filter(pk=ticket_id, state=State.SOLVED).update(state=State.CLOSED, closed_at=now)
            if not changed:
                continue
            ticket = Ticket.objects.get(pk=ticket_id)
            history.record(at=now, act="ticket.closed", ticket_id=ticket.pk, customer_id=ticket.customer_id)
            realtime.publish(*ticket_changed(ticket))
            closed += 1
    return closed


def return_work(*, person: Person, actor: Person | None, now: datetime, limit: int = AT_ONCE) -> int:
    """Put the live tickets of somebody back into their queues, as when they are deactivated (row 4).

    At most `limit` of them; returns how many. leaving.return_left() goes on with the rest.
    """
    returned = 0
    for ticket_id in list(
        Ticket.objects.filter(owner=person, state__in=LIVE).order_by("id").values_list("pk", flat=True)[:limit]
    ):
        with transaction.atomic():
            ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket_id)
            if ticket.owner_id != person.pk:
                continue
            ticket.owner = None
            ticket.save(update_fields=["owner"])
            history.record(
                at=now,
                act="ticket.assigned",
                actor=actor,
                ticket_id=ticket.pk,
                customer_id=ticket.customer_id,
                owner=None,
                owner_before=person.pk,
            )
            realtime.publish(*ticket_changed(ticket, also_people={person.pk}))
            returned += 1
    return returned
