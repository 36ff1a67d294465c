"""One row of the outbox leaves the house, once.

A row is claimed by a conditional UPDATE that leaves a lease; the provider is called outside any transaction; the
result is written only where the lease is still ours. A process killed anywhere in between leaves a row whose lease
runs out, and such a row is looked for (reconcile.py), never sent again blindly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from channels import backoff, files, frozen, outbox, outcomes, refusals, trouble
from channels.adapters import adapter
from channels.adapters.base import Adapter, Connection, DeliveryError
from channels.connections import ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.happenings import Outgoing
from channels.models import AccountState, ChannelAccount, Outbound, OutboxState
from channels.outcomes import Outcome
from contactcentre.lib import faults
from contactcentre.lib.secrets import CannotDecrypt

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Longer than any adapter's own deadline for one send. A sender that takes longer is taken for dead, and its row for
# one that nobody knows the fate of.
LEASE = timedelta(seconds=getattr(settings, "DELIVERY_LEASE_SECONDS", 150))

# The database may be starting again just when the provider has said yes: worth some patience, because what is not
# written down has to be looked for.
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)


def due(now: datetime) -> Q:
    """Which waiting rows may leave now: their time has come and is not over, their account is active, and no earlier
    row of their lane is unresolved.

    Built of Exists only, so that it may stand in the conditional UPDATE of `outbox.move`.
    """
    active = ChannelAccount.objects.filter(pk=OuterRef("account_id"), state=AccountState.ACTIVE)
    earlier = (
        Outbound.objects.filter(lane=OuterRef("lane"), pk__lt=OuterRef("pk"))
        # Said again so that PostgreSQL sees that the partial index holds them all.
        .exclude(state__in=[OutboxState.SENT, OutboxState.CANCELLED])
        .filter(
            Q(state__in=[*outbox.WAITING, OutboxState.SENDING])
            | Q(state=OutboxState.UNKNOWN, next_look_at__isnull=False, unknown_at__gt=now - backoff.HOLDS)
        )
    )
    return Q(Exists(active), ~Exists(earlier), not_before__lte=now, too_late_at__gt=now)


def deliver(*, outbound_id: int, now: datetime, clock: Clock) -> str | None:
    """Send the row if it may leave now and nobody else is sending it.

    The state it came to: sent, retry, failed or unknown; None where it was not ours to send, or no longer ours when
    the provider answered. `clock` tells the time after each call. Raises where the database is away before anything
    left, and what the house above raises when told of a row that is given up; both are for the sweep to try again.
    """
    faults.point("delivery.before_claim")
    token = _claim(outbound_id, now=now)
    if token is None:
        return OutboxState.FAILED if fail_if_late(outbound_id, now=now) else None
    faults.point("delivery.after_claim")
    row = Outbound.objects.get(pk=outbound_id)
    _tell_sending(row, now=now)
    outcome = _attempt(row, token=token, now=now, clock=clock)
    faults.point("delivery.after_write")
    if not _write_down(row, outcome, token=token, now=clock()):
        return None
    faults.point("delivery.after_commit")
    return outcome.state


def fail_if_late(outbound_id: int, *, now: datetime) -> bool:
    """Give up a waiting row whose time is over; True where this call did."""
    with transaction.atomic(durable=True):
        outcome = outcomes.failed(
            _("It could not be sent in time, so it was not sent at all."), code="too-late", now=now
        )
        late = outbox.move(
            outbound_id,
            set(outbox.WAITING),
            outcome.state,
            where=Q(too_late_at__lte=now),
            **{"enqueued_until": None, **outcome.columns},
        )
        if late:
            outbox.tell(Outbound.objects.get(pk=outbound_id), outcome, now=now)
        return late


def still_ours(outbound_id: int, *, token: UUID, now: datetime) -> bool:
    """Whether the holder of this token may write the row to the provider now.

    False also where the database cannot be asked: what cannot be proven must not be sent.
    """
    account = ChannelAccount.objects.filter(pk=OuterRef("account_id"), state=AccountState.ACTIVE)
    try:
        return Outbound.objects.filter(
            Exists(account), pk=outbound_id, state=OutboxState.SENDING, lease_token=token, lease_until__gt=now
        ).exists()
    except Error as error:
        log.warning("outbox row %s: the lease cannot be read, nothing is sent: %s", outbound_id, trouble.of(error))
        close_old_connections()
        return False


def _claim(outbound_id: int, *, now: datetime) -> UUID | None:
    token = uuid4()
    taken = outbox.move(
        outbound_id,
        set(outbox.WAITING),
        OutboxState.SENDING,
        where=due(now),
        lease_token=token,
        lease_until=now + LEASE,
        claimed_at=now,
        first_tried_at=Coalesce("first_tried_at", now),
        attempts=F("attempts") + 1,
        enqueued_until=None,
        external_id="",
        sent_at=None,
    )
    if taken:
        return token
    # Whatever held it back: the sweep may hand it out again as soon as that is over.
    Outbound.objects.filter(pk=outbound_id, state__in=outbox.WAITING).update(enqueued_until=None)
    return None


def _tell_sending(row: Outbound, *, now: datetime) -> None:
    try:
        with transaction.atomic(durable=True):
            outbox.tell(row, Outcome(state="sending", at=now), now=now)
    except Exception as error:  # noqa: BLE001
        # Whatever the house above finds wrong with the news: the customer waits for the answer, not for the bubble.
        _log("could not tell that it is being sent", row, error)


def _attempt(row: Outbound, *, token: UUID, now: datetime, clock: Clock) -> Outcome:
    """Build the provider call and make it. Raises nothing."""
    try:
        account, speaks, outgoing = prepare(row, now=now)
    except DeliveryError as error:
        return outcomes.after_error(row, error, now=clock())
    except Exception as error:  # noqa: BLE001
        # Nothing has left: as safe to try again as any passing failure, and as visible.
        _log("could not be made ready", row, error)
        return outcomes.after_error(row, DeliveryError(outcomes.software(error), code="software"), now=clock())

    def ours() -> bool:
        faults.point("delivery.before_write")
        return still_ours(row.pk, token=token, now=clock())

    try:
        answer = speaks.send(account, outgoing, opener=files.opener, still_ours=ours)
    except DeliveryError as error:
        if error.credentials:
            _refuse(account, error, row, now=clock())
        return outcomes.after_error(row, error, now=clock())
    except Exception as error:  # noqa: BLE001
        # An adapter must raise DeliveryError; any other exception says nothing about whether the bytes had left.
        _log(f"the {account.kind} adapter failed", row, error)
        return outcomes.unknown(outcomes.software(error), code="software", now=clock())
    return outcomes.sent(answer, at=clock())


def prepare(row: Outbound, *, now: datetime) -> tuple[Connection, Adapter, Outgoing]:
    """What a call for this row needs. Raises DeliveryError where it cannot be had."""
    try:
        account = ready_connection_of(ChannelAccount.objects.get(pk=row.account_id), now=now)
    except CannotDecrypt as error:
        raise DeliveryError(str(error), code="credentials-unreadable") from error
    except ConsentProblem as error:
        # The poll of the account stops it where only a person can mend this; until then the row waits.
        raise DeliveryError(str(error), code=error.code, retry_after=error.retry_after) from error
    try:
        speaks = adapter(account.kind)
    except KeyError as error:
        no_adapter = _("This installation does not speak %(kind)s.") % {"kind": account.kind}
        raise DeliveryError(no_adapter, permanent=True, code="no-adapter") from error
    return account, speaks, frozen.outgoing(row)


def _refuse(account: Connection, error: DeliveryError, row: Outbound, *, now: datetime) -> None:
    try:
        refusals.refuse(account, error, now=now)
    except Error as problem:
        # The row waits, tries again and is refused again; the account is stopped then.
        _log("the refusal of its account could not be written down", row, problem)


def _write_down(row: Outbound, outcome: Outcome, *, token: UUID, now: datetime) -> bool:
    """Write the result where the attempt is still ours; True where this call did. Raises nothing."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            return _commit(row, outcome, token=token, now=now)
        except (OperationalError, InterfaceError) as error:
            close_old_connections()
            _log(f"{outcome.state} waits for the database", row, error)
            if pause is not None:
                time.sleep(pause)
        except Exception as error:  # noqa: BLE001
            # The house above could not take the news. The row stays as it is until its lease runs out, and is then
            # told of again; the proof must not be lost with the news, or a person would be asked what we know.
            _log(f"{outcome.state} could not be told", row, error)
            _keep_proof(row, outcome, token=token)
            return False
    return False


