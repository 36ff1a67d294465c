"""A message comes in: one ticket per customer, whatever the order and however often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from agents.models import HistoryEntry, Person
from channels.happenings import Address, InboundMessage
from channels.models import ChannelAccount
from customers.models import Customer, Identity
from tests.conftest import House
from tickets import access, acts, listing, threads, tidying
from tickets.models import Contact, Message, Relation, Sighting, State, Ticket
from tickets.queries import timeline

EVE = "eve@post.example"


def test_a_first_mail_makes_customer_ticket_contact_and_message(house: House) -> None:
    house.mail("Where is my parcel?")
    ticket = house.ticket()
    assert str(ticket.customer) == "Carla Hughes"
    assert (ticket.state, ticket.awaiting, ticket.queue) == ("open", "us", house.general)
    assert ticket.due_at == house.clock.now + timedelta(minutes=240)
    assert ticket.urgent_at == ticket.due_at
    assert ticket.last_words == "Where is my parcel?"
    assert ticket.surfaces == ["email"]
    contact = house.contact()
    assert (contact.entry_queue, contact.unanswered_since) == (house.general, house.clock.now)
    assert HistoryEntry.objects.get(act="ticket.opened").ticket_id == ticket.pk


def test_a_second_mail_of_the_same_customer_goes_on_the_same_ticket_as_a_contact_of_its_own(house: House) -> None:
    house.mail("One")
    house.clock.forward(minutes=5)
    house.mail("Two", author="Carla.Hughes@POST.example", subject="Something else")
    assert house.ticket().arrivals == 2
    assert Contact.objects.count() == 2
    assert Identity.objects.get().display == "carla.hughes@post.example"


def test_an_answer_to_a_known_mail_continues_its_contact_whatever_the_subject_says(house: House) -> None:
    first = house.mail("One")
    house.mail("Two", references=(first.reference,), subject="Changed")
    assert Contact.objects.count() == 1


def test_two_people_with_the_same_subject_stay_two(house: House) -> None:
    house.mail("One")
    house.mail("Two", author="tom@post.example", name="Tom Okafor")
    assert Ticket.objects.count() == 2


def test_the_same_mail_brought_by_two_mailboxes_is_one_message_with_two_sightings(house: House) -> None:
    mail = house.mail("One")
    house.receive(mail, account=house.billing_mailbox)
    house.receive(mail, account=house.billing_mailbox)
    assert Message.objects.count() == 1
    assert Sighting.objects.count() == 2
    assert house.ticket().queue == house.general


def test_a_live_ticket_is_not_moved_by_a_contact_in_another_queue_but_listed_there_too(house: House) -> None:
    house.mail("Parcel")
    house.mail("Bill", account=house.billing_mailbox)
    ticket = house.ticket()
    assert ticket.queue == house.general
    assert ticket.also_queue_ids == [house.billing.pk]
    assert ticket.reader_queue_ids == sorted([house.general.pk, house.billing.pk])


@pytest.mark.parametrize("state", ["waiting", "snoozed"])
def test_any_customer_message_makes_a_resting_ticket_open_again(house: House, state: str) -> None:
    house.mail("One")
    Ticket.objects.update(state=state, snoozed_until=house.clock.now + timedelta(days=1))
    house.mail("Two")
    ticket = house.ticket()
    assert (ticket.state, ticket.snoozed_until) == ("open", None)


def test_solved_then_writes_inside_the_window_reopens(house: House) -> None:
    house.mail("One")
    Ticket.objects.update(state="solved", solved_at=house.clock.now)
    house.clock.forward(days=6)
    house.mail("Two")
    ticket = house.ticket()
    assert (ticket.state, ticket.solved_at) == ("open", None)
    assert HistoryEntry.objects.filter(act="ticket.reopened").count() == 1


def test_solved_then_writes_after_the_window_begins_a_new_ticket_linked_to_the_previous(house: House) -> None:
    house.mail("One")
    Ticket.objects.update(state="solved", solved_at=house.clock.now)
    first = house.ticket()
    house.clock.forward(days=8)
    house.mail("Two")
    assert Ticket.objects.get(state="open").previous == first


def test_the_same_thread_on_a_later_ticket_is_a_new_contact_there(house: House) -> None:
    first = house.mail("One")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.mail("Two", references=(first.reference,), thread=first.thread)
    assert Contact.objects.count() == 2
    assert Ticket.objects.filter(state=State.OPEN).get().contacts.get().thread == first.thread


def test_a_reopened_ticket_keeps_an_owner_seen_within_eight_hours(house: House) -> None:
    house.mail("One")
    Ticket.objects.update(state="solved", solved_at=house.clock.now, owner=house.anna)
    house.clock.forward(hours=7)
    house.mail("Two")
    assert house.ticket().owner == house.anna


@pytest.mark.parametrize("gone", ["long away", "deactivated", "no agent any more"])
def test_a_reopened_ticket_without_its_owner_waits_in_its_queue(house: House, gone: str) -> None:
    house.mail("One")
    Ticket.objects.update(state="solved", solved_at=house.clock.now, owner=house.anna)
    if gone == "no agent any more":
        house.anna.is_agent = False
        house.anna.save()
    elif gone == "deactivated":
        house.anna.is_active = False
        house.anna.save()
        house.clock.forward(hours=1)
    else:
        house.clock.forward(hours=9)
    house.mail("Two")
    ticket = house.ticket()
    assert (ticket.owner, ticket.queue) == (None, house.general)


def test_somebody_in_copy_writes_into_the_contact_under_their_own_name(house: House) -> None:
    tom = Address(kind="email", value="tom@post.example", name="Tom Okafor")
    first = house.mail("One", participants=(tom,))
    house.mail("I am her neighbour", author="tom@post.example", name="Tom Okafor", references=(first.reference,))
    ticket, contact = house.ticket(), house.contact()
    said = house.message("I am her neighbour")
    assert (said.ticket, said.contact, said.customer) == (ticket, contact, ticket.customer)
    assert str(said.identity) == "tom@post.example"
    assert str(contact.identity) == "carla.hughes@post.example"


@pytest.mark.parametrize("how", ["token", "references"])
def test_a_stranger_who_quotes_a_thread_gets_a_ticket_of_their_own_and_a_link(house: House, how: str) -> None:
    first = house.mail("One")
    quoting = (
        {"references": (first.reference,)} if how == "references" else {"token": threads.token(house.contact().pk)}
    )
    house.mail("Give me her address", author="eve@elsewhere.example", name="Eve", **quoting)
    carla, eve = Ticket.objects.order_by("id")
    assert carla.customer != eve.customer
    assert carla.messages.count() == 1
    assert Relation.objects.get(ticket=eve).other == carla


def test_a_token_that_is_not_ours_names_nothing(house: House) -> None:
    house.mail("One")
    contact = house.contact().pk
    assert threads.contact_of_token(threads.token(contact)) == contact
    assert threads.contact_of_token(f"t{contact}.0000000000000000") is None
    assert threads.contact_of_token("t1") is None


def test_a_sender_without_a_usable_address_is_nameless_and_matches_nobody(house: House) -> None:
    for number in (1, 2):
        house.mail(f"Boo {number}", author="", name="")
    assert Customer.objects.count() == 2
    assert set(Identity.objects.values_list("kind", flat=True)) == {"nameless"}


def test_automatic_mail_joins_a_live_ticket_without_starting_a_clock(house: House) -> None:
    house.mail("One")
    Ticket.objects.update(state="waiting")
    Contact.objects.update(unanswered_since=None, due_at=None)
    house.mail("I am away until Monday", automatic="auto-submitted")
    ticket = house.ticket()
    assert (ticket.state, ticket.awaiting, ticket.due_at) == ("waiting", "customer", None)
    assert ticket.arrivals == 2


def test_automatic_mail_joins_a_solved_ticket_without_reopening_it(house: House) -> None:
    house.mail("One")
    Ticket.objects.update(state="solved", solved_at=house.clock.now)
    house.mail("I am away", automatic="auto-submitted")
    assert house.ticket().state == "solved"


def test_automatic_mail_without_a_ticket_is_filtered(house: House) -> None:
    mail = house.mail("Buy now", automatic="list", receive=False)
    assert house.receive(mail) == "automatic"
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("what", ["identity", "customer"])
def test_a_blocked_sender_is_filtered(house: House, what: str) -> None:
    house.mail("One")
    (Identity if what == "identity" else Customer).objects.update(blocked_at=house.clock.now)
    assert house.receive(house.mail("Two", receive=False)) == "blocked"
    assert Message.objects.count() == 1


def test_a_blocked_sender_in_copy_writes_on_nobodys_ticket(house: House) -> None:
    house.mail("Buy this", author=EVE, name="Eve")
    acts.block(person=house.anna, tickets=[house.ticket().pk], now=house.clock.now)
    asked = house.mail("Hello", participants=(Address(kind="email", value=EVE),))
    spam = house.mail("Buy this too", author=EVE, references=(asked.reference,), receive=False)
    assert house.receive(spam) == "blocked"
    # An address that became hers afterwards is hers all the same.
    work = "eve@work.example"
    house.mail("Hi", author=work, name="Eve at work")
    Identity.objects.filter(value=work).update(customer=Customer.objects.get(name="Eve"))
    house.mail("Eve?", references=(asked.reference,), participants=(Address(kind="email", value=work),))
    assert house.receive(house.mail("Buy", author=work, references=(asked.reference,), receive=False)) == "blocked"


def test_somebody_on_a_shared_address_is_blocked_with_the_address_and_let_through_with_it(house: House) -> None:
    info = "info@firm.example"
    house.mail("One", author=info, name="")
    Identity.objects.update(is_shared=True)
    house.mail("Two", author=info, name="")
    done = acts.block(person=house.anna, tickets=[Ticket.objects.latest("id").pk], now=house.clock.now)
    assert house.receive(house.mail("Three", author=info, receive=False)) == "blocked"
    acts.take_back(person=house.anna, token=done.undo, now=house.clock.now)
    assert house.receive(house.mail("Four", author=info, receive=False)) == ""


def test_one_customer_of_a_shared_address_who_is_blocked_blocks_nobody_else_on_it(house: House) -> None:
    info = "info@firm.example"
    house.mail("One", author=info)
    Identity.objects.update(is_shared=True)
    acts.block(person=house.anna, tickets=[house.ticket().pk], now=house.clock.now)
    assert house.receive(house.mail("Two", author=info, receive=False)) == ""


def test_a_blocked_customer_is_let_through_on_their_card_also_where_all_tickets_are_over(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Buy this")
    ticket = house.ticket()
    acts.block(person=house.anna, tickets=[ticket.pk], now=house.clock.now)
    tidying.close(now=house.clock.forward(days=8))
    door = f"/customers/{ticket.customer_id}/let-through/"
    assert sign_in(house.hana).post(door, {"ticket": ticket.pk}).status_code == 403
    assert house.receive(house.mail("Buy that", receive=False)) == "blocked"
    browser = sign_in(house.anna)
    assert f'action="{door}"' in browser.get(f"/t/{ticket.pk}/").content.decode()
    assert browser.post(door, {"ticket": ticket.pk}).headers["Location"] == f"/t/{ticket.pk}/"
    assert f'action="{door}"' not in browser.get(f"/t/{ticket.pk}/").content.decode()
    assert house.receive(house.mail("Sorry", receive=False)) == ""
    assert not Identity.objects.exclude(blocked_at=None).exists()


def test_group_messages_are_filtered(house: House) -> None:
    assert house.receive(replace(house.mail(receive=False), is_group=True)) == "group DM"


def test_said_is_never_later_than_received(house: House) -> None:
    house.mail("One", said_at=house.clock.now + timedelta(hours=3))
    assert Message.objects.get().said_at == house.clock.now


def test_a_late_older_message_takes_its_place_without_becoming_the_last_words(house: House) -> None:
    house.mail("New")
    house.mail("Old", said_at=house.clock.now - timedelta(hours=1))
    ticket = house.ticket()
    assert ticket.last_words == "New"
    assert ticket.unanswered_since == house.clock.now - timedelta(hours=1)
    assert list(Message.objects.order_by("said_at").values_list("text", flat=True)) == ["Old", "New"]


def test_words_of_a_confidential_queue_stay_out_of_the_list_columns(house: House) -> None:
    house.mail("A public matter")
    house.clock.forward(minutes=1)
    house.mail("My lawyer says", account=house.legal_mailbox, subject="Secret")
    ticket = house.ticket()
    assert ticket.last_words == "A public matter"
    assert ticket.also_queue_ids == [house.legal.pk]
    assert "Secret" not in ticket.subject


def test_posts_of_one_second_stand_in_the_order_of_their_numbers_at_x_whichever_comes_first(house: House) -> None:
    account = ChannelAccount.objects.create(
        kind="x", address="999", name="Acme Care", begins_at=house.clock.now, created_at=house.clock.now
    )
    # Of different lengths, as words they would sort the other way round.
    for number, text in (("1000", "third"), ("99", "first"), ("998", "second")):
        post = InboundMessage(
            channel_kind="x",
            surface="x:mention",
            external_id=number,
            thread="99",
            author=Address(kind="x_user", value="333"),
            said_at=house.clock.now,
            text=text,
        )
        house.receive(post, account=account)
    ticket = house.ticket()
    page = timeline.page(house.leo, access.rights(house.leo), ticket, now=house.clock.now)
    assert [entry.bubble.text for entry in page.entries if entry.bubble] == ["first", "second", "third"]
    assert ticket.last_words == "third"
    listing.rebuild(ticket)
    assert ticket.last_words == "third"
