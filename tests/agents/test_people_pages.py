"""The pages of people: adding, changing, the one-time link, deactivating and activating again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents import attempts, passwords, tokens
from agents.models import ApiToken, HistoryEntry, Membership, Person, Team
from tests.conftest import NOW, House, person
from tickets import leaving
from tickets.models import Ticket

BASE = "/settings/people/"
LINK = re.compile(r"https?://[^\s<\"]+(/password/[\w:-]+/)")
PASSWORD = "kettle-marmalade-9"


@pytest.fixture
def browser(house: House, sign_in: Callable[[Person], Client]) -> Client:
    """Ada's browser."""
    return sign_in(house.ada)


def words(answer: Any) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def typed(name: str = "Nora Ek", email: str = "nora@acme.example", **more: Any) -> dict[str, Any]:
    return {"name": name, "email": email, "is_agent": "on", **more}


def link_on(answer: Any) -> str:
    """The path of the one password link on the page."""
    found = set(LINK.findall(answer.content.decode()))
    assert len(found) == 1
    return str(found.pop())


def last_act() -> HistoryEntry:
    return HistoryEntry.objects.latest("id")


def test_somebody_is_added_and_chooses_a_password_by_a_link_that_is_shown_once(house: House, browser: Client) -> None:
    answer = browser.post(f"{BASE}new/", typed(teams=[house.care.pk]))
    nora = Person.objects.get(email="nora@acme.example")
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}{nora.pk}/link/")
    assert (nora.is_agent, nora.is_lead, nora.has_usable_password()) == (True, False, False)
    assert list(nora.teams.all()) == [house.care]
    assert all("/password/" not in str(row.get_decoded()) for row in Session.objects.all())
    link = link_on(browser.get(answer["Location"]))
    assert not LINK.search(browser.get(answer["Location"]).content.decode())
    assert "no password yet" in words(browser.get(BASE))

    hers = Client()
    assert "nora@acme.example" in words(hers.get(link))
    short = hers.post(link, {"password": "short", "again": "short"})
    assert short.status_code == 422
    assert "too short" in words(short)
    other = hers.post(link, {"password": PASSWORD, "again": PASSWORD + "x"})
    assert "The two are not the same" in words(other)
    assert PASSWORD not in other.content.decode()
    assert hers.post(link, {"password": PASSWORD, "again": PASSWORD})["Location"] == "/sign-in/"
    assert hers.post("/sign-in/", {"email": "NORA@acme.example", "password": PASSWORD}).status_code == 302
    assert hers.get(link).status_code == 410
    assert hers.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410
    assert last_act().act == "person.password_chosen"


