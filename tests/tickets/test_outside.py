"""Our own words that come in (docs/one-ticket.md, rows 18 and 19)."""

from __future__ import annotations

from django.db import transaction

from channels.happenings import Address, InboundMessage
from channels.models import Outbound
from tests.conftest import House
from tickets import outside, replies
from tickets.models import Contact, Message, Sighting

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
