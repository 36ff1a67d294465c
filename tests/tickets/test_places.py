"""Answers in public stand below something that can be deleted; then another way is offered (row 29)."""

from __future__ import annotations

import pytest
from django.db import transaction

from channels.happenings import Address, Deleted, DeliveryReceipt, InboundMessage
from channels.models import ChannelAccount, Outbound
from tests.conftest import NOW, House
from tickets import access, drafts, outgoing, places, receipts, replies, versions
from tickets.models import Contact, Message, Ticket
from tickets.queries import ticket as pages
from tickets.rows import Recipient

CARLA = {
    "x": Address(kind="x_user", value="3333333333", handle="carla_hughes", name="Carla"),
    "facebook": Address(kind="fb_commenter", value="7000000000000123", scope="1088800000000001", name="Carla"),
}
SURFACE = {"x": "x:mention", "facebook": "facebook:comment"}


@pytest.fixture(params=("x", "facebook"))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def account(kind: str) -> ChannelAccount:
    address = {"x": "1111111111", "facebook": "1088800000000001"}[kind]
    made, _new = ChannelAccount.objects.get_or_create(
        kind=kind, address=address, defaults={"name": "Acme Care", "begins_at": NOW, "created_at": NOW}
    )
    return made


def say(house: House, kind: str, number: str, *, thread: str = "100", author: Address | None = None) -> None:
    house.clock.forward(minutes=1)
    given = InboundMessage(
        channel_kind=kind,
        surface=SURFACE[kind],
        external_id=number,
        thread=thread,
        author=author or CARLA[kind],
        said_at=house.clock.now,
        text=f"Words {number}",
    )
    house.receive(given, account=account(kind))


def delete(house: House, kind: str, number: str) -> None:
    with transaction.atomic():
        versions.deleted(
            Deleted(channel_kind=kind, external_id=number, deleted_at=house.clock.now), now=house.clock.now
        )


def shown(house: House, ticket: Ticket | None = None) -> tuple[list[Recipient], str]:
    """The ways to answer, and the one that is chosen."""
    found = ticket or Ticket.objects.latest("id")
    page = pages.page(house.leo, access.rights(house.leo), found, now=house.clock.now)
    assert page.composer is not None
    return list(page.composer.recipients), page.composer.chosen


def answer(house: House, contact: Contact | None = None) -> Message:
    contact = contact or house.contact()
    with transaction.atomic():
        return replies.reply(
            person=house.leo,
            ticket_id=contact.ticket_id,
            contact_id=contact.pk,
            text="We see",
            seen=contact.ticket.arrivals,
            now=house.clock.now,
        )


def told(house: House, message: Message, state: str, code: str = "") -> None:
    """What came of sending it."""
    row = Outbound.objects.filter(reference=receipts.reference(message.pk))
    row.update(state=state, sent_at=house.clock.now if state == "sent" else None)
    receipt = DeliveryReceipt(
        state=state,  # type: ignore[arg-type]
        at=house.clock.now,
        reference=receipts.reference(message.pk),
        code=code,
    )
    with transaction.atomic():
        receipts.apply(receipt, now=house.clock.now)


def test_where_all_was_deleted_the_next_way_is_offered_and_an_answer_is_refused(house: House, kind: str) -> None:
    say(house, kind, "100")
    delete(house, kind, "100")
    (way,), chosen = shown(house)
    assert (way.closed, chosen) == (places.words(), "note")
    with pytest.raises(outgoing.CannotReply, match="deleted at the network"):
        answer(house)
    assert not Outbound.objects.exists()


def test_another_channel_is_chosen_where_the_post_was_deleted(house: House) -> None:
    say(house, "x", "100")
    direct = InboundMessage(
        channel_kind="x",
        surface="x:dm",
        external_id="dm:1",
        thread="3333333333",
        author=CARLA["x"],
        said_at=house.clock.now,
        text="In private",
    )
    house.receive(direct, account=account("x"))
    delete(house, "x", "100")
    ways, chosen = shown(house)
    by_surface = {way.surface.name: way for way in ways}
    assert by_surface["x:mention"].closed
    assert chosen == by_surface["x:dm"].key


def test_half_written_words_do_not_become_public_by_themselves(house: House) -> None:
    direct = InboundMessage(
        channel_kind="x",
        surface="x:dm",
        external_id="dm:1",
        thread="3333333333",
        author=CARLA["x"],
        said_at=house.clock.now,
        text="In private",
    )
    house.receive(direct, account=account("x"))
    say(house, "x", "100")
    ways, chosen = shown(house)
    by_surface = {way.surface.name: way for way in ways}
    assert chosen == by_surface["x:mention"].key
    drafts.save(
        person=house.leo,
        ticket_id=Ticket.objects.latest("id").pk,
        kind="reply",
        text="Your code is",
        now=house.clock.now,
    )
    assert shown(house)[1] == by_surface["x:dm"].key


def test_two_threads_that_are_called_the_same_are_told_apart_by_when_they_began(house: House, kind: str) -> None:
    say(house, kind, "100")
    say(house, kind, "200", thread="200")
    assert [way.apart for way in shown(house)[0]] == ["15:02", "15:01"]


def test_an_answer_on_x_stands_below_the_latest_words_that_are_still_there(house: House) -> None:
    say(house, "x", "100")
    say(house, "x", "101")
    delete(house, "x", "101")
    (way,), _chosen = shown(house)
    assert way.closed == ""
    answer(house)
    assert Outbound.objects.get().payload["parent_id"] == "100"


def test_a_comment_falls_with_the_one_it_stands_below_whoever_wrote_that(house: House) -> None:
    tom = Address(kind="fb_commenter", value="7000000000000999", scope="1088800000000001", name="Tom")
    say(house, "facebook", "100", author=tom)
    say(house, "facebook", "101")
    carla = Ticket.objects.latest("id")
    assert shown(house, carla)[0][0].closed == ""
    delete(house, "facebook", "100")
    assert shown(house, carla)[0][0].closed == places.words()


def test_what_the_network_says_is_gone_is_not_offered_again_until_the_customer_says_more(
    house: House, kind: str
) -> None:
    say(house, kind, "100")
    told(house, answer(house), "failed", "gone")
    assert shown(house)[0][0].closed == places.words()
    say(house, kind, "101")
    assert shown(house)[0][0].closed == ""


def test_what_was_hidden_for_a_while_is_offered_again_once_an_answer_got_through(house: House, kind: str) -> None:
    say(house, kind, "100")
    message = answer(house)
    told(house, message, "failed", "gone")
    told(house, message, "sent")
    assert shown(house)[0][0].closed == ""


def test_another_failure_takes_no_place_away(house: House, kind: str) -> None:
    say(house, kind, "100")
    told(house, answer(house), "failed", "duplicate")
    assert shown(house)[0][0].closed == ""
