"""The sweep over the outbox: what makes sending certain when hints are lost and processes die.

It decides which rows are worked on next and hands out their ids; whoever called it gives them to workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet

from channels import delivery, outbox, reconcile, trouble
from channels.models import AccountState, Outbound, OutboxState
from contactcentre.lib.prepared import Prepared

log = logging.getLogger(__name__)

# How long a row that was handed to a worker is not handed out again. If the worker dies before it claims the row, or
# the broker loses the message, the row is due again after this.
HANDED_OUT = timedelta(seconds=20)

# So many rows at most are handed out and not yet claimed: what workers cannot take must not pile up at the broker.
IN_HAND = 200

# Of those whose time is over, so many are settled at a time; the next sweep is a second away.
SETTLED = 100

# A row whose news the house above cannot take is tried again after this, so that it does not fill every sweep.
PUT_OFF = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Work:
    """Ids of rows to deliver and of rows to look for."""

    deliver: tuple[int, ...]
    look: tuple[int, ...]


def _unsettled() -> QuerySet[Outbound, tuple[int]]:
    """One row of each sort that a sweep could find anything to do with, from the index of that sort."""
    waiting, sending, to_look_for = (
        Outbound.objects.filter(one).values_list("pk")[:1]
        for one in (
            Q(state__in=outbox.WAITING),
            Q(state=OutboxState.SENDING),
            Q(state=OutboxState.UNKNOWN, next_look_at__isnull=False),
        )
    )
    return waiting.union(sending, to_look_for, all=True)


_UNSETTLED = Prepared(_unsettled)


def sweep(*, now: datetime) -> Work:
    """Settle what is over, and choose what is due. Two sweeps at the same time hand out different rows."""
    # Most sweeps find an empty outbox: once a second, for as long as the product runs.
    if not _UNSETTLED.rows():
        return Work(deliver=(), look=())
    free = Outbound.objects.filter(_free(now))
    expired = free.filter(state=OutboxState.SENDING, lease_until__lte=now).order_by("lease_until")
    _settle(expired, _expire, now)
    late = free.filter(state__in=outbox.WAITING, too_late_at__lte=now).order_by("too_late_at")
    _settle(late, _late, now)
    return Work(deliver=_take_due(now), look=_take_looks(now))


def following(*, outbound_id: int, now: datetime) -> int | None:
    """The row that may leave now because this one, before it in the same lane, is settled; None where there is none.

    The parts of one answer need not wait a second for each other.
    """
    lane = Outbound.objects.filter(pk=outbound_id).values("lane")
    rows = Outbound.objects.filter(delivery.due(now), lane=lane[:1], pk__gt=outbound_id, state__in=outbox.WAITING)
    return rows.order_by("id").values_list("pk", flat=True).first()


def _settle(rows: QuerySet[Outbound], settle: Callable[[int, datetime], object], now: datetime) -> None:
    for row_id in list(rows.values_list("pk", flat=True)[:SETTLED]):
        try:
            settle(row_id, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001
            # One row whose news cannot be told must not keep the others from being settled.
            log.error("outbox row %s: %s at %s", row_id, trouble.of(error), trouble.where(error.__traceback__))
            Outbound.objects.filter(pk=row_id).update(enqueued_until=now + PUT_OFF)


def _expire(row_id: int, now: datetime) -> None:
    reconcile.lease_ran_out(outbound_id=row_id, now=now)


def _late(row_id: int, now: datetime) -> None:
    delivery.fail_if_late(row_id, now=now)


def _take_due(now: datetime) -> tuple[int, ...]:
    waiting = Outbound.objects.filter(state__in=outbox.WAITING)
    in_hand = waiting.filter(enqueued_until__gt=now)[:IN_HAND].count()
    return _hand_out(waiting.filter(delivery.due(now), _free(now)).order_by("not_before", "id"), IN_HAND - in_hand, now)


def _take_looks(now: datetime) -> tuple[int, ...]:
    unknown = Outbound.objects.filter(
        _free(now), state=OutboxState.UNKNOWN, next_look_at__lte=now, account__state=AccountState.ACTIVE
    )
    return _hand_out(unknown.order_by("next_look_at", "id"), IN_HAND, now)


def _free(now: datetime) -> Q:
    return Q(enqueued_until__isnull=True) | Q(enqueued_until__lte=now)


def _hand_out(rows: QuerySet[Outbound], limit: int, now: datetime) -> tuple[int, ...]:
    if limit <= 0:
        return ()
    with transaction.atomic():
        # A row somebody holds is being worked on: pass it by.
        locked = rows.select_for_update(skip_locked=True, of=("self",))
        chosen = tuple(locked.values_list("pk", flat=True)[:limit])
        if chosen:
            Outbound.objects.filter(pk__in=chosen).update(enqueued_until=now + HANDED_OUT)
    return chosen
