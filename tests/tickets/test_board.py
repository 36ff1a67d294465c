"""The lead's board: figures by their definitions, and no more statements with more tickets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from agents.models import Person
from channels.models import Outbound
from tests.conftest import House
from tests.tickets.test_replies import receipt
from tickets import access, acts, measures, replies
from tickets.models import Contact, Message, Ticket
from tickets.queries import figures
from tickets.queries.board import board


@pytest.fixture(autouse=True)
def counted_anew(house: House) -> None:
    figures.forget()


def of_general(house: House) -> measures.QueueFigures:
    now = house.clock.now
    standing, answered = measures.standing(now=now), measures.answered(since=now.replace(hour=0))
    return measures.of_queue(house.general.pk, standing, answered, now=now)


def answer(house: House, ticket: Ticket, *, person: Person | None = None) -> Message:
    with transaction.atomic():
        return replies.reply(
            person=person or house.anna,
            ticket_id=ticket.pk,
            contact_id=Contact.objects.get(ticket=ticket).pk,
            text="Hello",
            seen=ticket.arrivals,
            now=house.clock.now,
        )


def test_figures_of_a_queue(house: House) -> None:
    house.mail("One")
    house.clock.forward(minutes=20)
    house.mail("Two", author="tom@post.example")
    house.mail("Three", author="eve@post.example")
    one, two, three = Ticket.objects.order_by("id")
    receipt(house, answer(house, two), "sent")
    acts.no_reply_needed(person=house.anna, tickets=[three.pk], reason="thanks", now=house.clock.now)
    house.clock.forward(minutes=10)
    found = of_general(house)
    assert (found.open, found.awaiting_us, found.overdue, found.unassigned) == (3, 1, 0, 2)
    assert found.longest_wait == timedelta(minutes=30)
    assert (found.answered_today, found.no_reply_today) == (1, 1)
    assert found.median_first_answer == timedelta(0)
    house.clock.forward(minutes=215)
    assert of_general(house).overdue == 1
    assert one.pk == board(house.leo, access.rights(house.leo), now=house.clock.now).columns[0].tickets[0].id


def test_an_answer_that_was_not_sent_answered_nobody(house: House) -> None:
    house.mail()
    answer(house, house.ticket())
    assert of_general(house).answered_today == 0


def test_replies_in_trouble_are_on_the_board(house: House) -> None:
    house.mail()
    message = answer(house, house.ticket())
    receipt(house, message, "failed", reason="No such address")
    shown = board(house.leo, access.rights(house.leo), now=house.clock.now)
    assert [(row.message_id, row.reason, row.author) for row in shown.trouble] == [
        (message.pk, "No such address", "Anna")
    ]
    assert Outbound.objects.get().state == "failed"


def test_words_of_a_confidential_queue_are_not_on_the_board(house: House) -> None:
    house.mail(account=house.legal_mailbox)
    receipt(house, answer(house, house.ticket(), person=house.leo), "failed", reason="")
    (row,) = board(house.leo, access.rights(house.leo), now=house.clock.now).trouble
    assert (row.words, row.who) == ("", str(house.ticket().customer))


def test_people_stand_with_what_they_hold_and_can_be_given_more(house: House) -> None:
    house.mail()
    acts.assign(person=house.leo, tickets=[house.ticket().pk], owner_id=house.anna.pk, now=house.clock.now)
    house.clock.forward(hours=5)
    shown = board(house.leo, access.rights(house.leo), now=house.clock.now)
    held = {row.person.name: (row.open, row.overdue) for row in shown.people}
    assert held == {one.name: (0, 0) for one in (house.ben, house.hana, house.leo)} | {house.anna.name: (1, 1)}
    assert [one.id for one in shown.colleagues] == [house.anna.pk, house.ben.pk, house.hana.pk]


def test_figures_are_counted_once_for_several_readers_and_anew_when_somebody_acted(
    house: House, django_assert_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    now = house.clock.now
    house.mail()
    day = {"now": now, "day_began": now.replace(hour=0)}
    counted, _answered = figures.of_board(**day)
    with django_assert_num_queries(0):
        assert figures.of_board(**day)[0] == figures.standing(now=now) == counted
    with django_assert_num_queries(1):
        # Another day's answers are no part of what is kept.
        figures.of_board(now=now, day_began=now.replace(hour=0) + timedelta(days=1))
    with django_capture_on_commit_callbacks(execute=True):
        acts.solve(person=house.anna, tickets=[house.ticket().pk], now=now)
    assert figures.standing(now=now) == []


def test_the_board_costs_the_same_at_one_ticket_and_at_fifty(house: House, django_assert_max_num_queries: Any) -> None:
    have = access.rights(house.leo)
    house.mail()
    with django_assert_max_num_queries(8) as at_one:
        board(house.leo, have, now=house.clock.now)
    for number in range(50):
        house.mail(author=f"person-{number}@post.example")
    cache.delete(figures.STANDING)
    with django_assert_max_num_queries(8) as at_fifty:
        shown = board(house.leo, have, now=house.clock.now)
    assert len(at_fifty.captured_queries) <= len(at_one.captured_queries)
    assert (len(shown.columns[0].tickets), shown.columns[0].more) == (30, 21)
