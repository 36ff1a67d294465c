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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from channels import hints
from channels.books import Change, write
from channels.happenings import RawItem
from channels.models import ChannelAccount, LedgerBody, LedgerKey, LedgerState
from channels.trouble import REASON_LENGTH
from contactcentre.lib.secrets import Credentials
from contactcentre.lib.text import clean, clean_line

# One INSERT holds about this much: PostgreSQL takes 1 GB a statement and a mail may be tens of megabytes.
_BATCH_BYTES = 4 * 1024 * 1024

# The rows get their numbers in the order in which the items were handed over, but are inserted in the order
# of their digests: two transactions that record the same items then wait for each other in one direction.
_INSERT = """
WITH given AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('channels_ledgeritem', 'id')) AS id,
           digest, account, happening, size, state, reason
    FROM unnest(%(digests)s::bytea[], %(accounts)s::bigint[], %(happenings)s::text[], %(sizes)s::int[],
                %(states)s::text[], %(reasons)s::text[])
         WITH ORDINALITY AS item (digest, account, happening, size, state, reason, place)
    ORDER BY place
)
INSERT INTO channels_ledgeritem
    (id, account_id, kind, happening, digest, source, state, reason, attempts, size, received_at, due_at, done_at)
SELECT id, account, %(kind)s, happening, digest, %(source)s, state, reason, 0, size,
       %(now)s, %(now)s, CASE WHEN state = 'pending' THEN NULL ELSE %(now)s::timestamptz END
FROM given ORDER BY digest
ON CONFLICT (digest) DO NOTHING
RETURNING id, digest
"""


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
    with transaction.atomic():
        secret = key(now)
        by_digest: dict[bytes, tuple[Batch, RawItem]] = {}
        for batch, item in given:
            # The first telling wins where one call holds an item twice.
            by_digest.setdefault(digest(secret, batch.whose, item), (batch, item))
        parameters: dict[str, Any] = {
            "digests": list(by_digest),
            "accounts": [batch.account.pk if batch.account else None for batch, _ in by_digest.values()],
            "happenings": [clean_line(item.happening, 20) for _, item in by_digest.values()],
            "sizes": [len(item.body) for _, item in by_digest.values()],
            "states": [batch.state for batch, _ in by_digest.values()],
            "reasons": [clean_line(batch.reason, REASON_LENGTH) for batch, _ in by_digest.values()],
            "kind": kind,
            "source": source,
            "now": now,
        }
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, parameters)
            found = {row[0]: by_digest[bytes(row[1])] for row in cursor.fetchall()}
        new = sorted(found.items(), key=itemgetter(0))
        if not new:
            return []
        for bodies in _bodies([(row_id, item) for row_id, (_, item) in new], now):
            LedgerBody.objects.bulk_create(bodies)
        counted = Counter((batch.account.pk if batch.account else None, batch.state) for _, (batch, _) in new)
        write(
            Change(account_id, now, column, count)
            for (account_id, state), count in counted.items()
            for column in ("seen", state)
        )
        if any(state == LedgerState.PENDING for _, state in counted):
            hints.process_soon()
    return [row_id for row_id, _ in new]


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
    """The secret of the digests, made where there is none yet."""
    # Not kept between calls: a key made in a transaction that is undone afterwards must not live on in
    # this process, or its digests would differ from everybody else's for ever.
    kept = LedgerKey.objects.filter(pk=1).first()
    if kept is None:
        fresh = LedgerKey(pk=1, secret=Credentials(digest=secrets.token_hex(32)), made_at=now)
        # Two processes may come first: the second waits for the first one's commit and then reads its key.
        LedgerKey.objects.bulk_create([fresh], ignore_conflicts=True)
        kept = LedgerKey.objects.get(pk=1)
    return bytes.fromhex(kept.secret["digest"])


def _bodies(new: Sequence[tuple[int, RawItem]], now: datetime) -> Iterator[list[LedgerBody]]:
    batch: list[LedgerBody] = []
    size = 0
    for row_id, item in new:
        if batch and size + len(item.body) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        meta = {"external_id": item.external_id, "revision": item.revision, "given": item.meta}
        batch.append(LedgerBody(item_id=row_id, received_at=now, body=item.body, meta=_storable(meta)))
        size += len(item.body)
    if batch:
        yield batch


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
