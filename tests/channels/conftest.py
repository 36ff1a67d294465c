"""The cast and the stand-ins for tests of channels/: a scripted adapter below, a listening receiver above."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.models import Person
from channels import adapters, hints, receiver
from channels.adapters.base import Connection, Polled, Tried
from channels.happenings import Address, Call, Deleted, DeliveryReceipt, Edited, Happening, InboundMessage, RawItem
from channels.models import ChannelAccount
from channels.receiver import PROCESSED, Answer
from contactcentre.lib.secrets import Credentials

NOW = datetime(2026, 11, 20, 15, 12, tzinfo=UTC)


class ScriptedAdapter:
    """Answers polls from `pages`, each a Polled, an exception or a function; parses with `reads`."""

    kind = "email"

    def __init__(self) -> None:
        self.pages: list[Any] = []
        self.asked: list[tuple[Connection, dict[str, object]]] = []
        self.reads: Callable[[RawItem, Connection], Any] = lambda item, told: [message(external_id=item.external_id)]
        self.tried = Tried(ok=True, words=("Reading works: 214 mails in INBOX.", "Sending works."))

    def poll(self, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        self.asked.append((connection, dict(cursor)))
        page = self.pages.pop(0) if self.pages else Polled(items=(), cursor=dict(cursor))
        if callable(page):
            page = page()
        if isinstance(page, BaseException):
            raise page
        return page

    def parse(self, item: RawItem, connection: Connection) -> Iterator[Happening]:
        yield from self.reads(item, connection)

    def try_out(self, connection: Connection) -> Tried:
        self.asked.append((connection, {}))
        return self.tried


class ListeningReceiver:
    """Notes everything it is handed and answers with `answer`, which may also raise."""

    def __init__(self) -> None:
        self.heard: list[Happening] = []
        self.answer: Callable[[Happening], Answer] = lambda happening: PROCESSED

    def _hear(self, happening: Happening) -> Answer:
        self.heard.append(happening)
        return self.answer(happening)

    def message(self, message: InboundMessage, *, account_id: int, now: datetime) -> Answer:
        return self._hear(message)

    def edited(self, edited: Edited, *, account_id: int, now: datetime) -> Answer:
        return self._hear(edited)

    def deleted(self, deleted: Deleted, *, account_id: int, now: datetime) -> Answer:
        return self._hear(deleted)

    def receipt(self, receipt: DeliveryReceipt, *, account_id: int, now: datetime) -> Answer:
        return self._hear(receipt)

    def call(self, call: Call, *, account_id: int, now: datetime) -> Answer:
        return self._hear(call)

    def hidden_accounts(self, person: Person) -> frozenset[int]:
        return frozenset()


def message(**given: Any) -> InboundMessage:
    """A mail of Carla's, said just now."""
    values: dict[str, Any] = {
        "channel_kind": "email",
        "surface": "email",
        "external_id": "<1@example.example>",
        "thread": "<1@example.example>",
        "author": Address(kind="email", value="carla@example.example", name="Carla Hughes"),
        "said_at": NOW,
        "text": "Where is my parcel?",
    }
    return InboundMessage(**{**values, **given})


def raw(external_id: str = "<1@example.example>", **given: Any) -> RawItem:
    """A ledger item to be."""
    values: dict[str, Any] = {"happening": "message", "body": b"Subject: parcel\r\n\r\nWhere?"}
    return RawItem(external_id=external_id, **{**values, **given})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAdapter]:
    """The email adapter, replaced."""
    made = ScriptedAdapter()
    monkeypatch.setattr(adapters, "import_string", lambda path: lambda: made)
    adapters.adapter.cache_clear()
    yield made
    adapters.adapter.cache_clear()


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[ListeningReceiver]:
    """The house above, replaced."""
    made = ListeningReceiver()
    monkeypatch.setattr(receiver, "import_string", lambda path: lambda: made)
    receiver.receiver.cache_clear()
    yield made
    receiver.receiver.cache_clear()


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were hinted at, instead of a broker."""
    names: list[str] = []

    class Broker:
        def send_task(self, name: str, **_: Any) -> None:
            names.append(name)

    monkeypatch.setattr(hints, "current_app", Broker())
    return names


@pytest.fixture
def make_account(db: None) -> Callable[..., ChannelAccount]:
    """Makes a mailbox that began an hour ago and is due."""

    def make(address: str = "care@acme.example", **given: Any) -> ChannelAccount:
        values: dict[str, Any] = {
            "kind": "email",
            "name": "Acme Care",
            "settings": {
                "imap_host": "imap.acme.example", "imap_port": 993, "imap_security": "tls",
                "smtp_host": "smtp.acme.example", "smtp_port": 465, "smtp_security": "tls",
                "username": address,
            },
            "credentials": Credentials(password="practice-only"),
            "begins_at": NOW - timedelta(hours=1),
            "created_at": NOW - timedelta(hours=1),
            "next_poll_at": NOW,
        }  # fmt: skip
        return ChannelAccount.objects.create(address=address, **{**values, **given})

    return make


@pytest.fixture
def account(make_account: Callable[..., ChannelAccount]) -> ChannelAccount:
    """care@acme.example."""
    return make_account()


@pytest.fixture
def make_person(db: None) -> Callable[..., Person]:
    """Makes somebody who signs in."""

    def make(name: str, **roles: bool) -> Person:
        email = f"{name.split()[0].lower()}@acme.example"
        return Person.objects.create(email=email, name=name, created_at=NOW, password="!", **roles)

    return make


@pytest.fixture
def ada(make_person: Callable[..., Person]) -> Person:
    """Ada Lowe, admin and nothing else."""
    return make_person("Ada Lowe", is_admin=True)


@pytest.fixture
def anna(make_person: Callable[..., Person]) -> Person:
    """Anna Beck, agent."""
    return make_person("Anna Beck", is_agent=True)
