"""The definitions of every figure, in one place: the board uses them, reports will read them.

A contact is the countable unit. Answered within: what was answered by a message that reached `sent`, timed
when Send was pressed (row 23). Contacts marked "no reply needed" are counted apart; outbound ones not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, Q
from django.db.models.aggregates import Aggregate

from tickets.models import Contact, Ticket


class Median(Aggregate):
    """The middle value, by PostgreSQL's percentile_cont."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What a queue's column on the board says.

    `awaiting_us`, `overdue` and `open` count open tickets of the queue; `longest_wait` is how long the customer
    who has waited longest has been waiting; `answered_today` counts contacts that entered by this queue and got
    their first answer today, `median_first_answer` is the median over them.
    """

    queue_id: int
    open: int
    awaiting_us: int
    overdue: int
    due_soon: int
    unassigned: int
    longest_wait: timedelta | None
    answered_today: int
    median_first_answer: timedelta | None
    no_reply_today: int


SOON = timedelta(minutes=30)


def of_queues(*, now: datetime, day_began: datetime) -> dict[int, QueueFigures]:
    """The figures of every queue that has any, in two statements."""
    standing = (
        Ticket.objects.filter(state="open")
        .values("queue_id")
        .annotate(
            open=Count("id"),
            awaiting_us=Count("id", filter=Q(awaiting="us")),
            overdue=Count("id", filter=Q(due_at__lt=now)),
            due_soon=Count("id", filter=Q(due_at__gte=now, due_at__lt=now + SOON)),
            unassigned=Count("id", filter=Q(owner=None)),
            since=Min("unanswered_since"),
        )
        .order_by()
    )
    wait = ExpressionWrapper(F("first_answered_at") - F("first_said_at"), output_field=DurationField())
    answered = (
        Contact.objects.filter(is_outbound=False)
        .filter(Q(first_answered_at__gte=day_began) | Q(no_reply_at__gte=day_began))
        .values("entry_queue_id")
        .annotate(
            answered=Count("id", filter=Q(first_answered_at__gte=day_began)),
            median=Median(wait, filter=Q(first_answered_at__gte=day_began)),
            no_reply=Count("id", filter=Q(no_reply_at__gte=day_began)),
        )
        .order_by()
    )
    tickets = {row["queue_id"]: row for row in standing}
    contacts = {row["entry_queue_id"]: row for row in answered}
    return {
        queue: _figures(queue, tickets.get(queue, {}), contacts.get(queue, {}), now=now)
        for queue in {*tickets, *contacts}
    }


def nothing(queue_id: int) -> QueueFigures:
    """The figures of a queue where nothing happens."""
    return _figures(queue_id, {}, {}, now=None)


def _figures(
    queue: int, standing: Mapping[str, Any], answered: Mapping[str, Any], *, now: datetime | None
) -> QueueFigures:
    since = standing.get("since")
    median = answered.get("median")
    return QueueFigures(
        queue_id=queue,
        open=int(str(standing.get("open", 0))),
        awaiting_us=int(str(standing.get("awaiting_us", 0))),
        overdue=int(str(standing.get("overdue", 0))),
        due_soon=int(str(standing.get("due_soon", 0))),
        unassigned=int(str(standing.get("unassigned", 0))),
        longest_wait=now - since if now is not None and isinstance(since, datetime) else None,
        answered_today=int(str(answered.get("answered", 0))),
        median_first_answer=median if isinstance(median, timedelta) else None,
        no_reply_today=int(str(answered.get("no_reply", 0))),
    )
