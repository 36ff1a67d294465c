"""Guessing passwords is limited, and whoever knows theirs comes in all the same."""

from __future__ import annotations

from typing import Any

import pytest
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
