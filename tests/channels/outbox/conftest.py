"""What every test of the outbox has."""

from __future__ import annotations

from typing import Any

import pytest

from channels import adapters, delivery, outbox
from channels.models import ChannelAccount
from tests.channels.outbox.cast import Desk, Provider


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The network our mail goes to."""
    made = Provider()

    def adapter(kind: str) -> Provider:
        if kind not in adapters.ADAPTERS:
            raise KeyError(kind)
        return made

    monkeypatch.setattr(delivery, "adapter", adapter)
    # Nothing in these tests waits for a database that comes back.
    monkeypatch.setattr(delivery, "PAUSES_SECONDS", (0.01, 0.01))
    return made


@pytest.fixture
def desk(account: ChannelAccount, provider: Provider, listening: Any, handed: list[int]) -> Desk:
    """Puts and delivers."""
    return Desk(account)


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that were handed to a worker at once, instead of a broker."""
    ids: list[int] = []

    class Broker:
        def send_task(self, name: str, *, kwargs: dict[str, int], retry: bool) -> None:
            assert name == "channels.tasks.deliver"
            assert not retry
            ids.append(kwargs["outbound_id"])

    monkeypatch.setattr(outbox, "current_app", Broker())
    return ids
