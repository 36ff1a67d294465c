"""Asking a network what is new, one account at a time, without ever losing or doubling an item.

A lease on the account's row lets one worker poll it. The call to the network runs outside every
transaction; what it brought and the cursor that says so are committed together, and only by whoever still
holds the lease. Killed at any moment, the next poll asks again from the last committed cursor, and the
ledger's digest keeps what comes twice from becoming two.
"""

from __future__ import annotations

import logging
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from agents import history
from channels import ledger, trouble
from channels.adapters import adapter
from channels.adapters.base import Connection, Polled, PollError
from channels.connections import ready_connection_of
from channels.consent import tokens
from channels.consent.problem import ConsentProblem
from channels.models import AGAIN, AccountState, ChannelAccount
from contactcentre.lib import faults
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.text import clean_line

logger = logging.getLogger(__name__)

# Longer than any adapter's own deadline for one page. After a kill the account waits at most this long.
LEASE = timedelta(seconds=settings.POLL_LEASE_SECONDS)
# How long an account that was handed to a worker is not handed out again. If that worker dies, or the
# hand-over is lost with the broker, the account is due again after this.
HANDED_OUT = min(timedelta(seconds=30), LEASE)
PAGES = 20
DUE_LIMIT = 100
LONGEST_WAIT = timedelta(minutes=15)
SECONDS = 60

Outcome = Literal["caught up", "more", "failed", "refused", "lost the lease", "not ours"]


@dataclass(frozen=True, slots=True)
class PollResult:
    """How a poll ended, how many new items it brought, and over how many pages."""

    outcome: Outcome
    new: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class _Lease:
    account: ChannelAccount
    token: uuid.UUID

    def held(self) -> Q:
        """The row, but only while this lease is the one on it."""
        return Q(pk=self.account.pk, lease_token=self.token)


def poll(account_id: int, *, now: datetime, clock: Callable[[], datetime] = timezone.now) -> PollResult:
    """Fetch what is new for one account, page by page, and say how it ended.

    `not ours`: the account is paused, refused, gone, of a kind that is not polled, or being polled elsewhere.
    `more`: the page budget was used up; the account is due again at once. `clock` tells the time after each
    call. Raises nothing an adapter could cause.
    """
    lease = _take(account_id, now)
    if lease is None:
        return PollResult("not ours")
    try:
        told = ready_connection_of(lease.account, now=now)
    except ConsentProblem as problem:
        error = PollError(
            str(problem), code=problem.code, credentials=problem.credentials, retry_after=problem.retry_after
        )
        return PollResult(_failed(lease, error, now=clock()))
    cursor: dict[str, object] = dict(lease.account.cursor)
    new = 0
    for page in range(1, PAGES + 1):
        try:
            polled = _ask(told, cursor, now)
        except PollError as error:
            if error.credentials and tokens.after_refusal(account_id=account_id, refused=told.credentials, now=clock()):
                # A token died before its time and another one is there: nobody has to connect anything.
                error.credentials = False
            return PollResult(_failed(lease, error, now=clock()), new, page)
        faults.point("poll.after_fetch")
        now = clock()
        last = not polled.more or page == PAGES
        stored = _store(lease, polled, last=last, now=now)
        if stored is None:
            return PollResult("lost the lease", new, page)
        faults.point("poll.after_commit")
        new += stored
        if last:
            break
        cursor = polled.cursor
    return PollResult("more" if polled.more else "caught up", new, page)


