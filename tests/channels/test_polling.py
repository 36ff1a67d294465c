"""Polling: a lease, one transaction for items and cursor, and words for everything that goes wrong."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from agents.models import HistoryEntry
from channels import polling, processing
from channels.adapters.base import Connection, Polled, PollError
from channels.models import ChannelAccount, LedgerBody, LedgerItem
from contactcentre.supervisor import stack
from tests.channels.conftest import NOW, ListeningReceiver, ScriptedAdapter, raw

pytestmark = pytest.mark.django_db


def poll(account: ChannelAccount) -> polling.PollResult:
    result = polling.poll(account.pk, now=NOW, clock=lambda: NOW)
    account.refresh_from_db()
    return result


def test_items_and_cursor_are_kept_together(
    account: ChannelAccount, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    scripted.pages = [Polled(items=(raw("<1@x.example>"), raw("<2@x.example>")), cursor={"uid": 2}, quota={"left": 7})]
    assert poll(account) == polling.PollResult("caught up", 2, 1)
    assert account.cursor == {"uid": 2}
    assert account.quota == {"left": 7}
    assert account.polled_at == account.caught_up_at == NOW
    # Only what the network tells by itself is heard.
    assert account.heard_at is None
    assert account.lease_token is None
    assert timedelta(seconds=4) < account.next_poll_at - NOW < timedelta(seconds=6)
    assert LedgerItem.objects.filter(state="pending", source="poll").count() == 2


def test_what_looking_again_left_for_the_card_outlives_a_poll(
    account: ChannelAccount, scripted: ScriptedAdapter
) -> None:
    ChannelAccount.objects.filter(pk=account.pk).update(quota={"left": 9, "again": {"looked": 500, "of": 505}})
    scripted.pages = [Polled(items=(), cursor={"uid": 2}, quota={"left": 7})]
    poll(account)
    assert account.quota == {"left": 7, "again": {"looked": 500, "of": 505}}


def test_it_goes_on_at_once_where_there_is_more(
    account: ChannelAccount, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    scripted.pages = [
        Polled(items=(raw("<1@x.example>"),), cursor={"uid": 1}, more=True),
        Polled(items=(raw("<2@x.example>"),), cursor={"uid": 2}),
    ]
    assert poll(account) == polling.PollResult("caught up", 2, 2)
    assert [cursor for _, cursor in scripted.asked] == [{}, {"uid": 1}]


def test_a_page_budget_lets_other_accounts_have_their_turn(
    account: ChannelAccount, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    scripted.pages = [Polled(items=(), cursor={"uid": uid}, more=True) for uid in range(100)]
    assert poll(account).outcome == "more"
    assert account.cursor == {"uid": polling.PAGES - 1}
    assert account.next_poll_at == NOW
    assert account.caught_up_at is None


def test_a_failure_keeps_the_cursor_and_says_why(account: ChannelAccount, scripted: ScriptedAdapter) -> None:
    ChannelAccount.objects.update(cursor={"uid": 5})
    scripted.pages = [PollError("The mail server did not answer within 20 s.", code="time-out")] * 3
    for failures in (1, 2, 3):
        assert poll(account).outcome == "failed"
        assert account.failures == failures
        assert account.next_poll_at == NOW + timedelta(seconds=5 * 2**failures)
    assert account.cursor == {"uid": 5}
    assert (account.error_code, account.error_text) == ("time-out", "The mail server did not answer within 20 s.")
    assert account.error_at == NOW
    assert poll(account).outcome == "caught up"
    assert account.failures == 0


def test_the_network_may_ask_for_more_patience(account: ChannelAccount, scripted: ScriptedAdapter) -> None:
    scripted.pages = [PollError("X is busy.", retry_after=timedelta(minutes=14))]
    poll(account)
    assert account.next_poll_at == NOW + timedelta(minutes=14)


def test_waits_double_up_to_a_quarter_of_an_hour(settings: Any) -> None:
    settings.POLL_SECONDS = {"facebook": 120}
    assert polling.wait_after(1, "facebook") == timedelta(minutes=4)
    assert polling.wait_after(40, "facebook") == timedelta(minutes=15)
    assert polling.wait_after(40, "facebook", timedelta(hours=1)) == timedelta(hours=1)


def test_what_was_deleted_here_does_not_come_back_with_the_next_scan(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver, hinted: list[str]
) -> None:
    whole = Polled(items=(raw("<1@x.example>"), raw("<2@x.example>")), cursor={"uid": 2})
    scripted.pages = [whole, whole]
    poll(account)
    processing.process(now=NOW, clock=lambda: NOW)
    # Retention or an erasure has deleted what they said, and the server counts its mails anew.
    LedgerBody.objects.all().delete()
    ChannelAccount.objects.update(cursor={}, next_poll_at=NOW)
    assert poll(account) == polling.PollResult("caught up", 0, 1)
    processing.process(now=NOW, clock=lambda: NOW)
    assert len(listening.heard) == 2
    assert LedgerItem.objects.count() == 2
    assert not LedgerBody.objects.exists()


def test_refused_credentials_stop_the_account_until_it_is_connected_again(
    account: ChannelAccount, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    scripted.pages = [PollError("The mail server refuses the password.", code="login-refused", credentials=True)]
    assert poll(account).outcome == "refused"
    assert account.state == "refused"
    assert HistoryEntry.objects.get(act="account.refused").data == {"code": "login-refused"}
    assert poll(account).outcome == "not ours"
    assert polling.take_due(now=NOW) == []


def test_an_adapters_bug_is_one_accounts_failure_and_no_exception(
    account: ChannelAccount, scripted: ScriptedAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.pages = [KeyError("carla@example.example")]
    assert poll(account).outcome == "failed"
    assert account.error_code == "unexpected"
    assert "carla" not in account.error_text + caplog.text


def test_only_the_holder_of_the_lease_moves_the_cursor(
    account: ChannelAccount, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    def somebody_else_takes_over() -> Polled:
        ChannelAccount.objects.update(lease_token=uuid.uuid4(), cursor={"uid": 9})
        return Polled(items=(raw(),), cursor={"uid": 1})

    scripted.pages = [somebody_else_takes_over]
    assert poll(account).outcome == "lost the lease"
    assert account.cursor == {"uid": 9}
    assert not LedgerItem.objects.exists()


def test_a_failure_of_the_old_password_does_not_touch_the_new(
    account: ChannelAccount, scripted: ScriptedAdapter
) -> None:
    def connected_again_meanwhile() -> PollError:
        ChannelAccount.objects.update(lease_token=None, lease_until=None)
        return PollError("refused", credentials=True)

    scripted.pages = [connected_again_meanwhile]
    assert poll(account).outcome == "lost the lease"
    assert account.state == "active"


def test_a_lease_is_respected_until_it_ran_out(account: ChannelAccount, scripted: ScriptedAdapter) -> None:
    ChannelAccount.objects.update(lease_token=uuid.uuid4(), lease_until=NOW + timedelta(seconds=1))
    assert poll(account).outcome == "not ours"
    assert polling.take_due(now=NOW) == []
    ChannelAccount.objects.update(lease_until=NOW - timedelta(seconds=1))
    assert poll(account).outcome == "caught up"


def test_a_paused_account_is_left_alone(account: ChannelAccount, scripted: ScriptedAdapter) -> None:
    ChannelAccount.objects.update(state="paused")
    assert poll(account).outcome == "not ours"
    assert scripted.asked == []


def test_two_beats_hand_an_account_out_once(make_account: Callable[..., ChannelAccount]) -> None:
    due = [make_account(f"box{number}@acme.example") for number in range(3)]
    make_account("later@acme.example", next_poll_at=NOW + timedelta(minutes=1))
    assert polling.take_due(now=NOW, limit=2) == [due[0].pk, due[1].pk]
    assert polling.take_due(now=NOW) == [due[2].pk]
    assert polling.take_due(now=NOW) == []
    # A worker that died gives the account back.
    assert len(polling.take_due(now=NOW + polling.HANDED_OUT)) == 3


@pytest.mark.django_db(transaction=True)
def test_slow_mailboxes_hold_up_no_other(
    make_account: Callable[..., ChannelAccount], scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    kind, workers = stack.WORKERS["poll"]
    assert (kind, workers > 2) == ("threads", True)
    # First in line, and so many that one worker is left for all others.
    slow = [make_account(f"slow{number}@acme.example", name="slow") for number in range(workers - 1)]
    quick = [make_account(f"quick{number}@acme.example") for number in range(2 * workers)]
    left, nobody_left = {account.pk for account in quick}, threading.Event()

    def answer(told: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        if told.name == "slow":
            assert nobody_left.wait(20), "a slow mailbox holds up the others"
        return Polled(items=(raw(f"<{told.address}>"),), cursor={"uid": 1})

    scripted.poll = answer  # type: ignore[method-assign]

    def run(account_id: int) -> str:
        try:
            outcome = polling.poll(account_id, now=NOW, clock=lambda: NOW).outcome
            left.discard(account_id)
            if not left:
                nobody_left.set()
            return outcome
        finally:
            connection.close()

    due = polling.take_due(now=NOW)
    assert due == [account.pk for account in slow + quick]
    with ThreadPoolExecutor(workers) as pool:
        assert set(pool.map(run, due)) == {"caught up"}
    assert LedgerItem.objects.count() == len(due)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_ask_the_network_once(
    account: ChannelAccount, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    everybody_tried = threading.Event()
    outcomes: list[str] = []

    def slow() -> Polled:
        assert everybody_tried.wait(20)
        return Polled(items=(raw(),), cursor={"uid": 1})

    scripted.pages = [slow]

    def run() -> None:
        try:
            outcomes.append(polling.poll(account.pk, now=NOW, clock=lambda: NOW).outcome)
            if outcomes.count("not ours") == 7:
                everybody_tried.set()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["caught up", *["not ours"] * 7]
    assert len(scripted.asked) == 1
