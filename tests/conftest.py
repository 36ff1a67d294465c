"""The cast everyone knows: agents Anna, Ben and Hana, lead Leo, admin Ada; customers Carla and Tom."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from agents.models import Membership, Person, Team
from channels import ledger
from channels.happenings import Address, InboundMessage
from channels.models import ChannelAccount
from tests import migrated
from tickets import intake
from tickets.models import AccountFeed, Contact, Message, Queue, ServiceTarget, Ticket

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


# Tests that share a program which is costly to start: where several workers test, one of them takes the whole folder.
# Those that mostly wait come first, so that at the end nobody waits for them alone.
TOGETHER = ("flows", "faults", "contactcentre", "practice", "supervisor")


# Files there that need none of it.
APART = ("tests/flows/test_races.py",)

# Here each file has something of its own that is costly.
BY_FILE = ("browser",)

# Where marked tests are: `make faults` and `make browser` read these folders only.
MARKED = {"fault": ("faults",), "browser": ("browser", "practice")}


def _folder(nodeid: str) -> str:
    """The folder of tests/ that a test is in; empty for one that is in none."""
    parts = nodeid.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 else ""


def _together(nodeid: str) -> str:
    """The folder of TOGETHER that a test belongs to; empty for one that shares nothing costly."""
    folder = _folder(nodeid)
    return folder if folder in TOGETHER and nodeid.split("::")[0] not in APART else ""


class ByFolder(LoadScopeScheduling):
    """Hands out the tests of TOGETHER folder by folder, those of BY_FILE file by file, all others one by one.

    pytest-xdist's own groups come to nothing: it writes them on `_nodeid`, which pytest 9.2 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        if _folder(nodeid) in BY_FILE:
            return nodeid.split("::")[0]
        return _together(nodeid) or nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """How pytest-xdist hands out tests."""
    return ByFolder(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Put what is shared first; around pytest-django, which puts tests without a database last.

    Raises UsageError for a mark where the Makefile does not look for it: such a test would never run.
    """
    for item in items:
        for mark, folders in MARKED.items():
            if item.get_closest_marker(mark) and _folder(item.nodeid) not in folders:
                raise pytest.UsageError(f"{item.nodeid} is marked {mark}, which only {' and '.join(folders)}/ may be")
    yield
    places = {folder: place for place, folder in enumerate(TOGETHER)}
    items.sort(key=lambda item: places.get(_together(item.nodeid), len(places)))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> None:
    """Where several workers test, the database of each is a copy of one that is brought up to date once."""
    if hasattr(request.config, "workerinput"):
        with django_db_blocker.unblock():
            template = migrated.database(request.config.workerinput["testrunuid"])
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest) -> None:
    """Figures, sign-in attempts and the ledger's key of one test never reach the next."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        cache.clear()
        ledger.forget_key()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one Chromium of a test run: Playwright cannot be started twice in a process."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def forward(self, **by: float) -> datetime:
        """Move on and return the new time."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def person(name: str, *, teams: tuple[Team, ...] = (), **roles: bool) -> Person:
    """A person who can be signed in with `sign_in`."""
    made = Person.objects.create(
        email=f"{name.split()[0].lower()}@acme.example", name=name, created_at=NOW, last_seen_at=NOW, **roles
    )
    for team in teams:
        Membership.objects.create(team=team, person=made)
    return made


@dataclass
class House:
    """A small contact centre: two queues served by different teams, one confidential one, two mailboxes."""

    care: Team
    billing_desk: Team
    legal_desk: Team
    general: Queue
    billing: Queue
    legal: Queue
    anna: Person
    ben: Person
    hana: Person
    leo: Person
    ada: Person
    mailbox: ChannelAccount
    billing_mailbox: ChannelAccount
    legal_mailbox: ChannelAccount
    clock: Clock
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def mail(
        self,
        text: str = "Hello, where is my order?",
        *,
        author: str = "carla.hughes@post.example",
        name: str = "Carla Hughes",
        account: ChannelAccount | None = None,
        receive: bool = True,
        **changes: object,
    ) -> InboundMessage:
        """A mail of a customer, received now unless told otherwise; every field can be changed."""
        number = next(self.numbers)
        values: dict[str, object] = {
            "channel_kind": "email",
            "surface": "email",
            "external_id": f"<mail-{number}@post.example>#000000000000",
            "reference": f"<mail-{number}@post.example>",
            "thread": f"<mail-{number}@post.example>",
            "author": Address(kind="email", value=author, display=author, name=name),
            "said_at": self.clock.now,
            "text": text,
            "subject": "My order",
        }
        message = InboundMessage(**{**values, **changes})  # type: ignore[arg-type]
        if receive:
            self.receive(message, account=account)
        return message

    def receive(self, message: InboundMessage, *, account: ChannelAccount | None = None) -> str:
        """Put a message through intake and return the reason it was filtered for, empty where it was processed."""
        from django.db import transaction

        with transaction.atomic():
            answer = intake.receive(message, account_id=(account or self.mailbox).pk, now=self.clock.now)
        return answer.reason

    def ticket(self) -> Ticket:
        """The one ticket there is."""
        return Ticket.objects.get()

    def contact(self) -> Contact:
        """The one contact there is."""
        return Contact.objects.get()

    def message(self, text: str) -> Message:
        """The message with this text."""
        return Message.objects.get(text=text)


@pytest.fixture
def house(db: None, clock: Clock) -> House:
    """The cast and their house, in the database."""
    care, billing_desk, legal_desk = (Team.objects.create(name=name) for name in ("Care", "Billing desk", "Legal desk"))
    general = Queue.objects.create(name="General", is_default=True, position=0)
    billing = Queue.objects.create(name="Billing", position=1)
    legal = Queue.objects.create(name="Legal", position=2, is_confidential=True)
    general.teams.add(care)
    billing.teams.add(billing_desk)
    legal.teams.add(legal_desk)
    ServiceTarget.objects.bulk_create(
        [ServiceTarget(surface=surface, minutes=minutes) for surface, minutes in TARGETS.items()]
    )
    mailboxes = []
    for address, queue in (("care", general), ("billing", billing), ("legal", legal)):
        account = ChannelAccount.objects.create(
            kind="email", address=f"{address}@acme.example", name=f"Acme {address}", begins_at=NOW, created_at=NOW
        )
        AccountFeed.objects.create(account=account, queue=queue)
        mailboxes.append(account)
    return House(
        care=care,
        billing_desk=billing_desk,
        legal_desk=legal_desk,
        general=general,
        billing=billing,
        legal=legal,
        anna=person("Anna Reid", teams=(care,), is_agent=True),
        ben=person("Ben Tallis", teams=(care,), is_agent=True),
        hana=person("Hana Kim", teams=(billing_desk,), is_agent=True),
        leo=person("Leo Marsh", is_lead=True),
        ada=person("Ada Lowe", is_admin=True),
        mailbox=mailboxes[0],
        billing_mailbox=mailboxes[1],
        legal_mailbox=mailboxes[2],
        clock=clock,
    )


TARGETS = {"x:mention": 15, "x:dm": 15, "facebook:comment": 15, "facebook:messenger": 15, "phone": 15, "email": 240}


@pytest.fixture
def sign_in(client: Client) -> Callable[[Person], Client]:
    """Signs a person in and returns their browser."""

    def signed_in(who: Person) -> Client:
        browser = Client()
        browser.force_login(who)
        return browser

    return signed_in
