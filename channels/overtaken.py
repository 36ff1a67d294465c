"""What was told, or is worked on, before what it speaks of.

A deletion waits in the ledger, and is let in once its message has come.

Facebook promises no order among its webhooks. Such a deletion is filtered at first, since it speaks of nothing we know;
without this the message would come afterwards and stay, against its author's wish. An edit needs none of it: it brings
the whole message with it (channels/adapters/facebook).

An answer that somebody wrote in a mail program is read after the mails that came in, but several workers work on what
was read. While one of those mails waits, or is tried again, an answer to it would be in nobody's thread: it is put off.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from channels import ledger
from channels.happenings import OUR_MAIL, RawItem
from channels.models import ChannelAccount, LedgerItem, LedgerState
from channels.receiver import NO_THREAD
from channels.waiting import ATTEMPTS
from contactcentre.lib.by_hand import ByHand
from contactcentre.lib.plans import Asked

# The kinds of channel whose network promises no order.
UNORDERED = frozenset({"facebook"})
_SPEAKS = ("message", "edit")
_DELETED = "delete"

# The row and its books. Rows whose content is gone stay: nobody could read them any more.
_LET_IN = ByHand(
    "let_deletion_in",
    """
WITH let_in AS (
    UPDATE channels_ledgeritem item
    SET state = 'pending', reason = '', attempts = 0, due_at = %s, done_at = NULL
    WHERE digest = %s AND state = 'filtered'
      AND EXISTS (SELECT 1 FROM channels_ledgerbody body WHERE body.item_id = item.id)
    RETURNING account_id, received_at
)
INSERT INTO channels_ledgercount (account_id, day, "column", delta)
SELECT account_id, (received_at AT TIME ZONE %s)::date, entry, delta
FROM let_in CROSS JOIN (VALUES ('filtered', -1), ('pending', 1)) AS each (entry, delta)
""",
)
_ONE_AT_A_TIME = ByHand("one_at_a_time", "SELECT pg_advisory_xact_lock(%s)")


# Two polls of a mailbox: the inbox is looked at before the sent mail, and another mailbox may hold the question.
UNREAD = timedelta(minutes=2)


class TooEarly(Exception):
    """An item that has to wait for those before it. The text says so, for the ledger's list."""


def is_early(item: LedgerItem, reason: str, *, now: datetime) -> bool:
    """Whether a mail of ours that was filtered for this reason may answer one that still waits, or is not read yet.

    Not at its last attempt: what waits longer than that is left to a person, and may be processed again.
    """
    if item.happening != OUR_MAIL or reason != NO_THREAD or item.attempts >= ATTEMPTS:
        return False
    if now - item.received_at < UNREAD:
        return True
    earlier = LedgerItem.objects.filter(account=item.account_id, state=LedgerState.PENDING, pk__lt=item.pk)
    return earlier.exists()


def digest(account: ChannelAccount, item: RawItem, *, now: datetime) -> bytes | None:
    """By which the ledger knows the deletion of what this item speaks of; None where order is no matter.

    From here to the end of the caller's transaction nobody else works on anything of the same id: a deletion in
    another worker's hands either finds the message, or is found by it.
    """
    if account.kind not in UNORDERED or item.happening not in {*_SPEAKS, _DELETED}:
        return None
    deletion = RawItem(happening=_DELETED, external_id=item.external_id, body=b"")
    made = ledger.digest(ledger.key(now), ledger.Batch(account, (deletion,)).whose, deletion)
    # Ends with the transaction, so that a pooled connection takes it nowhere.
    _ONE_AT_A_TIME.rows(int.from_bytes(made[:8], "big", signed=True))
    return made


def letting_in(item: RawItem, deletion: bytes | None, *, now: datetime) -> list[Asked]:
    """What makes the deletion wait for processing if it came before this message: to be written just before the message
    is settled (plans.in_turn()). Whoever settles that claims the next row, and finds the deletion among them."""
    if deletion is None or item.happening not in _SPEAKS:
        return []
    return [_LET_IN.asked(now, deletion, settings.TIME_ZONE)]
