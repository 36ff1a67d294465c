"""The lead's board: queues side by side, people by load, and the replies that did not go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, QuerySet
from django.utils import timezone

from agents.models import Person
from contactcentre.lib.prepared import Prepared
from customers.models import what_to_call
from tickets import measures, rows
from tickets.access import QueueName, Rights, visible
from tickets.models import Message, Queue, Ticket
from tickets.queries import figures, lists

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
    """The whole board. The sums over all queues stand at its top; `standing` is what they were added up from.
    `colleagues` are whom tickets can be given to, by name, the reader not among them."""

    columns: tuple[Column, ...]
    people: tuple[AgentRow, ...]
    colleagues: tuple[rows.Colleague, ...]
    trouble: tuple[Trouble, ...]
    standing: tuple[measures.Standing, ...]
    awaiting_us: int
    open: int
    overdue: int
    due_soon: int
    answered_today: int
    longest_wait: timedelta | None


def board(person: Person, have: Rights, *, now: datetime) -> Board:
    """Everything the board shows, in seven statements whatever its size; two of them once in three seconds."""
    day_began = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    standing, answered = figures.of_board(now=now, day_began=day_began)
    by_queue = _tickets(person, have)
    columns = []
    for queue in have.all_queues:
        counted = measures.of_queue(queue.id, standing, answered, now=now)
        columns.append(
            Column(
                queue=queue,
                figures=counted,
                tickets=by_queue.get(queue.id, ()),
                more=max(counted.open - PER_COLUMN, 0),
            )
        )
    people = _people(person, standing, now=now)
    waits = [column.figures.longest_wait for column in columns if column.figures.longest_wait is not None]
    return Board(
        columns=tuple(columns),
        people=tuple(sorted(people, key=lambda row: (not row.is_here, -row.open, row.person.name))),
        colleagues=tuple(row.person for row in people if not row.person.is_me),
        trouble=_trouble(have),
        standing=tuple(standing),
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


def _urgent_of(*, queues: list[int]) -> QuerySet[Queue, tuple[Any, ...]]:
    urgent = Ticket.objects.filter(state="open", queue_id=OuterRef("pk")).order_by("urgent_at", "id")
    top = ArraySubquery(urgent.values("pk")[:PER_COLUMN])
    return Queue.objects.filter(pk__in=queues).annotate(top=top).values_list("top")


_URGENT = Prepared(_urgent_of)


def _tickets(person: Person, have: Rights) -> dict[int, tuple[rows.TicketRow, ...]]:
    """The most urgent open tickets of every queue: one scan per queue of the list's own index."""
    queues = [queue.id for queue in have.all_queues]
    ids = [number for (top,) in (_URGENT.rows(queues=queues) if queues else ()) for number in top]
    wanted = lists.of_tickets(person, ids)
    found: dict[int, list[rows.TicketRow]] = {}
    for ticket, row in zip(wanted, lists.rows_of(person, have, wanted), strict=True):
        found.setdefault(ticket.queue_id, []).append(row)
    return {queue: tuple(column) for queue, column in found.items()}


def _agents_of() -> QuerySet[Person, tuple[Any, ...]]:
    people = Person.objects.filter(Q(is_agent=True) | Q(is_lead=True), is_active=True).order_by("name")
    return people.values_list("id", "name", "last_seen_at")[:PEOPLE_LIMIT]


_AGENTS = Prepared(_agents_of)


def _people(me: Person, standing: Iterable[measures.Standing], *, now: datetime) -> list[AgentRow]:
    """Agents and leads, by name."""
    held: Counter[int | None] = Counter()
    late: Counter[int | None] = Counter()
    for group in standing:
        if group.state == "open":
            held[group.owner] += group.tickets
            late[group.owner] += group.overdue
    return [
        AgentRow(
            person=lists.colleague(Person(id=number, name=name), me),
            is_here=seen_at is not None and now - seen_at <= HERE,
            seen_at=seen_at,
            open=held[number],
            overdue=late[number],
        )
        for number, name, seen_at in _AGENTS.rows()
    ]


def _trouble_of() -> QuerySet[Message, tuple[Any, ...]]:
    # The ticket's own count finds them: an index holds the few tickets that have any.
    return (
        Message.objects.filter(direction="out", state__in=("failed", "unknown"), ticket__send_trouble__gt=0)
        .order_by("-id")
        .values_list(
            *("id", "ticket_id", "ticket__customer_id", "ticket__customer__name", "ticket__customer__called"),
            *("person__name", "contact__entry_queue_id", "text", "state", "state_reason", "said_at"),
        )[:TROUBLE_LIMIT]
    )


_TROUBLE = Prepared(_trouble_of)


def _trouble(have: Rights) -> tuple[Trouble, ...]:
    secret = have.confidential
    return tuple(
        Trouble(
            message_id=number,
            ticket_id=ticket,
            who=what_to_call(name, called, customer),
            author=Person(name=author).first_name if author else "",
            words="" if queue in secret else text[:120],
            state=state,
            reason=reason,
            at=at,
        )
        for number, ticket, customer, name, called, author, queue, text, state, reason, at in _TROUBLE.rows()
    )
