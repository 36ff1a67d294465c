"""Guessing passwords is limited, and whoever knows theirs comes in all the same."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client

from agents import attempts
from tests.conftest import House

PASSWORD = "good-password-1"


@pytest.fixture
def office(house: House, settings: Any) -> House:
    """Anna and Ben with passwords; every browser of a test is behind one address."""
    # The real one is slow on purpose, and tried here a hundred times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for who in (house.anna, house.ben):
        who.set_password(PASSWORD)
        who.save()
    return house


def tries(client: Client, name: str, password: str = "wrong") -> int:
    """The status of one try: 302 in, 200 wrong, 429 too many."""
    return client.post("/sign-in/", {"email": f"{name}@acme.example", "password": password}).status_code


def at_home(name: str) -> Client:
    """A browser that has signed in as this person before, and out again."""
    browser = Client()
    assert tries(browser, name, PASSWORD) == 302
    browser.post("/sign-out/")
    return browser


def test_a_guest_behind_the_same_address_stops_himself_and_no_known_browser(office: House) -> None:
    annas, guest = at_home("anna"), Client()
    assert [tries(guest, "anna") for _ in range(6)] == [200] * 5 + [429]
    assert tries(guest, "anna", PASSWORD) == 429
    assert tries(annas, "anna", PASSWORD) == 302


def test_the_next_of_the_addresses_that_a_guest_was_given_is_no_other_guest(office: House) -> None:
    def guesses(*addresses: str) -> list[int]:
        form = {"email": "anna@acme.example", "password": "wrong"}
        return [Client().post("/sign-in/", form, REMOTE_ADDR=one).status_code for one in addresses]

    assert guesses(*(f"2001:db8:0:1::{number:x}" for number in range(6))) == [200] * 5 + [429]
    assert guesses("2001:db8:0:1:ffff::1", "2001:db8:0:2::1") == [429, 200]
    # Where the machine listens to both, version 4 comes in such a dress: each of those is somebody else's.
    assert guesses(*(f"::ffff:192.0.2.{number}" for number in range(6))) == [200] * 6


def test_a_known_browser_is_counted_by_itself_and_has_its_own_limit(office: House) -> None:
    annas, other = at_home("anna"), at_home("anna")
    assert [tries(annas, "anna") for _ in range(11)] == [200] * 10 + [429]
    assert tries(other, "anna", PASSWORD) == 302
    # It is known for Anna alone.
    assert [tries(annas, "ben") for _ in range(6)] == [200] * 5 + [429]


def test_the_right_password_forgets_the_wrong_ones_before_it(office: House) -> None:
    first, second = Client(), Client()
    assert [tries(first, "anna") for _ in range(4)] == [200] * 4
    assert tries(first, "anna", PASSWORD) == 302
    # Another browser of the same address, which is not known: the pair begins anew.
    assert [tries(second, "anna") for _ in range(4)] == [200] * 4
    assert tries(second, "anna", PASSWORD) == 302
    second.post("/sign-out/")
    assert tries(second, "anna") == 200
    assert tries(second, "anna", PASSWORD) == 302


def test_guessing_at_many_names_leaves_each_name_two_tries_and_keeps_nobody_out(
    office: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MANY", 6)
    guest = Client()
    assert [tries(guest, f"nobody{number}") for number in range(6)] == [200] * 6
    assert [tries(guest, "anna") for _ in range(3)] == [200, 200, 429]
    bens = Client()
    assert (tries(bens, "ben"), tries(bens, "ben", PASSWORD)) == (200, 302)


def test_a_cookie_of_another_making_is_no_known_browser(office: House) -> None:
    browser = Client()
    for value in ("", "nonsense", attempts.signing.dumps("anna@acme.example", salt=attempts.COOKIE)):
        browser.cookies[attempts.COOKIE] = value
        tries(browser, "anna")
    assert [tries(Client(), "anna") for _ in range(3)] == [200, 200, 429]


def test_a_cache_that_is_away_keeps_nobody_out(office: House, settings: Any) -> None:
    # Nobody listens at port 1.
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    browser = Client()
    assert tries(browser, "anna") == 200
    assert tries(browser, "anna", PASSWORD) == 302


def test_a_counter_that_is_forgotten_while_it_counts_is_no_error(
    office: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts.cache, "add", lambda *_given: None)
    assert tries(Client(), "anna") == 200


def test_a_form_that_is_older_than_the_session_is_refused_in_words_or_simply_done_with(office: House) -> None:
    browser = Client(enforce_csrf_checks=True)

    def token(path: str) -> str:
        return str(browser.get(path).context["csrf_token"])

    def come_in(mark: str) -> HttpResponse:
        given = {"email": "anna@acme.example", "password": PASSWORD, "csrfmiddlewaretoken": mark}
        return cast(HttpResponse, browser.post("/sign-in/?next=/search/", given))

    # Two tabs at the sign-in, as browsers bring them back in the morning.
    first = second = token("/sign-in/")
    assert come_in(first)["Location"] == "/search/"
    assert come_in(second)["Location"] == "/search/"
    refused = browser.post("/act/solve/", {"ticket": 1, "csrfmiddlewaretoken": first})
    assert refused.status_code == 403
    assert "This page was older than your session" in refused.content.decode()
    # Without a session it is no question of tokens: to the sign-in, and back to where one was.
    browser.cookies.pop("contactcentre_session")
    sent_away = browser.post("/calls/new/?call=7", {"summary": "Blue"})
    assert sent_away["Location"] == "/sign-in/?next=/calls/new/%3Fcall%3D7"
    assert "keeps no cookies" in Client(enforce_csrf_checks=True).post("/sign-in/", {"email": ""}).content.decode()
