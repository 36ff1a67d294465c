"""The figures of the sidebar and of the board: counted once for the whole installation, kept for a few seconds.

However many people look, each is counted once in that time; no page counts anything by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language
from redis.exceptions import RedisError

from agents.models import Person
from tickets import measures, rows
from tickets.access import Rights
from tickets.queries.lists import VIEW_ICONS, view_name

logger = logging.getLogger(__name__)

KEPT_SECONDS = 3
# Another name whenever its rows change: a version of us that is just being replaced reads what it kept itself.
STANDING = "figures-standing-others-and-trouble"
ANSWERED = "figures-answered"


def standing(*, now: datetime) -> list[measures.Standing]:
    """All live tickets, counted by queue, owner and state; from the cache while they are fresh."""
    (found,) = _kept({STANDING: lambda: measures.standing(now=now)})
    return [measures.Standing(*row) for row in found]


def of_board(*, now: datetime, day_began: datetime) -> tuple[list[measures.Standing], list[measures.Answered]]:
    """The same, and what was answered since the day began, by entry queue."""
    # With the day in its key: the first look after midnight, or from another zone, must not show another day.
    today = f"{ANSWERED}-{day_began.timestamp():.0f}"
    stand, done = _kept(
        {STANDING: lambda: measures.standing(now=now), today: lambda: measures.answered(since=day_began)}
    )
    return [measures.Standing(*row) for row in stand], [measures.Answered(*row) for row in done]


def forget() -> None:
    """Count what stands where anew at the next look: for those who just moved many at once.

    Once the present transaction is committed, or now if there is none. Never fails: without it the figures are right
    again a few seconds later.
    """
    transaction.on_commit(_drop, robust=True)


def _drop() -> None:
    try:
        cache.delete(STANDING)
    except RedisError as error:
        logger.warning("the figures could not be forgotten: %s", error)


def _kept(wanted: Mapping[str, Callable[[], Iterable[tuple[Any, ...]]]]) -> list[list[tuple[Any, ...]]]:
    """What is in the cache under these keys, else counted and put there; asked for at once."""
    try:
        kept = cache.get_many(wanted)
    except RedisError as error:
        logger.warning("the cache does not answer; counting: %s", error)
        return [list(count()) for count in wanted.values()]
    for key, count in wanted.items():
        if key not in kept:
            # As plain tuples, which another version of us can read too.
            kept[key] = [tuple(row) for row in count()]
            try:
                cache.set(key, kept[key], KEPT_SECONDS)
            except RedisError as error:
                logger.warning("figures could not be kept: %s", error)
    return [kept[key] for key in wanted]


def sidebar(
    person: Person, have: Rights, *, current: str, now: datetime, counted: Sequence[measures.Standing] | None = None
) -> tuple[tuple[rows.QueueLink, ...], tuple[rows.QueueLink, ...]]:
    """The views and the queues of this person's sidebar, each with how many are open and overdue; `counted` where
    the page has asked for them already."""
    counted = standing(now=now) if counted is None else counted
    # As access.visible() says it: what these views list.
    mine = [
        g
        for g in counted
        if have.everything or g.queue in have.queues or g.owner == person.pk or not have.queues.isdisjoint(g.others)
    ]
    chosen: dict[str, Iterable[measures.Standing]] = {
        "open": [g for g in mine if g.state == "open"],
        "mine": [g for g in counted if g.owner == person.pk and g.state == "open"],
        "unassigned": [g for g in mine if g.owner is None and g.state == "open"],
        "waiting": [g for g in mine if g.state == "waiting"],
        "snoozed": [g for g in mine if g.state == "snoozed"],
        "trouble": [g._replace(tickets=g.troubled, overdue=0) for g in mine if g.troubled],
    }
    inbox, language = reverse("tickets:inbox"), get_language()
    views = tuple(
        _link(key, view_name(key, language), f"{inbox}?view={key}", chosen[key], current, icon)
        for key, icon in VIEW_ICONS.items()
        # Hardly ever is anything in it, and then it must be seen.
        if key != "trouble" or chosen[key] or key == current
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


def _link(
    key: str, name: str, url: str, counted: Iterable[measures.Standing], current: str, icon: str
) -> rows.QueueLink:
    counted = list(counted)
    return rows.QueueLink(
        key=key,
        name=name,
        url=url,
        open=sum(g.tickets for g in counted),
        overdue=sum(g.overdue for g in counted) if key not in ("waiting", "snoozed") else 0,
        is_current=key == current,
        icon=icon,
    )
