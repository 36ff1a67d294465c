"""The sidebar's figures: one grouped count for the whole installation, kept for a few seconds.

However many people look, it is counted once in that time; no page counts anything by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.urls import reverse

from agents.models import Person
from tickets import rows
from tickets.access import Rights
from tickets.models import LIVE, Ticket
from tickets.queries.lists import VIEW_ICONS, view_name

logger = logging.getLogger(__name__)

KEPT_SECONDS = 3
KEY = "ticket-figures"


@dataclass(frozen=True, slots=True)
class Group:
    """How many live tickets of one queue, owner and state there are, and how many of them are overdue."""

    queue: int
    owner: int | None
    state: str
    count: int
    overdue: int


def groups(*, now: datetime) -> list[Group]:
    """All live tickets, counted by queue, owner and state; from the cache while it is fresh."""
    try:
        kept: list[tuple[Any, ...]] | None = cache.get(KEY)
    except Exception:
        logger.warning("the cache does not answer; counting", exc_info=True)
        return _count(now)
    if kept is None:
        fresh = _count(now)
        cache.set(KEY, [(g.queue, g.owner, g.state, g.count, g.overdue) for g in fresh], KEPT_SECONDS)
        return fresh
    return [Group(*row) for row in kept]


def forget() -> None:
    """Count anew at the next look: for those who just moved many at once."""
    cache.delete(KEY)


def _count(now: datetime) -> list[Group]:
    found = (
        Ticket.objects.filter(state__in=LIVE)
        .values_list("queue_id", "owner_id", "state")
        .annotate(n=Count("id"), late=Count("id", filter=Q(urgent_at__lt=now)))
        .order_by()
    )
    return [Group(*row) for row in found]


def sidebar(
    person: Person, have: Rights, *, current: str, now: datetime
) -> tuple[tuple[rows.QueueLink, ...], tuple[rows.QueueLink, ...]]:
    """The views and the queues of this person's sidebar, each with how many are open and overdue."""
    counted = groups(now=now)
    mine = [g for g in counted if have.everything or g.queue in have.queues or g.owner == person.pk]
    chosen: dict[str, Iterable[Group]] = {
        "open": [g for g in mine if g.state == "open"],
        "mine": [g for g in counted if g.owner == person.pk and g.state == "open"],
        "unassigned": [g for g in mine if g.owner is None and g.state == "open"],
        "waiting": [g for g in mine if g.state == "waiting"],
        "snoozed": [g for g in mine if g.state == "snoozed"],
    }
    inbox = reverse("tickets:inbox")
    views = tuple(
        _link(key, view_name(key), f"{inbox}?view={key}", chosen[key], current, icon)
        for key, icon in VIEW_ICONS.items()
    )
    queues = tuple(
        _link(
            f"queue-{queue.id}",
            queue.name,
            f"{inbox}?queue={queue.id}",
            [g for g in counted if g.queue == queue.id and g.state == "open"],
            current,
            "stack-2",
        )
        for queue in have.listed
    )
    return views, queues


def _link(key: str, name: str, url: str, counted: Iterable[Group], current: str, icon: str) -> rows.QueueLink:
    counted = list(counted)
    return rows.QueueLink(
        key=key,
        name=name,
        url=url,
        open=sum(g.count for g in counted),
        overdue=sum(g.overdue for g in counted) if key not in ("waiting", "snoozed") else 0,
        is_current=key == current,
        icon=icon,
    )
