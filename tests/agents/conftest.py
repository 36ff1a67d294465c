"""Ada's browser, and what a person reads on a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from agents.models import Person
from tests.conftest import House
from tickets import recounting, settings_queues


@pytest.fixture
def browser(house: House, sign_in: Callable[[Person], Client]) -> Client:
    """Ada's browser."""
    return sign_in(house.ada)


@pytest.fixture(autouse=True)
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were hinted at, instead of a broker."""
    names: list[str] = []

    class Broker:
        def send_task(self, name: str, **_: Any) -> None:
            names.append(name)

    monkeypatch.setattr(recounting, "current_app", Broker())
    monkeypatch.setattr(settings_queues, "current_app", Broker())
    return names
