"""Names of people whose network tells them only to who asks: asked for once, after their first words are stored.

Those words do not wait for it. A hint after the commit asks at once and a sweep finds what was missed. A try is claimed
by moving its time on, so that two workers never ask for the same person and a killed one is followed. Who is refused
is not asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import Q

from channels import profiles, trouble
from channels.profiles import NotAnswered
from contactcentre.lib import realtime
from customers import resolving
from customers.models import Identity
from tickets.events import ticket_changed
from tickets.models import LIVE, Ticket

log = logging.getLogger(__name__)

# So many people are asked for in one turn, which a slow network can make last so many times its limit for one.
AT_ONCE = 5
# Until a person is asked for again of whom nobody could be asked, and after the last of these never more.
AGAIN = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
# The other people of a Page that did not answer wait for at least so long.
REST = timedelta(minutes=1)
# A try that takes longer is taken for dead.
LEASE = timedelta(minutes=2)

Clock = Callable[[], datetime]


def soon() -> None:
    """Have names asked for once the present transaction is committed; a broker that is away costs seconds."""
    transaction.on_commit(_hint, robust=True)


def _hint() -> None:
    # Past this the sweep has been there.
    current_app.send_task("tickets.tasks.ask_names", kwargs={}, retry=False, expires=60)


def ask(*, now: datetime, clock: Clock) -> int:
    """Ask for the names of at most AT_ONCE people, the longest waiting first; returns for how many it was asked.

    `clock` tells the time after each call. Never inside a transaction.
    """
    for number in range(AT_ONCE):
        identity = _claim(now)
        if identity is None:
            return number
        _ask(identity, now=now, clock=clock)
    return AT_ONCE


def _claim(now: datetime) -> Identity | None:
    with transaction.atomic():
        due = Identity.objects.filter(ask_name_at__isnull=False, ask_name_at__lte=now)
        # Who is writing at this moment, or is asked for by another worker, is passed by.
        rows = due.order_by("ask_name_at", "id").select_for_update(skip_locked=True, no_key=True)
        identity = rows.first()
        if identity is None:
            return None
        identity.ask_name_at, identity.name_asked = now + LEASE, min(identity.name_asked + 1, len(AGAIN) + 1)
        identity.save(update_fields=["ask_name_at", "name_asked"])
    return identity


def _ask(identity: Identity, *, now: datetime, clock: Clock) -> None:
    try:
        called = profiles.name_of(page=identity.scope, psid=identity.value, now=now)
    except NotAnswered as error:
        log.info("the name of identity %s did not come: %s", identity.pk, error)
        _put_off(identity, error.retry_after, now=clock())
        return
    except Exception as error:  # noqa: BLE001
        # Whatever one odd profile brings up must not keep the others nameless.
        log.error("identity %s: %s at %s", identity.pk, trouble.of(error), trouble.where(error.__traceback__))
        _put_off(identity, None, now=clock())
        return
    _keep(identity, called)


def _keep(asked: Identity, called: str) -> None:
    """Give the name to the identity and to its nameless customer, and tell the pages that show them."""
    with transaction.atomic():
        identity = resolving.lock_identities([asked.pk]).get(asked.pk)
        if identity is None or (identity.ask_name_at, identity.name_asked) != (asked.ask_name_at, asked.name_asked):
            # Another try took it over, or a message brought the name.
            return
        customer = resolving.name(identity, called)
        if customer is not None:
            theirs = Q(customer=customer) | Q(pk__in=identity.contacts.values("ticket_id"))
            for ticket in Ticket.objects.filter(theirs, state__in=LIVE):
                realtime.publish(*ticket_changed(ticket))


def _put_off(asked: Identity, retry_after: timedelta | None, *, now: datetime) -> None:
    wish = retry_after or timedelta()
    with transaction.atomic():
        mine = Identity.objects.filter(pk=asked.pk, ask_name_at=asked.ask_name_at, name_asked=asked.name_asked)
        waits = AGAIN[asked.name_asked - 1 :]
        mine.update(ask_name_at=now + max(waits[0], wish) if waits else None)
        # What keeps one of a Page's people nameless mostly keeps all of them so.
        rest = Identity.objects.filter(kind=asked.kind, scope=asked.scope, ask_name_at__lte=now)
        ids = rest.order_by("id").select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
        Identity.objects.filter(pk__in=list(ids[:1000])).update(ask_name_at=now + max(REST, wish))
