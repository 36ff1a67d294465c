"""Looking again at posts we know: X tells nobody of a customer's edit or deletion, so they are asked for (row 29)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from channels import ledger
from channels.adapters.base import PollError
from channels.adapters.x import XAdapter
from channels.connections import ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.models import AccountState, ChannelAccount

logger = logging.getLogger(__name__)

AT_ONCE = 100


def reread(*, account_id: int, external_ids: Sequence[str], now: datetime) -> int:
    """Ask X for these posts again and record what changed; returns how many changes were new.

    A network that does not answer is asked again at the next turn: nothing is lost, it is only later.
    """
    account = ChannelAccount.objects.filter(pk=account_id, kind="x", state=AccountState.ACTIVE).first()
    if account is None:
        return 0
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
