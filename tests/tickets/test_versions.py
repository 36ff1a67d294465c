"""Edits and deletions (docs/one-ticket.md, row 29)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from channels.happenings import Address, Deleted, Edited, InboundMessage
from tests.conftest import House
from tickets import replies, versions
from tickets.models import Contact, Message, MessageVersion


def post(house: House, text: str = "My machine is brokn") -> None:
    house.receive(
        InboundMessage(
            channel_kind="x",
            surface="x:mention",
            external_id="1990000000000000002",
            thread="1990000000000000002",
            author=Address(kind="x_user", value="3333333333", handle="carla_hughes", name="Carla"),
            said_at=house.clock.now,
            text=text,
        )
    )


def edit(house: House, text: str, **changes: object) -> str:
    values: dict[str, object] = {
        "channel_kind": "x",
        "external_id": "1990000000000000009",
        "previous_id": "1990000000000000002",
        "text": text,
        "edited_at": house.clock.now,
    }
    with transaction.atomic():
        return versions.edited(Edited(**{**values, **changes}), now=house.clock.now).reason  # type: ignore[arg-type]


def test_an_edit_changes_the_text_in_place_and_keeps_what_was_said_before(house: House) -> None:
    post(house)
    house.clock.forward(minutes=1)
    edit(house, "My machine is broken")
    message = Message.objects.get()
    assert (message.text, message.external_id, message.edited_at) == (
        "My machine is broken",
        "1990000000000000002",
        house.clock.now,
    )
    assert MessageVersion.objects.get().text == "My machine is brokn"
    assert house.ticket().last_words == "My machine is broken"


def test_an_edit_told_twice_or_late_is_applied_once(house: House) -> None:
    post(house)
    house.clock.forward(minutes=2)
    edit(house, "Third")
    edit(house, "Third")
    edit(house, "Second", edited_at=house.clock.now - timedelta(minutes=1))
    assert Message.objects.get().text == "Third"
    assert MessageVersion.objects.count() == 1


def test_a_deletion_is_marked_once_and_its_words_are_kept(house: House) -> None:
    post(house, "Oops")
    gone = Deleted(channel_kind="x", external_id="1990000000000000002", deleted_at=house.clock.now)
    for _twice in range(2):
        with transaction.atomic():
            versions.deleted(gone, now=house.clock.now)
    message = Message.objects.get()
    assert (message.text, message.deleted_at) == ("", house.clock.now)
    assert MessageVersion.objects.get().text == "Oops"


def test_what_nobody_knows_is_filtered_with_its_reason(house: House) -> None:
    assert edit(house, "What") == "an edit of nothing we know"


def test_an_edit_stops_a_reply_that_was_written_before_it(house: House) -> None:
    post(house)
    seen = house.ticket().arrivals
    edit(house, "Do not answer this")
    with pytest.raises(replies.Conflict), transaction.atomic():
        replies.reply(
            person=house.leo,
            ticket_id=house.ticket().pk,
            contact_id=Contact.objects.get().pk,
            text="We see",
            seen=seen,
            now=house.clock.now,
        )