def test_a_link_ends_by_time_by_a_newer_one_and_by_deactivation(
    house: House, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (passwords.new_link(actor=house.ada, person=house.anna, now=NOW) for _ in range(2))
    assert passwords.whose(first) is None
    assert passwords.whose(second) == house.anna
    monkeypatch.setattr(passwords, "LASTS", timedelta(seconds=-1))
    assert passwords.whose(second) is None
    monkeypatch.undo()
    leaving.deactivate(actor=house.ada, person_id=house.anna.pk, now=NOW)
    assert passwords.whose(second) is None
    assert "deactivated" in words(browser.post(f"{BASE}{house.anna.pk}/link/new/", follow=True))
    assert Client().get("/password/no-such-token/").status_code == 410
    assert passwords.whose(signing.dumps({"p": house.ben.pk, "n": ""}, salt="agents.passwords")) is None


def test_a_chosen_password_ends_the_sessions_of_the_old_one(
    house: House, sign_in: Callable[[Person], Client], browser: Client
) -> None:
    Person.objects.filter(pk=house.anna.pk).update(password=make_password("old-password-1"))
    house.anna.refresh_from_db()
    hers = sign_in(house.anna)
    assert hers.get("/").status_code == 200
    link = link_on(browser.post(f"{BASE}{house.anna.pk}/link/new/", follow=True))
    assert hers.get("/").status_code == 200
    Client().post(link, {"password": PASSWORD, "again": PASSWORD})
    assert hers.get("/").status_code == 302


def test_a_chosen_password_ends_the_api_tokens_too_and_the_page_says_so_before(house: House, browser: Client) -> None:
    _token, text = tokens.make(person=house.anna, name="reports", now=NOW)
    link = link_on(browser.post(f"{BASE}{house.anna.pk}/link/new/", follow=True))
    hers = Client()
    assert "your API token ends" in words(hers.get(link))
    assert tokens.person_of(text, now=NOW) == house.anna
    assert hers.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert tokens.person_of(text, now=NOW) is None
    assert HistoryEntry.objects.filter(act="token.revoked", actor=house.anna).count() == 1
    # This browser is known from now on: nobody's guessing at the same address keeps her out of it.
    assert attempts.COOKIE in hers.cookies


def test_nothing_typed_is_lost_and_the_same_email_is_refused_beside_its_field(browser: Client) -> None:
    answer = browser.post(f"{BASE}new/", typed(email="ANNA@acme.example"))
    assert answer.status_code == 422
    assert "Somebody here has this email already" in words(answer)
    assert 'value="Nora Ek"' in answer.content.decode()
    none = browser.post(f"{BASE}new/", {"name": " ", "email": "nora@acme.example"})
    assert none.status_code == 422
    assert "Choose at least one role" in words(none)
    assert not Person.objects.filter(name="Nora Ek").exists()


def test_a_change_is_written_once_and_told_to_the_persons_stream(
    house: House, browser: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[str] = []
    monkeypatch.setattr("contactcentre.lib.realtime._send", lambda events: told.extend(one.name for one in events))
    address = f"{BASE}{house.anna.pk}/"
    given = {"name": "Anna Reid", "email": "anna@acme.example", "is_agent": "on", "teams": [house.billing_desk.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(address, given).status_code == 302
    assert told == [f"person-{house.anna.pk}"]
    assert (last_act().act, last_act().data["fields"]) == ("person.changed", ["teams"])
    count = HistoryEntry.objects.count()
    assert "Nothing was different" in words(browser.post(address, given, follow=True))
    assert HistoryEntry.objects.count() == count
    browser.post(address, {**given, "is_lead": "on", "name": "Anna Reid-Cole"})
    house.anna.refresh_from_db()
    assert (house.anna.name, house.anna.is_lead) == ("Anna Reid-Cole", True)
    assert last_act().data["fields"] == ["name", "roles"]


def test_deactivating_says_what_it_means_and_returns_the_tickets(
    house: House, browser: Client, sign_in: Callable[[Person], Client]
) -> None:
    for number in range(3):
        house.mail(author=f"tom{number}@post.example")
    Ticket.objects.update(owner=house.anna)
    solved = Ticket.objects.order_by("id").first()
    Ticket.objects.filter(pk=solved.pk).update(state="solved", solved_at=NOW)  # type: ignore[union-attr]
    hers = sign_in(house.anna)
    token = ApiToken.objects.create(person=house.anna, name="t", digest="d" * 64, created_at=NOW)
    address = f"{BASE}{house.anna.pk}/deactivate/"
    page = words(browser.get(address))
    assert "2 tickets go back to their queues" in page
    assert "General 2" in page
    assert Person.objects.get(pk=house.anna.pk).is_active
    assert "2 tickets went back to their queues" in words(browser.post(address, follow=True))
    assert Ticket.objects.filter(owner=house.anna).count() == 1
    assert hers.get("/").status_code == 302
    assert "deactivated already" in words(browser.post(address, follow=True))
    assert "Deactivated" in words(browser.get(f"{BASE}?left=1"))
    assert "Anna Reid" not in words(browser.get(BASE))

    assert "may come in again" in words(browser.post(f"{BASE}{house.anna.pk}/activate/", follow=True))
    anna = Person.objects.get(pk=house.anna.pk)
    assert (anna.is_active, anna.has_usable_password()) == (True, False)
    assert hers.get("/").status_code == 302, "an old session must not come back to life"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "was active already" in words(browser.post(f"{BASE}{house.anna.pk}/activate/", follow=True))


def test_the_sweep_returns_what_is_left_also_after_a_lost_role(house: House) -> None:
    house.mail()
    house.mail(author="tom@post.example")
    first, second = Ticket.objects.order_by("id")
    Ticket.objects.filter(pk=first.pk).update(owner=house.ada)
    Ticket.objects.filter(pk=second.pk).update(owner=house.ben)
    assert leaving.return_left(now=NOW) == 1
    Person.objects.filter(pk=house.ben.pk).update(is_active=False)
    assert leaving.return_left(now=NOW) == 1
    assert not Ticket.objects.exclude(owner=None).exists()
    assert leaving.return_left(now=NOW) == 0


def test_the_last_admin_cannot_be_locked_out(house: House, browser: Client) -> None:
    address = f"{BASE}{house.ada.pk}/"
    answer = browser.post(address, {"name": "Ada Lowe", "email": "ada@acme.example", "is_lead": "on"})
    assert answer.status_code == 422
    assert "is the only admin" in words(answer)
    assert "You cannot deactivate yourself" in words(browser.post(f"{address}deactivate/", follow=True))
    assert "You cannot deactivate yourself" in words(browser.get(f"{address}deactivate/"))
    second = person("Abe Stone", is_admin=True)
    assert browser.post(address, {"name": "Ada Lowe", "email": "ada@acme.example", "is_lead": "on"}).status_code == 302
    assert browser.get(BASE).status_code == 403
    assert list(Person.objects.filter(is_admin=True)) == [second]


def test_the_list_is_walked_by_name_in_both_directions_and_searched(house: House, browser: Client) -> None:
    for number in range(120):
        person(f"P{number:03} Same", is_agent=True)
    names: list[str] = []
    query: str | None = ""
    while query is not None:
        page = browser.get(BASE + query).content.decode()
        names += re.findall(r'people/\d+/">([^<]+)</a>', page)
        further = re.search(r'href="(\?after=[^"]+)"', page)
        query = further[1].replace("&amp;", "&") if further else None
    assert names == list(Person.objects.order_by("name", "pk").values_list("name", flat=True))
    back = re.search(r'href="(\?before=[^"]+)"', page)
    assert back
    before = re.findall(r'people/\d+/">([^<]+)</a>', browser.get(BASE + back[1].replace("&amp;", "&")).content.decode())
    assert before == names[50:100]
    assert re.findall(r'people/\d+/">([^<]+)</a>', browser.get(f"{BASE}?q=HANA@").content.decode()) == ["Hana Kim"]
    assert "Nobody here is called that" in words(browser.get(f"{BASE}?q=zzz"))


def test_fifty_people_take_no_more_statements_than_one(house: House, browser: Client) -> None:
    browser.get(BASE)
    counts = []
    for many in (1, 50):
        for number in range(many):
            made = person(f"Q{many}-{number} Kim", is_agent=True)
            Membership.objects.create(team=house.care, person=made)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(BASE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_a_hostile_name_stays_words(house: House, browser: Client) -> None:
    Person.objects.filter(pk=house.anna.pk).update(name="<script>alert(1)</script>")
    Team.objects.filter(pk=house.care.pk).update(name="<b>Care</b>")
    for address in (BASE, f"{BASE}{house.anna.pk}/", f"{BASE}{house.anna.pk}/deactivate/", "/settings/teams/"):
        page = browser.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<b>Care" not in page
