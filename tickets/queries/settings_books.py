"""The books of every account on one page, and what is quarantined, by account and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Max
from django.utils.translation import gettext as _

from channels import books
from channels.books import COLUMNS, Books
from channels.health import called
from channels.models import ChannelAccount, LedgerItem, LedgerState

ACCOUNTS = 500
REASONS = 100
PERIODS = ("today", "week", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksRow:
    """The books of one account; `account_id` None: what came for no account of ours."""

    account_id: int | None
    address: str
    kind: str
    books: Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How many items of an account are quarantined for one reason."""

    account_id: int | None
    address: str
    reason: str
    count: int
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksPage:
    """All accounts' books over a period, their sum, and what is quarantined whatever its day."""

    period: str
    rows: tuple[BooksRow, ...]
    total: Books
    reasons: tuple[Reason, ...]
    more_reasons: bool

    @property
    def all_balanced(self) -> bool:
        """Whether everything that was seen is accounted for, account by account."""
        return all(row.books.balanced for row in self.rows)


def page(*, period: str, now: datetime) -> BooksPage:
    """The page, in three statements. Every account is on it, also one that handed over nothing."""
    figures = books.books_by_account(since=_since(period, now))
    accounts = list(
        ChannelAccount.objects.order_by("kind", "address", "pk").values_list("pk", "kind", "address", "name")[:ACCOUNTS]
    )
    names = {pk: called(kind, address, name) for pk, kind, address, name in accounts}
    rows = [
        BooksRow(account_id=pk, address=names[pk], kind=kind, books=figures.get(pk, Books()))
        for pk, kind, _address, _name in accounts
    ]
    if None in figures:
        rows.append(BooksRow(account_id=None, address="", kind="", books=figures[None]))
    found = list(
        LedgerItem.objects.filter(state=LedgerState.QUARANTINED)
        .values_list("account_id", "reason")
        .annotate(n=Count("pk"), latest=Max("received_at"))
        .order_by("-n", "account_id", "reason")[: REASONS + 1]
    )
    return BooksPage(
        period=period,
        rows=tuple(rows),
        total=_sum(figures.values()),
        reasons=tuple(
            Reason(
                account_id=account_id,
                address=names.get(account_id, "") if account_id else "",
                # Reasons are stored in English and shown in the reader's language where there is a translation.
                reason=_(reason) if reason else "",
                count=count,
                latest=latest,
            )
            for account_id, reason, count, latest in found[:REASONS]
        ),
        more_reasons=len(found) > REASONS,
    )


def _since(period: str, now: datetime) -> date:
    today = books.day_of(now)
    return {"today": today, "week": today - timedelta(days=6)}.get(period, date.min)


def _sum(figures: Iterable[Books]) -> Books:
    kept = list(figures)
    return Books(*(sum(getattr(each, column) for each in kept) for column in COLUMNS))
