"""Our own words that come in (docs/one-ticket.md, rows 18 and 19)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import transaction

from channels import processing
from channels.happenings import Address, FilePart, InboundMessage
from channels.models import ChannelAccount, Outbound
from customers.models import Customer, Identity
from tests.conftest import House
from tests.tickets import soundness
from tickets import outside, replies, threads, urgency
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


EVE = Address(kind="email", value="eve@post.example")


@pytest.mark.parametrize(
    ("to", "copies", "blind"),
    [(EVE, (EVE, CARLA), ()), (EVE, (EVE,), (CARLA,)), (CARLA, (CARLA, EVE), ())],
    ids=["in Cc", "in Bcc", "in To"],
)
def test_a_mail_that_the_customer_gets_in_whatever_way_is_an_answer(
    house: House, to: Address, copies: tuple[Address, ...], blind: tuple[Address, ...]
) -> None:
    first = house.mail("Hello")
    assert ours(house, references=(first.reference,), recipient=to, participants=copies, blind=blind) == ""
    assert house.ticket().awaiting == "customer"
    known = set(house.contact().participants.values_list("value", flat=True))
    # Whom we take into the thread may write into it; nobody in Bcc is shown to anybody.
    assert known == {EVE.value}


def test_a_mail_without_anybody_in_it_is_no_answer(house: House) -> None:
    first = house.mail("Hello")
    assert ours(house, references=(first.reference,), recipient=None) == "our own, to somebody else"
    assert house.ticket().awaiting == "us"


def test_an_answer_to_the_customers_other_address_or_to_where_they_asked_is_one(house: House) -> None:
    work = Address(kind="email", value="carla@work.example")
    form = Address(kind="email", value="Forms@Site.example", display="Forms@Site.example")
    first = house.mail("Hello", reply_to=form)
    assert ours(house, references=(first.reference,), recipient=work) == "our own, to somebody else"
    Identity.objects.create(
        customer=house.ticket().customer, kind="email", value=work.value, first_seen_at=house.clock.now
    )
    assert ours(house, references=(first.reference,), recipient=work) == ""
    asked = Address(kind="email", value="forms@site.example")
    assert ours(house, external_id="<2>", reference="<2>", references=(first.reference,), recipient=asked) == ""


def test_a_customers_mail_among_our_sent_mail_is_no_answer_to_them(house: House) -> None:
    """Somebody dragged it there."""
    first = house.mail("Hello")
    assert ours(house, references=(first.reference,), author=CARLA, recipient=CARLA) == "our own, to somebody else"
    assert house.ticket().awaiting == "us"


def test_what_a_machine_of_ours_sent_answers_nobody_and_offers_no_ticket(house: House) -> None:
    first = house.mail("Hello")
    reason = ours(house, references=(first.reference,), automatic="out-of-office")
    assert reason == "our own, automatic"
    assert reason != processing.AUTOMATIC
    assert house.ticket().awaiting == "us"


def test_an_answer_is_not_said_before_what_it_answers_whatever_its_clock_says(house: House) -> None:
    first = house.mail("Hello")
    wrong = house.clock.now - timedelta(hours=2)
    house.clock.forward(minutes=5)
    assert ours(house, references=(first.reference,), said_at=wrong) == ""
    assert house.ticket().awaiting == "customer"
    assert Message.objects.get(direction="out").said_at == house.message("Hello").said_at


def test_what_could_not_be_shown_of_an_answer_and_its_files_are_told(house: House) -> None:
    first = house.mail("Hello")
    house.clock.forward(minutes=1)
    file = FilePart(name="invoice.pdf", content_type="application/pdf", data=b"%PDF-", size=5)
    assert ours(house, references=(first.reference,), text="", files=(file,), notes=("Only its head is here.",)) == ""
    message = Message.objects.get(direction="out")
    assert message.extra["notes"] == ["Only its head is here."]
    assert [each.name for each in message.attachments.all()] == ["invoice.pdf"]
    assert house.ticket().last_words == "invoice.pdf"
    soundness.check(messages=2)


def mail_reply(house: House, text: str = "On its way") -> Message:
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


@pytest.mark.parametrize(
    ("state", "lease_seconds", "proven"),
    [("unknown", None, "sent"), ("failed", None, "sent"), ("sending", -1, "sent"), ("sending", 60, "sending")],
)
def test_the_copy_that_our_provider_filed_proves_a_mail_of_unknown_fate(
    house: House, state: str, lease_seconds: int | None, proven: str
) -> None:
    """One that is just being sent is left to whoever sends it, who hears of refused copies as well."""
    house.mail("Hello")
    message = mail_reply(house)
    now = house.clock.forward(minutes=1)
    leased = {} if lease_seconds is None else {
        "lease_until": now + timedelta(seconds=lease_seconds), "lease_token": uuid.uuid4()
    }  # fmt: skip
    doubt = {"unknown_at": now} if state == "unknown" else {}
    Outbound.objects.update(state=state, claimed_at=now, **leased, **doubt)
    Message.objects.filter(pk=message.pk).update(state=state)
    copy = f"{message.reference}#0123456789ab"
    assert ours(house, external_id=copy, reference=message.reference) == ""
    message.refresh_from_db()
    assert (Outbound.objects.get().state, message.state) == (proven, proven)
    assert Message.objects.filter(direction="out").count() == 1


def test_the_copy_of_our_own_mail_is_known_though_the_provider_gave_it_another_id(house: House) -> None:
    """Outlook.com does. What was written there in a mail program bears no signed Reply-To."""
    first = house.mail("Hello")
    house.clock.forward(minutes=1)
    message = mail_reply(house, "On its way")
    now = house.clock.forward(minutes=1)
    Outbound.objects.update(state="unknown", claimed_at=now, unknown_at=now)
    Message.objects.filter(pk=message.pk).update(state="unknown")
    copy = {
        "external_id": "<AM0PR@outlook.example>#0123456789ab",
        "reference": "<AM0PR@outlook.example>",
        "references": (first.reference,),
        "text": "On its\nway",
        "quoted": "On Monday Carla wrote:\n> Hello",
    }
    assert ours(house, **copy, marker=threads.token(house.contact().pk)) == ""
    message.refresh_from_db()
    assert (message.state, Message.objects.filter(direction="out").count()) == ("sent", 1)
    forged = threads.token(house.contact().pk)[:-1] + "x"
    assert ours(house, **{**copy, "external_id": "<2>", "reference": "<2>"}, marker=forged) == ""
    assert Message.objects.get(external_id="<2>").is_outside


@pytest.mark.parametrize(("files", "left"), [([], "cancelled"), ([7], "queued")], ids=["words alone", "with a file"])
def test_a_mail_that_waits_is_taken_back_where_its_words_were_sent_from_a_mail_program(
    house: House, files: list[int], left: str
) -> None:
    first = house.mail("Hello")
    house.clock.forward(minutes=1)
    waiting = mail_reply(house, "It leaves tonight,\nthen it is with you on Friday.")
    Outbound.objects.update(files=files)
    house.clock.forward(minutes=1)
    text = "It leaves tonight, then it is\nwith you on Friday."
    assert ours(house, references=(first.reference,), text=text) == ""
    waiting.refresh_from_db()
    assert (waiting.state, Outbound.objects.get().state) == (left, left)
    assert house.ticket().awaiting == "customer"
    soundness.check(messages=3)


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


def settle(message: Message, state: str, house: House, **columns: object) -> None:
    """As if its mail had come to this."""
    Outbound.objects.filter(reference=f"message:{message.pk}").update(
        state=state, attempts=1, claimed_at=house.clock.now, **columns
    )
    Message.objects.filter(pk=message.pk).update(state=state)


def renamed(house: House, text: str) -> str:
    """The copy of a mail of ours to which its provider gave an id of its own."""
    return ours(
        house,
        external_id="<their-own@provider.example>#000000000000",
        reference="<their-own@provider.example>",
        text=text,
        said_at=house.clock.now,
        marker=threads.token(house.contact().pk),
    )


def test_a_copy_found_while_the_reply_waits_for_another_try_proves_it(house: House) -> None:
    house.mail("Hello")
    reply = mail_reply(house)
    settle(reply, "retry", house, not_before=house.clock.now + timedelta(minutes=10))
    assert ours(house, external_id=f"{reply.reference}#0123456789ab", reference=reply.reference) == ""
    reply.refresh_from_db()
    assert (Outbound.objects.get().state, reply.state) == ("sent", "sent")


def test_the_copy_of_one_reply_proves_no_other_of_the_same_words_or_of_files_alone(house: House) -> None:
    house.mail("Hello")
    first, second, files = (mail_reply(house, "Done.") for _each in range(3))
    settle(first, "sent", house, sent_at=house.clock.now)
    settle(second, "unknown", house, unknown_at=house.clock.now)
    settle(files, "unknown", house, unknown_at=house.clock.now)
    Message.objects.filter(pk=files.pk).update(text="")
    renamed(house, "Done.")
    assert [Message.objects.get(pk=one.pk).state for one in (second, files)] == ["unknown", "unknown"]
