"""Rows are put with their message, frozen, and nothing but a message ever leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agents.models import Person
from channels import files, frozen, outbox
from channels.adapters.base import DeliveryError
from channels.happenings import Address
from channels.models import ChannelAccount, Outbound
from tests.channels.outbox.cast import CARLA, NOW, Desk, Provider, columns, fresh, seconds, state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("reference", ["note:4", "message:", "message:0", "message:4 note:4", "", "message:4\n"])
def test_nothing_but_a_message_is_taken(desk: Desk, reference: str) -> None:
    with pytest.raises(outbox.NotAMessage):
        desk.put(reference=reference)
    assert not Outbound.objects.exists()


def test_the_database_refuses_a_note_whoever_writes_the_row(desk: Desk) -> None:
    row = desk.put()
    with pytest.raises(IntegrityError, match="only_messages_leave"), transaction.atomic():
        columns(row, reference="note:4")


def test_a_row_is_taken_only_together_with_its_message(desk: Desk, account: ChannelAccount) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        outbox.put(
            account=account, surface="email", recipient=CARLA, text="Hello", reference="message:1",
            marker="<1@a.example>", lane="1", not_before=NOW, now=NOW,
        )  # fmt: skip


def test_a_row_of_a_transaction_that_is_undone_is_not_handed_out(desk: Desk, handed: list[int]) -> None:
    with transaction.atomic():
        desk.put()
        transaction.set_rollback(True)
    assert not handed
    assert not Outbound.objects.exists()


def test_a_row_that_is_due_is_handed_out_at_once_and_one_with_an_undo_is_not(desk: Desk, handed: list[int]) -> None:
    due = desk.put()
    desk.put(not_before=NOW + seconds(10))
    assert handed == [due.pk]


def test_all_that_was_said_comes_out_as_it_went_in(desk: Desk, provider: Provider) -> None:
    stored = files.store(b"%PDF-1.7 a receipt", now=NOW)
    copy = Address(kind="email", value="tom@example.example", name="Tom Okafor")
    row = desk.put(
        "Here it is 🧾", html="<p>Here it is</p>", subject="Re: receipt", thread="<a@x.example>", parent_id="7",
        references=["<a@x.example>", "<b@x.example>"], cc=[copy], reply_to="care+t1@acme.example",
        files=[(stored.pk, "receipt.pdf"), (stored.pk, "again.pdf")],
    )  # fmt: skip
    desk.deliver(row)
    [sent] = provider.taken
    assert (sent.surface, sent.recipient, sent.marker) == ("email", CARLA, "<1@acme.example>")
    assert (sent.text, sent.html, sent.subject) == ("Here it is 🧾", "<p>Here it is</p>", "Re: receipt")
    assert (sent.thread, sent.parent_id) == ("<a@x.example>", "7")
    assert sent.references == ("<a@x.example>", "<b@x.example>")
    assert (sent.cc, sent.reply_to) == ((copy,), "care+t1@acme.example")
    assert [(file.name, file.path) for file in sent.files] == [("receipt.pdf", stored.path), ("again.pdf", stored.path)]
    assert provider.connections[0].own == frozenset({"care@acme.example"})


def test_a_file_that_is_not_stored_is_refused_at_once(desk: Desk) -> None:
    with pytest.raises(ValueError, match="not stored"):
        desk.put(files=[(404, "gone.pdf")])


def test_a_file_that_went_meanwhile_fails_the_row_instead_of_sending_half(desk: Desk, provider: Provider) -> None:
    stored = files.store(b"soon gone", now=NOW)
    row = desk.put(files=[(stored.pk, "receipt.pdf")])
    stored.delete()
    assert desk.deliver(row) == "failed"
    assert fresh(row).error_code == "file-gone"
    assert "receipt.pdf" in fresh(row).error_text
    assert not provider.taken
    with pytest.raises(DeliveryError):
        frozen.outgoing(fresh(row))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"surface": "x:dm"}, "does not go out"),
        ({"recipient": Address(kind="email", value="")}, "recipient"),
        ({"marker": ""}, "marker"),
        ({"lane": ""}, "lane"),
    ],
)
def test_what_can_never_be_sent_is_refused(desk: Desk, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        desk.put(**given)


def test_no_row_waits_longer_than_a_day_or_the_reply_window(desk: Desk) -> None:
    assert desk.put().too_late_at == NOW + timedelta(hours=24)
    assert desk.put(too_late_at=NOW + timedelta(days=7)).too_late_at == NOW + timedelta(hours=24)
    assert desk.put(too_late_at=NOW + timedelta(hours=2)).too_late_at == NOW + timedelta(hours=2)


def test_a_window_that_closes_before_the_undo_is_over_is_said_at_once(desk: Desk) -> None:
    with pytest.raises(outbox.TooLate):
        desk.put(not_before=NOW + seconds(10), too_late_at=NOW + seconds(10))


def test_a_marker_is_used_once(desk: Desk) -> None:
    desk.put(marker="<same@acme.example>")
    with pytest.raises(IntegrityError):
        desk.put(marker="<same@acme.example>")


def test_long_threads_have_lanes_of_their_own() -> None:
    one, two = (
        outbox.lane(account_id=1, surface="email", recipient=CARLA, thread="x" * 500 + end) for end in ("a", "b")
    )
    assert one != two
    assert len(one) <= 400
    assert outbox.lane(account_id=1, surface="email", recipient=CARLA, thread="<a@x.example>").endswith(
        "|<a@x.example>"
    )


def test_undo_takes_back_what_nobody_has_claimed(desk: Desk, provider: Provider, listening: Any) -> None:
    row = desk.put(not_before=NOW + seconds(10))
    assert outbox.cancel(reference=row.reference, now=NOW + seconds(9))
    assert state(row) == "cancelled"
    assert [receipt.state for receipt in listening.heard] == ["cancelled"]
    desk.play_until(NOW + seconds(60))
    assert not provider.taken
    assert not outbox.cancel(reference=row.reference, now=NOW + seconds(61)), "pressed twice, it is undone once"
    assert [receipt.state for receipt in listening.heard] == ["cancelled"]


def test_undo_says_honestly_that_it_is_too_late(desk: Desk) -> None:
    row = desk.put()
    desk.deliver(row)
    assert not outbox.cancel(reference=row.reference, now=NOW)
    assert state(row) == "sent"


def test_a_message_of_several_parts_is_undone_whole_or_not_at_all(desk: Desk) -> None:
    parts = [desk.put(reference="message:7", lane="l") for _ in range(3)]
    desk.deliver(parts[0])
    assert not outbox.cancel(reference="message:7", now=NOW)
    assert [state(part) for part in parts] == ["sent", "queued", "queued"]


def test_undo_of_what_was_never_sent_is_no_undo(desk: Desk) -> None:
    assert not outbox.cancel(reference="message:99", now=NOW)


def test_a_failed_row_goes_out_again_by_hand(desk: Desk, provider: Provider, anna: Person, handed: list[int]) -> None:
    provider.answers = [DeliveryError("550 no such mailbox", permanent=True, code="refused-recipient")]
    row = desk.put()
    assert desk.deliver(row) == "failed"
    again = outbox.retry_by_hand(outbound_id=row.pk, actor=anna, now=NOW + timedelta(days=2))
    assert (again.state, again.attempts, again.error_text) == ("queued", 0, "")
    assert handed == [row.pk, row.pk]
    assert desk.deliver(row, now=NOW + timedelta(days=2)) == "sent"
    assert provider.taken[0].marker == row.marker
    with pytest.raises(outbox.NotPossible):
        outbox.retry_by_hand(outbound_id=row.pk, actor=anna, now=NOW + timedelta(days=2))


def test_nothing_pressed_by_hand_opens_a_reply_window_again(desk: Desk, make_account: Any, anna: Person) -> None:
    page = make_account("page-1", kind="facebook")
    row = desk.put(account=page, surface="facebook:messenger", too_late_at=NOW + seconds(60))
    columns(row, state="failed")
    with pytest.raises(outbox.TooLate):
        outbox.retry_by_hand(outbound_id=row.pk, actor=anna, now=NOW + seconds(61))
    assert outbox.retry_by_hand(
        outbound_id=row.pk, actor=anna, now=NOW + seconds(61), too_late_at=NOW + seconds(600)
    ).too_late_at == NOW + seconds(600)


def test_moves_that_the_table_does_not_list_are_refused(desk: Desk) -> None:
    row = desk.put()
    for was, to in [("sent", "queued"), ("unknown", "sending"), ("cancelled", "queued"), ("queued", "sent")]:
        with pytest.raises(ValueError, match=f"from {was} to {to}"):
            outbox.move(row.pk, {was}, to)
    assert not outbox.move(row.pk, {"retry"}, "sending"), "and a row in another state is left alone"
    assert state(row) == "queued"
