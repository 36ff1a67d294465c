"""Work of tickets/ that happens by itself. Celery is one more interface: no logic here."""

from __future__ import annotations

import logging
from typing import Any

import requests
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from channels import rereading as channels_rereading
from channels.consent.problem import ConsentProblem
from tickets import demonstration, fetching, leaving, naming, recounting, rereading, tidying

logger = logging.getLogger(__name__)


@shared_task(name="tickets.tasks.tidy")
def tidy(**_later: Any) -> None:
    """Wake snoozed tickets, close solved ones, and find a place for what lost its person or its queue."""
    now = timezone.now()
    tidying.wake(now=now)
    tidying.close(now=now)
    leaving.return_left(now=now)
    leaving.move_on(now=now)
    # Its own task does it at once; here is what a lost hint or a kill left.
    recounting.run(clock=timezone.now)


@shared_task(name="tickets.tasks.recount")
def recount(**_later: Any) -> None:
    """Go on with the long work that admins' changes asked for."""
    recounting.run(clock=timezone.now)


@shared_task(name="tickets.tasks.move_on")
def move_on(**_later: Any) -> None:
    """Move what stands in removed queues to those that follow them."""
    leaving.move_on(now=timezone.now())


@shared_task(name="tickets.tasks.tell_exchange")
def tell_exchange(**_later: Any) -> None:
    """Practice mode only: tell the practice networks where our doors are, also after they were restarted."""
    try:
        demonstration.tell_networks(settings.PRACTICE_URL)
    except (requests.RequestException, ConsentProblem) as error:
        logger.info("the practice networks do not listen: %s", type(error).__name__)


@shared_task(name="tickets.tasks.reread")
def reread(**_later: Any) -> None:
    """Look again at the posts of live tickets, for edits and deletions."""
    now = timezone.now()
    for turn in rereading.turns(now=now):
        channels_rereading.reread(account_id=turn.account_id, external_ids=turn.external_ids, of=turn.of, now=now)


@shared_task(name="tickets.tasks.fetch_due")
def fetch_due(**_later: Any) -> None:
    """Hand files that wait to be fetched to a worker each."""
    for attachment_id in fetching.due(now=timezone.now()):
        # Past this the sweep finds it again by itself.
        fetch.apply_async(kwargs={"attachment_id": attachment_id}, expires=60)


@shared_task(name="tickets.tasks.fetch")
def fetch(*, attachment_id: int, **_later: Any) -> None:
    """Fetch one file that a network handed over as a link."""
    fetching.fetch(attachment_id=attachment_id, now=timezone.now(), clock=timezone.now)


@shared_task(name="tickets.tasks.ask_names")
def ask_names(**_later: Any) -> None:
    """Ask networks for the names of people whom they tell only to who asks."""
    naming.ask(now=timezone.now(), clock=timezone.now)
