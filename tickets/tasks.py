"""Work of tickets/ that happens by itself. Celery is one more interface: no logic here."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from tickets import tidying


@shared_task(name="tickets.tasks.tidy")
def tidy(**_later: Any) -> None:
    """Wake snoozed tickets and close solved ones."""
    now = timezone.now()
    tidying.wake(now=now)
    tidying.close(now=now)
