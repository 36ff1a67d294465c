"""What came in is a row here before it is anything else; nobody thinks about it before it is stored.

An item is known again by a keyed digest of (account, happening, external id, revision). Keyed, so that a
copy of the database does not let anybody test which mails or posts a person once wrote: the digest outlives
the item's body, after erasure too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import accumulate

from django.db import connection, transaction

from channels import hints
from channels.books import day_of
from channels.happenings import RawItem
from channels.models import ChannelAccount, LedgerBody, LedgerKey, LedgerState
from channels.trouble import REASON_LENGTH
from contactcentre.lib.by_hand import ByHand
from contactcentre.lib.secrets import Credentials
from contactcentre.lib.text import clean, clean_line

# Bodies travel with the rows up to this much in all. What is larger follows by itself, and only where it is new: a mail
# may be tens of megabytes, and a poll may bring again what is known.
_ALONG_BYTES = 256 * 1024
# One INSERT of bodies alone holds about this much: PostgreSQL takes 1 GB a statement.
_BATCH_BYTES = 4 * 1024 * 1024

# Rows, bodies and books. The rows get their numbers in the order in which the items were handed over, but are inserted
# in the order of their digests: two transactions that record the same items then wait for each other in one direction.
_INSERT = ByHand(
    "record_items",
    """
WITH given AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('channels_ledgeritem', 'id')) AS id, item.*
    FROM unnest(%s::bytea[], %s::bigint[], %s::text[], %s::int[], %s::text[], %s::text[], %s::bytea[], %s::text[])
         WITH ORDINALITY AS item (digest, account, happening, size, state, reason, body, meta, place)
    ORDER BY place
), fresh AS (
    INSERT INTO channels_ledgeritem
        (id, account_id, kind, happening, digest, source, state, reason, attempts, size, received_at, due_at, done_at)
    SELECT id, account, %s, happening, digest, %s, state, reason, 0, size, at, at,
           CASE WHEN state = 'pending' THEN NULL ELSE at END
    FROM given CROSS JOIN (SELECT %s::timestamptz AS at) AS heard ORDER BY digest
    ON CONFLICT (digest) DO NOTHING
    RETURNING id, digest, account_id, state, received_at
), bodies AS (
    INSERT INTO channels_ledgerbody (item_id, received_at, body, meta)
    SELECT id, fresh.received_at, given.body, given.meta::jsonb FROM fresh JOIN given USING (id)
    WHERE given.body IS NOT NULL
), booked AS (
    INSERT INTO channels_ledgercount (account_id, day, "column", delta)
    SELECT account_id, %s::date, entry, count(*) FROM fresh
    CROSS JOIN LATERAL (VALUES ('seen'), (state)) AS each (entry)
    GROUP BY account_id, entry
)
SELECT id, digest FROM fresh ORDER BY id
""",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one account, or of none, and then `origin` says where they came from; of one `state` and `reason`."""

    account: ChannelAccount | None
    items: tuple[RawItem, ...]
    origin: str = ""
    state: str = LedgerState.PENDING
    reason: str = ""

    @property
    def whose(self) -> str:
        """Whose items they are, as it stands in their digests."""
        return f"account:{self.account.pk}" if self.account else self.origin


def record(
    account: ChannelAccount | None,
    kind: str,
    items: Iterable[RawItem],
    *,
    source: str,
    now: datetime,
    origin: str = "",
    state: str = LedgerState.PENDING,
    reason: str = "",
) -> list[int]:
    """Store the items that are new, inside the caller's transaction, and return their rows' ids in order.

    `source` says how we heard: `poll`, `webhook`, `form`. Without an account `origin` stands in its place in
    the digest, such as `app:3/page:123`. `state` and `reason` are for what is settled already: a hook of an
    account nobody connected (filtered), a signed body that cannot be split (quarantined).
    Raises ValueError where neither account nor origin is given: their items would be taken for each other.
    """
    batch = Batch(account, tuple(items), origin=origin, state=state, reason=reason)
    return record_all([batch], kind, source=source, now=now)


