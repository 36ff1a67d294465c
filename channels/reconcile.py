"""What may have been sent is looked for at the provider, never sent again blindly.

A row is `unknown` because the provider's answer did not come, or because its sender died with the lease. It is looked
for a few times within two minutes (backoff.LOOKS); what is not found then is a person's to decide, except where an
adapter can prove absence: that allows one retry in a row's life.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import Error, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from channels import backoff, delivery, outbox, outcomes, refusals, trouble
from channels.adapters.base import DeliveryError, Looked
from channels.models import AccountState, Outbound, OutboxState
from channels.outcomes import Outcome

log = logging.getLogger(__name__)


def lease_ran_out(*, outbound_id: int, now: datetime) -> str | None:
    """Settle a row whose sender is taken for dead: `unknown`, or `sent` where the proof was written before the news
    could be told. None where the lease is not over, or somebody else settled it.
    """
    over = Q(lease_until__lte=now)
    with transaction.atomic(durable=True):
        row = Outbound.objects.filter(over, pk=outbound_id, state=OutboxState.SENDING).first()
        if row is None:
            return None
        if row.sent_at is not None:
            proof: dict[str, Any] = {"lease_token": None, "error_code": "", "error_text": ""}
            outcome = Outcome(state="sent", at=row.sent_at, external_id=row.external_id, columns=proof)
        else:
            reason = _("It may have arrived: sending it was interrupted.")
            outcome = outcomes.unknown(reason, code="interrupted", now=now)
        columns = {"lease_until": None, **outcome.columns}
        if not outbox.move(row.pk, {OutboxState.SENDING}, outcome.state, where=over, **columns):
            return None
        outbox.tell(row, outcome, now=now)
        return outcome.state


def look(*, outbound_id: int, now: datetime, clock: delivery.Clock) -> str | None:
    """Look for an unknown row at the provider, if a look at it is due.

    The state it is in then: sent, retry, or unknown still; None where no look was due. Raises only where the database
    is away.
    """
    row = _claim(outbound_id, now=now)
    if row is None:
        return None
    looked = _ask(row, now=now, clock=clock)
    now = clock()
    if looked is not None and looked.external_id:
        return _found(row, looked, now=now)
    if row.next_look_at is not None:
        return OutboxState.UNKNOWN
    # That was the last look.
    proven = looked is not None and looked.absence_proves
    if proven and not row.retried_after_absence and _is_in_time(row, now=now):
        return _absent(row, now=now)
    return _for_a_person(row, now=now)


def _claim(outbound_id: int, *, now: datetime) -> Outbound | None:
    """The row with this look counted, if nobody else looks. A look that is killed counts too: they must end."""
    row = Outbound.objects.filter(
        pk=outbound_id, state=OutboxState.UNKNOWN, next_look_at__lte=now, account__state=AccountState.ACTIVE
    ).first()
    if row is None or row.unknown_at is None:
        return None
    again = backoff.next_look(unknown_at=row.unknown_at, looks=row.looks + 1)
    # The count is the guard: of two lookers who read the same one only the first moves it.
    taken = Outbound.objects.filter(
        pk=row.pk, state=OutboxState.UNKNOWN, looks=row.looks, unknown_at=row.unknown_at
    ).update(looks=F("looks") + 1, next_look_at=again, enqueued_until=None)
    row.looks, row.next_look_at = row.looks + 1, again
    return row if taken else None


def _ask(row: Outbound, *, now: datetime, clock: delivery.Clock) -> Looked | None:
    """What the provider's side shows; None where it could not be asked."""
    try:
        account, speaks, outgoing = delivery.prepare(row, now=now)
    except DeliveryError as error:
        log.warning("outbox row %s: cannot be looked for: %s", row.pk, error.code)
        return None
    try:
        return speaks.look(account, outgoing, since=row.first_tried_at or row.created_at)
    except DeliveryError as error:
        log.warning("outbox row %s: look %s failed: %s", row.pk, row.looks, error.code)
        if error.credentials:
            refusals.refuse(account, error, now=clock())
    except Exception as error:  # noqa: BLE001
        # An adapter met something its author did not foresee. The row stays unknown, which is the truth.
        place = trouble.where(error.__traceback__)
        log.error("outbox row %s: look %s failed: %s at %s", row.pk, row.looks, trouble.of(error), place)
    return None


def _is_in_time(row: Outbound, *, now: datetime) -> bool:
    """Whether a retry still leaves in the order of its lane, which is held no longer than this, and not too late."""
    return row.unknown_at is not None and now < row.unknown_at + backoff.HOLDS and now < row.too_late_at


def _found(row: Outbound, looked: Looked, *, now: datetime) -> str | None:
    # It left with the last attempt, whenever we came to know it.
    sent_at, external_id = row.claimed_at or now, looked.external_id[:400]
    columns: dict[str, Any] = {
        "sent_at": sent_at,
        "external_id": external_id,
        "next_look_at": None,
        "lease_token": None,
        "error_code": "",
        "error_text": "",
    }
    return _settle(row, Outcome(state="sent", at=sent_at, external_id=external_id, columns=columns), now=now)


def _absent(row: Outbound, *, now: datetime) -> str | None:
    columns: dict[str, Any] = {"not_before": now, "retried_after_absence": True, "lease_token": None}
    reason = _("It did not arrive the first time and is sent once more.")
    return _settle(row, Outcome(state="retry", at=now, reason=reason, code="absent", columns=columns), now=now)


def _for_a_person(row: Outbound, *, now: datetime) -> str | None:
    """Tell once more that it is unknown, now that nobody looks any more, so that the page offers the decision."""
    reason = _("It may have arrived. Please look at the network whether it is there, and decide.")
    try:
        with transaction.atomic(durable=True):
            still = Outbound.objects.filter(pk=row.pk, state=OutboxState.UNKNOWN, unknown_at=row.unknown_at)
            if not still.update(error_text=reason):
                return None
            outbox.tell(row, Outcome(state="unknown", at=now, reason=reason, code="undecided"), now=now)
    except Error:
        raise
    except Exception as error:  # noqa: BLE001
        # Whatever the house above finds wrong with the news: the row says the same.
        log.error("outbox row %s: could not tell that a person decides: %s", row.pk, trouble.of(error))
    return OutboxState.UNKNOWN


def _settle(row: Outbound, outcome: Outcome, *, now: datetime) -> str | None:
    with transaction.atomic(durable=True):
        # Only what became unknown at the time we looked for: a person may have settled it meanwhile.
        same = Q(unknown_at=row.unknown_at)
        if not outbox.move(row.pk, {OutboxState.UNKNOWN}, outcome.state, where=same, **outcome.columns):
            return None
        outbox.tell(row, outcome, now=now)
        return outcome.state
