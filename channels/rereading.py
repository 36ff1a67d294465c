"""Looking again at posts we know: X tells nobody of a customer's edit or deletion, so they are asked for (row 29)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Func, JSONField, Value

from channels import ledger
from channels.adapters.base import PollError
from channels.adapters.x import XAdapter
from channels.connections import ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.models import AGAIN, AccountState, ChannelAccount

logger = logging.getLogger(__name__)

AT_ONCE = 100


def reread(*, account_id: int, external_ids: Sequence[str], of: int, now: datetime) -> int:
    """Ask X for these posts again and record what changed; returns how many changes were new.

    `of` is how many there are: where these are not all, the account's card says so. A network that does not answer
    is asked again at the next turn: nothing is lost, it is only later.
    """
    account = ChannelAccount.objects.filter(pk=account_id, kind="x", state=AccountState.ACTIVE).first()
    if account is None:
        return 0
    _tell(account, {"looked": len(external_ids), "of": of} if of > len(external_ids) else None)
    new = 0
    try:
        connection = ready_connection_of(account, now=now)
        for start in range(0, len(external_ids), AT_ONCE):
            items = XAdapter().reread(connection, external_ids[start : start + AT_ONCE], now=now)
            with transaction.atomic():
                new += len(ledger.record(account, "x", items, source="reread", now=now))
    except (PollError, ConsentProblem) as error:
        logger.info("account %s could not look at its posts again: %s", account_id, error)
    return new


def _tell(account: ChannelAccount, again: dict[str, int] | None) -> None:
    """Note for the card that not all posts are looked at in one turn; polls keep it (polling.py)."""
    if account.quota.get(AGAIN) == again:
        return
    # Beside what a poll may be writing at this moment, not over it.
    added = Func(F("quota"), Value({AGAIN: again}, JSONField()), template="%(expressions)s", arg_joiner=" || ")
    ChannelAccount.objects.filter(pk=account.pk).update(quota=added)
