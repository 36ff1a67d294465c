"""Choosing whose it is, on the page: found, previewed, joined, moved, shared, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import Person
from customers.models import Customer, Identity, Merge
from tests.conftest import House
from tests.tickets.rendered import Page
from tickets import access
from tickets.models import Contact, ContactMove, Message, Ticket
from tickets.queries import people

SignIn = Callable[[Person], Client]
HOME, WORK = "carla.hughes@post.example", "ch@work.example"


@pytest.fixture
def two(house: House) -> House:
    """Carla wrote from home, then, as somebody else, from work; and somebody only Billing sees."""
    house.mail("From home")
    house.clock.forward(minutes=1)
    house.mail("From work", author=WORK, name="C. Hughes (work)")
    house.mail("A bill", author="hughes@bills.example", name="Bill Hughes", account=house.billing_mailbox)
    return house


def found(person: Person, text: str, **given: Any) -> list[str]:
    return [row.name for row in people.find(access.rights(person), text, **given).rows]


def identity(address: str) -> Identity:
    return Identity.objects.get(value=address)


@pytest.mark.parametrize("text", ["Carla", "carla", "hughes@post", "HUGHES@POST.example", "rla hug"])
def test_a_customer_is_found_by_name_and_address(two: House, text: str) -> None:
    assert found(two.anna, text) == ["Carla Hughes"]


def test_a_customer_is_found_by_number_and_handle(two: House) -> None:
    Identity.objects.filter(value=WORK).update(handle="carla_works", value="+442079460142", display="+44 20 7946 0142")
    assert found(two.anna, "@carla_works") == ["C. Hughes (work)"]
    for number in ("020 7946 0142", "0044 20 7946 0142", "+44 (0)20 7946 0142", "sip:+442079460142@pbx.acme.example"):
        assert found(two.anna, number) == ["C. Hughes (work)"]


def test_nobody_finds_whom_they_may_not_see_or_whom_they_choose_for(two: House) -> None:
    assert found(two.anna, "hughes") == ["C. Hughes (work)", "Carla Hughes"]
    assert found(two.hana, "hughes") == ["Bill Hughes"]
    assert "Carla Hughes" not in found(two.leo, "hughes", without=identity(HOME).customer_id)
    assert people.find(access.rights(two.anna), "c").too_short


def test_a_search_costs_as_much_for_fifty_as_for_one(two: House) -> None:
    have = access.rights(two.leo)
    with CaptureQueriesContext(connection) as at_one:
        people.find(have, "Carla")
    for number in range(50):
        two.mail("Hello", author=f"h{number}@post.example", name=f"Hughes {number}")
    with CaptureQueriesContext(connection) as at_fifty:
        choice = people.find(have, "Hughes")
    assert len(at_fifty) == len(at_one) == 4
    assert (len(choice.rows), choice.more) == (people.LIMIT, True)


def test_an_address_is_joined_in_three_steps_and_taken_back_from_the_card(two: House, sign_in: SignIn) -> None:
    browser, work, carla = sign_in(two.anna), identity(WORK), identity(HOME).customer
    card = browser.get(f"/t/{Ticket.objects.get(customer=work.customer).pk}/").content.decode()
    assert f"/identities/{work.pk}/join/" in card
    results = browser.get(f"/identities/{work.pk}/join/?q=carla", headers={"HX-Request": "true"})
    assert f"/identities/{work.pk}/join/{carla.pk}/" in results.content.decode()
    preview = browser.get(f"/identities/{work.pk}/join/{carla.pk}/").content.decode()
    assert "becomes part of the older" in preview
    Page(preview)
    done = browser.post(f"/identities/{work.pk}/join/{carla.pk}/", follow=True)
    merge = Merge.objects.get()
    page = done.content.decode()
    Page(page)
    assert "Joined by you," in page
    assert f"/merges/{merge.pk}/take-back/" in page
    shown = Ticket.objects.get(customer=carla, state="open")
    back = browser.post(f"/merges/{merge.pk}/take-back/", {"ticket": shown.pk}, follow=True)
    assert "Joined by" not in back.content.decode()
    assert Message.objects.get(text="From work").customer == work.customer


def test_namesakes_are_told_apart_by_the_networks_they_are_on(two: House, sign_in: SignIn) -> None:
    Identity.objects.filter(value=HOME).update(kind="fb_commenter", value="a-comment", display="Carla Hughes")
    Identity.objects.filter(value=WORK).update(kind="fb_psid", value="a-message", display="Carla Hughes")
    Customer.objects.filter(name="C. Hughes (work)").update(name="Carla Hughes")
    page = sign_in(two.leo).get(f"/identities/{identity('hughes@bills.example').pk}/join/?q=carla").content.decode()
    Page(page)
    assert [page.count(f"channel--{kind}") for kind in ("facebook", "messenger", "email")] == [1, 1, 0]


def test_a_number_of_nobody_in_particular_is_not_said_to_be_its_own(two: House, sign_in: SignIn) -> None:
    browser, work, carla = sign_in(two.anna), identity(WORK), identity(HOME).customer
    Customer.objects.filter(pk=work.customer_id).update(name="", called="+44 20 7946 0142")
    Identity.objects.filter(pk=work.pk).update(kind="phone", value="+442079460142", display="+44 20 7946 0142")
    for page in (f"/identities/{work.pk}/join/", f"/identities/{work.pk}/join/{carla.pk}/"):
        html = browser.get(page).content.decode()
        assert "+44 20 7946 0142, so far nobody’s by name" in html
        assert "longer to +44" not in html


def test_a_contact_is_given_to_somebody_and_taken_back(two: House, sign_in: SignIn) -> None:
    browser, carla = sign_in(two.anna), identity(HOME).customer
    contact = Message.objects.get(text="From work").contact
    page = browser.get(f"/t/{contact.ticket_id}/").content.decode()
    assert f"/contacts/{contact.pk}/move/" in page
    Page(browser.get(f"/contacts/{contact.pk}/move/?q=carla").content.decode())
    done = browser.post(f"/contacts/{contact.pk}/move/", {"customer": carla.pk}, follow=True)
    move = ContactMove.objects.get()
    assert f"/moves/{move.pk}/take-back/" in done.content.decode()
    browser.post(f"/moves/{move.pk}/take-back/", {"ticket": move.to_ticket_id})
    contact.refresh_from_db()
    assert contact.ticket_id == move.from_ticket_id


def test_a_contact_is_given_to_somebody_new(two: House, sign_in: SignIn) -> None:
    browser, contact = sign_in(two.anna), Message.objects.get(text="From work").contact
    answer = browser.post(f"/contacts/{contact.pk}/move/", {"name": "  "})
    assert answer.status_code == 422
    assert "type a name" in answer.content.decode()
    browser.post(f"/contacts/{contact.pk}/move/", {"name": "Grandmother Hughes"})
    assert Contact.objects.get(pk=contact.pk).customer.name == "Grandmother Hughes"


def test_an_address_is_marked_as_shared_and_a_customer_as_an_organisation(two: House, sign_in: SignIn) -> None:
    browser, work = sign_in(two.anna), identity(WORK)
    ticket = Ticket.objects.get(customer=work.customer)
    page = browser.post(f"/identities/{work.pk}/shared/", {"shared": "1", "ticket": ticket.pk}, follow=True)
    assert "Used by one person only" in page.content.decode()
    assert "Shared: whoever writes or calls from there next begins as somebody new." in page.content.decode()
    page = browser.post(
        f"/customers/{work.customer_id}/kind/", {"kind": "organisation", "ticket": ticket.pk}, follow=True
    )
    assert "Mark as a person" in page.content.decode()
    assert "Marked as an organisation." in page.content.decode()
    acts = [browser.post("/act/block/", {"ticket": ticket.pk, "blocked": blocked}).json() for blocked in ("1", "0")]
    assert [act["words"] for act in acts] == [
        "The sender is blocked, and the ticket solved.",
        "The sender is let through again.",
    ]
    refused = browser.post(f"/identities/{work.pk}/join/{identity(HOME).customer_id}/")
    assert refused.status_code == 422
    assert "Several people use this address" in refused.content.decode()


def test_strangers_and_mere_admins_are_kept_out(two: House, sign_in: SignIn) -> None:
    work, contact = identity(WORK), Message.objects.get(text="From work").contact
    carla = identity(HOME).customer_id
    for person in (two.hana, two.ada):
        browser = sign_in(person)
        assert browser.get(f"/identities/{work.pk}/join/").status_code == 403
        assert browser.get(f"/identities/{work.pk}/join/{carla}/").status_code == 403
        assert browser.post(f"/identities/{work.pk}/join/{carla}/").status_code == 403
        assert browser.get(f"/contacts/{contact.pk}/move/").status_code == 403
        assert browser.post(f"/contacts/{contact.pk}/move/", {"name": "X"}).status_code == 403
        assert browser.post(f"/identities/{work.pk}/shared/", {"shared": "1"}).status_code == 403
        assert browser.post(f"/customers/{carla}/kind/", {"kind": "organisation"}).status_code == 403
    assert not Merge.objects.exists()
    assert not ContactMove.objects.exists()
    assert Customer.objects.count() == 3


def test_odd_numbers_are_refused_without_harm(two: House, sign_in: SignIn) -> None:
    browser = sign_in(two.anna)
    assert browser.get("/identities/999999/join/").status_code == 404
    assert browser.post("/merges/999999/take-back/").status_code == 404
    assert browser.post("/moves/999999/take-back/").status_code == 404
    contact = Message.objects.get(text="From work").contact
    assert browser.post(f"/contacts/{contact.pk}/move/", {"customer": "one"}).status_code == 400
    assert browser.post(f"/contacts/{contact.pk}/move/", {"customer": "9" * 30}).status_code == 400
