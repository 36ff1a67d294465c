"""Polling: which accounts are due, and one of them at a time."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from channels import polling


@shared_task(name="channels.tasks.poll_due")
def poll_due(**_: Any) -> None:
    """Hand every account whose poll is due to a worker of the `poll` queue."""
    for account_id in polling.take_due(now=timezone.now()):
        # Past this the account is due again by itself, and an old message would only be one call too many.
        poll.apply_async(kwargs={"account_id": account_id}, expires=polling.HANDED_OUT.total_seconds())


@shared_task(name="channels.tasks.poll")
def poll(*, account_id: int, **_: Any) -> None:
    """Poll one account."""
    polling.poll(account_id, now=timezone.now())
