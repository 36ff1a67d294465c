"""The lead's board: figures by their definitions, and no more statements with more tickets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from channels.models import Outbound
from tests.conftest import House
from tests.tickets.test_replies import receipt
from tickets import access, acts, measures, replies
from tickets.models import Contact, Message, Ticket
from tickets.queries.board import board


def figures(house: House) -> dict[int, measures.QueueFigures]:
    return measures.of_queues(now=house.clock.now, day_began=house.clock.now.replace(hour=0))


def answer(house: House, ticket: Ticket) -> Message:
    with transaction.atomic():
        return replies.reply(
            person=house.anna,
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
    found = figures(house)[house.general.pk]
    assert (found.open, found.awaiting_us, found.overdue, found.unassigned) == (3, 1, 0, 2)
    assert found.longest_wait == timedelta(minutes=30)
    assert (found.answered_today, found.no_reply_today) == (1, 1)
    assert found.median_first_answer == timedelta(0)
    house.clock.forward(minutes=215)
    assert figures(house)[house.general.pk].overdue == 1
    assert one.pk == board(house.leo, access.rights(house.leo), now=house.clock.now).columns[0].tickets[0].id


def test_an_answer_that_was_not_sent_answered_nobody(house: House) -> None:
    house.mail()
    answer(house, house.ticket())
    assert figures(house)[house.general.pk].answered_today == 0


def test_replies_in_trouble_are_on_the_board(house: House) -> None:
    house.mail()
    message = answer(house, house.ticket())
    receipt(house, message, "failed", reason="No such address")
    shown = board(house.leo, access.rights(house.leo), now=house.clock.now)
    assert [(row.message_id, row.reason, row.author) for row in shown.trouble] == [
        (message.pk, "No such address", "Anna")
    ]
    assert Outbound.objects.get().state == "failed"


def test_the_board_costs_the_same_at_one_ticket_and_at_fifty(house: House, django_assert_max_num_queries: Any) -> None:
    have = access.rights(house.leo)
    house.mail()
    with django_assert_max_num_queries(8) as at_one:
        board(house.leo, have, now=house.clock.now)
    for number in range(50):
        house.mail(author=f"person-{number}@post.example")
    with django_assert_max_num_queries(8) as at_fifty:
        shown = board(house.leo, have, now=house.clock.now)
    assert len(at_fifty.captured_queries) == len(at_one.captured_queries)
    assert (len(shown.columns[0].tickets), shown.columns[0].more) == (30, 21)
