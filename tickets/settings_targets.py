"""What admins do with service targets: minutes a surface, for all queues or for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.http import Http404

from agents import history
from agents.models import Person
from channels.surfaces import SURFACES
from tickets import recounting
from tickets.models import Queue, Recount, ServiceTarget

# A month: what is promised later than that is no promise of an answer.
MOST_MINUTES = 31 * 24 * 60


def change(
    *, actor: Person, queue_id: int | None, minutes: Mapping[str, int | None], now: datetime
) -> dict[str, int | None]:
    """Set the minutes of the surfaces given, for all queues or for one; returns those that changed.

    None takes a target away: nothing is promised then, or in a queue what is promised everywhere. Deadlines of what
    awaits us are counted anew by a task. Raises Http404 for a queue that is not there, ValueError for minutes out of
    bounds.
    """
    if any(value is not None and not 0 < value <= MOST_MINUTES for value in minutes.values()):
        raise ValueError("a target is between a minute and a month")
    with transaction.atomic():
        queue = None
        if queue_id is not None:
            queue = Queue.objects.select_for_update(no_key=True).filter(pk=queue_id, successor=None).first()
            if queue is None:
                raise Http404
        before = now_set(queue_id)
        changed = {
            surface: value
            for surface, value in minutes.items()
            if surface in SURFACES and before.get(surface) != value
        }
        for surface, value in sorted(changed.items()):
            if value is None:
                ServiceTarget.objects.filter(queue=queue, surface=surface).delete()
            else:
                ServiceTarget.objects.update_or_create(queue=queue, surface=surface, defaults={"minutes": value})
            history.record(
                at=now,
                act="target.changed",
                actor=actor,
                queue=queue_id,
                surface=surface,
                minutes=value,
                minutes_before=before.get(surface),
            )
        if changed:
            recounting.ask(kind=Recount.Kind.DUE, queue=queue, actor=actor, now=now)
    return changed


def now_set(queue_id: int | None) -> dict[str, int]:
    """The minutes by surface that are set for all queues (None) or for one queue of its own."""
    rows = ServiceTarget.objects.values_list("surface", "minutes")
    return dict(rows.filter(queue=None) if queue_id is None else rows.filter(queue=queue_id))
