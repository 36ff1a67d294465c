"""Our own words that come in (docs/one-ticket.md, rows 18 and 19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from channels.happenings import Address, InboundMessage
from channels.models import ChannelAccount, Outbound
from customers.models import Customer
from tests.conftest import House
from tests.tickets import soundness
from tickets import outside, replies, urgency
from tickets.models import AccountFeed, Contact, Message, Sighting, Ticket
from tickets.targets import Targets

CARLA = Address(kind="email", value="carla.hughes@post.example")
CARE = Address(kind="email", value="care@acme.example")


def ours(house: House, **changes: object) -> str:
    values: dict[str, object] = {
        "channel_kind": "email",
        "surface": "email",
        "external_id": "<outside@acme.example>#000000000000",
        "reference": "<outside@acme.example>",
        "thread": "<outside@acme.example>",
        "author": CARE,
        "recipient": CARLA,
        "direction": "out",
        "said_at": house.clock.now,
        "text": "Written in the network's own app",
    }
    with transaction.atomic():
        return outside.ours(
            InboundMessage(**{**values, **changes}),  # type: ignore[arg-type]
            account_id=house.mailbox.pk,
            now=house.clock.now,
        ).reason


def test_an_answer_written_elsewhere_in_a_customers_thread_answers_its_contact(house: House) -> None:
    first = house.mail("Hello")
    house.clock.forward(minutes=5)
    assert ours(house, references=(first.reference,)) == ""
    message = Message.objects.get(direction="out")
    assert (message.is_outside, message.person, message.state) == (True, None, "sent")
    assert house.ticket().awaiting == "customer"
    assert house.contact().first_answered_at == house.clock.now


def test_our_own_words_in_nobodys_thread_are_filtered(house: House) -> None:
    assert ours(house) == "our own, in no customer's thread"
    assert not Message.objects.exists()


def test_our_own_words_to_somebody_else_in_the_thread_are_filtered(house: House) -> None:
    first = house.mail("Hello")
    reason = ours(house, references=(first.reference,), recipient=Address(kind="email", value="eve@post.example"))
    assert reason == "our own, to somebody else"


@pytest.mark.parametrize("address", ["billing@acme.example", "Billing@Acme.example", "billing+t1.abc@acme.example"])
def test_what_one_account_of_ours_writes_to_another_is_an_echo_and_makes_no_customer(
    house: House, address: str
) -> None:
    recipient = Address(kind="email", value=address)
    assert ours(house, recipient=recipient) == "our own, to another account of ours"
    assert not Customer.objects.exists()
    # Forwarded from a customer's thread, it answers nobody there.
    first = house.mail("Hello")
    assert ours(house, recipient=recipient, references=(first.reference,)) == "our own, to another account of ours"
    assert house.ticket().awaiting == "us"
    assert Message.objects.filter(direction="out").count() == 0


def test_an_account_that_wrote_as_a_customer_before_it_was_ours_is_one_no_more(house: House) -> None:
    first = house.mail("Hello", author="shop@acme.example", name="Acme Shop")
    ChannelAccount.objects.create(
        kind="email", address="shop@acme.example", begins_at=house.clock.now, created_at=house.clock.now
    )
    shop = Address(kind="email", value="shop@acme.example")
    assert ours(house, recipient=shop, references=(first.reference,)) == "our own, to another account of ours"
    assert Message.objects.filter(direction="out").count() == 0


def test_the_copy_of_what_was_sent_from_here_is_a_sighting_and_no_second_message(house: House) -> None:
    house.mail("Hello")
    with transaction.atomic():
        message = replies.reply(
            person=house.anna,
            ticket_id=house.ticket().pk,
            contact_id=house.contact().pk,
            text="On its way",
            seen=1,
            now=house.clock.now,
        )
    assert ours(house, reference=message.reference) == ""
    assert Message.objects.filter(direction="out").count() == 1
    assert Sighting.objects.filter(message=message).count() == 1


def test_a_copy_that_comes_before_the_answer_of_the_network_proves_the_reply_under_way(house: House) -> None:
    house.receive(
        InboundMessage(
            channel_kind="x",
            surface="x:mention",
            external_id="100",
            thread="100",
            author=Address(kind="x_user", value="333", handle="carla_hughes"),
            said_at=house.clock.now,
            text="@AcmeCare it is broken",
        )
    )
    contact = Contact.objects.get()
    contact.account.kind = "x"
    contact.account.save()
    with transaction.atomic():
        message = replies.reply(
            person=house.leo,
            ticket_id=house.ticket().pk,
            contact_id=contact.pk,
            text="Sorry! We look into it.",
            seen=1,
            now=house.clock.now,
        )
    Outbound.objects.update(state="unknown", unknown_at=house.clock.now)
    Message.objects.filter(pk=message.pk).update(state="unknown")
    reason = ours(
        house,
        channel_kind="x",
        surface="x:mention",
        external_id="101",
        reference="",
        thread="100",
        recipient=None,
        text="@carla_hughes Sorry! We look into it.",
    )
    assert reason == ""
    assert Outbound.objects.get().state == "sent"
    assert Message.objects.filter(direction="out").count() == 1
    assert Message.objects.get(pk=message.pk).external_id == "101"


def test_an_answer_from_outside_meets_only_what_was_asked_before_it(house: House) -> None:
    first = house.mail("Hello")
    answered = house.clock.forward(minutes=1)
    house.clock.forward(minutes=1)
    house.mail("And another thing", references=(first.reference,))
    asked = house.clock.now
    house.clock.forward(minutes=1)
    assert ours(house, references=(first.reference,), said_at=answered) == ""
    contact, ticket = house.contact(), house.ticket()
    assert (contact.first_answered_at, contact.unanswered_since) == (answered, asked)
    assert (ticket.awaiting, ticket.unanswered_since) == ("us", asked)


def test_what_was_said_before_an_answer_from_outside_is_answered_though_it_comes_after_it(house: House) -> None:
    first = house.mail("Hello")
    said = house.clock.forward(minutes=1)
    house.clock.forward(minutes=1)
    ours(house, references=(first.reference,))
    house.mail("Told late", references=(first.reference,), said_at=said)
    ticket = house.ticket()
    assert (ticket.awaiting, house.contact().unanswered_since) == ("customer", None)
    urgency.recount(ticket, Targets.load())
    assert ticket.awaiting == "customer"


def test_a_poll_that_tells_of_a_question_before_our_own_answer_leaves_the_question_open(house: House) -> None:
    """X is asked for mentions first and for our own posts then."""
    account = x_account(house)
    x_post(house, account, "100", "It is broken")
    at = house.clock.now
    house.clock.forward(minutes=1)
    x_post(house, account, "102", "Still broken", said_at=at + timedelta(seconds=30))
    assert x_ours(house, account, "101", "Which one?", said_at=at + timedelta(seconds=5)) == ""
    assert house.ticket().awaiting == "us"


def test_an_answer_from_outside_answers_its_own_contact_and_no_other_of_the_queue(house: House) -> None:
    first = house.mail("A")
    house.mail("B")
    house.clock.forward(minutes=5)
    ours(house, references=(first.reference,))
    answered = Contact.objects.get(messages__text="A")
    other = Contact.objects.get(messages__text="B")
    assert (answered.unanswered_since, other.first_answered_at) == (None, None)
    assert other.unanswered_since is not None
    assert house.ticket().awaiting == "us"


def test_an_answer_from_outside_in_an_earlier_tickets_thread_goes_on_the_live_one(house: House) -> None:
    first = house.mail("Long ago")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.clock.forward(days=9)
    house.mail("Something new")
    live = Ticket.objects.get(state="open")
    house.clock.forward(minutes=1)
    assert ours(house, references=(first.reference,)) == ""
    message = Message.objects.get(direction="out")
    assert (message.ticket, message.contact.ticket, message.is_outside) == (live, live, True)
    assert message.contact.identity == Contact.objects.earliest("id").identity
    live.refresh_from_db()
    assert (live.awaiting, live.last_words) == ("us", message.text)
    soundness.check(messages=3)


def test_without_a_live_ticket_an_answer_from_outside_to_one_that_is_over_is_filtered(house: House) -> None:
    first = house.mail("Long ago")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.clock.forward(days=9)
    house.mail("Since then")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    assert ours(house, references=(first.reference,)) == "our own, on a ticket that is over"


def x_account(house: House) -> ChannelAccount:
    account = ChannelAccount.objects.create(
        kind="x", address="999", name="Acme Care", begins_at=house.clock.now, created_at=house.clock.now
    )
    AccountFeed.objects.create(account=account, queue=house.general)
    return account


def x_post(house: House, account: ChannelAccount, number: str, text: str, **changes: object) -> None:
    values: dict[str, object] = {
        "channel_kind": "x",
        "surface": "x:mention",
        "external_id": number,
        "thread": "100",
        "author": Address(kind="x_user", value="333", handle="carla_hughes"),
        "said_at": house.clock.now,
        "text": text,
    }
    house.receive(InboundMessage(**{**values, **changes}), account=account)  # type: ignore[arg-type]


def x_ours(house: House, account: ChannelAccount, number: str, text: str, **changes: object) -> str:
    values: dict[str, object] = {
        "channel_kind": "x",
        "surface": "x:mention",
        "external_id": number,
        "reference": "",
        "thread": "100",
        "author": Address(kind="x_user", value="999"),
        "recipient": None,
        "text": text,
    }
    return ours(house, **{**values, **changes})


def x_reply(house: House, text: str) -> Message:
    with transaction.atomic():
        return replies.reply(
            person=house.anna,
            ticket_id=house.ticket().pk,
            contact_id=house.contact().pk,
            text=text,
            seen=1,
            undo=timedelta(seconds=10),
            now=house.clock.now,
        )


@pytest.mark.parametrize("state", ["queued", "retry"])
def test_a_reply_that_waits_is_taken_back_where_its_words_were_written_elsewhere(house: House, state: str) -> None:
    account = x_account(house)
    x_post(house, account, "100", "It is broken")
    house.clock.forward(minutes=1)
    waiting = x_reply(house, "Sorry!")
    Outbound.objects.update(state=state)
    Message.objects.filter(pk=waiting.pk).update(state=state)
    house.clock.forward(minutes=1)
    assert x_ours(house, account, "101", "@carla_hughes Sorry!") == ""
    waiting.refresh_from_db()
    assert (waiting.state, Outbound.objects.get().state) == ("cancelled", "cancelled")
    there = Message.objects.get(external_id="101")
    assert (there.is_outside, there.state, house.ticket().awaiting) == (True, "sent", "customer")
    soundness.check(messages=3)


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_other_words_or_a_reply_that_was_refused_long_ago_are_no_copy(house: House, state: str) -> None:
    account = x_account(house)
    x_post(house, account, "100", "It is broken")
    house.clock.forward(minutes=1)
    waiting = x_reply(house, "Sorry!")
    Outbound.objects.update(state=state)
    Message.objects.filter(pk=waiting.pk).update(state=state)
    text = "Sorry!" if state == "failed" else "Which one?"
    assert x_ours(house, account, "101", text) == ""
    assert Outbound.objects.get().state == state
    assert Message.objects.get(external_id="101").is_outside
