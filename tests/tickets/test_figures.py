"""The figures are a courtesy: without Valkey every act and every page works, and counts for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError as ServerGone

from agents.models import Person
from customers.models import Identity
from tests.conftest import House
from tickets.models import Ticket
from tickets.queries import figures

# Nobody listens there.
DEAD = "redis://127.0.0.1:1/0"


@pytest.fixture
def dead_valkey(settings: Any) -> None:
    """The cache and the live stream are away."""
    settings.REDIS_URL = DEAD
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": DEAD}}


@pytest.mark.usefixtures("dead_valkey")
def test_without_valkey_every_act_is_done_and_answered_with_its_token(
    house: House, sign_in: Callable[[Person], Client], django_capture_on_commit_callbacks: Any
) -> None:
    house.mail()
    ticket, browser = house.ticket(), sign_in(house.leo)
    ticked = {"ticket": ticket.pk}
    forms: dict[str, dict[str, object]] = {
        "assign": {"owner": house.ben.pk},
        "no-reply": {"reason": "thanks", "queue": house.general.pk},
        "move": {"queue": house.billing.pk},
        "tag": {"add": "late"},
        "priority": {"priority": 1},
        "snooze": {"until": "week"},
        "wait": {},
        "solve": {},
        "reopen": {},
        "block": {},
    }
    for act, form in forms.items():
        with django_capture_on_commit_callbacks(execute=True):
            answer = browser.post(f"/act/{act}/", {**ticked, **form})
        assert (act, answer.status_code) == (act, 200)
        assert answer.json()["undo"], act
    with django_capture_on_commit_callbacks(execute=True):
        back = browser.post("/act/take-back/", {"token": answer.json()["undo"]})
    assert back.status_code == 200
    assert Ticket.objects.get().state == "open"
    for page in ("/", "/board/", "/sidebar/", f"/t/{ticket.pk}/"):
        assert browser.get(page).status_code == 200


@pytest.mark.usefixtures("dead_valkey")
def test_without_valkey_a_merge_is_done_and_can_be_taken_back(
    house: House, sign_in: Callable[[Person], Client], django_capture_on_commit_callbacks: Any
) -> None:
    house.mail()
    house.mail(author="tom@post.example", name="Tom Okafor")
    browser = sign_in(house.leo)
    tom, carla = Identity.objects.get(value="tom@post.example"), Ticket.objects.earliest("id").customer_id
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(f"/identities/{tom.pk}/join/{carla}/", {"evidence": "by-hand"})
    assert answer.status_code < 400
    assert Ticket.objects.filter(state="merged").count() == 1


def test_a_cache_that_takes_nothing_more_is_counted_past(
    house: House, sign_in: Callable[[Person], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise ServerGone("out of memory")

    monkeypatch.setattr(cache, "set", gone)
    assert sign_in(house.anna).get("/").status_code == 200


def test_the_figures_are_forgotten_only_once_it_is_committed(
    house: House, django_capture_on_commit_callbacks: Any
) -> None:
    figures.standing(now=house.clock.now)
    with django_capture_on_commit_callbacks(execute=True):
        figures.forget()
        assert cache.get(figures.STANDING) is not None
    assert cache.get(figures.STANDING) is None
