"""The admin's pages: who may open them, what they show, what their buttons do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import alarm, ledger, processing
from channels.adapters.base import PayloadError, Polled, Tried
from channels.models import ChannelAccount, LedgerItem
from channels.receiver import GROUP_DM
from channels.urls import urlpatterns
from tests.channels.conftest import ListeningReceiver, ScriptedAdapter, message, raw

pytestmark = pytest.mark.django_db

BASE = "/settings/accounts/"
TYPED = {
    "address": "care@acme.example", "name": "Acme Care", "username": "", "password": "practice-only",
    "imap_host": "imap.acme.example", "imap_port": "993", "imap_security": "tls",
    "smtp_host": "smtp.acme.example", "smtp_port": "465", "smtp_security": "tls", "begins_at": "",
}  # fmt: skip


@pytest.fixture
def browser(ada: Person) -> Client:
    """Ada's browser."""
    made = Client()
    made.force_login(ada)
    return made


def words(answer: Any) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def addresses(account: ChannelAccount, item_id: int) -> list[str]:
    given = {"account_id": account.pk, "item_id": item_id, "state": "quarantined"}
    found = [re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(given[match[1]]), str(each.pattern)) for each in urlpatterns]
    return [BASE + each for each in found]


def fill(account: ChannelAccount, scripted: ScriptedAdapter, count: int = 3) -> list[int]:
    """Items, of which the first is quarantined and the others are processed."""

    def reads(item: Any, told: object) -> list[Any]:
        if item.external_id == "<0>":
            raise PayloadError("The mail has no readable header.")
        return [message(said_at=timezone.now())]

    scripted.reads = reads
    ids = ledger.record(account, "email", [raw(f"<{n}>") for n in range(count)], source="poll", now=timezone.now())
    processing.process(now=timezone.now())
    return ids


def test_no_page_opens_to_strangers_or_to_those_who_are_no_admins(
    account: ChannelAccount, anna: Person, client: Client, hinted: list[str]
) -> None:
    [item_id] = ledger.record(account, "email", [raw()], source="poll", now=timezone.now())
    for address in addresses(account, item_id):
        for method in (client.get, client.post):
            if (answer := method(address)).status_code != 405:
                assert answer.status_code == 302, address
                assert "/sign-in/" in answer["Location"]
    client.force_login(anna)
    for address in addresses(account, item_id):
        statuses = {client.get(address).status_code, client.post(address).status_code}
        assert statuses <= {403, 405}, address
        assert 403 in statuses, address


def test_an_empty_house_says_what_to_do(browser: Client) -> None:
    page = words(browser.get(BASE))
    assert "No account is connected yet" in page
    assert "Nothing has come in today" in page


def test_a_card_tells_the_books_and_each_number_opens_its_list(
    account: ChannelAccount, browser: Client, scripted: ScriptedAdapter, listening: ListeningReceiver, hinted: list[str]
) -> None:
    fill(account, scripted)
    ChannelAccount.objects.update(polled_at=timezone.now(), caught_up_at=timezone.now())
    answer = browser.get(BASE)
    page = words(answer)
    assert "3 seen today = 2 processed + 0 filtered + 1 quarantined + 0 waiting" in page
    assert "1 item could not be read. It is kept, the rest came in." in page
    assert "Nothing is missing" in page
    for state, expected in (("seen", 3), ("processed", 2), ("filtered", 0), ("quarantined", 1), ("pending", 0)):
        address = f"{BASE}{account.pk}/ledger/{state}/"
        assert address in answer.content.decode()
        assert browser.get(address).content.decode().count('<tr id="item-') == expected
        assert browser.get(f"{BASE}ledger/{state}/").content.decode().count('<tr id="item-') == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"state": "refused", "error_text": "The mail server refuses the password."}, "Connect again"),
        ({"failures": 2, "error_text": "The mail server did not answer"}, "did not answer. Nothing is lost"),
        ({"state": "paused", "polled_at": timezone.now()}, "Paused"),
        ({"state": "paused"}, "See what would come in"),
        ({"caught_up_at": timezone.now() - timedelta(hours=1)}, "Is the worker for polling running?"),
        ({"caught_up_at": timezone.now()}, "Healthy"),
        ({"caught_up_at": timezone.now(), "quota": {"left": 12, "of": 450}}, "12 of 450"),
        (
            {"caught_up_at": timezone.now(), "token_expires_at": timezone.now() + timedelta(days=11, hours=1)},
            "11 days left",
        ),
    ],
)
def test_a_card_says_how_the_account_is_and_what_mends_it(
    account: ChannelAccount, browser: Client, columns: dict[str, Any], expected: str
) -> None:
    ChannelAccount.objects.update(**columns)
    for address in (BASE, f"{BASE}{account.pk}/"):
        assert expected in words(browser.get(address))


