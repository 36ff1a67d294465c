"""The definitions of every figure, in one place: the board uses them, reports will read them.

A contact is the countable unit. Answered within: what was answered by a message that reached `sent`, timed
when Send was pressed (row 23). Contacts marked "no reply needed" are counted apart; outbound ones not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Count, DurationField, ExpressionWrapper, F, Func, Min, Q
from django.db.models.aggregates import Aggregate

from tickets.models import LIVE, Contact, Ticket


class Median(Aggregate):
    """The middle value, by PostgreSQL's percentile_cont."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


class Standing(NamedTuple):
    """The live tickets of one queue, owner and state: how many, and how many of them are what.

    `others` are the other queues by which their contacts entered: who serves one of those sees them too (row 7), and
    so counts them among all that is theirs to see. A queue's own figures leave them out (row 6). `since` is when
    the customer among them who has waited longest began to wait.
    """

    queue: int
    owner: int | None
    state: str
    others: list[int]
    tickets: int
    overdue: int
    due_soon: int
    awaiting_us: int
    since: datetime | None
    troubled: int = 0


class Answered(NamedTuple):
    """The contacts that entered by one queue and were answered, or needed no reply, since some time."""

    queue: int
    answered: int
    median: timedelta | None
    no_reply: int


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
_OTHERS = Func(
    F("reader_queue_ids"), F("queue_id"), function="array_remove", output_field=ArrayField(BigIntegerField())
)


def standing(*, now: datetime) -> list[Standing]:
    """All live tickets, counted by queue, owner, state and who else sees them, in one statement."""
    found = (
        Ticket.objects.filter(state__in=LIVE)
        # Hardly any ticket has contacts of other queues: these are few groups more.
        .annotate(others=_OTHERS)
        .values_list("queue_id", "owner_id", "state", "others")
        .annotate(
            Count("id"),
            overdue=Count("id", filter=Q(due_at__lt=now)),
            due_soon=Count("id", filter=Q(due_at__gte=now, due_at__lt=now + SOON)),
            awaiting_us=Count("id", filter=Q(awaiting="us")),
            since=Min("unanswered_since"),
            troubled=Count("id", filter=Q(send_trouble__gt=0)),
        )
        .order_by()
    )
    return [Standing(*row) for row in found]


def answered(*, since: datetime) -> list[Answered]:
    """What was first answered, or said to need no reply, since then, counted by entry queue, in one statement."""
    first = Q(first_answered_at__gte=since)
    wait = ExpressionWrapper(F("first_answered_at") - F("first_said_at"), output_field=DurationField())
    found = (
        Contact.objects.filter(first | Q(no_reply_at__gte=since), is_outbound=False)
        .values_list("entry_queue_id")
        .annotate(
            answered=Count("id", filter=first),
            median=Median(wait, filter=first),
            no_reply=Count("id", filter=Q(no_reply_at__gte=since)),
        )
        .order_by()
    )
    return [Answered(*row) for row in found]


def of_queue(
    queue_id: int, standing: Iterable[Standing], answered: Iterable[Answered], *, now: datetime
) -> QueueFigures:
    """The figures of one queue, from what was counted over all of them."""
    open_ones = [group for group in standing if group.queue == queue_id and group.state == "open"]
    since = min((group.since for group in open_ones if group.since is not None), default=None)
    mine = next((one for one in answered if one.queue == queue_id), Answered(queue_id, 0, None, 0))
    return QueueFigures(
        queue_id=queue_id,
        open=sum(group.tickets for group in open_ones),
        awaiting_us=sum(group.awaiting_us for group in open_ones),
        overdue=sum(group.overdue for group in open_ones),
        due_soon=sum(group.due_soon for group in open_ones),
        unassigned=sum(group.tickets for group in open_ones if group.owner is None),
        longest_wait=now - since if since is not None else None,
        answered_today=mine.answered,
        median_first_answer=mine.median,
        no_reply_today=mine.no_reply,
    )
