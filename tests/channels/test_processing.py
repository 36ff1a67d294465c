"""Processing: each item by itself, nothing lost, nothing held up, the books even at every step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import HistoryEntry, Person
from channels import adapters, books, ledger, processing, waiting
from channels.adapters.base import PayloadError
from channels.books import Books
from channels.happenings import Address, Call, Deleted, DeliveryReceipt, Edited, Happening, InboundMessage
from channels.models import ChannelAccount, LedgerBody, LedgerItem
from channels.receiver import NO_THREAD, PROCESSED, Answer
from tests.channels.conftest import NOW, ListeningReceiver, ScriptedAdapter, message, raw

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hinted")]


class Clock:
    """A clock that stands where it is put."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def record(account: ChannelAccount, *names: str) -> list[int]:
    return ledger.record(account, "email", [raw(name) for name in names], source="poll", now=NOW)


def process(now: datetime = NOW, limit: int = 50) -> processing.Done:
    done = processing.process(now=now, limit=limit, clock=lambda: now)
    assert books.books().balanced
    return done


def states() -> list[tuple[str, str]]:
    return list(LedgerItem.objects.order_by("id").values_list("state", "reason"))


def test_items_are_handed_over_in_order_and_settled(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    record(account, "<1@x.example>", "<2@x.example>", "<3@x.example>")
    assert process() == processing.Done(settled=3)
    assert [heard.external_id for heard in listening.heard] == ["<1@x.example>", "<2@x.example>", "<3@x.example>"]
    assert states() == [("processed", "")] * 3
    assert books.books(account.pk) == Books(seen=3, processed=3)
    assert process() == processing.Done()


def test_the_adapter_gets_back_what_it_gave(
    account: ChannelAccount,
    make_account: Callable[..., ChannelAccount],
    scripted: ScriptedAdapter,
    listening: ListeningReceiver,
) -> None:
    make_account("returns@acme.example")
    seen: list[object] = []
    scripted.reads = lambda item, told: seen.extend([item, told.own]) or []
    item = raw("<1@x.example>", revision="r1", meta={"uid": 4, "internaldate": "2026-11-20T15:00:00+00:00"})
    ledger.record(account, "email", [item], source="poll", now=NOW)
    process()
    assert seen == [item, frozenset({"care@acme.example", "returns@acme.example"})]
    assert states() == [("filtered", "nothing in it")]


def test_what_the_house_above_does_not_want_is_filtered_with_its_reason(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    listening.answer = lambda happening: Answer("blocked")
    record(account, "<1@x.example>")
    process()
    assert states() == [("filtered", "blocked")]


def test_each_kind_of_happening_has_its_own_door(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    number = Address(kind="phone", value="+441632960001")
    told: list[Happening] = [
        message(),
        Edited(channel_kind="x", external_id="1", text="new", edited_at=NOW),
        Deleted(channel_kind="x", external_id="1", deleted_at=NOW),
        DeliveryReceipt(state="read", at=NOW),
        Call(external_id="1", scope="line", event="new", direction="in", customer=number, line="+441632960000", at=NOW),
    ]
    scripted.reads = lambda item, _: told
    record(account, "<1@x.example>")
    process()
    assert listening.heard == told


def test_an_unknown_but_well_formed_happening_gets_a_name(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    scripted.reads = lambda item, _: ["a kind of tomorrow"]
    record(account, "<1@x.example>")
    process()
    assert states() == [("filtered", "unsupported event")]


def test_nothing_older_than_the_account_reaches_anybody(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    begins_at = account.begins_at.replace(microsecond=600_000)
    ChannelAccount.objects.update(begins_at=begins_at)
    moments = {"<old>": begins_at - timedelta(seconds=2), "<same second>": begins_at.replace(microsecond=0)}
    scripted.reads = lambda item, _: [message(external_id=item.external_id, said_at=moments[item.external_id])]
    record(account, *moments)
    process()
    assert states() == [("filtered", "before the account began"), ("processed", "")]


def test_a_mail_server_whose_clock_is_behind_loses_nothing_that_provably_came_later(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    scripted.reads = lambda item, _: [message(said_at=account.begins_at - timedelta(minutes=3))]
    items = [raw("<1@x.example>", meta={"after_beginning": True}), raw("<2@x.example>")]
    ledger.record(account, "email", items, source="poll", now=NOW)
    process()
    assert states() == [("processed", ""), ("filtered", "before the account began")]


def test_what_came_is_processed_though_the_account_was_paused_since(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    record(account, "<1@x.example>")
    ChannelAccount.objects.update(state="paused")
    process()
    assert states() == [("processed", "")]


def test_an_unreadable_item_is_quarantined_at_once_and_the_next_goes_on(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    def reads(item: object, told: object) -> list[Happening]:
        if item.external_id == "<bad>":  # type: ignore[attr-defined]
            raise PayloadError("The mail has no readable header.")
        return [message()]

    scripted.reads = reads
    record(account, "<bad>", "<good>")
    assert process() == processing.Done(settled=2)
    assert states() == [("quarantined", "The mail has no readable header."), ("processed", "")]


def test_a_poisoned_item_waits_longer_each_time_and_is_given_up_after_five(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    def answer(happening: Happening) -> Answer:
        if happening.external_id == "<bad>":  # type: ignore[union-attr]
            raise LookupError("no queue for 'Carla Hughes' <carla@example.example>, phone +44 1632 960001")
        return PROCESSED

    listening.answer = answer
    record(account, "<bad>", "<good>")
    assert process() == processing.Done(settled=1, put_off=1)
    assert states() == [("pending", "LookupError: no queue for … <…>, phone …"), ("processed", "")]
    now = NOW
    for wait in waiting.BACKOFF[:4]:
        assert process(now + wait - timedelta(milliseconds=1)) == processing.Done()
        now += wait
        process(now)
    assert states()[0] == ("quarantined", "LookupError: no queue for … <…>, phone …")
    assert LedgerItem.objects.order_by("id").first().attempts == 5
    assert books.books() == Books(seen=2, processed=1, quarantined=1)


def test_what_a_failed_item_wrote_is_undone(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    def answer(happening: Happening) -> Answer:
        HistoryEntry.objects.create(at=NOW, act="ticket.made")
        raise RuntimeError("after the write")

    listening.answer = answer
    record(account, "<1@x.example>")
    process()
    assert not HistoryEntry.objects.exists()


def test_the_loser_of_a_race_tries_again_at_once(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    losses = [IntegrityError("one_live_ticket"), IntegrityError("one_live_ticket")]

    def answer(happening: Happening) -> Answer:
        if losses:
            raise losses.pop()
        return PROCESSED

    listening.answer = answer
    record(account, "<1@x.example>")
    assert process() == processing.Done(settled=1)
    assert len(listening.heard) == 3


def test_an_item_that_ends_its_process_every_time_is_given_up_too(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    class Killed(BaseException):
        """Stands for SIGKILL: nothing in the process may handle it."""

    def reads(item: object, told: object) -> list[Happening]:
        raise Killed

    scripted.reads = reads
    record(account, "<1@x.example>")
    now = NOW
    for wait in waiting.BACKOFF:
        with pytest.raises(Killed):
            process(now)
        now += wait
    process(now)
    assert states() == [("quarantined", processing.ENDED_ITS_PROCESS)]


def test_losing_the_database_is_no_fault_of_the_item(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    def answer(happening: Happening) -> Answer:
        raise OperationalError("server closed the connection unexpectedly")

    listening.answer = answer
    record(account, "<1@x.example>")
    with pytest.raises(OperationalError):
        process()
    assert states() == [("pending", "")]


def test_a_kind_nobody_speaks_is_quarantined_by_name(account: ChannelAccount, listening: ListeningReceiver) -> None:
    ledger.record(account, "pigeon", [raw()], source="webhook", now=NOW)
    process()
    assert states() == [("quarantined", processing.NOT_SPOKEN)]


def test_a_drain_stops_at_its_limit_and_says_that_there_may_be_more(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    record(account, *(f"<{number}>" for number in range(5)))
    assert process(limit=3) == processing.Done(settled=3, more=True)
    assert process(limit=3) == processing.Done(settled=2)


def test_quarantined_items_are_processed_again_by_a_person(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver, ada: Person
) -> None:
    broken = True

    def reads(item: object, told: object) -> list[Happening]:
        if broken:
            raise PayloadError("Not understood.")
        return [message()]

    scripted.reads = reads
    ids = record(account, "<1>", "<2>", "<3>")
    process()
    broken = False
    assert processing.process_again(item_ids=ids[:1], actor=ada, now=NOW) == 1
    assert books.books() == Books(seen=3, quarantined=2, pending=1)
    assert processing.process_again(account=account, actor=ada, now=NOW) == 2
    process()
    assert states() == [("processed", "")] * 3
    entries = HistoryEntry.objects.filter(act="ledger.processed_again", actor=ada, account_id=account.pk).order_by("id")
    assert [entry.data["items"] for entry in entries] == [ids[:1], ids[1:]]


def test_what_was_processed_or_whose_content_is_gone_is_not_processed_again(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver, ada: Person
) -> None:
    listening.answer = lambda happening: Answer("automatic") if happening.external_id != "<1>" else PROCESSED  # type: ignore[union-attr]
    ids = record(account, "<1>", "<2>", "<3>")
    process()
    LedgerBody.objects.filter(pk=ids[2]).delete()
    assert processing.process_again(item_ids=ids, actor=ada, now=NOW) == 1
    assert [state for state, _ in states()] == ["processed", "pending", "filtered"]


def test_an_answer_of_ours_that_fits_nowhere_waits_for_what_came_in_before_it(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    there: set[str] = set()

    def answer(happening: Happening) -> Answer:
        if isinstance(happening, InboundMessage) and happening.external_id == "<asked>":
            if not there:
                there.add("tried")
                raise ValueError("not today")
            there.add("asked")
        return PROCESSED if "asked" in there else Answer(NO_THREAD)

    listening.answer = answer
    items = [raw("<asked>"), raw("<answer>", happening="sent"), raw("<other>", happening="message")]
    ledger.record(account, "email", items, source="poll", now=NOW)
    assert process().put_off == 2
    assert [state for state, _ in states()] == ["pending", "pending", "filtered"]
    assert states()[1][1] == "waits for what came in before it"
    process(NOW + timedelta(seconds=6))
    assert [state for state, _ in states()] == ["processed", "processed", "filtered"]


def test_an_answer_of_ours_does_not_wait_for_ever(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    listening.answer = lambda _happening: Answer(NO_THREAD)
    first, _second = ledger.record(
        account, "email", [raw("<asked>"), raw("<answer>", happening="sent")], source="poll", now=NOW
    )
    LedgerItem.objects.filter(pk=first).update(due_at=NOW + timedelta(days=1))
    for hour in range(waiting.ATTEMPTS):
        assert [state for state, _ in states()] == ["pending", "pending"]
        process(NOW + timedelta(hours=hour))
    assert states()[1] == ("filtered", NO_THREAD)


def test_an_answer_of_ours_waits_for_a_question_that_is_not_read_yet_and_for_nothing_else(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    answers = {"<answer>": Answer(NO_THREAD), "<to somebody>": Answer("our own, to somebody else")}
    listening.answer = lambda happening: answers[happening.external_id]  # type: ignore[union-attr]
    items = [raw(external_id, happening="sent") for external_id in answers]
    ledger.record(account, "email", items, source="poll", now=NOW)
    process()
    assert [state for state, _ in states()] == ["pending", "filtered"]
    # Meanwhile another mailbox of ours was polled.
    answers["<answer>"] = PROCESSED
    process(NOW + timedelta(seconds=6))
    assert [state for state, _ in states()] == ["processed", "filtered"]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=600) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_of_a_mail_come_out_as_an_exception(
    account: ChannelAccount, listening: ListeningReceiver, body: bytes
) -> None:
    adapters.adapter.cache_clear()
    with transaction.atomic():
        item = raw("<1@x.example>", body=body, meta={"internaldate": NOW.isoformat(), "uid": 1, "uidvalidity": 1})
        ledger.record(account, "email", [item], source="poll", now=NOW)
        process()
        assert states()[0][0] in {"processed", "filtered", "quarantined"}
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_four_workers_settle_each_item_once(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    record(account, *(f"<{number}>" for number in range(120)))
    problems: list[Exception] = []

    def run() -> None:
        try:
            while processing.process(now=NOW, limit=10, clock=lambda: NOW).more:
                continue
        except Exception as error:  # noqa: BLE001 (a thread's failure must reach the test)
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert sorted(heard.external_id for heard in listening.heard) == sorted(f"<{number}>" for number in range(120))
    assert books.books(account.pk) == Books(seen=120, processed=120)


def test_an_item_costs_two_statements_beside_what_its_receiver_asks(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    record(account, *(f"<{n}@x.example>" for n in range(5)))
    with override_settings(PREPARED_STATEMENTS=True), CaptureQueriesContext(connection) as asked:
        processing.process(now=NOW, clock=lambda: NOW)
    names = [one["sql"].split()[1].rpartition("_")[0] for one in asked.captured_queries if "EXECUTE" in one["sql"]]
    assert names == ["claim_item", *["lock_item", "settle_and_claim"] * 5]
    assert books.books(account.pk) == Books(seen=5, processed=5)


def test_what_came_is_processed_though_nobody_can_read_its_accounts_credentials_any_more(
    account: ChannelAccount, scripted: ScriptedAdapter, listening: ListeningReceiver
) -> None:
    record(account, "<1@x.example>")
    ChannelAccount.objects.filter(pk=account.pk).update(credentials=b"of another key")
    process()
    assert states() == [("processed", "")]
