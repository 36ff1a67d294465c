"""The books: appended, folded, always even."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from channels import books
from channels.books import Books, Change
from channels.models import ChannelAccount, LedgerCount
from tests.channels.conftest import NOW


@pytest.mark.django_db
def test_folding_changes_no_figure_and_leaves_one_row_a_column(account: ChannelAccount) -> None:
    for _ in range(3):
        books.write([Change(account.pk, NOW, "seen", 2), Change(account.pk, NOW, "pending", 2)])
        books.write([Change(None, NOW, "seen", 1)])
    books.write([Change(account.pk, NOW, "pending", -6), Change(account.pk, NOW, "processed", 6)])
    assert books.fold() == 8
    # `pending` came out at nothing and needs no row.
    assert LedgerCount.objects.count() == 3
    assert books.books(account.pk) == Books(seen=6, processed=6)
    assert books.books_by_account(since=NOW.date()) == {account.pk: Books(seen=6, processed=6), None: Books(seen=3)}
    assert books.fold() == 0


@pytest.mark.django_db
def test_each_day_stands_for_itself(account: ChannelAccount) -> None:
    # In London's winter 23:59 UTC is still the 19th.
    yesterday = datetime(2026, 11, 19, 23, 59, tzinfo=UTC)
    books.write([Change(account.pk, yesterday, "seen", 5), Change(account.pk, NOW, "seen", 1)])
    assert books.books(account.pk, since=date(2026, 11, 20)) == Books(seen=1)
    assert books.books(account.pk) == Books(seen=6)


@pytest.mark.django_db
def test_what_is_still_open_is_told_whatever_its_day(account: ChannelAccount) -> None:
    january = datetime(2026, 1, 2, tzinfo=UTC)
    books.write([Change(account.pk, january, "quarantined", 1), Change(account.pk, NOW, "pending", 3)])
    assert books.still_open() == {account.pk: (3, 1)}


def test_the_books_say_when_something_is_missing() -> None:
    assert Books(seen=206, processed=188, filtered=12, quarantined=4, pending=2).balanced
    assert not Books(seen=206, processed=188).balanced


@pytest.mark.django_db(transaction=True)
def test_writers_and_two_sweeps_at_once_lose_nothing(account: ChannelAccount) -> None:
    stop = threading.Event()
    problems: list[Exception] = []

    def work(act: str) -> None:
        try:
            if act == "write":
                for _ in range(150):
                    books.write([Change(account.pk, NOW, "seen", 1)])
            while act == "fold" and not stop.is_set():
                books.fold()
        except Exception as error:  # noqa: BLE001 (a thread's failure must reach the test)
            problems.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=work, args=["write"]) for _ in range(3)]
    sweeps = [threading.Thread(target=work, args=["fold"]) for _ in range(2)]
    for thread in [*writers, *sweeps]:
        thread.start()
    for thread in writers:
        thread.join(30)
    stop.set()
    for thread in sweeps:
        thread.join(30)
    assert not problems
    assert books.books(account.pk).seen == 450
