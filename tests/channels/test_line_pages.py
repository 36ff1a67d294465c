"""The pages of phone lines: connecting one, the hook address that is shown once, pausing and trying it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import accounts, line_views, lines
from channels.models import AccountState, ChannelAccount
from tests.channels.conftest import NOW

pytestmark = pytest.mark.django_db

BASE = "/settings/accounts/"
CONNECT = f"{BASE}connect/phone/"
TYPED = {"number": "+44 20 7946 0100", "name": "Support line", "region": ""}
ADDRESS = re.compile(r"https?://[^\s<\"]+/hooks/phone/([\w-]{40,})/")


@pytest.fixture
def browser(ada: Person) -> Client:
    """Ada's browser."""
    made = Client()
    made.force_login(ada)
    return made


@pytest.fixture
def line(ada: Person) -> ChannelAccount:
    """A line that runs and has not been rung yet."""
    return lines.connect_line(actor=ada, number="+442079460100", name="Support line", now=NOW)[0]


def words(answer: Any) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def token_on(answer: Any) -> str:
    """The token of the one hook address on the page."""
    found = set(ADDRESS.findall(answer.content.decode()))
    assert len(found) == 1
    return str(found.pop())


def test_a_line_is_connected_and_its_address_is_shown_once(browser: Client) -> None:
    assert CONNECT in browser.get(BASE).content.decode()
    assert "Connect a phone line" in words(browser.get(CONNECT))
    answer = browser.post(CONNECT, TYPED)
    account = ChannelAccount.objects.get()
    assert (account.address, account.name, account.settings["region"]) == ("+442079460100", "Support line", "GB")
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}{account.pk}/line/address/")
    first = browser.get(answer["Location"])
    assert "We show it only now" in words(first)
    assert "no-store" in first["Cache-Control"]
    token = token_on(first)
    assert lines.line_of(token) == account
    again = browser.get(answer["Location"])
    assert not ADDRESS.search(again.content.decode())
    assert "is not shown again" in words(again)


def test_the_token_is_on_no_other_page_and_not_readable_in_the_session(browser: Client, ada: Person) -> None:
    answer = browser.post(CONNECT, TYPED)
    account = ChannelAccount.objects.get()
    token = account.credentials["hook_token"]
    assert all(token not in str(row.get_decoded()) for row in Session.objects.all())
    for address in (BASE, f"{BASE}{account.pk}/", f"{BASE}{account.pk}/line/", f"{BASE}{account.pk}/ledger/seen/"):
        page = browser.get(address)
        assert page.status_code == 200
        assert token not in page.content.decode()
    assert token not in browser.post(f"{BASE}{account.pk}/test/").content.decode()
    assert token_on(browser.get(answer["Location"])) == token
    assert token not in str(list(HistoryEntry.objects.values_list("data", flat=True)))


def test_an_address_nobody_came_for_or_of_another_line_is_not_shown(
    browser: Client, line: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.post(CONNECT, {**TYPED, "number": "+442079460101"})
    assert not ADDRESS.search(browser.get(f"{BASE}{line.pk}/line/address/").content.decode())
    answer = browser.post(CONNECT, {**TYPED, "number": "+442079460101"})
    monkeypatch.setattr(line_views, "LASTS", timedelta(seconds=-1))
    assert not ADDRESS.search(browser.get(answer["Location"]).content.decode())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"number": "kitchen"}, "kitchen is no telephone number"),
        ({"number": ""}, "This field is required"),
        ({"region": "QQ"}, "QQ is no country"),
    ],
)
def test_a_wrong_form_says_so_and_keeps_what_was_typed(browser: Client, typed: dict[str, str], expected: str) -> None:
    answer = browser.post(CONNECT, {**TYPED, **typed})
    assert answer.status_code == 422
    assert expected in words(answer)
    assert 'value="Support line"' in answer.content.decode()
    assert not ChannelAccount.objects.exists()


def test_connecting_a_known_number_says_that_its_old_address_is_dead(browser: Client, line: ChannelAccount) -> None:
    old = line.credentials["hook_token"]
    answer = browser.post(CONNECT, TYPED, follow=True)
    assert "its old hook address works no longer" in words(answer)
    assert ChannelAccount.objects.count() == 1
    assert lines.line_of(old) is None
    assert lines.line_of(token_on(answer)) == line


def test_a_new_address_stops_the_old_one(browser: Client, line: ChannelAccount) -> None:
    old = line.credentials["hook_token"]
    assert f"{BASE}{line.pk}/line/address/" in browser.get(f"{BASE}{line.pk}/").content.decode()
    asked = browser.get(f"{BASE}{line.pk}/line/address/")
    assert "The old one stops at once" in words(asked)
    assert f"{BASE}{line.pk}/line/address/new/" in asked.content.decode()
    answer = browser.post(f"{BASE}{line.pk}/line/address/new/", follow=True)
    new = token_on(answer)
    assert new != old
    assert (lines.line_of(old), lines.line_of(new)) == (None, line)
    assert browser.post(f"/hooks/phone/{old}/", {"event": "newCall"}).status_code == 404
    assert browser.post(f"/hooks/phone/{new}/", {"event": "newCall"}).status_code == 200
    assert HistoryEntry.objects.filter(act="account.token_renewed", account_id=line.pk).count() == 1


