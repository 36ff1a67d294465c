"""Deadlines: pure functions of their arguments, and the one query that reads the targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from channels.surfaces import SURFACES
from contactcentre.lib.prepared import Prepared
from tickets.models import ServiceTarget

# What a ticket that is not due sorts by: so much later than its last words that nothing due comes after it.
NOT_DUE = timedelta(days=36500)
# What awaits us without a target comes after everything due and before what awaits nobody.
NO_TARGET = timedelta(days=18250)


@dataclass(frozen=True, slots=True)
class Due:
    """By when, and what will go wrong then: `target` (a service target) or `window` (the network's)."""

    at: datetime
    reason: str


def due(
    *,
    unanswered_since: datetime | None,
    last_in_at: datetime | None,
    target: timedelta | None,
    window: timedelta | None,
) -> Due | None:
    """The earliest thing that will go wrong on a contact; None while it is answered or nothing is asked of us."""
    if unanswered_since is None:
        return None
    ends = []
    if target is not None:
        ends.append(Due(unanswered_since + target, "target"))
    if window is not None and last_in_at is not None:
        ends.append(Due(last_in_at + window, "window"))
    return min(ends, key=lambda end: end.at) if ends else None


def urgency(*, due_at: datetime | None, unanswered_since: datetime | None, last_at: datetime) -> datetime:
    """What lists are ordered by: earliest due first, then longest wait, then what awaits nobody."""
    if due_at is not None:
        return due_at
    return unanswered_since + NO_TARGET if unanswered_since is not None else last_at + NOT_DUE


def _all_targets() -> QuerySet[ServiceTarget, tuple[Any, ...]]:
    return ServiceTarget.objects.values_list("queue_id", "surface", "minutes")


_TARGETS = Prepared(_all_targets)


class Targets:
    """The installation's targets, read once: a queue's own row beats the one for all queues."""

    def __init__(self, minutes: Mapping[tuple[int | None, str], int]) -> None:
        self._minutes = minutes

    @classmethod
    def load(cls) -> Targets:
        """The targets as they stand now, in one query."""
        return cls({(queue, surface): minutes for queue, surface, minutes in _TARGETS.rows()})

    def of(self, *, queue_id: int, surface: str) -> timedelta | None:
        """How long a customer may wait there; None where nothing is promised."""
        minutes = self._minutes.get((queue_id, surface), self._minutes.get((None, surface)))
        return timedelta(minutes=minutes) if minutes else None

    def due(
        self, *, queue_id: int, surface: str, unanswered_since: datetime | None, last_in_at: datetime | None
    ) -> Due | None:
        """The due time of a contact that entered by this queue on this surface."""
        return due(
            unanswered_since=unanswered_since,
            last_in_at=last_in_at,
            target=self.of(queue_id=queue_id, surface=surface),
            window=SURFACES[surface].window if surface in SURFACES else None,
        )