def take_due(*, now: datetime, limit: int = DUE_LIMIT) -> list[int]:
    """Choose the accounts whose poll is due, the longest waiting first, and move them on so that a second
    beat, or a beat before the worker got there, does not choose them again. Returns their ids."""
    # One statement; a second beat skips the rows this one holds. Chosen in a CTE of its own: as a subquery of the
    # UPDATE it may be asked once a row, and with SKIP LOCKED each time answers with others (PostgreSQL, "SELECT").
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM channels_channelaccount
                WHERE state = 'active' AND next_poll_at <= %s AND (lease_until IS NULL OR lease_until < %s)
                ORDER BY next_poll_at, id LIMIT %s FOR UPDATE SKIP LOCKED
            )
            UPDATE channels_channelaccount AS account SET next_poll_at = %s FROM due WHERE account.id = due.id
            RETURNING account.id
            """,
            [now, now, limit, now + HANDED_OUT],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _take(account_id: int, now: datetime) -> _Lease | None:
    token = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    taken = ChannelAccount.objects.filter(free, pk=account_id, state=AccountState.ACTIVE, next_poll_at__isnull=False)
    if not taken.update(lease_token=token, lease_until=now + LEASE):
        return None
    account = ChannelAccount.objects.filter(pk=account_id, lease_token=token).first()
    return _Lease(account, token) if account else None


def _ask(told: Connection, cursor: dict[str, object], now: datetime) -> Polled:
    """One call to the network. Whatever else an adapter raises comes out as a PollError."""
    try:
        return adapter(told.kind).poll(told, cursor, now=now)
    except PollError:
        raise
    except Exception as error:
        # An adapter met something its author did not foresee. It must count as a failure of this account,
        # because the same worker polls all the others too.
        place = trouble.where(error.__traceback__)
        logger.error("polling account %s: %s at %s", told.account_id, trouble.of(error), place)
        words = _("This was not expected: %(error)s. It is tried again.") % {"error": trouble.of(error)}
        raise PollError(words, code="unexpected") from error


def _store(lease: _Lease, polled: Polled, *, last: bool, now: datetime) -> int | None:
    """Ledger rows and cursor in one transaction; None where the lease is no longer ours and nothing was kept."""
    changes: dict[str, object] = {"cursor": polled.cursor, "polled_at": now, "failures": 0}
    if polled.quota:
        # What a turn of rereading.py left there is for the card too.
        again = lease.account.quota.get(AGAIN)
        changes["quota"] = {**polled.quota, AGAIN: again} if again else polled.quota
    if polled.token_expires_at:
        changes["token_expires_at"] = polled.token_expires_at
    if last:
        changes |= {"lease_token": None, "lease_until": None, "next_poll_at": _next(lease.account.kind, polled, now)}
    else:
        changes["lease_until"] = now + LEASE
    if not polled.more:
        changes["caught_up_at"] = now
    with transaction.atomic():
        # First the row: whoever lost the lease stops here, before any of its items is written.
        if not ChannelAccount.objects.filter(lease.held()).update(**changes):
            return None
        return len(ledger.record(lease.account, lease.account.kind, polled.items, source="poll", now=now))


def _next(kind: str, polled: Polled, now: datetime) -> datetime:
    # Accounts connected in one minute would otherwise be polled in one second, for ever.
    spread = random.uniform(0.9, 1.1)  # noqa: S311  (spreads load, guards nothing)
    return now if polled.more else now + timedelta(seconds=_seconds(kind) * spread)


def _seconds(kind: str) -> float:
    return float(settings.POLL_SECONDS.get(kind, SECONDS))


def _failed(lease: _Lease, error: PollError, *, now: datetime) -> Outcome:
    """Note the failure for the health card. The cursor stays, so nothing is lost."""
    changes: dict[str, object] = {
        "failures": F("failures") + 1,
        "error_code": clean_line(error.code, 60),
        "error_text": clean_line(str(error), 500),
        "error_at": now,
        "lease_token": None,
        "lease_until": None,
    }
    if error.credentials:
        changes["state"] = AccountState.REFUSED
    else:
        changes["next_poll_at"] = now + wait_after(lease.account.failures + 1, lease.account.kind, error.retry_after)
    with transaction.atomic():
        if not ChannelAccount.objects.filter(lease.held()).update(**changes):
            # Somebody connected it again meanwhile: the old password's failure says nothing of the new one.
            return "lost the lease"
        if error.credentials:
            # History takes words, not sentences.
            code = re.sub(r"[^\w:.+/-]", "-", clean_line(error.code, 60)) or "refused"
            history.record(at=now, act="account.refused", account_id=lease.account.pk, code=code)
            publish(Event(name="accounts", everyone=True))
    return "refused" if error.credentials else "failed"


def wait_after(failures: int, kind: str, retry_after: timedelta | None = None) -> timedelta:
    """How long after the nth failure in a row the account is asked again: doubling, at most 15 minutes, but
    never sooner than the network itself wishes."""
    doubled = timedelta(seconds=_seconds(kind) * 2 ** min(failures, 16))
    return max(min(doubled, LONGEST_WAIT), retry_after or timedelta())
