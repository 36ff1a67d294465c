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
    SELECT nextval(pg_get_serial_sequence('channels_ledgeritem', 'id')) AS id, digest, happening, size
    FROM unnest(%(digests)s::bytea[], %(happenings)s::text[], %(sizes)s::int[])
         WITH ORDINALITY AS item (digest, happening, size, place)
    ORDER BY place
)
INSERT INTO channels_ledgeritem
    (id, account_id, kind, happening, digest, source, state, reason, attempts, size, received_at, due_at, done_at)
SELECT id, %(account)s, %(kind)s, happening, digest, %(source)s, %(state)s, %(reason)s, 0, size,
       %(now)s, %(now)s, %(done_at)s
FROM given ORDER BY digest
ON CONFLICT (digest) DO NOTHING
RETURNING id, digest
"""


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
    if account is None and not origin:
        raise ValueError("items without an account need an origin")
    given = list(items)
    if not given:
        return []
    whose = f"account:{account.pk}" if account else origin
    with transaction.atomic():
        key = _key(now)
        by_digest: dict[bytes, RawItem] = {}
        for item in given:
            # The first telling wins where one batch holds an item twice.
            by_digest.setdefault(digest(key, whose, item), item)
        parameters: dict[str, Any] = {
            "digests": list(by_digest),
            "happenings": [clean_line(item.happening, 20) for item in by_digest.values()],
            "sizes": [len(item.body) for item in by_digest.values()],
            "account": account.pk if account else None,
            "kind": kind,
            "source": source,
            "state": state,
            "reason": clean_line(reason, REASON_LENGTH),
            "now": now,
            "done_at": None if state == LedgerState.PENDING else now,
        }
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, parameters)
            found = {row[0]: by_digest[bytes(row[1])] for row in cursor.fetchall()}
        new = sorted(found.items(), key=itemgetter(0))
        if not new:
            return []
        for batch in _batches(new, now):
            LedgerBody.objects.bulk_create(batch)
        account_id = account.pk if account else None
        write([Change(account_id, now, "seen", len(new)), Change(account_id, now, state, len(new))])
        if state == LedgerState.PENDING:
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


def _key(now: datetime) -> bytes:
    # Not kept between calls: a key made in a transaction that is undone afterwards must not live on in
    # this process, or its digests would differ from everybody else's for ever.
    kept = LedgerKey.objects.filter(pk=1).first()
    if kept is None:
        fresh = LedgerKey(pk=1, secret=Credentials(digest=secrets.token_hex(32)), made_at=now)
        # Two processes may come first: the second waits for the first one's commit and then reads its key.
        LedgerKey.objects.bulk_create([fresh], ignore_conflicts=True)
        kept = LedgerKey.objects.get(pk=1)
    return bytes.fromhex(kept.secret["digest"])


def _batches(new: Sequence[tuple[int, RawItem]], now: datetime) -> Iterator[list[LedgerBody]]:
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