def test_what_is_said_in_groups_stands_on_the_card_and_leads_to_its_rows(
    make_account: Callable[..., ChannelAccount], browser: Client, scripted: ScriptedAdapter, hinted: list[str]
) -> None:
    handle = make_account("999", kind="x", name="@AcmeCare")
    items = [raw(f"<{n}>") for n in range(3)]
    now = timezone.now()
    ledger.record(handle, "x", items[:2], source="poll", now=now, state="filtered", reason=GROUP_DM)
    ledger.record(handle, "x", items[2:], source="poll", now=now, state="filtered", reason="blocked")
    for address in (BASE, f"{BASE}{handle.pk}/"):
        answer = browser.get(address)
        assert "2 messages in groups within a week. They were filtered" in words(answer)
        assert f'href="{BASE}{handle.pk}/ledger/filtered/"' in answer.content.decode()
    LedgerItem.objects.update(received_at=now - timedelta(days=8))
    assert "in groups" not in words(browser.get(BASE))


def test_what_no_account_can_be_named_for_is_said_above_the_cards(browser: Client, hinted: list[str]) -> None:
    now, made = timezone.now(), {"source": "webhook", "origin": "app:1", "reason": "too large"}
    ledger.record(None, "facebook", [raw("<1>")], now=now, state="quarantined", **made)
    page = words(browser.get(BASE))
    assert "1 post of a network could not be taken apart, or was too large to be kept." in page
    assert "for an account nobody connected" not in page


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"state": "refused"}, 1),
        ({"failures": 9}, 1),
        ({"caught_up_at": timezone.now() - timedelta(hours=1)}, 1),
        ({"caught_up_at": timezone.now()}, 0),
        ({"state": "paused", "polled_at": timezone.now()}, 0),
    ],
)
def test_an_account_in_trouble_or_behind_is_marked_at_the_navigation_of_every_page(
    account: ChannelAccount, browser: Client, columns: dict[str, Any], expected: int
) -> None:
    ChannelAccount.objects.update(**columns)
    for address in ("/settings/people/", "/settings/history/", BASE):
        assert words(browser.get(address)).count("1 in trouble") == expected
    assert words(browser.get(f"{BASE}alarm/")).count("1 in trouble") == expected


def test_the_alarm_is_counted_for_admins_only_and_once_in_a_while(
    account: ChannelAccount, browser: Client, anna: Person, django_assert_num_queries: Any
) -> None:
    ChannelAccount.objects.update(state="refused")
    with django_assert_num_queries(3):
        assert alarm.in_trouble(now=timezone.now()) == 1
    with django_assert_num_queries(0):
        assert alarm.in_trouble(now=timezone.now()) == 1
    cache.clear()
    agent = Client()
    agent.force_login(anna)
    with CaptureQueriesContext(connection) as queries:
        page = agent.get("/settings/tokens/")
    assert page.status_code == 200
    assert "in trouble" not in words(page)
    assert not [each for each in queries if "channels_channelaccount" in each["sql"]]


