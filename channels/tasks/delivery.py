"""Delivery: a sweep each second, one row of the outbox at a time, and looks for what may have been sent."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from channels import delivery, reconcile, sweep


@shared_task(name="channels.tasks.deliver_due")
def deliver_due(**_: Any) -> None:
    """Settle what is over and hand what is due to the workers of the `delivery` queue."""
    work = sweep.sweep(now=timezone.now())
    for row_id in work.deliver:
        _later(deliver, row_id)
    for row_id in work.look:
        _later(look, row_id)


@shared_task(name="channels.tasks.deliver")
def deliver(*, outbound_id: int, **_: Any) -> None:
    """Send one row, and hand the next of its lane to a worker."""
    if delivery.deliver(outbound_id=outbound_id, now=timezone.now(), clock=timezone.now) is None:
        return
    following = sweep.following(outbound_id=outbound_id, now=timezone.now())
    if following is not None:
        _later(deliver, following)


@shared_task(name="channels.tasks.look")
def look(*, outbound_id: int, **_: Any) -> None:
    """Look for one row that may have been sent."""
    reconcile.look(outbound_id=outbound_id, now=timezone.now(), clock=timezone.now)


def _later(task: Any, row_id: int) -> None:
    # Past this the sweep hands the row out again, and an old message would only be one query too many.
    task.apply_async(kwargs={"outbound_id": row_id}, expires=sweep.HANDED_OUT.total_seconds())
