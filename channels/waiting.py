"""Waiting ledger rows: claimed, locked for work, and settled. One statement each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.books import APPEND, Change, appended
from channels.models import ChannelAccount, LedgerBody, LedgerItem, LedgerState
from contactcentre.lib.by_hand import ByHand, made, selected
from contactcentre.lib.plans import Asked, in_turn
from contactcentre.lib.prepared import columns

# How long after the nth attempt began the row is due again, unless it was settled.
BACKOFF = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=10),
)
ATTEMPTS = len(BACKOFF)

_ITEM = columns(LedgerItem)
# Of an account what an adapter reads with (connections.py) and what says whether something is too old. Without the
# credentials: a lost encryption key must not hold up what a customer wrote.
_ACCOUNT = columns(ChannelAccount, "id", "kind", "address", "name", "settings", "begins_at")
_BODY = columns(LedgerBody)

_WAITS = ", ".join(f"'{wait.total_seconds():.0f} seconds'" for wait in BACKOFF)
_NEXT = f"""
UPDATE channels_ledgeritem
SET attempts = attempts + 1,
    due_at = %s::timestamptz + (ARRAY[{_WAITS}]::interval[])[least(attempts, {ATTEMPTS - 1}) + 1]
WHERE id = (
    SELECT id FROM channels_ledgeritem WHERE state = 'pending' AND due_at <= %s AND id <> %s
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, attempts
"""  # noqa: S608  (numbers of our own)

_LOCK = ByHand(
    "lock_item",
    f"""
SELECT CASE WHEN item.kind = ANY (%s::text[]) THEN NULL ELSE
         ARRAY (SELECT ours.address FROM channels_channelaccount ours WHERE ours.kind = item.kind) END,
       {selected(LedgerItem, _ITEM, "item")},
       {selected(ChannelAccount, _ACCOUNT, "account")},
       {selected(LedgerBody, _BODY, "body")}
FROM channels_ledgeritem item
LEFT JOIN channels_channelaccount account ON account.id = item.account_id
LEFT JOIN channels_ledgerbody body ON body.item_id = item.id
WHERE item.id = %s AND item.attempts = %s AND item.state = 'pending'
FOR UPDATE OF item
""",  # noqa: S608  (names of our own)
)

_SETTLED = "UPDATE channels_ledgeritem SET state = %s, reason = %s, done_at = %s WHERE id = %s"
_CLAIM = ByHand("claim_item", _NEXT)
_SETTLE = ByHand("settle_item", f"WITH settled AS ({_SETTLED}) {APPEND}")
_SETTLE_AND_CLAIM = ByHand("settle_and_claim", f"WITH settled AS ({_SETTLED}), booked AS ({APPEND}) {_NEXT}")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours to work on, unless somebody claims it again."""

    item_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed row, locked until the transaction ends, with its account and its content where it has them."""

    item: LedgerItem
    account: ChannelAccount | None
    body: LedgerBody | None


def claim(now: datetime) -> Claimed | None:
    """The row that is due first and that nobody holds, with one attempt more; None where there is none."""
    row = _CLAIM.first(now, now, 0)
    return Claimed(*row) if row else None


def lock(claimed: Claimed, own: dict[str, frozenset[str]]) -> Held | None:
    """The claimed row with all that is needed to read it, locked; None where it is no longer ours.

    `own` holds our addresses by kind of channel; those of the row's kind are added where they are not known yet.

    It waits for whoever holds the row, unlike the claim. A claim that meets a row just after another worker took it
    locks it before it sees that, and keeps the lock until it commits: passing by then would leave the item to its
    next attempt, seconds later. Nobody can wait in a circle: this is the first lock of its transaction, and after
    a claim no transaction asks for another.
    """
    row = _LOCK.first(list(own), claimed.item_id, claimed.attempt)
    if row is None:
        return None
    a, b = 1 + len(_ITEM), 1 + len(_ITEM) + len(_ACCOUNT)
    item = made(LedgerItem, _ITEM, row[1:a])
    if row[0] is not None:
        own[item.kind] = frozenset(row[0])
    account = made(ChannelAccount, _ACCOUNT, row[a:b]) if row[a] is not None else None
    return Held(item, account, made(LedgerBody, _BODY, row[b:]) if row[b] is not None else None)


def settle(
    item: LedgerItem,
    state: LedgerState,
    reason: str,
    *,
    claim_next: bool,
    now: datetime,
    before: Sequence[Asked] = (),
) -> Claimed | None:
    """Write what became of the row and book it; where that is wanted, the next row is claimed in the same statement.

    `before`: what is written just before it, on the same way to the database.
    """
    booked = appended(
        [
            Change(item.account_id, item.received_at, LedgerState.PENDING, -1),
            Change(item.account_id, item.received_at, state, 1),
        ]
    )
    values = (state, reason, now, item.pk, *booked)
    if not claim_next:
        in_turn(*before, _SETTLE.asked(*values))
        return None
    # The statement sees the row as it was before: without its number it might claim it again.
    rows = in_turn(*before, _SETTLE_AND_CLAIM.asked(*values, now, now, item.pk))
    return Claimed(*rows[0]) if rows else None
