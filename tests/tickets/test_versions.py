"""Edits and deletions (docs/one-ticket.md, row 29)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from agents.models import Person
from channels.happenings import Address, Deleted, Edited, InboundMessage
from channels.models import ChannelAccount
from tests.conftest import House
from tickets import access, acts, replies, urgency, versions
from tickets.models import Contact, Message, MessageVersion
from tickets.queries import timeline
from tickets.targets import Targets


def post(house: House, text: str = "My machine is brokn", *, account: ChannelAccount | None = None) -> None:
    house.receive(
        InboundMessage(
            channel_kind="x",
            surface="x:mention",
            external_id="1990000000000000002",
            thread="1990000000000000002",
            author=Address(kind="x_user", value="3333333333", handle="carla_hughes", name="Carla"),
            said_at=house.clock.now,
            text=text,
            permalink="https://x.com/i/status/1990000000000000002",
        ),
        account=account,
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


def test_what_was_deleted_does_not_come_back_though_another_account_is_still_shown_it(house: House) -> None:
    post(house, "Oops")
    with transaction.atomic():
        gone = Deleted(channel_kind="x", external_id="1990000000000000002", deleted_at=house.clock.now)
        versions.deleted(gone, now=house.clock.now)
    before = house.ticket().arrivals
    post(house, "Oops", account=house.billing_mailbox)
    assert Message.objects.get().text == ""
    assert house.ticket().last_words == ""
    assert house.ticket().arrivals == before


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


def answer(house: House) -> Message:
    ticket = house.ticket()
    # post() came in by the mailbox, which no post goes out by.
    ChannelAccount.objects.filter(pk=house.mailbox.pk).update(kind="x")
    with transaction.atomic():
        return replies.reply(
            person=house.leo,
            ticket_id=ticket.pk,
            contact_id=house.contact().pk,
            text="We see",
            seen=ticket.arrivals,
            now=house.clock.now,
        )


def count_anew(house: House) -> str:
    """Whose turn it is once everything is counted again, as any act does."""
    ticket = house.ticket()
    urgency.recount(ticket, Targets.load())
    return ticket.awaiting


def test_an_edit_or_a_deletion_of_what_was_answered_asks_nothing_again(house: House) -> None:
    post(house)
    house.clock.forward(minutes=5)
    answer(house)
    house.clock.forward(hours=8)
    edit(house, "My machine is broken")
    assert count_anew(house) == "customer"
    with transaction.atomic():
        gone = Deleted(channel_kind="x", external_id="1990000000000000002", deleted_at=house.clock.now)
        versions.deleted(gone, now=house.clock.now)
    assert count_anew(house) == "customer"


def test_an_edit_of_what_needs_no_reply_needs_none_either(house: House) -> None:
    post(house, "Thanks")
    acts.no_reply_needed(person=house.leo, tickets=[house.ticket().pk], reason="thanks", now=house.clock.now)
    edit(house, "Thanks!")
    assert count_anew(house) == "customer"


def test_an_edit_of_our_own_words_answers_nothing_that_was_asked_after_them(house: House) -> None:
    post(house)
    house.clock.forward(minutes=5)
    message = answer(house)
    Message.objects.filter(pk=message.pk).update(state="sent", external_id="1990000000000000005")
    house.clock.forward(minutes=1)
    house.receive(
        InboundMessage(
            channel_kind="x",
            surface="x:mention",
            external_id="1990000000000000007",
            thread="1990000000000000002",
            author=Address(kind="x_user", value="3333333333", handle="carla_hughes", name="Carla"),
            said_at=house.clock.now,
            text="Still broken",
        )
    )
    edit(house, "We see it", previous_id="1990000000000000005")
    assert count_anew(house) == "us"


def test_who_has_not_seen_an_edit_is_told_what_it_says_now(house: House) -> None:
    post(house)
    seen = house.ticket().arrivals
    edit(house, "Mended, thank you")
    with pytest.raises(replies.Conflict) as stopped, transaction.atomic():
        replies.reply(
            person=house.leo,
            ticket_id=house.ticket().pk,
            contact_id=house.contact().pk,
            text="We see",
            seen=seen,
            now=house.clock.now,
        )
    assert stopped.value.arrived == ("Mended, thank you",)
    # Having seen it, nothing stops the answer any more.
    assert answer(house).state == "queued"


def test_the_bubble_shows_what_it_said_before_also_after_a_deletion(
    house: House, sign_in: Callable[[Person], Client], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    post(house, "My machine is <b>brokn</b>")
    have, ticket = access.rights(house.leo), house.ticket()
    with CaptureQueriesContext(connection) as plain:
        timeline.page(house.leo, have, ticket, now=house.clock.now)
    house.clock.forward(minutes=1)
    edit(house, "My machine is broken")
    house.clock.forward(minutes=1)
    with transaction.atomic():
        gone = Deleted(channel_kind="x", external_id="1990000000000000002", deleted_at=house.clock.now)
        versions.deleted(gone, now=house.clock.now)
    with django_assert_num_queries(len(plain) + 1):
        page = timeline.page(house.leo, have, ticket, now=house.clock.now)
    (bubble,) = [entry.bubble for entry in page.entries if entry.bubble]
    assert [(each.text, each.until) for each in bubble.versions] == [
        ("My machine is broken", house.clock.now),
        ("My machine is <b>brokn</b>", house.clock.now - timedelta(minutes=1)),
    ]
    shown = sign_in(house.leo).get(f"/t/{ticket.pk}/").content.decode()
    assert "Deleted by the author" in shown
    assert "What it said before" in shown
    assert "Open there" not in shown
    assert "My machine is &lt;b&gt;brokn&lt;/b&gt;" in shown


def test_earlier_words_of_a_confidential_queue_stay_hidden_with_it(house: House) -> None:
    house.mail("Plain")
    secret = house.mail("My salary", account=house.legal_mailbox)
    changed = Edited(
        channel_kind="email", external_id=secret.external_id, text="My pay", edited_at=house.clock.now
    )
    with transaction.atomic():
        versions.edited(changed, now=house.clock.now)
    page = timeline.page(house.anna, access.rights(house.anna), house.ticket(), now=house.clock.now)
    assert not any(entry.bubble.versions for entry in page.entries if entry.bubble)
    assert "salary" not in str(page)