def test_name_and_country_are_changed_and_the_number_is_not(browser: Client, line: ChannelAccount) -> None:
    assert browser.get(f"{BASE}{line.pk}/edit/")["Location"] == f"{BASE}{line.pk}/line/"
    digest = line.hook_digest
    answer = browser.post(
        f"{BASE}{line.pk}/line/", {"number": "+442079460199", "name": "Spares", "region": "ie"}, follow=True
    )
    assert "The hook address is the same as before" in words(answer)
    line.refresh_from_db()
    assert (line.address, line.name, line.settings["region"]) == ("+442079460100", "Spares", "IE")
    assert line.hook_digest == digest
    assert HistoryEntry.objects.filter(act="account.changed", account_id=line.pk).count() == 1
    assert browser.post(f"{BASE}{line.pk}/line/", {"name": "", "region": "QQ"}).status_code == 422
    line.refresh_from_db()
    assert line.settings["region"] == "IE"


def test_a_paused_line_says_what_becomes_of_its_calls_and_is_never_due_to_be_polled(
    browser: Client, line: ChannelAccount
) -> None:
    page = words(browser.post(f"{BASE}{line.pk}/pause/", follow=True))
    assert "Calls are kept and make no ticket" in page
    assert "See what would come in" not in page
    browser.post(f"{BASE}{line.pk}/resume/")
    browser.post(f"{BASE}{line.pk}/poll-now/")
    line.refresh_from_db()
    assert (line.state, line.next_poll_at) == (AccountState.ACTIVE, None)
    assert HistoryEntry.objects.filter(act="account.resumed").exists()
    assert not HistoryEntry.objects.filter(act="account.poll_asked").exists()


def test_the_card_tells_the_last_event_and_no_lag(browser: Client, line: ChannelAccount) -> None:
    page = words(browser.get(f"{BASE}{line.pk}/"))
    assert "Last event not yet" in page
    assert "Waits for a call" in page
    assert "Lag" not in page
    # Even a line that somebody's hand made due is told by what was heard.
    heard = timezone.now() - timedelta(minutes=3)
    ChannelAccount.objects.update(heard_at=heard, next_poll_at=timezone.now() - timedelta(days=1))
    for address in (BASE, f"{BASE}{line.pk}/"):
        page = words(browser.get(address))
        assert "3 min ago" in page
        assert "Healthy" in page
        assert "Last poll" not in page
        assert "Lag" not in page


def test_the_test_button_says_when_the_exchange_last_called(browser: Client, line: ChannelAccount) -> None:
    page = browser.post(f"{BASE}{line.pk}/test/")
    assert page.status_code == 200
    assert "No event has come yet: ring the line once" in words(page)
    ChannelAccount.objects.update(heard_at=NOW)
    piece = browser.post(f"{BASE}{line.pk}/test/", headers={"HX-Request": "true"})
    assert "The last event came on" in words(piece)
    assert "<html" not in piece.content.decode()


def test_line_pages_are_for_lines_and_mailbox_pages_for_mailboxes(
    browser: Client, line: ChannelAccount, account: ChannelAccount
) -> None:
    for address in ("line/", "line/address/"):
        assert browser.get(f"{BASE}{account.pk}/{address}").status_code == 404
    assert browser.post(f"{BASE}{account.pk}/line/address/new/").status_code == 404
    # What is stored for a line must not be tried on a mail server.
    assert browser.post(f"{BASE}{line.pk}/edit/test/", {}).status_code == 404
    with pytest.raises(lines.NotALine):
        lines.update_line(account=account, actor=None, name="x", region="", now=NOW)


def test_nobody_but_an_admin_opens_a_page_of_lines(
    line: ChannelAccount, anna: Person, make_person: Callable[..., Person], client: Client
) -> None:
    pages = [
        (client.get, CONNECT),
        (client.post, CONNECT),
        (client.get, f"{BASE}{line.pk}/line/"),
        (client.post, f"{BASE}{line.pk}/line/"),
        (client.get, f"{BASE}{line.pk}/line/address/"),
        (client.post, f"{BASE}{line.pk}/line/address/new/"),
        (client.post, f"{BASE}{line.pk}/test/"),
    ]
    for ask, address in pages:
        assert "/sign-in/" in ask(address)["Location"], address
    for person in (anna, make_person("Leo Marsh", is_lead=True)):
        client.force_login(person)
        for ask, address in pages:
            assert ask(address).status_code == 403, address
    line.refresh_from_db()
    assert lines.line_of(line.credentials["hook_token"]) == line


def test_a_line_cannot_be_asked(line: ChannelAccount, ada: Person) -> None:
    assert not accounts.poll_now(account=line, actor=ada, now=NOW)
