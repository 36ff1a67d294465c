"""The ledger: stored first, known again, counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import books, ledger
from channels.happenings import RawItem
from channels.models import ChannelAccount, LedgerBody, LedgerItem, LedgerKey
from tests.channels.conftest import NOW, raw


@pytest.mark.django_db
def test_new_items_become_rows_in_the_order_in_which_they_came(account: ChannelAccount, hinted: list[str]) -> None:
    given = [raw(f"<{number}@x.example>", body=b"%d" % number) for number in range(20)]
    ids = ledger.record(account, "email", given, source="poll", now=NOW)
    assert ids == sorted(ids)
    assert [bytes(LedgerBody.objects.get(pk=item_id).body) for item_id in ids] == [item.body for item in given]
    assert books.books(account.pk) == books.Books(seen=20, pending=20)


@pytest.mark.django_db
def test_what_is_told_again_is_no_second_row(account: ChannelAccount, hinted: list[str]) -> None:
    first = ledger.record(account, "email", [raw("<1@x.example>"), raw("<1@x.example>")], source="poll", now=NOW)
    again = ledger.record(account, "email", [raw("<1@x.example>"), raw("<2@x.example>")], source="webhook", now=NOW)
    assert (len(first), len(again)) == (1, 1)
    assert books.books(account.pk) == books.Books(seen=2, pending=2)


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"happening": "edited"}, {"revision": "2"}, {"external_id": "<2@x.example>"}])
def test_another_happening_revision_or_id_is_another_row(
    account: ChannelAccount, hinted: list[str], other: dict[str, str]
) -> None:
    ledger.record(account, "email", [raw("<1@x.example>")], source="poll", now=NOW)
    assert ledger.record(account, "email", [raw(**{"external_id": "<1@x.example>", **other})], source="poll", now=NOW)


@pytest.mark.django_db
def test_the_same_mail_in_two_mailboxes_is_a_row_in_each(
    make_account: Callable[..., ChannelAccount], hinted: list[str]
) -> None:
    for address in ("care@acme.example", "returns@acme.example"):
        assert ledger.record(make_account(address), "email", [raw()], source="poll", now=NOW)


@pytest.mark.django_db
def test_an_item_stays_known_after_its_content_and_every_setting_changed(
    account: ChannelAccount, hinted: list[str], settings: object
) -> None:
    ledger.record(account, "email", [raw()], source="poll", now=NOW)
    LedgerBody.objects.all().delete()
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert ledger.record(account, "email", [raw()], source="poll", now=NOW) == []


@pytest.mark.django_db
def test_the_digest_cannot_be_made_without_the_key(account: ChannelAccount, hinted: list[str]) -> None:
    ledger.record(account, "email", [raw()], source="poll", now=NOW)
    stored = bytes(LedgerItem.objects.get().digest)
    key = bytes.fromhex(LedgerKey.objects.get().secret["digest"])
    assert stored == ledger.digest(key, f"account:{account.pk}", raw())
    assert stored != ledger.digest(b"guessed", f"account:{account.pk}", raw())


@pytest.mark.django_db
def test_an_account_nobody_connected_is_filtered_and_counted(hinted: list[str]) -> None:
    settled = {"source": "webhook", "now": NOW, "state": "filtered", "reason": "unknown account"}
    for origin in ("app:1/page:7", "app:1/page:8"):
        assert ledger.record(None, "facebook", [raw("1_2")], origin=origin, **settled)  # type: ignore[arg-type]
    assert LedgerItem.objects.filter(state="filtered", reason="unknown account", done_at=NOW).count() == 2
    assert books.books() == books.Books(seen=2, filtered=2)
    assert hinted == []


@pytest.mark.django_db
def test_items_of_nobody_without_an_origin_are_refused() -> None:
    with pytest.raises(ValueError, match="origin"):
        ledger.record(None, "facebook", [raw()], source="webhook", now=NOW)


@pytest.mark.django_db
def test_a_hint_follows_the_commit_and_nothing_follows_a_rollback(
    account: ChannelAccount, hinted: list[str], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        ledger.record(account, "email", [raw()], source="poll", now=NOW)
        assert hinted == []
    assert hinted == ["channels.tasks.process"]


texts = st.text(st.characters(codec=None), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    external_id=texts,
    revision=texts,
    happening=texts,
    body=st.binary(max_size=200),
    meta=st.dictionaries(texts, values),
)
def test_no_item_is_too_strange_to_be_stored(
    account: ChannelAccount, hinted: list[str], external_id: str, revision: str, happening: str, body: bytes, meta: dict
) -> None:
    item = RawItem(happening=happening, external_id=external_id, revision=revision, body=body, meta=meta)
    with transaction.atomic():
        ids = ledger.record(account, "email", [item], source="poll", now=NOW)
        assert len(ids) == 1
        assert bytes(LedgerBody.objects.get(pk=ids[0]).body) == body
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_poll_of_fifty_costs_one_statement(account: ChannelAccount, hinted: list[str]) -> None:
    ledger.record(account, "email", [raw("<0@x.example>")], source="poll", now=NOW)
    with CaptureQueriesContext(connection) as asked:
        ledger.record(account, "email", [raw(f"<{n}@x.example>") for n in range(1, 51)], source="poll", now=NOW)
    # The digests' key is kept only once it is committed, so that a test reads it again.
    assert [one["sql"].split()[1][:12] for one in asked.captured_queries if "ledgerkey" not in one["sql"]] == [
        "record_items"
    ]
    assert books.books(account.pk) == books.Books(seen=51, pending=51)


@pytest.mark.django_db
def test_large_content_follows_its_row_and_only_where_that_is_new(
    account: ChannelAccount, hinted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_ALONG_BYTES", 10)
    monkeypatch.setattr(ledger, "_BATCH_BYTES", 16)
    items = [raw(f"<{n}@x.example>", body=b"%d" % n * size) for n, size in enumerate((4, 4, 9, 3, 20))]
    ids = ledger.record(account, "email", items, source="poll", now=NOW)
    assert ids == sorted(ids)
    assert [bytes(LedgerBody.objects.get(pk=item_id).body) for item_id in ids] == [item.body for item in items]
    with CaptureQueriesContext(connection) as asked:
        assert ledger.record(account, "email", items, source="poll", now=NOW) == []
    assert not any("INSERT" in one["sql"] for one in asked.captured_queries)
    assert LedgerBody.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_the_key_is_kept_once_it_is_committed_and_never_before(account: ChannelAccount, hinted: list[str]) -> None:
    with transaction.atomic():
        undone = ledger.key(NOW)
        transaction.set_rollback(True)
    assert not LedgerKey.objects.exists()
    with transaction.atomic():
        made = ledger.key(NOW)
    assert made != undone
    with CaptureQueriesContext(connection) as asked:
        assert ledger.key(NOW) == made
    assert asked.captured_queries == []
    ledger.forget_key()
    assert ledger.key(NOW) == made


@pytest.mark.django_db(transaction=True)
def test_two_who_record_the_same_items_in_opposite_order_neither_double_nor_deadlock(
    account: ChannelAccount, hinted: list[str]
) -> None:
    given = [raw(f"<{number}@x.example>") for number in range(200)]
    new: list[int] = []

    def tell(items: list[RawItem]) -> None:
        try:
            new.extend(ledger.record(account, "email", items, source="poll", now=NOW + timedelta(seconds=1)))
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=[given[::step]]) for step in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(new) == len(set(new)) == LedgerItem.objects.count() == LedgerBody.objects.count() == 200
    assert books.books(account.pk) == books.Books(seen=200, pending=200)
