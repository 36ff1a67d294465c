"""Who may read and who may act (docs/one-ticket.md, row 7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client

from agents.models import Person
from tests.conftest import House
from tickets import access
from tickets.models import Ticket
from tickets.queries import lists


def listed(person: Person, **which: object) -> list[int]:
    """The tickets on a person's list."""
    have = access.rights(person)
    return [row.id for row in lists.page(person, have, **which).rows]  # type: ignore[arg-type]


def test_an_agent_sees_the_queues_of_their_teams(house: House) -> None:
    house.mail()
    assert listed(house.anna) == [house.ticket().pk]
    assert listed(house.hana) == []
    assert listed(house.leo) == [house.ticket().pk]


def test_an_agent_sees_a_ticket_with_a_contact_that_entered_by_their_queue_and_what_is_assigned_to_them(
    house: House,
) -> None:
    house.mail("Parcel")
    house.mail("Bill", account=house.billing_mailbox)
    assert listed(house.hana) == [house.ticket().pk]
    assert listed(house.hana, queue_id=house.billing.pk) == [house.ticket().pk]
    house.mail("Other", author="tom@post.example")
    other = Ticket.objects.latest("id")
    Ticket.objects.filter(pk=other.pk).update(owner=house.hana)
    assert other.pk in listed(house.hana, view="mine")


def test_a_queue_somebody_does_not_serve_is_forbidden_and_one_that_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(PermissionDenied):
        listed(house.anna, queue_id=house.billing.pk)
    with pytest.raises(Http404):
        listed(house.leo, queue_id=999_999)


def test_a_mere_admin_has_no_tickets(house: House) -> None:
    with pytest.raises(PermissionDenied):
        access.rights(house.ada)


def test_a_ticket_is_404_for_what_is_not_there_and_403_for_colleagues(house: House) -> None:
    house.mail()
    with pytest.raises(PermissionDenied):
        access.ticket_to_read(access.rights(house.hana), house.ticket().pk)
    with pytest.raises(Http404):
        access.ticket_to_read(access.rights(house.hana), 999_999)


def test_contacts_of_a_confidential_queue_show_elsewhere_only_as_something_in_it(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("A public matter")
    house.mail("My lawyer says so", account=house.legal_mailbox, subject="Court")
    address = f"/t/{house.ticket().pk}/"
    seen = sign_in(house.anna).get(address).content.decode()
    assert "A public matter" in seen
    assert "My lawyer says so" not in seen
    assert "Court" not in seen
    assert "Something in Legal" in seen
    assert "My lawyer says so" in sign_in(house.leo).get(address).content.decode()
    house.legal.teams.add(house.care)
    assert "My lawyer says so" in sign_in(house.anna).get(address).content.decode()


def test_the_live_stream_knows_the_same_queues(house: House) -> None:
    assert access.topics(house.anna.pk) == {
        "queues": frozenset({house.general.pk}),
        "person": house.anna.pk,
        "all": False,
    }
    assert access.topics(house.leo.pk)["all"] is True  # type: ignore[index]
    house.anna.is_active = False
    house.anna.save()
    assert access.topics(house.anna.pk) is None
