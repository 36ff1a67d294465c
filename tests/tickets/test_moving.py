"""One contact goes to another customer by hand, outlives merges, and can be taken back (docs/one-ticket.md, row 13)."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from agents.models import HistoryEntry
from customers.models import Customer, Identity
from tests.conftest import House
from tests.tickets import soundness
from tests.tickets.test_merging import (
    CARLA,
    CARLA_WORK,
    TOM,
    answer,
    back,
    customer,
    identity,
    join,
    ticket,
    two,
    write,
)
from tickets import acts, moving
from tickets.models import Contact, ContactMove, Message, Ticket

__all__ = ["two"]


def contact(text: str) -> Contact:
    return Message.objects.get(text=text).contact


def move(house: House, text: str, into: Customer | None = None, *, name: str = "") -> ContactMove:
    house.clock.forward(minutes=1)
    return moving.move_contact(
        person=house.anna,
        contact_id=contact(text).pk,
        to_customer_id=into.pk if into else None,
        name=name,
        now=house.clock.now,
    )


def undo(house: House, what: ContactMove) -> None:
    house.clock.forward(minutes=1)
    moving.take_back_move(person=house.anna, move_id=what.pk, now=house.clock.now)


def test_the_contact_goes_to_the_live_ticket_and_the_emptied_one_leads_there(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    before = soundness.picture()
    done = move(two, "From work", customer(CARLA))
    young.refresh_from_db()
    assert (young.state, young.merged_into) == ("merged", old)
    assert contact("From work").ticket == old
    assert contact("From work").moved_by_hand_at == two.clock.now
    # The address itself stays where it is: that is a second, explicit act.
    assert customer(CARLA_WORK) != customer(CARLA)
    soundness.check(messages=2)
    undo(two, done)
    assert soundness.picture() == before
    assert contact("From work").moved_by_hand_at is None
    undo(two, done)
    assert soundness.picture() == before
    soundness.check(messages=2)


def test_one_of_several_contacts_goes_and_the_others_stay(two: House) -> None:
    write(two, "Another matter from work", CARLA_WORK)
    source = ticket(CARLA_WORK)
    done = move(two, "From work", customer(CARLA))
    assert contact("Another matter from work").ticket == source
    assert ticket(CARLA_WORK) == source
    soundness.check(messages=3)
    undo(two, done)
    assert contact("From work").ticket == source
    soundness.check(messages=3)


def test_a_new_customer_gets_a_ticket_of_their_own_in_the_same_queue(two: House) -> None:
    acts.move(person=two.leo, tickets=[ticket(CARLA_WORK).pk], queue_id=two.general.pk, now=two.clock.now)
    source = ticket(CARLA_WORK)
    done = move(two, "From work", name="  Grandmother Hughes ")
    made = contact("From work").ticket
    assert (made.customer.name, made.queue, made.state) == ("Grandmother Hughes", source.queue, "open")
    source.refresh_from_db()
    assert source.merged_into == made
    undo(two, done)
    assert contact("From work").ticket == source
    made.refresh_from_db()
    assert (made.state, made.merged_into) == ("merged", source)
    soundness.check(messages=2)


def test_the_conversation_goes_on_where_the_contact_is(two: House) -> None:
    move(two, "From work", customer(CARLA))
    write(two, "Work again", CARLA_WORK, references=("<mail-2@post.example>",))
    assert contact("Work again") == contact("From work")
    write(two, "Something else", CARLA_WORK)
    assert contact("Something else").customer == customer(CARLA_WORK)
    soundness.check(messages=4)


def test_a_moved_contact_outlives_merges_and_their_taking_back(two: House) -> None:
    write(two, "Tom here", TOM)
    merge = join(two, CARLA_WORK, customer(CARLA))
    move(two, "From work", customer(TOM))
    write(two, "Another matter from work", CARLA_WORK)
    back(two, merge)
    assert contact("From work").ticket == ticket(TOM)
    assert contact("Another matter from work").customer == customer(CARLA_WORK)
    soundness.check(messages=4)
    again = join(two, CARLA_WORK, customer(CARLA))
    assert contact("From work").ticket == ticket(TOM)
    back(two, again)
    assert contact("From work").ticket == ticket(TOM)
    soundness.check(messages=4)


def test_taken_back_it_returns_to_whom_its_identity_belongs_by_then(two: House) -> None:
    write(two, "Tom here", TOM)
    done = move(two, "From work", customer(TOM))
    join(two, CARLA_WORK, customer(CARLA))
    undo(two, done)
    assert contact("From work").customer == customer(CARLA)
    soundness.check(messages=3)


def test_what_was_moved_on_since_is_not_taken_back(two: House) -> None:
    write(two, "Tom here", TOM)
    first = move(two, "From work", customer(CARLA))
    second = move(two, "From work", customer(TOM))
    with pytest.raises(moving.CannotMove):
        undo(two, first)
    undo(two, second)
    undo(two, first)
    assert contact("From work").ticket == ticket(CARLA_WORK)
    soundness.check(messages=3)


def test_a_reply_goes_with_its_contact_and_answers_nothing_new(two: House) -> None:
    answer(two, "Here you are", contact("From work"))
    move(two, "From work", customer(CARLA))
    assert ticket(CARLA).awaiting == "us"
    assert contact("From work").unanswered_since is None
    soundness.check(messages=3)


def test_a_contact_of_a_solved_ticket_gets_an_equal_one(two: House) -> None:
    acts.solve(person=two.anna, tickets=[ticket(CARLA_WORK).pk], now=two.clock.now)
    move(two, "From work", name="Grandmother Hughes")
    assert contact("From work").ticket.state == "solved"
    soundness.check(messages=2)


def test_history_tells_on_both_tickets_and_customers_and_holds_no_name(two: House) -> None:
    tickets = {ticket(CARLA).pk, ticket(CARLA_WORK).pk}
    move(two, "From work", customer(CARLA))
    entries = HistoryEntry.objects.filter(act="ticket.contact_moved")
    assert set(entries.values_list("ticket_id", flat=True)) == tickets
    assert HistoryEntry.objects.filter(act="customer.contact_moved").count() == 2
    assert "Hughes" not in str(list(HistoryEntry.objects.values_list("data", flat=True)))


def test_refusals(two: House) -> None:
    write(two, "A bill", TOM, account=two.billing_mailbox)
    with pytest.raises(moving.CannotMove):
        move(two, "From work")
    with pytest.raises(moving.CannotMove):
        move(two, "From work", customer(CARLA_WORK))
    with pytest.raises(PermissionDenied):
        move(two, "From work", customer(TOM))
    with pytest.raises(PermissionDenied):
        move(two, "A bill", customer(CARLA))
    with pytest.raises(Http404):
        moving.move_contact(person=two.anna, contact_id=10**9, name="X", now=two.clock.now)
    assert ContactMove.objects.count() == 0
    assert Ticket.objects.filter(state="merged").count() == 0


def test_nobody_hidden_by_a_confidential_queue_is_moved(two: House) -> None:
    write(two, "About my lawyer", CARLA_WORK, account=two.legal_mailbox)
    with pytest.raises(PermissionDenied):
        move(two, "About my lawyer", customer(CARLA))


def test_the_second_act_makes_the_address_theirs(two: House) -> None:
    move(two, "From work", customer(CARLA))
    join(two, CARLA_WORK, customer(CARLA))
    assert Identity.objects.get(value=CARLA_WORK).customer == customer(CARLA)
    assert identity(CARLA).customer == customer(CARLA)
    write(two, "Something else", CARLA_WORK)
    assert contact("Something else").ticket == ticket(CARLA)
    soundness.check(messages=3)
