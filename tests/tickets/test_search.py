"""Search: people, addresses, numbers and words, never more than one may see."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest

from agents.models import Person
from customers.models import Identity
from tests.conftest import House
from tickets import access
from tickets.models import Message, Ticket
from tickets.queries import people
from tickets.queries import search as search_module
from tickets.queries.search import Found, search


def find(person: Person, text: str) -> list[int]:
    """The ids that a search finds for somebody."""
    return [hit.ticket_id for hit in look(person, text).hits]


def look(person: Person, text: str) -> Found:
    return search(person, access.rights(person), text)


@pytest.mark.parametrize(
    "text", ["Carla", "hughes", "carla.hughes@post", "machine", "MACHINE broken", "mach", "AC-48213", "order"]
)
def test_a_ticket_is_found_by_name_address_and_any_word(house: House, text: str) -> None:
    house.mail("My machine is broken. Order AC-48213", subject="My order")
    house.mail("Something else entirely", author="tom@post.example", name="Tom Okafor", subject="Hello")
    assert find(house.anna, text) == [Ticket.objects.earliest("id").pk]


def test_a_ticket_is_found_by_its_number(house: House) -> None:
    house.mail()
    assert find(house.anna, f"#{house.ticket().pk}") == [house.ticket().pk]


@pytest.mark.parametrize("number", ["020 7946 0142", "0044 20 7946 0142", "+44 (0)20 7946 0142", "7946 01"])
def test_a_ticket_is_found_by_a_telephone_number_however_it_is_written(house: House, number: str) -> None:
    house.mail()
    Identity.objects.update(kind="phone", value="+442079460142", display="+44 20 7946 0142")
    assert find(house.anna, number) == [house.ticket().pk]


def test_old_messages_are_found_as_well_as_new_ones(house: House) -> None:
    house.mail("The zebra escaped")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.clock.forward(days=400)
    house.mail("Another matter")
    assert find(house.anna, "zebra") == [Ticket.objects.earliest("id").pk]


def test_nobody_finds_what_they_may_not_see(house: House) -> None:
    house.mail("zebra")
    assert find(house.hana, "zebra") == []
    assert find(house.hana, "Carla") == []
    assert find(house.hana, f"#{house.ticket().pk}") == []


def test_what_is_mostly_others_hides_nothing_of_ones_own(house: House) -> None:
    house.mail("zebra", name="Zebra Hughes", author="zebra@post.example")
    house.mail("zebra", author="tom@post.example", account=house.billing_mailbox)
    mine, other = Ticket.objects.order_by("id")
    said = Message.objects.get(ticket=other)
    many = range(search_module.CANDIDATES + 5)
    Message.objects.bulk_create(
        [copied(said, external_id=f"<copy-{n}@post.example>", arrival=n + 2, pk=None) for n in many]
    )
    address = Identity.objects.get(customer_id=other.customer_id)
    Identity.objects.bulk_create(
        [copied(address, value=f"{n}@post.example", name="Zebra Okafor", pk=None) for n in many]
    )
    assert find(house.anna, "zebra") == [mine.pk]
    assert not look(house.anna, "zebra").more
    assert find(house.anna, "Zebra Hughes") == [mine.pk]
    assert [row.ticket_id for row in people.find(access.rights(house.anna), "zebra").rows] == [mine.pk]
    # Who sees them all is told that there are more than were looked at.
    assert look(house.leo, "zebra").more


def copied(row: Any, **changes: object) -> Any:
    """A row that is like another but for these columns, not written yet."""
    alike = copy(row)
    for name, value in changes.items():
        setattr(alike, name, value)
    return alike


def test_words_of_a_confidential_queue_are_found_only_by_those_who_serve_it(house: House) -> None:
    house.mail("Parcel")
    house.mail("zebra", account=house.legal_mailbox)
    assert find(house.anna, "zebra") == []
    assert find(house.leo, "zebra") == [house.ticket().pk]


@pytest.mark.parametrize("text", ["", " ", "a", "'", "!!", "a & | b", "\\", "x' or 1=1", "(:*", "🎉🎉", "%_%", "00000"])
def test_odd_input_finds_nothing_and_breaks_nothing(house: House, text: str) -> None:
    house.mail("Hello there")
    assert find(house.anna, text) == []


def test_a_search_costs_the_same_at_one_ticket_and_at_thirty(house: House, django_assert_num_queries: Any) -> None:
    have = access.rights(house.anna)
    house.mail("zebra", name="Zebra Hughes")
    with django_assert_num_queries(4):
        search(house.anna, have, "zebra")
    for number in range(30):
        house.mail("zebra", author=f"zebra-{number}@post.example", name=f"Zebra {number}")
    with django_assert_num_queries(4):
        found = search(house.anna, have, "zebra")
    assert (len(found.hits), found.more) == (20, True)