def test_fifty_accounts_take_no_more_statements_than_one(
    make_account: Callable[..., ChannelAccount], browser: Client, hinted: list[str]
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get(BASE).status_code == 200
        return len(queries)

    first = make_account()
    ledger.record(first, "email", [raw()], source="poll", now=timezone.now())
    browser.get(BASE)
    at_one = statements()
    for number in range(49):
        made = make_account(f"box{number}@acme.example")
        ledger.record(made, "email", [raw()], source="poll", now=timezone.now())
    assert statements() == at_one <= 6


def test_a_list_takes_as_many_statements_at_one_row_as_at_fifty(
    account: ChannelAccount, browser: Client, hinted: list[str]
) -> None:
    browser.get(BASE)
    counts = []
    for number in (1, 60):
        ledger.record(
            account, "email", [raw(f"<{number}-{n}>") for n in range(number)], source="poll", now=timezone.now()
        )
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"{BASE}{account.pk}/ledger/pending/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_lists_are_walked_by_their_ids_in_both_directions(
    account: ChannelAccount, browser: Client, hinted: list[str]
) -> None:
    ids = ledger.record(account, "email", [raw(f"<{n}>") for n in range(120)], source="poll", now=timezone.now())
    for state in ("pending", "seen"):
        address = f"{BASE}{account.pk}/ledger/{state}/"
        shown: list[int] = []
        query: str | None = ""
        while query is not None:
            page = browser.get(address + query).content.decode()
            shown += [int(found) for found in re.findall(r'<tr id="item-(\d+)"', page)]
            older = re.search(r'href="(\?before=\d+)"', page)
            query = older[1] if older else None
        assert shown == ids[::-1]
        newer = re.search(r'href="(\?after=\d+)"', page)
        assert newer
        back = [
            int(found) for found in re.findall(r'<tr id="item-(\d+)"', browser.get(address + newer[1]).content.decode())
        ]
        assert back == ids[::-1][50:100]


def test_a_mailbox_is_connected_looked_into_and_switched_on(browser: Client, scripted: ScriptedAdapter) -> None:
    assert "Test" in words(browser.get(f"{BASE}connect/email/"))
    answer = browser.post(f"{BASE}connect/email/", TYPED)
    account = ChannelAccount.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}{account.pk}/preview/")
    scripted.pages = [Polled(items=(raw("<1>"), raw("<2>")), cursor={})]
    assert "2 items since" in words(browser.get(answer["Location"]))
    assert account.state == "paused"
    page = words(browser.post(f"{BASE}{account.pk}/resume/", follow=True))
    assert page.count("care@acme.example is switched on.") == 1
    assert "practice-only" not in page
    account.refresh_from_db()
    assert account.state == "active"


@pytest.mark.parametrize("state", ["active", "refused"])
def test_connecting_a_mailbox_that_runs_leaves_it_alone_and_leads_to_its_page(
    browser: Client, account: ChannelAccount, state: str
) -> None:
    ChannelAccount.objects.update(state=state, cursor={"uid": 4})
    answer = browser.post(f"{BASE}connect/email/", {**TYPED, "address": "Care@ACME.example", "password": "mistyped"})
    assert answer.status_code == 422
    assert "This mailbox is connected already." in words(answer)
    assert f'href="{BASE}{account.pk}/edit/"' in answer.content.decode()
    kept = ChannelAccount.objects.get()
    assert (kept.state, kept.cursor, kept.begins_at) == (state, {"uid": 4}, account.begins_at)
    assert kept.credentials["password"] == account.credentials["password"]


def test_the_test_button_answers_in_words_and_saves_nothing(browser: Client, scripted: ScriptedAdapter) -> None:
    scripted.tried = Tried(ok=False, words=("Reading does not work: the server refuses the password.",))
    fragment = browser.post(f"{BASE}connect/email/test/", TYPED, headers={"HX-Request": "true"})
    assert "the server refuses the password" in words(fragment)
    assert "<html" not in fragment.content.decode()
    whole = browser.post(f"{BASE}connect/email/test/", TYPED)
    for answer in (fragment, whole):
        assert "practice-only" not in answer.content.decode()
    assert 'value="imap.acme.example"' in whole.content.decode()
    assert not ChannelAccount.objects.exists()
    incomplete = browser.post(f"{BASE}connect/email/test/", {**TYPED, "imap_host": ""}, headers={"HX-Request": "true"})
    assert "Not tested yet" in words(incomplete)
    assert "IMAP server" in words(incomplete)


