"""What goes on from a contact that was moved by hand, and solved tickets beside a live one, when things are taken back.

Rows 2, 13 and 15 of docs/one-ticket.md.
"""

from __future__ import annotations

import pytest

from customers.models import Customer, Identity, Merge
from tests.conftest import House
from tests.tickets import soundness
from tickets import acts, merging, moving
from tickets.models import LIVE, Contact, ContactMove, Message, Ticket

ANN, BOB = "ann@post.example", "bob@post.example"
# Longer than any queue lets a solved ticket be opened again.
LONG = 60


@pytest.fixture
def two(house: House) -> House:
    """Ann and Bob with a ticket each, Ann's the older."""
    for author in (ANN, BOB):
        write(house, f"From {author}", author)
    return house


def write(house: House, text: str, author: str, *, after: str = "") -> Contact:
    """A mail, answering the one with the text `after`; its contact."""
    house.clock.forward(minutes=1)
    references = (Message.objects.get(text=after).reference,) if after else ()
    house.mail(text, author=author, name=author[:3].title(), references=references)
    return contact(text)


def contact(text: str) -> Contact:
    return Message.objects.select_related("contact__ticket").get(text=text).contact


def whose(value: str) -> Customer:
    return Identity.objects.get(value=value).customer


def give(house: House, text: str, to: Customer | None = None) -> ContactMove:
    house.clock.forward(minutes=1)
    return moving.move_contact(
        person=house.leo,
        contact_id=contact(text).pk,
        to_customer_id=to.pk if to else None,
        name="" if to else "Xenia",
        now=house.clock.now,
    )


def take_back(house: House, move: ContactMove) -> None:
    house.clock.forward(minutes=1)
    moving.take_back_move(person=house.leo, move_id=move.pk, now=house.clock.now)


def join(house: House, value: str, into: Customer) -> Merge:
    house.clock.forward(minutes=1)
    return merging.join(
        person=house.leo,
        identity_id=Identity.objects.get(value=value).pk,
        into_customer_id=into.pk,
        evidence=merging.BY_HAND,
        now=house.clock.now,
    )


def solve(house: House, ticket: Ticket) -> None:
    acts.solve(person=house.leo, tickets=[ticket.pk], now=house.clock.now)


def test_on_a_later_ticket_a_given_conversation_stays_with_whom_it_was_given_to(two: House) -> None:
    give(two, f"From {BOB}", whose(ANN))
    solve(two, contact(f"From {BOB}").ticket)
    two.clock.forward(days=LONG)
    later = write(two, "Bob again", BOB, after=f"From {BOB}")
    assert (later.customer, later.ticket.state) == (whose(ANN), "open")
    assert later != contact(f"From {BOB}")
    soundness.check(messages=3)
    # The mail after that goes the same way, and so do merges: what a person said outlives them.
    assert write(two, "And again", BOB, after="Bob again") == later
    merge = join(two, BOB, whose(ANN))
    merging.take_back(person=two.leo, merge_id=merge.pk, now=two.clock.now)
    later.refresh_from_db()
    assert later.customer == whose(ANN)
    soundness.check(messages=4)


def test_taken_back_the_move_lets_what_went_on_from_it_return_too(two: House) -> None:
    move = give(two, f"From {BOB}", whose(ANN))
    solve(two, contact(f"From {BOB}").ticket)
    two.clock.forward(days=LONG)
    write(two, "Bob again", BOB, after=f"From {BOB}")
    write(two, "Ann again", ANN)
    take_back(two, move)
    for text in (f"From {BOB}", "Bob again"):
        assert (contact(text).customer, contact(text).moved_by_hand_at) == (whose(BOB), None)
    assert contact("Ann again").customer == whose(ANN)
    assert write(two, "And again", BOB, after="Bob again").customer == whose(BOB)
    soundness.check(messages=5)


def test_a_solved_ticket_beside_a_live_one_takes_its_contact_back_and_stays_solved(two: House) -> None:
    write(two, "Another matter", ANN)
    solved = contact("Another matter").ticket
    solve(two, solved)
    join(two, BOB, whose(ANN))
    move = give(two, "Another matter")
    take_back(two, move)
    assert (contact("Another matter").ticket, contact("Another matter").ticket.state) == (solved, "solved")
    assert Ticket.objects.get(customer=whose(ANN), state__in=LIVE) == contact(f"From {BOB}").ticket
    soundness.check(messages=3)


def test_a_folded_ticket_comes_back_solved_where_its_customer_has_a_newer_live_one(two: House) -> None:
    folded = contact(f"From {BOB}").ticket
    merge = join(two, ANN, whose(BOB))
    folded.refresh_from_db()
    assert folded.state == "merged"
    solve(two, contact(f"From {BOB}").ticket)
    two.clock.forward(days=LONG)
    newer = write(two, "Bob again", BOB).ticket
    merging.take_back(person=two.leo, merge_id=merge.pk, now=two.clock.now)
    assert (contact(f"From {BOB}").ticket, contact(f"From {BOB}").ticket.state) == (folded, "solved")
    assert Ticket.objects.get(customer=whose(BOB), state__in=LIVE) == newer
    assert contact(f"From {ANN}").customer == whose(ANN)
    soundness.check(messages=3)