def record_all(batches: Iterable[Batch], kind: str, *, source: str, now: datetime) -> list[int]:
    """As `record`, for the items of several accounts at once: one INSERT, in one order of digests for all of them."""
    given: list[tuple[Batch, RawItem]] = []
    for batch in batches:
        if batch.account is None and not batch.origin:
            raise ValueError("items without an account need an origin")
        given.extend((batch, item) for item in batch.items)
    if not given:
        return []
    # The caller's own transaction, or one for this: no savepoint, since nobody goes on after an error.
    with transaction.atomic(savepoint=False):
        secret = key(now)
        by_digest: dict[bytes, tuple[Batch, RawItem]] = {}
        for batch, item in given:
            # The first telling wins where one call holds an item twice.
            by_digest.setdefault(digest(secret, batch.whose, item), (batch, item))
        whose = [batch for batch, _ in by_digest.values()]
        items = [item for _, item in by_digest.values()]
        along = _along(items)
        found = _INSERT.rows(
            list(by_digest),
            [batch.account.pk if batch.account else None for batch in whose],
            [clean_line(item.happening, 20) for item in items],
            [item.bytes_told or len(item.body) for item in items],
            [batch.state for batch in whose],
            [clean_line(batch.reason, REASON_LENGTH) for batch in whose],
            [item.body if place < along and not item.bytes_told else None for place, item in enumerate(items)],
            [json.dumps(_meta(item)) if place < along else None for place, item in enumerate(items)],
            kind,
            source,
            now,
            day_of(now),
        )
        new = [(row_id, *by_digest[bytes(known)]) for row_id, known in found]
        large = {id(item) for item in items[along:] if not item.bytes_told}
        for bodies in _bodies([(row_id, item) for row_id, _, item in new if id(item) in large], now):
            LedgerBody.objects.bulk_create(bodies)
        if any(batch.state == LedgerState.PENDING for _, batch, _ in new):
            hints.process_soon()
    return [row_id for row_id, _, _ in new]


def digest(key: bytes, whose: str, item: RawItem) -> bytes:
    """The 32 bytes by which this item of this account is known again."""
    # As JSON, so that no two different quadruples can run together into the same text.
    text = json.dumps([whose, item.happening, item.external_id, item.revision])
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def raw_item(happening: str, body: LedgerBody) -> RawItem:
    """The item as the provider handed it over, from its stored bytes."""
    return RawItem(
        happening=happening,
        external_id=str(body.meta.get("external_id", "")),
        revision=str(body.meta.get("revision", "")),
        meta=dict(body.meta.get("given", {})),
        body=bytes(body.body),
    )


def key(now: datetime) -> bytes:
    """The secret of the digests, made where there is none yet. Within a transaction."""
    database = str(connection.settings_dict["NAME"])
    known = _KEYS.get(database)
    if known is not None:
        return known
    kept = LedgerKey.objects.filter(pk=1).first()
    if kept is None:
        fresh = LedgerKey(pk=1, secret=Credentials(digest=secrets.token_hex(32)), made_at=now)
        # Two processes may come first: the second waits for the first one's commit and then reads its key.
        LedgerKey.objects.bulk_create([fresh], ignore_conflicts=True)
        kept = LedgerKey.objects.get(pk=1)
    made = bytes.fromhex(kept.secret["digest"])
    # Kept once it is committed. One made in a transaction that is undone afterwards must not live on in this process:
    # its digests would differ from everybody else's for ever.
    transaction.on_commit(partial(_KEYS.__setitem__, database, made))
    return made


# By database; the same as long as that lives.
_KEYS: dict[str, bytes] = {}


def forget_key() -> None:
    """Read the key anew: for tests, which empty the database."""
    _KEYS.clear()


def _along(items: Sequence[RawItem]) -> int:
    """How many of the items, from the first on, take their bodies along."""
    sizes = accumulate(len(item.body) for item in items)
    return next((place for place, size in enumerate(sizes) if size > _ALONG_BYTES), len(items))


def _bodies(new: Sequence[tuple[int, RawItem]], now: datetime) -> Iterator[list[LedgerBody]]:
    batch: list[LedgerBody] = []
    size = 0
    for row_id, item in new:
        if batch and size + len(item.body) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(LedgerBody(item_id=row_id, received_at=now, body=item.body, meta=_meta(item)))
        size += len(item.body)
    if batch:
        yield batch


def _meta(item: RawItem) -> object:
    return _storable({"external_id": item.external_id, "revision": item.revision, "given": item.meta})


def _storable(value: object) -> object:
    """The value as PostgreSQL's jsonb takes it: NUL, lone surrogates and infinities would refuse the whole batch."""
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {clean(str(name)): _storable(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return clean(str(value))
