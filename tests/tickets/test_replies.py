"""A reply goes out: frozen, queued, undone, refused, and never to anybody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from agents.models import HistoryEntry
from channels.happenings import Address, DeliveryReceipt
from channels.models import AccountState, ChannelAccount, Outbound
from customers.models import Identity
from tests.conftest import House
from tickets import access, acts, drafts, notes, receipts, replies, sends, threads, timeline_html
from tickets.features import Features
from tickets.models import Contact, Draft, Message, Note, Queue, Ticket
from tickets.outgoing import CannotReply
from tickets.queries import timeline


@pytest.fixture
def answer(house: House) -> Callable[..., Message]:
    """Anna's answer to the one contact there is; every argument can be changed."""

    def make(text: str = "We are looking into it.", **changes: object) -> Message:
        values: dict[str, object] = {
            "person": house.anna,
            "ticket_id": Ticket.objects.latest("id").pk,
            "contact_id": Contact.objects.latest("id").pk,
            "text": text,
            "seen": Ticket.objects.latest("id").arrivals,
            "undo": timedelta(seconds=10),
            "now": house.clock.now,
        }
        with transaction.atomic():
            return replies.reply(**{**values, **changes})  # type: ignore[arg-type]

    return make


def receipt(house: House, message: Message, state: str, **fields: object) -> None:
    """What the outbox says of a message."""
    Outbound.objects.filter(reference=receipts.reference(message.pk)).update(
        state=state,
        sent_at=house.clock.now if state == "sent" else None,
        unknown_at=house.clock.now if state == "unknown" else None,
        lease_token=None,
    )
    with transaction.atomic():
        receipts.apply(
            DeliveryReceipt(
                state=state,  # type: ignore[arg-type]
                at=house.clock.now,
                reference=receipts.reference(message.pk),
                **fields,  # type: ignore[arg-type]
            ),
            now=house.clock.now,
        )


def test_a_reply_is_queued_frozen_and_answers_its_contact(house: House, answer: Callable[..., Message]) -> None:
    house.mail("Where is it?")
    house.clock.forward(minutes=10)
    message = answer("On its way.")
    row = Outbound.objects.get()
    contact = house.contact()
    assert (row.state, row.not_before) == ("queued", house.clock.now + timedelta(seconds=10))
    assert row.recipient["value"] == "carla.hughes@post.example"
    assert row.payload["reply_to"] == f"care+{threads.token(contact.pk)}@acme.example"
    assert row.payload["references"] == ["<mail-1@post.example>"]
    assert row.payload["subject"] == "Re: My order"
    assert "> Where is it?" in row.payload["text"]
    assert message.text == "On its way."
    ticket = house.ticket()
    assert (ticket.awaiting, ticket.due_at, ticket.state, ticket.owner) == ("customer", None, "open", house.anna)
    assert (ticket.last_words, ticket.last_direction, ticket.last_author) == ("On its way.", "out", house.anna)
    assert contact.first_answered_at is None