def _commit(row: Outbound, outcome: Outcome, *, token: UUID, now: datetime) -> bool:
    from_states = {OutboxState.SENDING, OutboxState.UNKNOWN} if outcome.state != "unknown" else {OutboxState.SENDING}
    with transaction.atomic(durable=True):
        columns = {"lease_until": None, "next_look_at": None, **outcome.columns}
        if not outbox.move(row.pk, from_states, outcome.state, where=Q(lease_token=token), **columns):
            log.warning("outbox row %s: %s came after the lease was lost", row.pk, outcome.state)
            return False
        outbox.tell(row, outcome, now=now)
    return True


def _keep_proof(row: Outbound, outcome: Outcome, *, token: UUID) -> None:
    if outcome.state != "sent":
        return
    try:
        # The lease ends with it: the next sweep tells of the row again.
        proof = {"external_id": outcome.external_id, "sent_at": outcome.at, "lease_until": outcome.at}
        Outbound.objects.filter(pk=row.pk, lease_token=token).update(**proof)
    except Error as error:
        _log(f"sent as {outcome.external_id}, which could not be written down", row, error)


def _log(what: str, row: Outbound, error: Exception) -> None:
    # Never the whole traceback: what it prints may be the customer's words.
    log.error("outbox row %s: %s: %s at %s", row.pk, what, trouble.of(error), trouble.where(error.__traceback__))
