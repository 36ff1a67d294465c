"""Work of tickets/ that happens by itself. Celery is one more interface: no logic here."""

from __future__ import annotations

import logging
from typing import Any

import requests
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from channels import rereading as channels_rereading
from tickets import demonstration, rereading, tidying

logger = logging.getLogger(__name__)


@shared_task(name="tickets.tasks.tidy")
def tidy(**_later: Any) -> None:
    """Wake snoozed tickets and close solved ones."""
    now = timezone.now()
    tidying.wake(now=now)
    tidying.close(now=now)


@shared_task(name="tickets.tasks.tell_exchange")
def tell_exchange(**_later: Any) -> None:
    """Practice mode only: tell the practice exchange where our lines' events go, also after it was restarted."""
    try:
        demonstration.tell_exchange(settings.PRACTICE_URL)
    except requests.RequestException as error:
        logger.info("the practice exchange is not there: %s", type(error).__name__)


@shared_task(name="tickets.tasks.reread")
def reread(**_later: Any) -> None:
    """Look again at the posts of live tickets, for edits and deletions."""
    now = timezone.now()
    for account_id, external_ids in rereading.posts(now=now).items():
        channels_rereading.reread(account_id=account_id, external_ids=external_ids, now=now)
