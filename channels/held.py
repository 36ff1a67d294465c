"""What a network told us while its account was paused: kept, made nothing of, and let in when it is switched on.

Without this, a hook that came meanwhile would be lost: a later poll brings the same item, and the ledger knows it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_noop

from channels import books, hints
from channels.books import Change
from channels.models import ChannelAccount, LedgerState

PAUSED = gettext_noop("the account was paused")

# Rows whose content is gone stay: nobody could read them any more.
_LET_IN = """
UPDATE channels_ledgeritem item
SET state = 'pending', reason = '', attempts = 0, due_at = %(now)s, done_at = NULL
WHERE account_id = %(account)s AND state = 'filtered' AND reason = %(reason)s
  AND EXISTS (SELECT 1 FROM channels_ledgerbody body WHERE body.item_id = item.id)
RETURNING received_at
"""


def let_in(account: ChannelAccount, *, now: datetime) -> int:
    """Make what was held back wait for processing, inside the transaction that switches the account on.

    Returns how many items there were. They may be older than a new beginning of the account: then processing says so.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LET_IN, {"now": now, "account": account.pk, "reason": PAUSED})
        received = [row[0] for row in cursor.fetchall()]
    if not received:
        return 0
    # Booked on the day each came in; one of a day's moments stands for all of them.
    moments = {books.day_of(moment): moment for moment in received}
    counted = Counter(books.day_of(moment) for moment in received)
    books.write(
        Change(account.pk, moments[day], column, sign * count)
        for day, count in counted.items()
        for column, sign in ((LedgerState.FILTERED, -1), (LedgerState.PENDING, 1))
    )
    hints.process_soon()
    return len(received)