def test_a_wrong_form_keeps_everything_but_the_password(browser: Client) -> None:
    answer = browser.post(f"{BASE}connect/email/", {**TYPED, "imap_port": "99999"})
    assert answer.status_code == 422
    assert 'value="care@acme.example"' in answer.content.decode()
    assert "practice-only" not in answer.content.decode()
    assert "Nothing was saved yet" in words(answer)


def test_clear_text_is_offered_in_practice_only(browser: Client, settings: Any) -> None:
    unprotected = {**TYPED, "imap_security": "none"}
    settings.PRACTICE = False
    assert browser.post(f"{BASE}connect/email/", unprotected).status_code == 422
    settings.PRACTICE = True
    assert browser.post(f"{BASE}connect/email/", unprotected).status_code == 302


def test_a_stored_password_goes_to_no_other_server(
    account: ChannelAccount, browser: Client, scripted: ScriptedAdapter
) -> None:
    elsewhere = {**TYPED, "password": "", "imap_host": "imap.elsewhere.example", "username": account.address}
    for address in (f"{BASE}{account.pk}/edit/", f"{BASE}{account.pk}/edit/test/"):
        assert "Please type the password for it" in words(browser.post(address, elsewhere))
    assert scripted.asked == []
    same = {**elsewhere, "imap_host": "imap.acme.example", "name": "Care"}
    assert browser.post(f"{BASE}{account.pk}/edit/", same).status_code == 302
    account.refresh_from_db()
    assert (account.name, account.credentials["password"]) == ("Care", "practice-only")


def test_quarantined_items_are_processed_again_one_and_all(
    account: ChannelAccount, browser: Client, scripted: ScriptedAdapter, listening: ListeningReceiver, hinted: list[str]
) -> None:
    scripted.reads = lambda item, told: (_ for _ in ()).throw(PayloadError("Not understood."))
    ids = ledger.record(account, "email", [raw(f"<{n}>") for n in range(3)], source="poll", now=timezone.now())
    processing.process(now=timezone.now())
    page = words(browser.post(f"{BASE}ledger/item/{ids[0]}/again/", follow=True))
    assert "1 item is processed again." in page
    assert "2 items are processed again." in words(browser.post(f"{BASE}{account.pk}/ledger/again/", follow=True))
    assert LedgerItem.objects.filter(state="pending").count() == 3
    assert "There was nothing to process again" in words(browser.post(f"{BASE}{account.pk}/ledger/again/", follow=True))


def test_contents_open_only_for_an_admin_who_works_tickets_and_are_noted(
    account: ChannelAccount, browser: Client, ada: Person, hinted: list[str]
) -> None:
    body = b"Subject: hi\r\n\r\n<script>alert(1)</script> Carla\0"
    [item_id] = ledger.record(account, "email", [raw(body=body)], source="poll", now=timezone.now())
    address = f"{BASE}ledger/item/{item_id}/content/"
    assert browser.post(address).status_code == 403
    assert "Open" not in words(browser.get(f"{BASE}{account.pk}/ledger/pending/"))
    assert not HistoryEntry.objects.exists()
    Person.objects.filter(pk=ada.pk).update(is_lead=True)
    assert browser.get(address).status_code == 405
    answer = browser.post(address)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Carla" in answer.content.decode()
    assert "Open" in words(browser.get(f"{BASE}{account.pk}/ledger/pending/"))
    entry = HistoryEntry.objects.get()
    assert (entry.act, entry.actor, entry.account_id, entry.data) == (
        "ledger.body_opened", ada, account.pk, {"item": item_id},
    )  # fmt: skip


def test_what_is_not_there_is_404(browser: Client) -> None:
    for address in (f"{BASE}99/", f"{BASE}99/ledger/seen/", f"{BASE}ledger/nonsense/"):
        assert browser.get(address).status_code == 404
    assert browser.get(f"{BASE}ledger/seen/?before=x&after=99999999999999999999").status_code == 200


def test_the_live_piece_of_the_page_comes_alone(account: ChannelAccount, browser: Client) -> None:
    fragment = browser.get(BASE, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert f'id="account-{account.pk}"' in fragment
