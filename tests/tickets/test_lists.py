"""Lists: most urgent first, keyset both ways, and no more statements at fifty rows than at one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from agents.models import Person
from tests.conftest import House
from tickets import access, acts
from tickets.models import Ticket
from tickets.queries import figures, lists


def many(house: House, count: int, **changes: Any) -> None:
    """So many customers, each with a mail a minute after the one before."""
    for number in range(count):
        house.mail(f"Mail {number}", author=f"person-{number}@post.example", name=f"Person {number}", **changes)
        house.clock.forward(minutes=1)


def walk(person: Person, **which: Any) -> list[int]:
    """All ids of a list, page by page."""
    have = access.rights(person)
    found: list[int] = []
    after = ""
    while True:
        page = lists.page(person, have, after=after, limit=3, **which)
        found += [row.id for row in page.rows]
        if not page.older:
            return found
        after = page.older


def test_the_earliest_due_comes_first_then_what_awaits_nobody(house: House) -> None:
    many(house, 4)
    first, second, third, fourth = Ticket.objects.order_by("id")
    Ticket.objects.filter(pk=first.pk).update(
        due_at=None, awaiting="customer", urgent_at=first.last_at + timedelta(days=36500)
    )
    assert walk(house.leo) == [second.pk, third.pk, fourth.pk, first.pk]


@pytest.mark.parametrize("which", [{}, {"view": "unassigned"}, {"queue_id": "general"}])
def test_paging_meets_every_ticket_once_also_where_many_are_equally_urgent(house: House, which: dict[str, Any]) -> None:
    many(house, 10)
    Ticket.objects.update(urgent_at=house.clock.now)
    if which.get("queue_id"):
        which = {"queue_id": house.general.pk}
    assert walk(house.leo, **which) == list(Ticket.objects.order_by("id").values_list("pk", flat=True))


@pytest.mark.parametrize("view", ["open", "mine", "unassigned", "waiting", "snoozed", "trouble"])
def test_a_view_lists_as_many_as_the_sidebar_says(house: House, view: str) -> None:
    for queue, text in ((house.mailbox, "Parcel"), (house.billing_mailbox, "Bill"), (house.mailbox, "Both")):
        house.mail(text, author=f"{text}@post.example", account=queue)
    house.mail("Both", author="Both@post.example", account=house.billing_mailbox)
    house.mail("Moved", author="moved@post.example")
    moved, wide, own = Ticket.objects.order_by("-id")[:3]
    acts.move(person=house.leo, tickets=[moved.pk], queue_id=house.billing.pk, now=house.clock.now)
    acts.no_reply_needed(person=house.leo, tickets=[moved.pk, wide.pk], reason="thanks", now=house.clock.now)
    acts.assign(person=house.leo, tickets=[own.pk], owner_id=house.anna.pk, now=house.clock.now)
    if view in ("waiting", "snoozed"):
        Ticket.objects.update(state=view, snoozed_until=house.clock.now + timedelta(days=1))
    if view == "trouble":
        Ticket.objects.exclude(pk=own.pk).update(send_trouble=2)
    for person in (house.anna, house.hana, house.leo):
        have = access.rights(person)
        listed = lists.page(person, have, view=view).rows
        views, _queues = figures.sidebar(person, have, current=view, now=house.clock.now)
        assert len(listed) == next(link.open for link in views if link.key == view), person.name


@pytest.mark.parametrize(
    ("page", "marked"), [("/", ["nav-open"]), ("/?view=mine", ["nav-mine"]), ("/board/", []), ("/calls/new/", [])]
)
def test_the_menu_marks_the_same_list_when_it_is_fetched_anew(
    house: House, sign_in: Callable[[Person], Client], page: str, marked: list[str]
) -> None:
    browser = sign_in(house.leo)
    first = browser.get(page).content.decode()
    live = re.search(r'id="sidebar-lists"[^>]* data-live-url="([^"]+)"', first)
    assert live is not None
    for html in (first, browser.get(unescape(live[1])).content.decode()):
        assert re.findall(r'id="(nav-[a-z]+)"[^>]* aria-current', html) == marked


def test_a_reply_that_was_not_sent_marks_its_row_and_brings_a_view_of_its_own(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    many(house, 2)
    browser = sign_in(house.anna)
    assert "nav-trouble" not in browser.get("/").content.decode()
    troubled = Ticket.objects.earliest("id")
    Ticket.objects.filter(pk=troubled.pk).update(send_trouble=1, state="snoozed", snoozed_until=house.clock.now)
    cache.clear()
    assert 'id="nav-trouble"' in browser.get("/").content.decode()
    page = browser.get("/list/?view=trouble").content.decode()
    assert f'id="ticket-row-{troubled.pk}"' in page
    assert page.count('data-ticket="') == 1
    assert page.count("A reply was not sent") == 2  # its title, and its words for who does not see it
    assert "A reply was not sent" not in browser.get("/list/?view=open").content.decode()


def test_paging_back_gives_the_page_before(house: House) -> None:
    many(house, 7)
    have = access.rights(house.leo)
    one = lists.page(house.leo, have, limit=3)
    two = lists.page(house.leo, have, limit=3, after=one.older)
    back = lists.page(house.leo, have, limit=3, before=two.newer)
    assert [row.id for row in back.rows] == [row.id for row in one.rows]
    assert (one.newer, back.newer) == ("", "")


def test_a_queue_lists_what_came_in_by_it_on_other_queues_tickets_in_one_order(house: House) -> None:
    house.mail("Parcel")
    house.clock.forward(minutes=1)
    house.mail("Bill", author="tom@post.example", account=house.billing_mailbox)
    house.clock.forward(minutes=1)
    house.mail("Bill too", account=house.billing_mailbox)
    carla, tom = Ticket.objects.order_by("id")
    rows = lists.page(house.leo, access.rights(house.leo), queue_id=house.billing.pk).rows
    assert [row.id for row in rows] == [carla.pk, tom.pk]
    assert rows[0].also == ("Billing",)


@pytest.mark.parametrize("cursor", ["x", "1", "-", "9999999999999999999-1", "1-x", "é-1"])
def test_a_cursor_of_nobody_is_a_clear_error(house: House, sign_in: Callable[[Person], Client], cursor: str) -> None:
    assert sign_in(house.anna).get("/list/", {"after": cursor}).status_code == 400


@pytest.mark.parametrize("address", ["/", "/list/", "/?queue=general"])
def test_a_list_costs_the_same_at_one_row_and_at_fifty(
    house: House, sign_in: Callable[[Person], Client], django_assert_max_num_queries: Any, address: str
) -> None:
    address = address.replace("general", str(house.general.pk))
    browser = sign_in(house.anna)
    many(house, 1)
    browser.get(address)
    cache.clear()
    with django_assert_max_num_queries(15) as at_one:
        assert browser.get(address).status_code == 200
    many(house, 50)
    cache.clear()
    with django_assert_max_num_queries(15) as at_fifty:
        browser.get(address)
    assert len(at_fifty.captured_queries) <= len(at_one.captured_queries)


def test_a_ticket_page_costs_the_same_at_one_message_and_at_fifty(
    house: House, sign_in: Callable[[Person], Client], django_assert_max_num_queries: Any
) -> None:
    house.mail("First")
    address = f"/t/{house.ticket().pk}/"
    browser = sign_in(house.anna)
    browser.get(address)
    cache.clear()
    with django_assert_max_num_queries(8) as at_one:
        assert browser.get(address).status_code == 200
    for number in range(50):
        house.mail(f"More {number}")
    cache.clear()
    # One more at the first look at what is new: how far it was read is written down.
    with django_assert_max_num_queries(9):
        browser.get(address)
    cache.clear()
    with django_assert_max_num_queries(8) as at_fifty:
        browser.get(address)
    assert len(at_fifty.captured_queries) <= len(at_one.captured_queries)
