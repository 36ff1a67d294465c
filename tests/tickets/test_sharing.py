"""Addresses that several people use: each contact begins with somebody new (docs/one-ticket.md, row 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from agents.models import HistoryEntry
from channels.happenings import Address, Call
from channels.models import ChannelAccount
from customers.models import Customer, Identity
from tests.conftest import NOW, House
from tests.tickets import soundness
from tickets import calls, merging, moving, sharing
from tickets.models import AccountFeed, Message, Ticket

OFFICE = "info@bakery.example"


def share(house: House, *, shared: bool = True) -> Identity:
    identity = Identity.objects.get(value=OFFICE)
    return sharing.mark_shared(person=house.anna, identity_id=identity.pk, shared=shared, now=house.clock.now)


def owner(text: str) -> Customer:
    return Message.objects.get(text=text).customer


@pytest.fixture
def office(house: House) -> House:
    """A bakery's address that one person has written from, marked as shared."""
    house.mail("First", author=OFFICE, name="Bakery")
    share(house)
    return house


def test_each_new_contact_begins_with_somebody_new(office: House) -> None:
    office.mail("From Rosa", author=OFFICE, name="Rosa")
    office.mail("From Luca", author=OFFICE, name="Luca")
    rosa, luca = owner("From Rosa"), owner("From Luca")
    assert (rosa.name, rosa.is_provisional, luca.name) == ("Rosa", True, "Luca")
    assert len({rosa, luca, owner("First")}) == 3
    assert Ticket.objects.count() == 3
    soundness.check(messages=3)


def test_a_thread_that_has_begun_goes_on_with_its_own_customer(office: House) -> None:
    office.mail("From Rosa", author=OFFICE, name="Rosa")
    office.mail("More", author=OFFICE, name="Rosa", references=("<mail-2@post.example>",))
    office.mail("First again", author=OFFICE, references=("<mail-1@post.example>",))
    assert owner("More") == owner("From Rosa")
    assert owner("First again") == owner("First")
    assert Ticket.objects.count() == 2


def test_silence_ends_a_contact_and_the_next_begins_with_somebody_new(house: House) -> None:
    def said(text: str) -> None:
        message = house.mail(
            text, receive=False, channel_kind="x", surface="x:dm", thread="1-2", external_id=text, reference=text
        )
        house.receive(replace(message, author=Address(kind="x_user", value="77", handle="bakery")))

    said("First")
    identity = Identity.objects.get(value="77")
    sharing.mark_shared(person=house.anna, identity_id=identity.pk, shared=True, now=house.clock.now)
    house.clock.forward(hours=1)
    said("Soon after")
    house.clock.forward(hours=30)
    said("Much later")
    assert owner("Soon after") == owner("First")
    assert owner("Much later") != owner("First")
    soundness.check(messages=3)


def test_choosing_who_it_is_moves_the_contact_and_the_thread_follows(office: House) -> None:
    office.mail("Rosa from home", author="rosa@post.example", name="Rosa Neri")
    office.mail("From Rosa", author=OFFICE, name="Rosa")
    rosa = owner("Rosa from home")
    moving.move_contact(
        person=office.anna,
        contact_id=Message.objects.get(text="From Rosa").contact_id,
        to_customer_id=rosa.pk,
        now=office.clock.now,
    )
    office.mail("More", author=OFFICE, references=("<mail-3@post.example>",))
    assert owner("More") == rosa
    soundness.check(messages=4)


def test_automatic_mail_makes_nobody(office: House) -> None:
    before = Customer.objects.count()
    message = office.mail("I am away", author=OFFICE, automatic="out-of-office", receive=False)
    assert office.receive(message) == "automatic"
    assert Customer.objects.count() == before


def test_an_address_that_is_one_persons_after_all_is_matched_again(office: House) -> None:
    share(office, shared=False)
    office.mail("Second", author=OFFICE, name="Bakery")
    assert owner("Second") == owner("First")
    assert Identity.objects.get(value=OFFICE).name == "Bakery"


def test_it_is_told_once_and_refused_to_strangers(office: House) -> None:
    share(office)
    assert HistoryEntry.objects.filter(act="customer.shared").count() == 1
    identity = Identity.objects.get(value=OFFICE)
    with pytest.raises(PermissionDenied):
        sharing.mark_shared(person=office.hana, identity_id=identity.pk, shared=False, now=office.clock.now)


def test_a_shared_address_is_joined_to_nobody(office: House) -> None:
    office.mail("Rosa from home", author="rosa@post.example")
    with pytest.raises(merging.CannotJoin):
        merging.join(
            person=office.anna,
            identity_id=Identity.objects.get(value=OFFICE).pk,
            into_customer_id=owner("Rosa from home").pk,
            evidence=merging.BY_HAND,
            now=office.clock.now,
        )


def test_a_company_is_a_customer_of_its_own_kind(office: House) -> None:
    customer = owner("First")
    for _twice in range(2):
        sharing.set_kind(person=office.anna, customer_id=customer.pk, kind="organisation", now=office.clock.now)
    customer.refresh_from_db()
    assert customer.kind == "organisation"
    assert HistoryEntry.objects.filter(act="customer.kind_set").count() == 1
    with pytest.raises(sharing.CannotShare):
        sharing.set_kind(person=office.anna, customer_id=customer.pk, kind="robot", now=office.clock.now)


def test_each_call_from_a_switchboard_is_somebody_new(house: House) -> None:
    line = ChannelAccount.objects.create(
        kind="phone", address="+442079460100", settings={"region": "GB"}, begins_at=NOW, created_at=NOW
    )
    AccountFeed.objects.create(account=line, queue=house.general)

    def ring(call_id: str, event: str = "new") -> None:
        house.clock.forward(minutes=1)
        call = Call(
            external_id=call_id,
            scope=line.address,
            event=event,
            direction="in",
            customer=Address(kind="phone", value="020 7946 0142", region="GB"),
            line=line.address,
            at=house.clock.now - timedelta(seconds=1),
        )
        with transaction.atomic():
            calls.receive(call, account_id=line.pk, now=house.clock.now)

    ring("one")
    identity = Identity.objects.get()
    sharing.mark_shared(person=house.anna, identity_id=identity.pk, shared=True, now=house.clock.now)
    ring("two")
    ring("two", "ended")
    ring("one", "ended")
    assert [customer.is_provisional for customer in Customer.objects.order_by("id")] == [False, True]
    assert Message.objects.get(external_id="two").customer.is_provisional
    soundness.check(messages=2)
