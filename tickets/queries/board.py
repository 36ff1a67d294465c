"""The lead's board: queues side by side, people by load, and the replies that did not go out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from agents.models import Person
from tickets import measures, rows
from tickets.access import QueueName, Rights, visible
from tickets.models import Message, Ticket
from tickets.queries import lists

PER_COLUMN = 30
TROUBLE_LIMIT = 50
PEOPLE_LIMIT = 200
HERE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Column:
    """One queue: its figures and its most urgent tickets."""

    queue: QueueName
    figures: measures.QueueFigures
    tickets: tuple[rows.TicketRow, ...]
    more: int


@dataclass(frozen=True, slots=True)
class AgentRow:
    """Who is here and what they hold."""

    person: rows.Colleague
    is_here: bool
    seen_at: datetime | None
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A reply that failed or perhaps went out."""

    message_id: int
    ticket_id: int
    who: str
    author: str
    words: str
    state: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board. The sums over all queues stand at its top."""

    columns: tuple[Column, ...]
    people: tuple[AgentRow, ...]
    trouble: tuple[Trouble, ...]
    awaiting_us: int
    open: int
    overdue: int
    due_soon: int
    answered_today: int
    longest_wait: timedelta | None


def board(person: Person, have: Rights, *, now: datetime) -> Board:
    """Everything the board shows, in six statements whatever its size."""
    day_began = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    figures = measures.of_queues(now=now, day_began=day_began)
    by_queue = _tickets(person, have)
    columns = tuple(
        Column(
            queue=queue,
            figures=figures.get(queue.id) or measures.nothing(queue.id),
            tickets=by_queue.get(queue.id, ()),
            more=max((figures[queue.id].open if queue.id in figures else 0) - PER_COLUMN, 0),
        )
        for queue in have.all_queues
    )
    waits = [column.figures.longest_wait for column in columns if column.figures.longest_wait is not None]
    return Board(
        columns=columns,
        people=_people(person, now=now),
        trouble=_trouble(),
        awaiting_us=sum(column.figures.awaiting_us for column in columns),
        open=sum(column.figures.open for column in columns),
        overdue=sum(column.figures.overdue for column in columns),
        due_soon=sum(column.figures.due_soon for column in columns),
        answered_today=sum(column.figures.answered_today for column in columns),
        longest_wait=max(waits, default=None),
    )


@dataclass(frozen=True, slots=True)
class Load:
    """How many open tickets a queue or person holds, before and after."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act on several tickets will mean, before it is done."""

    count: int
    overdue: int
    soon: int
    loads: tuple[Load, ...]


def preview(have: Rights, *, tickets: list[int], queue_id: int | None, owner_id: int | None, now: datetime) -> Preview:
    """The effect of moving or assigning these tickets: their due times, and the loads where they come from and go."""
    chosen = list(
        visible(have, Ticket.objects.filter(pk__in=tickets, state="open")).only("id", "queue", "owner", "due_at")
    )
    loads: list[Load] = []
    if queue_id is not None and have.queue_name(queue_id):
        held = dict(Ticket.objects.filter(state="open").values_list("queue_id").annotate(Count("id")).order_by())
        leaving = Counter(ticket.queue_id for ticket in chosen if ticket.queue_id != queue_id)
        loads = [
            Load(have.queue_name(queue), held.get(queue, 0), held.get(queue, 0) - n) for queue, n in leaving.items()
        ]
        coming = held.get(queue_id, 0)
        loads.append(Load(have.queue_name(queue_id), coming, coming + sum(leaving.values())))
    elif owner_id is not None:
        owner = Person.objects.filter(pk=owner_id).first()
        if owner is not None:
            held_now = Ticket.objects.filter(state="open", owner=owner).count()
            more = sum(1 for ticket in chosen if ticket.owner_id != owner_id)
            loads = [Load(owner.name, held_now, held_now + more)]
    dues = [ticket.due_at for ticket in chosen if ticket.due_at is not None]
    return Preview(
        count=len(chosen),
        overdue=sum(1 for due in dues if due < now),
        soon=sum(1 for due in dues if now <= due < now + measures.SOON),
        loads=tuple(loads),
    )


def _tickets(person: Person, have: Rights) -> dict[int, tuple[rows.TicketRow, ...]]:
    """The most urgent open tickets of every queue: one scan per queue of the list's own index."""
    wanted: list[lists.Listed] = []
    open_ones = Ticket.objects.filter(state="open")
    parts = [
        open_ones.filter(queue_id=queue.id).order_by("urgent_at", "id").values("pk")[:PER_COLUMN]
        for queue in have.all_queues
    ]
    if parts:
        union = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
        ids = [row["pk"] for row in union]
        wanted = lists.of_tickets(person, ids)
    shown = lists.rows_of(person, have, wanted)
    found: dict[int, list[rows.TicketRow]] = {}
    for ticket, row in zip(wanted, shown, strict=True):
        found.setdefault(ticket.queue_id, []).append(row)
    return {queue: tuple(columns) for queue, columns in found.items()}


def _people(me: Person, *, now: datetime) -> tuple[AgentRow, ...]:
    held = Q(tickets__state="open")
    people = (
        Person.objects.filter(Q(is_agent=True) | Q(is_lead=True), is_active=True)
        .annotate(held=Count("tickets", filter=held), late=Count("tickets", filter=held & Q(tickets__due_at__lt=now)))
        .order_by("name")[:PEOPLE_LIMIT]
    )
    agents = [
        AgentRow(
            person=lists.colleague(one, me),
            is_here=one.last_seen_at is not None and now - one.last_seen_at <= HERE,
            seen_at=one.last_seen_at,
            open=one.held,
            overdue=one.late,
        )
        for one in people
    ]
    return tuple(sorted(agents, key=lambda row: (not row.is_here, -row.open, row.person.name)))


def _trouble() -> tuple[Trouble, ...]:
    messages = (
        Message.objects.filter(direction="out", state__in=("failed", "unknown"), ticket__send_trouble__gt=0)
        .select_related("ticket__customer", "person", "contact__entry_queue")
        .order_by("-id")[:TROUBLE_LIMIT]
    )
    return tuple(
        Trouble(
            message_id=message.pk,
            ticket_id=message.ticket_id,
            who=lists.who(message.ticket),
            author=message.person.first_name if message.person else "",
            words="" if message.contact.entry_queue.is_confidential else message.text[:120],
            state=message.state,
            reason=message.state_reason,
            at=message.said_at,
        )
        for message in messages
    )
