"""What a message that comes in and an answer ask the database, however much there is already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.conftest import House
from tickets import replies
from tickets.models import Contact, Ticket

FRAME = ("SAVEPOINT", "RELEASE")


def statements(act: Callable[[], object]) -> int:
    """How many statements an act is, without those that begin and end a part of a transaction."""
    with CaptureQueriesContext(connection) as asked:
        act()
    return sum(not one["sql"].startswith(FRAME) for one in asked.captured_queries)


def test_a_message_costs_the_same_on_a_ticket_of_one_contact_and_of_ten(house: House) -> None:
    house.mail()
    at_one = statements(house.mail)
    for _number in range(8):
        house.mail()
    # Who wrote, their contact in this thread, the customer's lock with all it guards, the contacts; then the writing.
    assert statements(house.mail) == at_one <= 5


def test_an_answer_costs_the_same_to_one_contact_and_to_ten(house: House) -> None:
    def answer() -> None:
        with transaction.atomic():
            replies.reply(
                person=house.anna,
                ticket_id=Ticket.objects.get().pk,
                contact_id=Contact.objects.latest("id").pk,
                text="We are looking into it.",
                seen=Ticket.objects.get().arrivals,
                undo=timedelta(seconds=10),
                now=house.clock.now,
            )

    house.mail()
    # The ticket is nobody's before it.
    answer()
    house.mail()
    at_one = statements(answer)
    for _number in range(10):
        house.mail()
    # One more for all the other contacts, which wait no longer; three of them are asked by this test.
    assert statements(answer) <= at_one + 1 <= 3 + 19
