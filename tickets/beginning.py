"""What a new installation needs before anything can come in: one queue, and how soon people there are answered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents import history
from tickets.models import Queue, ServiceTarget

NAME = "General"
# Minutes until an answer is due, by surface, as long as an admin has chosen nothing else: a mail may wait four hours.
TARGETS = {
    "x:mention": 15,
    "x:dm": 15,
    "facebook:comment": 15,
    "facebook:messenger": 15,
    "phone": 15,
    "email": 240,
}


def first_queue(*, now: datetime) -> Queue | None:
    """Make the default queue and its targets where there is no queue at all, and return it; None where there is one.

    No team serves it yet, so until an admin chooses one only leads see what comes in. Targets that an admin has set
    already stay.
    """
    with transaction.atomic():
        if Queue.objects.exists():
            return None
        queue = Queue.objects.create(name=NAME, is_default=True)
        history.record(at=now, act="queue.made", actor=None, queue=queue.pk, teams=[])
        known = set(ServiceTarget.objects.filter(queue=None).values_list("surface", flat=True))
        for surface, minutes in TARGETS.items():
            if surface in known:
                continue
            ServiceTarget.objects.create(surface=surface, minutes=minutes)
            history.record(
                at=now, act="target.changed", queue=None, surface=surface, minutes=minutes, minutes_before=None
            )
    return queue
