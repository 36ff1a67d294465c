"""What stops a reply that was written before it: said in words, and never in words the author may not read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client

from agents.models import Person
from channels.happenings import Address, Call, Deleted, FilePart
from channels.models import ChannelAccount
from customers.models import Identity
from tests.conftest import House
from tickets import calls, notes, replies, versions
from tickets.models import AccountFeed, Contact, Message, Ticket


def answer(house: House, *, seen: int, **changes: object) -> Message:
    """Anna's answer to the latest contact, written when she had seen so much."""
    values: dict[str, object] = {
        "person": house.anna,
        "ticket_id": Ticket.objects.latest("id").pk,
        "contact_id": Contact.objects.latest("id").pk,
        "text": "We are looking into it.",
        "seen": seen,
        "now": house.clock.now,
    }
    with transaction.atomic():
        return replies.reply(**{**values, **changes})  # type: ignore[arg-type]


def test_what_stops_a_reply_is_named_by_its_queue_where_the_author_may_not_read_it(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Where is it?")
    seen, contact = house.ticket().arrivals, house.contact()
    house.mail("My salary complaint", account=house.legal_mailbox, subject="Salary")
    house.mail("Never mind", references=("<mail-1@post.example>",))
    with pytest.raises(replies.Conflict) as stopped:
        answer(house, seen=seen, contact_id=contact.pk)
    assert stopped.value.arrived == ("Something in Legal", "Never mind")
    path, body = f"/t/{house.ticket().pk}/reply/", {"contact": contact.pk, "text": "Hello", "seen": seen}
    assert "salary" not in sign_in(house.anna).post(path, body).content.decode().lower()
    with pytest.raises(replies.Conflict) as stopped:
        answer(house, seen=seen, contact_id=contact.pk, person=house.leo)
    assert stopped.value.arrived == ("My salary complaint", "Never mind")


def test_a_note_of_a_ticket_in_a_confidential_queue_stops_a_reply_unread(house: House) -> None:
    house.mail("Where is it?")
    Ticket.objects.update(queue=house.legal)
    with transaction.atomic():
        notes.write(person=house.leo, ticket_id=house.ticket().pk, text="She will be dismissed", now=house.clock.now)
    with pytest.raises(replies.Conflict) as stopped:
        answer(house, seen=1)
    assert stopped.value.arrived == ("Something in Legal",)


def test_a_call_a_picture_and_a_deletion_stop_a_reply_in_words(house: House) -> None:
    house.mail("Where is it?")
    seen, contact = house.ticket().arrivals, house.contact()
    line = ChannelAccount.objects.create(
        kind="phone", address="+442079460100", begins_at=house.clock.now, created_at=house.clock.now
    )
    AccountFeed.objects.create(account=line, queue=house.general)
    Identity.objects.create(
        customer=house.ticket().customer, kind="phone", value="+442079460999", first_seen_at=house.clock.now
    )
    call = Call(
        external_id="c1",
        scope=line.address,
        event="new",
        direction="in",
        customer=Address(kind="phone", value="+442079460999", region="GB"),
        line=line.address,
        at=house.clock.now,
    )
    with transaction.atomic():
        calls.receive(call, account_id=line.pk, now=house.clock.now)
    house.mail("", subject="", files=(FilePart(name="broken.jpg", content_type="image/jpeg", data=b"x"),))
    gone = house.mail("Never mind")
    with transaction.atomic():
        versions.deleted(
            Deleted(channel_kind="email", external_id=gone.external_id, deleted_at=house.clock.now),
            now=house.clock.now,
        )
    with pytest.raises(replies.Conflict) as stopped:
        answer(house, seen=seen, contact_id=contact.pk)
    assert stopped.value.arrived == ("Ringing …", "broken.jpg", "Deleted by the author")
