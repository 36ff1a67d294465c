"""What may have been sent is looked for, and never sent again blindly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Person
from channels import delivery, outbox, reconcile
from channels.adapters.base import DeliveryError, Looked
from channels.models import ChannelAccount, Outbound
from channels.receiver import PROCESSED
from tests.channels.outbox.cast import NOW, Desk, Provider, columns, fresh, seconds, state, together

pytestmark = pytest.mark.django_db(transaction=True)

UNSURE = DeliveryError("The answer did not come.", outcome_unknown=True, code="time-out")


def unknown(desk: Desk, provider: Provider, **given: Any) -> Outbound:
    """A row whose bytes were taken and whose answer did not come."""
    provider.after_write.append(UNSURE)
    row = desk.put(**given)
    assert desk.deliver(row, later=0) == "unknown"
    return row


def test_it_is_looked_for_four_times_within_two_minutes_and_then_left_to_a_person(
    desk: Desk, provider: Provider, listening: Any
) -> None:
    row = unknown(desk, provider)
    looked_at = []
    for second in (*range(1, 90), *range(90, 600, 30)):
        before = len(provider.looked)
        desk.play(now=NOW + seconds(second))
        if len(provider.looked) > before:
            looked_at.append(second)
    assert looked_at == [5, 15, 40, 80]
    assert provider.looked == [NOW] * 4, "from when the bytes may first have left"
    assert (state(row), fresh(row).next_look_at) == ("unknown", None)
    assert [(receipt.state, receipt.code) for receipt in listening.heard] == [
        ("sending", ""), ("unknown", "time-out"), ("unknown", "undecided"),
    ]  # fmt: skip
    assert len(provider.taken) == 1


def test_found_is_sent(desk: Desk, provider: Provider, listening: Any) -> None:
    row = unknown(desk, provider)
    provider.looks = [Looked(), Looked(external_id="9001", reference="<1@acme.example>")]
    desk.play_until(NOW + seconds(200))
    assert (state(row), fresh(row).external_id, fresh(row).sent_at) == ("sent", "9001", NOW)
    assert (fresh(row).error_code, fresh(row).lease_token) == ("", None)
    assert (listening.heard[-1].state, listening.heard[-1].external_id) == ("sent", "9001")
    assert (len(provider.looked), len(provider.taken)) == (2, 1)


def test_proven_absence_allows_one_retry_and_no_second(desk: Desk, provider: Provider) -> None:
    row = unknown(desk, provider)
    provider.looks = [Looked(absence_proves=True)] * 8
    provider.after_write = [UNSURE]
    desk.play_until(NOW + seconds(75))
    assert len(provider.taken) == 1, "an early absence proves nothing: networks index late"
    desk.play_until(NOW + seconds(600), start=NOW + seconds(80), step=5)
    assert len(provider.taken) == 2
    assert provider.taken[0].marker == provider.taken[1].marker
    assert (state(row), fresh(row).attempts, fresh(row).retried_after_absence) == ("unknown", 2, True)
    assert len(provider.looked) == 8


def test_the_retry_after_a_proven_absence_is_sent_once(desk: Desk, provider: Provider, listening: Any) -> None:
    row = unknown(desk, provider)
    provider.looks = [Looked(absence_proves=True)] * 4
    desk.play_until(NOW + seconds(200))
    assert state(row) == "sent"
    assert [receipt.state for receipt in listening.heard] == ["sending", "unknown", "retry", "sending", "sent"]


def test_a_last_look_that_failed_proves_nothing(desk: Desk, provider: Provider) -> None:
    row = unknown(desk, provider)
    provider.looks = [Looked(absence_proves=True)] * 3 + [DeliveryError("503")]
    desk.play_until(NOW + seconds(200))
    assert (state(row), len(provider.taken)) == ("unknown", 1)


@pytest.mark.parametrize("problem", [DeliveryError("503"), RuntimeError("a bug"), KeyError("data")])
def test_a_look_that_fails_is_followed_by_the_next(desk: Desk, provider: Provider, problem: Exception) -> None:
    row = unknown(desk, provider)
    provider.looks = [problem, Looked(external_id="9001")]
    desk.play_until(NOW + seconds(60))
    assert state(row) == "sent"


def test_a_look_with_refused_credentials_stops_the_account_and_the_looks_wait(desk: Desk, provider: Provider) -> None:
    row = unknown(desk, provider)
    provider.looks = [DeliveryError("401", credentials=True, code="token-expired"), Looked(external_id="9001")]
    desk.play_until(NOW + seconds(600), step=20)
    assert (ChannelAccount.objects.get().state, len(provider.looked)) == ("refused", 1)
    ChannelAccount.objects.update(state="active")
    desk.play(now=NOW + timedelta(hours=2))
    assert state(row) == "sent"


def test_absence_found_out_hours_later_sends_nothing_by_itself(desk: Desk, provider: Provider) -> None:
    row = unknown(desk, provider)
    provider.looks = [Looked(absence_proves=True)] * 4
    desk.play_until(NOW + timedelta(hours=3), start=NOW + timedelta(hours=2), step=300)
    assert (state(row), fresh(row).next_look_at, len(provider.taken)) == ("unknown", None, 1)


def test_eight_looks_at_once_are_one(desk: Desk, provider: Provider) -> None:
    row = unknown(desk, provider)
    results = together(*[lambda: desk.look(row, now=NOW + seconds(5))] * 8)
    assert sorted(results, key=str) == [None] * 7 + ["unknown"]
    assert len(provider.looked) == 1


def test_it_holds_its_lane_only_while_it_is_looked_for(desk: Desk, provider: Provider) -> None:
    row = unknown(desk, provider, lane="Carla")
    later = desk.put("later", lane="Carla")
    desk.play_until(NOW + seconds(75))
    assert state(later) == "queued"
    desk.play_until(NOW + seconds(81), start=NOW + seconds(80), step=1)
    assert [state(row), state(later)] == ["unknown", "sent"]


def test_nobody_looking_holds_a_lane_for_two_minutes_at_most(desk: Desk, provider: Provider) -> None:
    unknown(desk, provider, lane="Carla")
    later = desk.put("later", lane="Carla")
    assert desk.deliver(later, now=NOW + seconds(119)) is None
    assert desk.deliver(later, now=NOW + seconds(121)) == "sent"


def test_a_sender_that_died_leaves_a_row_that_is_looked_for(desk: Desk, provider: Provider, listening: Any) -> None:
    row = desk.put()
    assert delivery._claim(row.pk, now=NOW) is not None
    desk.play(now=NOW + delivery.LEASE - seconds(1))
    assert state(row) == "sending"
    desk.play(now=NOW + delivery.LEASE)
    assert (state(row), fresh(row).error_code) == ("unknown", "interrupted")
    assert listening.heard[-1].state == "unknown"
    provider.looks = [Looked(external_id="9001")]
    desk.play_until(NOW + delivery.LEASE + seconds(10), start=NOW + delivery.LEASE)
    assert (state(row), provider.taken) == ("sent", [])


@pytest.mark.parametrize("answer", ["sent", "failed", "retry"])
def test_a_slow_sender_taken_for_dead_may_still_say_what_it_knows(desk: Desk, provider: Provider, answer: str) -> None:
    row = desk.put()

    def slow() -> None:
        desk.play(now=NOW + delivery.LEASE)
        assert state(row) == "unknown"
        if answer != "sent":
            raise DeliveryError("refused for sure", permanent=answer == "failed")

    provider.after_write = [slow]
    assert desk.deliver_slowly(row, until=200) == answer
    assert (state(row), fresh(row).next_look_at) == (answer, None)


def test_a_slow_sender_has_no_say_once_the_row_went_on(desk: Desk, provider: Provider, anna: Person) -> None:
    row = desk.put()

    def slow() -> None:
        desk.play_until(NOW + seconds(400), start=NOW + delivery.LEASE)
        outbox.settle(outbound_id=row.pk, is_there=True, actor=anna, now=NOW + seconds(401))
        raise DeliveryError("no", permanent=True)

    provider.after_write = [slow]
    assert desk.deliver_slowly(row, until=402) is None
    assert state(row) == "sent"


def test_a_slow_sender_has_no_say_in_the_next_attempt(desk: Desk, provider: Provider) -> None:
    row = desk.put()

    def slow() -> None:
        desk.play_until(NOW + seconds(240), start=NOW + delivery.LEASE)
        assert (state(row), fresh(row).attempts) == ("unknown", 2)
        raise DeliveryError("no", permanent=True)

    provider.after_write = [slow, UNSURE]
    provider.looks = [Looked(absence_proves=True)] * 4
    assert desk.deliver_slowly(row, until=250) is None
    assert state(row) == "unknown", "what became of the second attempt nobody knows"


def test_a_sender_frozen_before_the_write_does_not_write_when_it_wakes(desk: Desk, provider: Provider) -> None:
    row = desk.put()
    provider.answers = [lambda: desk.play(now=NOW + delivery.LEASE)]
    assert desk.deliver_slowly(row, until=200) == "retry", "that nothing left is certain"
    assert not provider.taken


def test_a_person_s_word_that_it_arrived(desk: Desk, provider: Provider, anna: Person, listening: Any) -> None:
    row = unknown(desk, provider)
    settled = outbox.settle(outbound_id=row.pk, is_there=True, actor=anna, now=NOW + seconds(30))
    assert (settled.state, settled.sent_at, settled.next_look_at) == ("sent", NOW, None)
    assert listening.heard[-1].state == "sent"
    with pytest.raises(outbox.NotPossible):
        outbox.settle(outbound_id=row.pk, is_there=False, actor=anna, now=NOW + seconds(31))


def test_a_person_s_word_that_it_did_not_arrive_sends_it_once_more(
    desk: Desk, provider: Provider, anna: Person, handed: list[int]
) -> None:
    row = unknown(desk, provider)
    with pytest.raises(outbox.NotPossible, match="still looking"):
        outbox.settle(outbound_id=row.pk, is_there=False, actor=anna, now=NOW + seconds(30))
    desk.play_until(NOW + seconds(80))
    settled = outbox.settle(outbound_id=row.pk, is_there=False, actor=anna, now=NOW + seconds(90))
    assert settled.state == "retry"
    assert handed[-1] == row.pk
    assert desk.deliver(row, now=NOW + seconds(90)) == "sent"
    assert len(provider.taken) == 2


def test_a_person_s_word_comes_too_late_for_a_closed_window(desk: Desk, make_account: Any, anna: Person) -> None:
    page = make_account("page-1", kind="facebook")
    row = desk.put(account=page, surface="facebook:messenger", too_late_at=NOW + seconds(60))
    columns(row, state="unknown", unknown_at=NOW)
    settled = outbox.settle(outbound_id=row.pk, is_there=False, actor=anna, now=NOW + seconds(300))
    assert (settled.state, settled.error_code) == ("failed", "too-late")


@pytest.mark.parametrize("doubt", ["unknown", "failed"])
def test_the_network_s_own_copy_is_proof(desk: Desk, provider: Provider, doubt: str) -> None:
    row = unknown(desk, provider)
    columns(row, state=doubt)
    confirmed = outbox.confirm(marker=row.marker, external_id="9001", now=NOW + seconds(3))
    assert confirmed is not None
    assert (confirmed.state, confirmed.external_id) == ("sent", "9001")
    assert outbox.confirm(marker=row.marker, external_id="9001", now=NOW + seconds(4)) is None
    assert outbox.confirm(marker="", external_id="9001", now=NOW + seconds(4)) is None


def test_one_row_whose_news_cannot_be_told_does_not_stop_the_sweep(
    desk: Desk, provider: Provider, listening: Any
) -> None:
    rows = [desk.put() for _ in range(3)]
    for row in rows:
        delivery._claim(row.pk, now=NOW)

    def broken(receipt: Any) -> Any:
        if receipt.reference == rows[0].reference:
            raise LookupError("a bug in the house above")
        return PROCESSED

    listening.answer = broken
    desk.play(now=NOW + delivery.LEASE)
    assert [state(row) for row in rows] == ["sending", "unknown", "unknown"]
    heard = len(listening.heard)
    desk.play(now=NOW + delivery.LEASE + seconds(1))
    assert len(listening.heard) == heard, "and it does not fill every sweep"
    listening.answer = lambda _: PROCESSED
    desk.play(now=NOW + delivery.LEASE + seconds(61))
    assert state(rows[0]) == "unknown"


def test_a_lease_that_is_not_over_is_left_alone(desk: Desk) -> None:
    row = desk.put()
    delivery._claim(row.pk, now=NOW)
    assert reconcile.lease_ran_out(outbound_id=row.pk, now=NOW + seconds(1)) is None
    assert state(row) == "sending"
