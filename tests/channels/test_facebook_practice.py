"""Connecting Pages at the practice Facebook, over real HTTP both ways: the dialog, the Graph, and our door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.contrib.messages import get_messages
from django.test import Client

from agents.models import Person
from channels import accounts
from channels.consent import registering
from channels.models import AccountState, App, ChannelAccount, LedgerItem
from tests.channels.conftest import NOW
from tests.practice.running import Practice
from tests.running import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hinted")]

BASE = "/settings/accounts/"
START = f"{BASE}connect/facebook/"
CARE, OUTLET = "6100000000000201", "6100000000000202"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    program = Practice(tmp_path_factory.mktemp("practice facebook"))
    yield program
    assert program.end() == ""


@pytest.fixture
def facts(practice: Practice, live_server: Any, settings: Any) -> dict[str, Any]:
    """What /people.json says of the practice Facebook, which stands in the place of the real one."""
    told: dict[str, Any] = practice.ask("/people.json").body["networks"]["facebook"]
    settings.FACEBOOK_GRAPH_ORIGIN = settings.FACEBOOK_DIALOG_ORIGIN = told["origin"]
    settings.BASE_URL = live_server.url
    return told


@pytest.fixture
def app(ada: Person, facts: dict[str, Any]) -> App:
    return registering.enter_app(
        actor=ada,
        kind="facebook",
        name="Acme",
        client_id=facts["app"]["id"],
        client_secret=facts["app"]["secret"],
        now=NOW,
    )


@pytest.fixture
def browser(ada: Person) -> Client:
    """Ada's browser."""
    made = Client()
    made.force_login(ada)
    return made


def consents(
    browser: Client, *, pages: tuple[str, ...] = (CARE, OUTLET), without: str = "", decision: str = "allow"
) -> Any:
    """Go to Facebook's dialog, let our app in as asked, and come back."""
    address = browser.get(START)["Location"]
    asked = dict(parse_qsl(urlsplit(address).query))
    shown = requests.get(address, timeout=5).text
    permissions = [each for each in re.findall(r'name="permission" value="(\w+)"', shown) if each != without]
    form = {**asked, "page": pages, "permission": permissions, "decision": decision}
    answer = requests.post(address, data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    there = urlsplit(answer.headers["Location"])
    return browser.get(f"{there.path}?{there.query}")


def connects(browser: Client, *pages: str, **consent: Any) -> Any:
    """The whole way to connected Pages."""
    answer = consents(browser, **consent)
    assert answer["Location"] == f"{START}pages/", [str(each) for each in get_messages(answer.wsgi_request)]
    return browser.post(f"{START}pages/", {"page": pages})


def test_pages_are_connected_and_what_happens_there_is_told_at_once(
    browser: Client, app: App, ada: Person, practice: Practice
) -> None:
    connects(browser, CARE)
    account = ChannelAccount.objects.get()
    assert (account.address, account.name, account.settings["category"]) == (CARE, "Acme Care", "Customer service")
    assert account.settings["missing"] == []
    assert (account.settings["subscribed"], account.settings["hooked"]) == (True, True)
    assert account.token_expires_at is not None
    assert accounts.try_out(account=account, now=NOW).ok
    accounts.resume(account=account, actor=ada, now=NOW)
    written = practice.ask(
        "/practice/facebook/write", {"person": "carla", "do": "message", "page": CARE, "text": "Wo ist es? ä/ö"}
    )
    item = until(lambda: LedgerItem.objects.filter(account=account).first(), what="the message at our door")
    assert (item.happening, item.state, item.source) == ("message", "pending", "webhook")
    assert written.status == 200
    account.refresh_from_db()
    assert account.heard_at is not None


def test_a_permission_that_was_unticked_is_named_and_connecting_again_mends_it(browser: Client, app: App) -> None:
    connects(browser, CARE, OUTLET, without="pages_messaging")
    assert [each.settings["missing"] for each in ChannelAccount.objects.all()] == [["pages_messaging"]] * 2
    assert "Messenger does not come in" in browser.get(f"{BASE}{ChannelAccount.objects.all()[0].pk}/").content.decode()
    connects(browser, CARE, OUTLET)
    assert [each.settings["missing"] for each in ChannelAccount.objects.all()] == [[], []]


def test_a_consent_that_was_refused_or_opened_no_page_connects_nothing(browser: Client, app: App) -> None:
    for consent, expected in (({"decision": "deny"}, "was not given"), ({"pages": ()}, "no Page was opened to us")):
        answer = consents(browser, **consent)
        assert answer["Location"] == BASE
        assert expected in " ".join(str(each) for each in get_messages(answer.wsgi_request))
    assert not ChannelAccount.objects.exists()


def test_a_page_whose_administrator_changed_their_password_is_connected_again(
    browser: Client, app: App, practice: Practice
) -> None:
    connects(browser, CARE)
    account = ChannelAccount.objects.get()
    practice.ask("/practice/facebook/revoke", {"subcode": 460})
    tried = accounts.try_out(account=account, now=NOW)
    assert not tried.ok
    assert "changed their Facebook password" in tried.words[0]
    ChannelAccount.objects.update(state=AccountState.REFUSED, cursor={"kept": 1})
    answer = connects(browser, CARE)
    account.refresh_from_db()
    assert (answer["Location"], account.state, account.cursor) == (f"{BASE}{account.pk}/", "active", {"kept": 1})
    assert accounts.try_out(account=account, now=NOW).ok
