"""Search: people, addresses, numbers and words, never more than one may see."""

from __future__ import annotations

import pytest

from agents.models import Person
from tests.conftest import House
from tickets import access
from tickets.models import Ticket
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


def test_words_of_a_confidential_queue_are_found_only_by_those_who_serve_it(house: House) -> None:
    house.mail("Parcel")
    house.mail("zebra", account=house.legal_mailbox)
    assert find(house.anna, "zebra") == []
    assert find(house.leo, "zebra") == [house.ticket().pk]


@pytest.mark.parametrize("text", ["", " ", "a", "'", "!!", "a & | b", "\\", "x' or 1=1", "(:*", "🎉🎉", "%_%"])
def test_odd_input_finds_nothing_and_breaks_nothing(house: House, text: str) -> None:
    house.mail("Hello there")
    assert find(house.anna, text) == []
