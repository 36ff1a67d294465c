"""What an attempt comes to, and that one row is one provider call."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.test.utils import CaptureQueriesContext

from agents.models import HistoryEntry
from channels import accounts, adapters, backoff, delivery, outbox, sweep
from channels.adapters.base import DeliveryError
from channels.happenings import Sent
from channels.models import ChannelAccount, Outbound
from channels.receiver import PROCESSED
from contactcentre.lib.secrets import Credentials
from tests.channels.outbox.cast import NOW, Desk, Provider, columns, fresh, seconds, state, together

pytestmark = pytest.mark.django_db(transaction=True)


def told(listening: Any) -> list[str]:
    return [receipt.state for receipt in listening.heard]


def test_what_the_provider_takes_is_sent_with_its_id(desk: Desk, listening: Any) -> None:
    row = desk.put()
    assert desk.deliver(row) == "sent"
    row = fresh(row)
    assert (row.state, row.external_id, row.sent_at) == ("sent", "sent-<1@acme.example>", NOW + seconds(1))
    assert (row.attempts, row.claimed_at, row.first_tried_at) == (1, NOW, NOW)
    assert (row.lease_token, row.lease_until) == (None, None)
    assert told(listening) == ["sending", "sent"]
    receipt = listening.heard[-1]
    assert (receipt.reference, receipt.channel_kind, receipt.external_id) == ("message:1", "email", row.external_id)
    assert receipt.at == row.sent_at


def test_notes_of_the_provider_are_kept_and_told(desk: Desk, provider: Provider, listening: Any) -> None:
    provider.after_write = [Sent(external_id="1", notes=("The copy to tom@example.example was refused.",))]
    row = desk.put()
    desk.deliver(row)
    assert fresh(row).error_text == listening.heard[-1].reason == "The copy to tom@example.example was refused."


def test_nothing_leaves_before_its_time_or_twice(desk: Desk, provider: Provider) -> None:
    row = desk.put(not_before=NOW + seconds(10))
    assert desk.deliver(row, now=NOW + seconds(9.9)) is None
    assert desk.deliver(row, now=NOW + seconds(10)) == "sent"
    assert desk.deliver(row, now=NOW + seconds(11)) is None
    assert len(provider.taken) == 1


def test_eight_workers_on_one_row_make_one_call(desk: Desk, provider: Provider) -> None:
    for _ in range(6):
        row = desk.put()
        before = len(provider.taken)
        results = together(*[lambda row=row: desk.deliver(row) for _ in range(8)])
        assert sorted(results, key=str) == [None] * 7 + ["sent"]
        assert len(provider.taken) == before + 1


def test_the_claim_is_one_update_whose_conditions_stand_on_the_row_itself(desk: Desk) -> None:
    """PostgreSQL looks at conditions in a subquery of `id IN (…)` only once, before it waits for the other worker."""
    from django.db import connection

    row = desk.put()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        desk.deliver(row)
    [claim] = [query["sql"] for query in queries if '"attempts" = (' in query["sql"]]
    assert '"channels_outbound"."state" IN' in claim.split("EXISTS")[0]
    assert '"id" IN (SELECT' not in claim


def test_one_lane_leaves_in_order_and_another_does_not_wait_for_it(desk: Desk, provider: Provider) -> None:
    first, second, third = (desk.put(text, lane="Carla") for text in ("one", "two", "three"))
    other = desk.put("other", lane="Tom")
    assert desk.deliver(second) is None
    assert desk.deliver(other) == "sent"
    assert sweep.following(outbound_id=first.pk, now=NOW) is None
    desk.deliver(first)
    assert sweep.following(outbound_id=first.pk, now=NOW) == second.pk
    assert desk.deliver(third) is None
    desk.deliver(second)
    desk.deliver(third)
    assert provider.texts == ["other", "one", "two", "three"]


def test_a_lane_keeps_its_order_however_many_workers_pull(desk: Desk, provider: Provider) -> None:
    rows = [desk.put(str(number), lane="Carla") for number in range(6)]

    def pull() -> None:
        for _ in range(400):
            if state(rows[-1]) == "sent":
                return
            for row in rows:
                desk.deliver(row)

    assert together(*[pull] * 4) == [None] * 4
    assert provider.texts == ["0", "1", "2", "3", "4", "5"]


def test_a_permanent_refusal_fails_the_row_with_words(desk: Desk, provider: Provider, listening: Any) -> None:
    provider.answers = [DeliveryError("The mailbox does not exist.", permanent=True, code="refused-recipient")]
    row = desk.put()
    assert desk.deliver(row) == "failed"
    assert (fresh(row).error_code, fresh(row).error_text) == ("refused-recipient", "The mailbox does not exist.")
    assert (listening.heard[-1].reason, listening.heard[-1].code) == (fresh(row).error_text, "refused-recipient")
    desk.play_until(NOW + seconds(300), step=60)
    assert not provider.taken


def test_a_passing_failure_waits_longer_each_time(desk: Desk, provider: Provider, listening: Any) -> None:
    row, now, waits = desk.put(), NOW, []
    for _ in range(12):
        provider.answers = [DeliveryError("421 busy", code="busy")]
        assert desk.deliver(row, now=now, later=0) == "retry"
        waits.append((fresh(row).not_before - now).total_seconds())
        now = fresh(row).not_before
    for number, waited in enumerate(waits):
        least = min(5 * 2**number, 1800)
        assert least <= waited <= least * 1.2
    assert desk.deliver(row, now=now) == "sent"
    assert (fresh(row).error_code, fresh(row).error_text, fresh(row).first_tried_at) == ("", "", NOW)
    assert told(listening)[-3:] == ["retry", "sending", "sent"]


def test_the_provider_s_own_wish_is_kept(desk: Desk, provider: Provider) -> None:
    provider.answers = [DeliveryError("429", retry_after=timedelta(minutes=15), code="throttled")]
    row = desk.put()
    desk.deliver(row, later=0)
    assert NOW + timedelta(minutes=15) <= fresh(row).not_before <= NOW + timedelta(minutes=18)


def test_who_has_mended_it_at_the_network_need_not_wait_for_the_next_try(
    desk: Desk, provider: Provider, ada: Any
) -> None:
    ChannelAccount.objects.update(next_poll_at=NOW + timedelta(minutes=15))
    provider.answers = [DeliveryError("no credits", retry_after=timedelta(minutes=15), code="no-credits")]
    row, undoable = desk.put(), desk.put(not_before=NOW + seconds(30))
    desk.deliver(row, later=0)
    assert accounts.poll_now(account=desk.account, actor=ada, now=NOW + seconds(20))
    assert sweep.sweep(now=NOW + seconds(20)).deliver == (row.pk,)
    assert fresh(undoable).not_before == NOW + seconds(30), "it can still be undone"


def test_a_thousand_rows_refused_together_do_not_come_back_together() -> None:
    waits = {backoff.wait(row_id=number, attempts=3) for number in range(1000)}
    assert len(waits) > 900


def test_after_many_tries_it_is_a_person_s_turn(desk: Desk, provider: Provider) -> None:
    row = desk.put()
    columns(row, attempts=backoff.MAX_ATTEMPTS - 1)
    provider.answers = [DeliveryError("421 busy", code="busy")]
    assert desk.deliver(row) == "failed"
    assert fresh(row).error_code == "gave-up"
    assert "421 busy" in fresh(row).error_text


def test_what_cannot_be_sent_in_time_fails_as_soon_as_that_is_known(desk: Desk, provider: Provider) -> None:
    provider.answers = [DeliveryError("429", retry_after=timedelta(hours=2), code="throttled")]
    row = desk.put(too_late_at=NOW + timedelta(hours=1))
    assert desk.deliver(row) == "failed"
    assert fresh(row).error_code == "too-late"


def test_an_answer_is_never_sent_days_later(
    desk: Desk, provider: Provider, account: ChannelAccount, listening: Any
) -> None:
    rows = [desk.put(), desk.put()]
    ChannelAccount.objects.update(state="paused")
    desk.play(now=NOW + timedelta(hours=23))
    assert [state(row) for row in rows] == ["queued", "queued"]
    desk.play(now=NOW + timedelta(hours=24))
    ChannelAccount.objects.update(state="active")
    desk.play_until(NOW + timedelta(days=3), start=NOW + timedelta(hours=24), step=3600 * 6)
    assert [(state(row), fresh(row).error_code) for row in rows] == [("failed", "too-late")] * 2
    assert told(listening) == ["failed", "failed"]
    assert not provider.taken


def test_a_worker_that_is_late_does_not_send_what_is_too_late(desk: Desk, provider: Provider) -> None:
    row = desk.put(too_late_at=NOW + seconds(30))
    assert desk.deliver(row, now=NOW + seconds(30)) == "failed"
    assert not provider.taken


@pytest.mark.parametrize("resting", ["paused", "refused"])
def test_rows_of_an_account_that_rests_wait_and_go_out_after_it(desk: Desk, provider: Provider, resting: str) -> None:
    row = desk.put()
    ChannelAccount.objects.update(state=resting)
    assert desk.deliver(row) is None
    desk.play(now=NOW + seconds(60))
    assert (state(row), fresh(row).attempts) == ("queued", 0)
    ChannelAccount.objects.update(state="active")
    desk.play(now=NOW + seconds(61))
    assert state(row) == "sent"


def test_an_account_paused_at_the_last_moment_sends_nothing(desk: Desk, provider: Provider) -> None:
    provider.answers = [lambda: ChannelAccount.objects.update(state="paused")]
    row = desk.put()
    assert desk.deliver(row) == "retry"
    assert not provider.taken


def test_refused_credentials_stop_the_account_and_the_row_waits_for_it(
    desk: Desk, provider: Provider, listening: Any
) -> None:
    provider.answers = [DeliveryError("535 sign-in refused", credentials=True, code="login-refused")]
    row, other = desk.put(), desk.put()
    assert desk.deliver(row) == "retry"
    account = ChannelAccount.objects.get()
    assert (account.state, account.error_code, account.error_text) == (
        "refused",
        "login-refused",
        "535 sign-in refused",
    )
    entry = HistoryEntry.objects.get()
    assert (entry.act, entry.account_id, entry.data) == ("account.refused", account.pk, {"code": "login-refused"})
    desk.play(now=NOW + seconds(5))
    assert [state(row), state(other)] == ["retry", "queued"]
    assert len(provider.connections) == 1, "one refusal is enough, the next row does not try"
    ChannelAccount.objects.update(state="active")
    desk.play(now=NOW + timedelta(hours=3))
    assert [state(row), state(other)] == ["sent", "sent"]


def test_a_refusal_of_credentials_that_were_replaced_meanwhile_stops_nothing(desk: Desk, provider: Provider) -> None:
    def reconnected() -> None:
        stored = ChannelAccount.objects.get()
        stored.credentials = Credentials(password="practice-new")
        stored.save()
        raise DeliveryError("535", credentials=True)

    provider.answers = [reconnected]
    row = desk.put()
    assert desk.deliver(row) == "retry"
    assert ChannelAccount.objects.get().state == "active"
    desk.play(now=NOW + seconds(2))
    assert state(row) == "sent"


def test_credentials_that_cannot_be_read_send_nothing_and_are_tried_again(
    desk: Desk, provider: Provider, settings: Any
) -> None:
    row = desk.put()
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="]
    assert desk.deliver(row) == "retry"
    assert fresh(row).error_code == "credentials-unreadable"
    settings.ENCRYPTION_KEYS = keys
    desk.play(now=NOW + seconds(60))
    assert state(row) == "sent"


def test_a_channel_this_installation_does_not_speak_fails_in_words(
    desk: Desk, make_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(adapters.ADAPTERS, "phone", raising=False)
    adapters.adapter.cache_clear()
    row = desk.put(account=make_account("line-1", kind="phone"), surface="phone")
    assert desk.deliver(row) == "failed"
    assert fresh(row).error_code == "no-adapter"


def test_a_bug_of_the_adapter_is_unknown_and_its_words_are_kept_from_the_page(desk: Desk, provider: Provider) -> None:
    provider.after_write = [RuntimeError("carla@example.example said so")]
    row = desk.put()
    assert desk.deliver(row) == "unknown"
    assert (fresh(row).error_code, "RuntimeError" in fresh(row).error_text) == ("software", True)
    assert "carla" not in fresh(row).error_text


def test_the_news_that_cannot_be_told_neither_stops_sending_nor_loses_the_proof(
    desk: Desk, provider: Provider, listening: Any
) -> None:
    """freescout#3607: accepted by the network, then a failure in the code after it, and sent again 25 times."""

    def broken(_: Any) -> None:
        raise LookupError("a bug in the house above")

    listening.answer = broken
    row = desk.put()
    assert desk.deliver(row) is None
    assert (state(row), fresh(row).external_id) == ("sending", "sent-<1@acme.example>")
    desk.play_until(NOW + seconds(200))
    assert state(row) == "sending"
    listening.answer = lambda _: PROCESSED
    desk.play_until(NOW + seconds(300), start=NOW + seconds(200))
    assert (state(row), fresh(row).sent_at) == ("sent", NOW + seconds(1))
    assert len(provider.taken) == 1


