"""What the admin's pages of teams, queues and feeds show, as plain values. Tests count their SQL statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q
from django.utils import timezone

from agents.models import Membership, Person, Team
from channels.health import called
from channels.models import ChannelAccount
from tickets.models import LIVE, AccountFeed, Contact, Queue, Recount, Ticket

TEAMS = 200
ACCOUNTS = 200
MEMBERS = 300
# A finished recount is told of this long.
TOLD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """One team: how many are in it, and the queues it serves."""

    id: int
    name: str
    members: int
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One queue: who serves it, how many accounts feed it, how many live tickets stand in it."""

    id: int
    name: str
    is_default: bool
    is_confidential: bool
    reopen_days: int
    teams: tuple[str, ...]
    feeds: int
    live: int
    successor: str
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One account, by what people call it, and the queue it feeds; no queue: the default one."""

    account_id: int
    kind: str
    address: str
    name: str
    queue_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far long work has come. `percent` is never 100 before it is finished."""

    kind: str
    queue: str
    done: int
    total: int
    percent: int
    is_finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What deactivating somebody means: how many live tickets go back, queue by queue."""

    count: int
    queues: tuple[tuple[str, int], ...]
    last_admin: bool


def teams() -> tuple[TeamRow, ...]:
    """All teams by name, in three statements."""
    members = dict(Membership.objects.values_list("team_id").annotate(n=Count("pk")).order_by())
    queues = _names_by(
        Team.queues.through.objects.filter(queue__successor=None).values_list("team_id"), "queue__name"
    )
    return tuple(
        TeamRow(id=pk, name=name, members=members.get(pk, 0), queues=queues.get(pk, ()))
        for pk, name in Team.objects.order_by("name").values_list("pk", "name")[:TEAMS]
    )


def team_choices() -> list[tuple[int, str]]:
    """The teams by name, for boxes."""
    return list(Team.objects.order_by("name").values_list("pk", "name")[:TEAMS])


def member_choices(team: Team | None) -> list[tuple[int, str]]:
    """Who may be put into a team: everybody active, and who is in it already."""
    wanted = Q(is_active=True)
    if team is not None:
        wanted |= Q(membership__team=team)
    rows = Person.objects.filter(wanted).distinct().order_by("name", "pk").values_list("pk", "name", "is_active")
    # Those who left are marked: taking them out is what one may want to do here.
    return [(pk, name if active else f"{name} (–)") for pk, name, active in rows[:MEMBERS]]


def queue_choices() -> list[tuple[int, str]]:
    """The queues in use, in their order, for boxes and menus."""
    return list(
        Queue.objects.filter(successor=None).order_by("position", "name", "id").values_list("pk", "name")
    )


def queues() -> tuple[QueueRow, ...]:
    """All queues in their order, removed ones last, in four statements."""
    rows = list(Queue.objects.select_related("successor").order_by("position", "name", "id"))
    serving = _names_by(Queue.teams.through.objects.values_list("queue_id"), "team__name")
    feeds = dict(AccountFeed.objects.values_list("queue_id").annotate(n=Count("pk")).order_by())
    live = dict(Ticket.objects.filter(state__in=LIVE).values_list("queue_id").annotate(n=Count("pk")).order_by())
    used = [row for row in rows if row.successor_id is None]
    removed = [row for row in rows if row.successor_id is not None]
    return tuple(
        QueueRow(
            id=row.pk,
            name=row.name,
            is_default=row.is_default,
            is_confidential=row.is_confidential,
            reopen_days=row.reopen_days,
            teams=serving.get(row.pk, ()),
            feeds=feeds.get(row.pk, 0),
            live=live.get(row.pk, 0),
            successor=row.successor.name if row.successor else "",
            is_first=bool(used) and row is used[0],
            is_last=bool(used) and row is used[-1],
        )
        for row in (*used, *removed)
    )


def contacts_of(queue_id: int) -> int:
    """How many tickets have a contact that entered by a queue: what its confidentiality is about."""
    return Contact.objects.filter(entry_queue_id=queue_id).values("ticket_id").distinct().count()


def feeds() -> tuple[FeedRow, ...]:
    """The accounts by kind and address, and what they feed, in one statement."""
    rows = (
        ChannelAccount.objects.order_by("kind", "address", "pk")
        .values_list("pk", "kind", "address", "name", "feed__queue_id")[:ACCOUNTS]
    )
    return tuple(
        FeedRow(account_id=pk, kind=kind, address=called(kind, address, name), name=name, queue_id=queue)
        for pk, kind, address, name, queue in rows
    )


def leaving(person: Person) -> Leaving:
    """What deactivating somebody would mean now."""
    rows = (
        Ticket.objects.filter(owner=person, state__in=LIVE)
        .values_list("queue__name")
        .annotate(n=Count("pk"))
        .order_by("queue__name")
    )
    others = Person.objects.filter(is_admin=True, is_active=True).exclude(pk=person.pk)
    counted = tuple((str(name), int(count)) for name, count in rows)
    return Leaving(
        count=sum(count for _name, count in counted),
        queues=counted,
        last_admin=person.is_admin and person.is_active and not others.exists(),
    )


def progress(*, kind: str = "", queue_id: int | None = None) -> tuple[Progress, ...]:
    """The long work under way, and what has just been finished; of one kind or queue, or all."""
    told = Q(finished_at=None) | Q(finished_at__gte=timezone.now() - TOLD)
    rows = Recount.objects.select_related("queue").filter(told)
    if kind:
        rows = rows.filter(kind=kind)
    if queue_id is not None:
        rows = rows.filter(queue_id=queue_id)
    # The newest word on each: an older one that is finished says nothing beside it.
    found: dict[tuple[str, int | None], Recount] = {}
    for row in rows.order_by("-id")[:20]:
        found.setdefault((row.kind, row.queue_id), row)
    return tuple(
        Progress(
            kind=row.kind,
            queue=row.queue.name if row.queue else "",
            done=row.done,
            total=max(row.total, row.done),
            percent=100 if row.finished_at else min(99, 100 * row.done // max(row.total, 1)),
            is_finished=row.finished_at is not None,
        )
        for row in found.values()
    )


def _names_by(rows: object, name: str) -> dict[int, tuple[str, ...]]:
    grouped = rows.annotate(names=ArrayAgg(name, order_by=name)).order_by()  # type: ignore[attr-defined]
    return {key: tuple(names) for key, names in grouped}
