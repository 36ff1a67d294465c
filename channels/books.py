"""The books: how much each account handed over and what became of it.

`seen` is written where items are recorded, the states where they change, so that
seen = processed + filtered + quarantined + pending is a proof and not a definition. Everything is booked on
the day the item came in, so that each day comes out even for itself, also when an item is mended next week.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Q, Sum
from django.utils import timezone

from channels.models import LedgerCount
from contactcentre.lib.by_hand import ByHand

COLUMNS = ("seen", "processed", "filtered", "quarantined", "pending")

# How many rows one sweep takes at most, so that its statement stays short however long nobody swept.
FOLD_LIMIT = 20_000

# What appended() gives values for, also as a part of larger statements.
APPEND = """
INSERT INTO channels_ledgercount (account_id, day, "column", delta)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::text[], %s::int[])
"""
_APPEND = ByHand("append_to_books", APPEND)

# One statement, so that a kill leaves either all old rows or all new ones. It takes only rows that were
# committed when it began and that no other sweep holds; what is appended meanwhile waits for the next.
# A column that came out at nothing needs no row.
_FOLD = """
WITH crowded AS (
    SELECT account_id, day, "column" FROM channels_ledgercount
    GROUP BY account_id, day, "column" HAVING count(*) > 1 LIMIT 1000
), mine AS (
    SELECT c.id FROM channels_ledgercount c JOIN crowded g
      ON c.account_id IS NOT DISTINCT FROM g.account_id AND c.day = g.day AND c."column" = g."column"
    LIMIT %s FOR UPDATE OF c SKIP LOCKED
), gone AS (
    DELETE FROM channels_ledgercount WHERE id IN (SELECT id FROM mine)
    RETURNING account_id, day, "column", delta
), kept AS (
    INSERT INTO channels_ledgercount (account_id, day, "column", delta)
    SELECT account_id, day, "column", sum(delta) FROM gone GROUP BY 1, 2, 3 HAVING sum(delta) <> 0
    RETURNING id
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM kept)
"""


@dataclass(frozen=True, slots=True)
class Change:
    """`delta` items more (or fewer) in a column, for items that came in at `received_at`."""

    account_id: int | None
    received_at: datetime
    column: str
    delta: int


@dataclass(frozen=True, slots=True)
class Books:
    """The figures of an account, or of all, over some days."""

    seen: int = 0
    processed: int = 0
    filtered: int = 0
    quarantined: int = 0
    pending: int = 0

    @property
    def balanced(self) -> bool:
        """Whether everything that was seen is accounted for."""
        return self.seen == self.processed + self.filtered + self.quarantined + self.pending


def day_of(moment: datetime) -> date:
    """The day on which something that came in then is booked, in the installation's time zone."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def write(changes: Iterable[Change]) -> None:
    """Append the changes inside the caller's transaction. Appending never waits for anybody."""
    given = list(changes)
    if given:
        _APPEND.run(*appended(given))


def appended(changes: Iterable[Change]) -> list[list[Any]]:
    """The values of APPEND, in order."""
    rows = [(each.account_id, day_of(each.received_at), each.column, each.delta) for each in changes]
    return [list(values) for values in zip(*rows, strict=True)]


def books(account_id: int | None = None, *, since: date | None = None) -> Books:
    """The figures of one account, or of all of them together, of the days from `since` on or of all days."""
    rows = LedgerCount.objects.all()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if since is not None:
        rows = rows.filter(day__gte=since)
    return Books(**{row["column"]: row["total"] for row in rows.values("column").annotate(total=Sum("delta"))})


def books_by_account(*, since: date) -> dict[int | None, Books]:
    """The figures of every account that handed over anything from `since` on; None: of no account of ours."""
    found: dict[int | None, dict[str, int]] = {}
    for row in LedgerCount.objects.filter(day__gte=since).values("account_id", "column").annotate(total=Sum("delta")):
        found.setdefault(row["account_id"], {})[row["column"]] = row["total"]
    return {account_id: Books(**figures) for account_id, figures in found.items()}


def still_open() -> dict[int | None, tuple[int, int]]:
    """How many items wait and how many are quarantined, by account, whatever day they came in."""
    is_open = Q(column__in=["pending", "quarantined"])
    found: dict[int | None, dict[str, int]] = {}
    for row in LedgerCount.objects.filter(is_open).values("account_id", "column").annotate(total=Sum("delta")):
        found.setdefault(row["account_id"], {})[row["column"]] = row["total"]
    return {whose: (figures.get("pending", 0), figures.get("quarantined", 0)) for whose, figures in found.items()}


def fold() -> int:
    """Sum the appended rows of each account, day and column into one, and return how many rows went away.

    Safe beside writers, beside another fold, and against a kill at any moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, [FOLD_LIMIT])
        gone, kept = cursor.fetchone()
    return int(gone) - int(kept)