def test_a_database_that_is_away_for_a_moment_does_not_lose_the_result(
    desk: Desk, provider: Provider, listening: Any
) -> None:
    failures = [OperationalError("the database system is starting up"), OperationalError("deadlock detected")]

    def sometimes(receipt: Any) -> Any:
        if receipt.state == "sent" and failures:
            raise failures.pop()
        return PROCESSED

    listening.answer = sometimes
    row = desk.put()
    assert desk.deliver(row) == "sent"
    assert len(provider.taken) == 1


def test_a_lease_that_cannot_be_read_is_not_ours(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    row = desk.put()

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(Outbound.objects, "filter", away)
    assert not delivery.still_ours(row.pk, token=row.lease_token, now=NOW)


def test_undo_and_delivery_at_the_same_moment_agree(desk: Desk, provider: Provider) -> None:
    for _ in range(12):
        row, before = desk.put(), len(provider.taken)
        undone, delivered = together(
            lambda row=row: outbox.cancel(reference=row.reference, now=NOW), lambda row=row: desk.deliver(row)
        )
        assert (undone, delivered, state(row)) in [(True, None, "cancelled"), (False, "sent", "sent")]
        assert len(provider.taken) - before == (delivered == "sent")


def test_undo_never_waits_for_a_delivery_that_waits_for_the_ticket(desk: Desk, listening: Any, anna: Any) -> None:
    """Delivery locks its row and then the ticket; people lock the ticket and then ask for the row."""
    wants, answers = threading.Event(), []

    def locks_the_ticket(receipt: Any) -> Any:
        if receipt.state == "failed":
            wants.set()
            ChannelAccount.objects.select_for_update().get()
        return PROCESSED

    listening.answer = locks_the_ticket
    row = desk.put(too_late_at=NOW + seconds(5))

    def deliver() -> str | None:
        return desk.deliver(row, now=NOW + seconds(5))

    def undo() -> None:
        with transaction.atomic():
            ChannelAccount.objects.select_for_update().get()
            holds.set()
            assert wants.wait(10)
            answers.append(outbox.cancel(reference=row.reference, now=NOW + seconds(5)))

    holds = threading.Event()
    assert together(undo, lambda: holds.wait(10) and deliver()) == [None, "failed"]
    assert answers == [False]


def test_the_sweep_hands_a_row_out_once_while_a_worker_has_it(desk: Desk) -> None:
    row = desk.put(not_before=NOW + seconds(10))
    assert sweep.sweep(now=NOW + seconds(9)).deliver == ()
    assert sweep.sweep(now=NOW + seconds(10)).deliver == (row.pk,)
    assert sweep.sweep(now=NOW + seconds(11)).deliver == ()
    assert sweep.sweep(now=NOW + seconds(31)).deliver == (row.pk,), "the worker, or the broker, lost it"


def test_a_hint_that_was_lost_is_made_good(desk: Desk) -> None:
    row = desk.put()
    assert sweep.sweep(now=NOW + seconds(1)).deliver == ()
    assert sweep.sweep(now=NOW + seconds(5)).deliver == (row.pk,)


def test_two_sweeps_at_the_same_time_hand_out_each_row_once(desk: Desk) -> None:
    rows = [desk.put() for _ in range(30)]
    works = together(*[lambda: sweep.sweep(now=NOW + seconds(6))] * 4)
    given = [row_id for work in works for row_id in work.deliver]
    assert len(given) == len(set(given))
    assert set(given) <= {row.pk for row in rows}
    assert set(given) | set(sweep.sweep(now=NOW + seconds(7)).deliver) == {row.pk for row in rows}


def test_no_more_is_handed_out_than_workers_can_take(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "IN_HAND", 4)
    rows = [desk.put() for _ in range(6)]
    first = sweep.sweep(now=NOW + seconds(6)).deliver
    assert first == tuple(row.pk for row in rows[:4])
    assert sweep.sweep(now=NOW + seconds(7)).deliver == ()
    desk.deliver(rows[0], now=NOW + seconds(7))
    assert sweep.sweep(now=NOW + seconds(8)).deliver == (rows[4].pk,)