def test_a_target_is_met_only_by_what_was_sent_timed_when_send_was_pressed(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail()
    pressed = house.clock.forward(minutes=5)
    message = answer()
    house.clock.forward(minutes=1)
    receipt(house, message, "sent", external_id="<x@acme.example>#1")
    assert house.contact().first_answered_at == pressed


def test_a_reply_that_cannot_leave_just_now_says_what_it_waits_for(
    house: House, answer: Callable[..., Message]
) -> None:
    """It said "Leaving in a moment", for hours."""
    house.mail()
    first, second = answer("One"), answer("Two")

    def told() -> dict[str, tuple[str, str]]:
        page = timeline.page(house.anna, access.rights(house.anna), house.ticket(), now=house.clock.now)
        bubbles = [entry.bubble for entry in page.entries if entry.bubble and entry.bubble.direction == "out"]
        html = timeline_html.render(page.entries, features=Features(), now=house.clock.now)
        assert all(bubble.state_reason in html for bubble in bubbles)
        return {bubble.text: (bubble.state_words, bubble.state_reason) for bubble in bubbles}

    assert told() == {"One": ("Leaving in a moment", ""), "Two": ("Leaving in a moment", "")}
    receipt(house, first, "retry", reason="The monthly limit is used up.")
    assert told() == {
        "One": ("Trying again", "The monthly limit is used up."),
        "Two": ("Waits to leave", "It leaves after the reply before it, which is tried again."),
    }
    ChannelAccount.objects.filter(pk=house.mailbox.pk).update(state=AccountState.PAUSED)
    waits = f"{house.mailbox} is paused. It leaves once an admin switches it on."
    assert told()["Two"] == ("Waits to leave", waits)
    ChannelAccount.objects.filter(pk=house.mailbox.pk).update(state=AccountState.REFUSED)
    assert "connects it again" in told()["Two"][1]
    receipt(house, second, "sent", external_id="<two@acme.example>#1")
    assert told()["Two"] == ("Sent", "")


@pytest.mark.parametrize(("then", "state"), [("", "open"), ("wait", "waiting"), ("solve", "solved")])
def test_what_becomes_of_the_ticket_is_chosen_with_the_send(
    house: House, answer: Callable[..., Message], then: str, state: str
) -> None:
    house.mail()
    answer(then=then)
    assert house.ticket().state == state


def test_one_press_of_send_that_is_told_twice_is_one_message(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    first = answer("Once", pressed="a1")
    assert answer("Once", pressed="a1", seen=0) == first
    assert answer("Once", pressed="b2") != first
    assert Outbound.objects.count() == 2


def test_a_reply_is_stopped_where_something_arrived_and_says_what(house: House, answer: Callable[..., Message]) -> None:
    house.mail("One")
    seen = house.ticket().arrivals
    house.mail("Never mind, it came!")
    with pytest.raises(replies.Conflict) as stopped:
        answer(seen=seen)
    assert stopped.value.arrived == ("Never mind, it came!",)
    assert not Outbound.objects.exists()
    answer(seen=seen, anyway=True)
    assert Outbound.objects.count() == 1


def test_a_colleagues_note_stops_a_reply_and_ones_own_does_not(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    seen = house.ticket().arrivals
    with transaction.atomic():
        notes.write(person=house.anna, ticket_id=house.ticket().pk, text="Mine", now=house.clock.now)
    answer(seen=seen)
    with transaction.atomic():
        notes.write(person=house.ben, ticket_id=house.ticket().pk, text="I have called her", now=house.clock.now)
    with pytest.raises(replies.Conflict):
        answer(seen=seen)


def test_undo_takes_back_the_words_the_answer_and_the_solving(house: House, answer: Callable[..., Message]) -> None:
    house.mail("Where is it?")
    message = answer("Oops", then="solve")
    with transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    ticket = house.ticket()
    assert Outbound.objects.get().state == "cancelled"
    assert (ticket.state, ticket.awaiting, ticket.owner) == ("open", "us", None)
    assert ticket.due_at is not None
    assert ticket.last_words == "Where is it?"
    assert Draft.objects.get().text == "Oops"
    # The timeline tells that it was solved: it tells as well that it is so no more.
    told = set(HistoryEntry.objects.values_list("act", flat=True))
    assert {"ticket.solved", "ticket.taken_back"} <= told


@pytest.mark.parametrize("then", ["", "wait", "solve"])
@pytest.mark.parametrize("state", ["snoozed", "waiting", "solved"])
def test_undo_gives_a_resting_or_solved_ticket_back_its_state_with_its_times(
    house: House, answer: Callable[..., Message], state: str, then: str
) -> None:
    house.mail()
    number, now = [house.ticket().pk], house.clock.now
    rest: dict[str, Callable[[], acts.Done]] = {
        "snoozed": lambda: acts.snooze(person=house.anna, tickets=number, until=now + timedelta(hours=3), now=now),
        "waiting": lambda: acts.wait(person=house.anna, tickets=number, now=now),
        "solved": lambda: acts.solve(person=house.anna, tickets=number, now=now),
    }
    rest[state]()
    before = house.ticket()
    house.clock.forward(minutes=1)
    message = answer(then=then)
    with transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    after = house.ticket()
    assert Outbound.objects.get().state == "cancelled"
    assert (after.state, after.snoozed_until, after.solved_at) == (state, before.snoozed_until, before.solved_at)


def test_undo_leaves_a_ticket_open_that_the_customer_wrote_on_meanwhile(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail()
    acts.snooze(
        person=house.anna,
        tickets=[house.ticket().pk],
        until=house.clock.now + timedelta(hours=3),
        now=house.clock.now,
    )
    message = answer()
    house.mail("One more thing", references=("<mail-1@post.example>",))
    with transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    assert (house.ticket().state, house.ticket().awaiting) == ("open", "us")


def test_undo_leaves_a_ticket_solved_whose_customer_has_a_newer_one(
    house: House, answer: Callable[..., Message]
) -> None:
    Queue.objects.update(reopen_days=0)
    house.mail()
    message = answer(then="solve")
    house.mail("Something else")
    with transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    assert list(Ticket.objects.order_by("id").values_list("state", flat=True)) == ["solved", "open"]


def test_undo_puts_the_words_before_what_was_typed_since(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    message = answer("On it.")
    drafts.save(
        person=house.anna, ticket_id=house.ticket().pk, kind="reply", text="And a second answer", now=house.clock.now
    )
    with transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    assert Draft.objects.get().text == "On it.\n\nAnd a second answer"


def test_undo_after_it_left_says_so_and_changes_nothing(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    message = answer(then="solve")
    receipt(house, message, "sent")
    with pytest.raises(CannotReply), transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    assert house.ticket().state == "solved"


def test_only_who_wrote_it_undoes_it(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    message = answer()
    with pytest.raises(PermissionDenied), transaction.atomic():
        sends.undo(person=house.ben, message_id=message.pk, now=house.clock.now)


def with_copy_to_joe(house: House, answer: Callable[..., Message]) -> Message:
    """An answer that was sent to Carla, with a copy to Joe."""
    house.mail(participants=(Address(kind="email", value="Joe@post.example", display="Joe@post.example"),))
    message = answer(cc=["joe@post.example"])
    receipt(house, message, "sent", external_id="z")
    return message


@pytest.mark.parametrize(
    ("named", "failed"),
    [
        (("joe@post.example",), False),
        (("joe@post.example", "carla.hughes@post.example"), True),
        (("somebody.else@post.example",), True),
        ((), True),
    ],
)
def test_a_copy_that_comes_back_is_told_on_the_bubble_and_leaves_the_answer_alone(
    house: House, answer: Callable[..., Message], named: tuple[str, ...], failed: bool
) -> None:
    message = with_copy_to_joe(house, answer)
    why = "joe@post.example: there is no such mailbox"
    back = house.mail(receive=False, report_on=message.reference, report="bounced", report_to=named, automatic=why)
    for _told in range(2):
        with transaction.atomic():
            receipts.report(back, now=house.clock.now)
    message.refresh_from_db()
    ticket = house.ticket()
    assert (message.state, ticket.awaiting) == (("failed", "us") if failed else ("sent", "customer"))
    assert message.extra.get("notes", []) == ([] if failed else [f"A copy did not arrive. {why}"])


def test_a_copy_that_the_server_refused_is_told_on_the_bubble(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    message = answer()
    receipt(house, message, "sent", reason="The copy to joe@post.example was refused: no such user")
    message.refresh_from_db()
    assert message.extra["notes"] == ["The copy to joe@post.example was refused: no such user"]
    assert house.ticket().awaiting == "customer"


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_reply_that_fails_on_a_snoozed_ticket_wakes_it(
    house: House, answer: Callable[..., Message], state: str
) -> None:
    house.mail()
    message = answer()
    acts.snooze(
        person=house.anna,
        tickets=[house.ticket().pk],
        until=house.clock.now + timedelta(days=30),
        now=house.clock.now,
    )
    receipt(house, message, state, reason="No such address")
    ticket = house.ticket()
    assert (ticket.state, ticket.snoozed_until, ticket.awaiting, ticket.send_trouble) == ("open", None, "us", 1)


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_reply_that_failed_makes_the_contact_unanswered_and_a_solved_ticket_open(
    house: House, answer: Callable[..., Message], state: str
) -> None:
    asked = house.clock.now
    house.mail()
    message = answer(then="solve")
    receipt(house, message, state, reason="No such address")
    ticket, contact = house.ticket(), house.contact()
    assert (ticket.state, ticket.awaiting, ticket.send_trouble) == ("open", "us", 1)
    assert contact.unanswered_since == asked
    assert contact.first_answered_at is None
    assert Message.objects.get(pk=message.pk).state_reason == "No such address"


def test_a_failed_reply_can_be_tried_again_and_is_then_no_trouble(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    message = answer()
    receipt(house, message, "failed")
    with transaction.atomic():
        sends.retry(person=house.ben, message_id=message.pk, now=house.clock.now)
    assert Outbound.objects.get().state == "queued"
    receipt(house, message, "sent")
    ticket = house.ticket()
    assert (ticket.awaiting, ticket.send_trouble) == ("customer", 0)


def test_a_reply_answers_the_other_contacts_of_its_entry_queue_and_no_others(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail("One")
    house.mail("Bill", account=house.billing_mailbox)
    house.mail("Two", subject="Another")
    general = Contact.objects.filter(entry_queue=house.general)
    answer(contact_id=general.latest("id").pk)
    assert not general.filter(unanswered_since__isnull=False).exists()
    assert Contact.objects.get(entry_queue=house.billing).unanswered_since is not None
    ticket = house.ticket()
    assert (ticket.awaiting, ticket.also_queue_ids) == ("us", [house.billing.pk])


def test_the_recipient_is_frozen_whatever_happens_to_the_customer(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    answer()
    Identity.objects.update(value="somebody.else@post.example", display="somebody.else@post.example")
    assert Outbound.objects.get().recipient["value"] == "carla.hughes@post.example"


def test_reply_to_is_used_only_by_choice(house: House, answer: Callable[..., Message]) -> None:
    other = Address(kind="email", value="office@elsewhere.example", display="office@elsewhere.example")
    house.mail(reply_to=other)
    answer("One")
    answer("Two", to_reply_to=True)
    assert [row.recipient["value"] for row in Outbound.objects.order_by("id")] == [
        "carla.hughes@post.example",
        "office@elsewhere.example",
    ]


def test_copies_go_to_participants_only(house: House, answer: Callable[..., Message]) -> None:
    house.mail(participants=(Address(kind="email", value="tom@post.example"),))
    answer("One", cc=["tom@post.example"])
    assert [one["value"] for one in Outbound.objects.get().payload["cc"]] == ["tom@post.example"]
    with pytest.raises(CannotReply):
        answer("Two", cc=["eve@elsewhere.example"])


@pytest.mark.parametrize("text", ["", "   \n", "\x00"])
def test_nothing_is_not_sent(house: House, answer: Callable[..., Message], text: str) -> None:
    house.mail()
    with pytest.raises(CannotReply):
        answer(text)


def test_an_account_that_must_be_connected_again_refuses_with_a_sentence(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail()
    house.mailbox.state = AccountState.REFUSED
    house.mailbox.save()
    with pytest.raises(CannotReply, match="connect it again"):
        answer()


def test_somebody_of_another_queue_cannot_answer(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    with pytest.raises(PermissionDenied):
        answer(person=house.hana)


def test_a_reply_to_a_contact_of_an_earlier_ticket_continues_it_on_the_live_one(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail("Old matter")
    old = house.contact()
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.mail("New matter")
    message = answer(contact_id=old.pk)
    assert message.contact != old
    assert (message.contact.thread, message.ticket.state) == (old.thread, "open")


def test_an_emoji_text_of_ten_thousand_characters_goes_through_whole(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail()
    words = "🎉👩‍👩‍👧" * 2000
    assert answer(words).text == words
    assert Outbound.objects.get().payload["text"].startswith(words)


def test_a_note_never_reaches_the_outbox_and_stays_off_the_quote(house: House, answer: Callable[..., Message]) -> None:
    house.mail("Hello")
    with transaction.atomic():
        notes.write(
            person=house.anna, ticket_id=house.ticket().pk, text="@Ben she is upset, careful", now=house.clock.now
        )
    assert not Outbound.objects.exists()
    assert list(Note.objects.get().mentions.all()) == [house.ben]
    answer()
    assert "upset" not in str(Outbound.objects.get().payload)


def test_a_draft_is_kept_per_person_and_gone_when_sent(house: House, answer: Callable[..., Message]) -> None:
    house.mail()
    ticket = house.ticket()
    drafts.save(person=house.anna, ticket_id=ticket.pk, kind="reply", text="Dear", now=house.clock.now)
    drafts.save(person=house.ben, ticket_id=ticket.pk, kind="reply", text="Hi", now=house.clock.now)
    drafts.save(person=house.anna, ticket_id=ticket.pk, kind="note", text="Hm", now=house.clock.now)
    answer()
    assert set(Draft.objects.values_list("text", flat=True)) == {"Hi", "Hm"}
    assert drafts.save(person=house.ben, ticket_id=ticket.pk, kind="reply", text=" ", now=house.clock.now) is None


def test_a_solved_ticket_with_a_newer_one_beside_it_says_where_to_answer(
    house: House, answer: Callable[..., Message]
) -> None:
    house.mail("Old")
    old, contact = house.ticket(), house.contact()
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.mail("New")
    Ticket.objects.filter(pk=old.pk).update(state="solved", solved_at=house.clock.now)
    with pytest.raises(CannotReply, match="newer ticket"):
        answer(ticket_id=old.pk, contact_id=contact.pk)
