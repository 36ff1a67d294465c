"""Who a session says one is: read by statements of our own, and as strictly as Django reads them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import get_hasher
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from agents.models import Person
from contactcentre.lib.sessions import SessionStore
from tests.conftest import House


def is_let_in(browser: Client) -> bool:
    return browser.get("/").status_code == 200


def test_a_session_that_ran_out_or_is_gone_is_nobodys(house: House, sign_in: Callable[[Person], Client]) -> None:
    browser = sign_in(house.anna)
    assert is_let_in(browser)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_let_in(browser)
    assert SessionStore("a" * 32).load() == {}


def test_who_is_deactivated_or_has_another_password_is_out_at_once(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    anna, ben = sign_in(house.anna), sign_in(house.ben)
    Person.objects.filter(pk=house.anna.pk).update(is_active=False)
    house.ben.set_password("another one altogether")
    house.ben.save(update_fields=["password"])
    assert [is_let_in(browser) for browser in (anna, ben)] == [False, False]


def test_a_session_is_a_row_as_django_keeps_it(house: House, sign_in: Callable[[Person], Client]) -> None:
    key = sign_in(house.anna).cookies["contactcentre_session"].value
    assert SessionStore(key).load() == db.SessionStore(key).load()


def test_a_session_that_began_under_the_former_backend_goes_on(house: House) -> None:
    browser = Client()
    browser.force_login(house.anna, backend="django.contrib.auth.backends.ModelBackend")
    assert is_let_in(browser)


def test_a_wrong_password_is_weighed_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: list[str] = []
    hasher = type(get_hasher())
    monkeypatch.setattr(hasher, "verify", lambda self, password, encoded: bool(weighed.append(password)))
    house.anna.set_password("the right one, of course")
    house.anna.save(update_fields=["password"])
    Client().post("/sign-in/", {"email": house.anna.email, "password": "the wrong one"})
    assert weighed == ["the wrong one"]


def test_who_sent_something_without_a_session_comes_back_to_the_page_it_was_sent_from(house: House) -> None:
    for came_from, following in (
        ("http://testserver/calls/new/?number=1", "/calls/new/%3Fnumber%3D1"),
        ("https://elsewhere.example/calls/", "/messages/1/undo/"),
        ("", "/messages/1/undo/"),
    ):
        answer = Client(headers={"referer": came_from}).post("/messages/1/undo/")
        assert answer["Location"] == f"/sign-in/?next={following}"
