"""An admin connects Pages through Facebook's dialog: the way there, back, the choice, and whatever goes wrong."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import alarm
from channels.adapters.facebook.trying import SCOPES, SUBSCRIBED
from channels.consent import choosing, facebook_views, registering
from channels.models import AccountState, App, ChannelAccount
from contactcentre.lib.secrets import Credentials
from tests.channels import tiny_graph
from tests.channels.adapters.x.conftest import TinyX, html, reset, tiny
from tests.channels.conftest import NOW
from tests.channels.tiny_graph import (
    ACCOUNTS,
    APP_ID,
    CALLBACK,
    CARE,
    DEBUG,
    OUTLET,
    SECRET,
    TOKEN,
    listing,
    page,
    refused,
    subscribed,
    told,
)  # fmt: skip

pytestmark = pytest.mark.django_db
__all__ = ["tiny"]

BASE = "/settings/accounts/"
START = f"{BASE}connect/facebook/"
BACK = f"{START}callback/"
CHOICE = f"{START}pages/"
TOKENS = ("short-token", "long-token", f"page-token-{CARE}", f"page-token-{OUTLET}", SECRET)


@pytest.fixture
def graph(tiny: TinyX, settings: Any) -> TinyX:
    """A tiny Graph in the place of the real one, where all goes well."""
    settings.FACEBOOK_GRAPH_ORIGIN = tiny.origin
    return tiny_graph.behaving(tiny)


@pytest.fixture
def app(ada: Person) -> App:
    return registering.enter_app(
        actor=ada, kind="facebook", name="Acme", client_id=APP_ID, client_secret=SECRET, now=NOW
    )


@pytest.fixture
def browser(ada: Person) -> Client:
    """Ada's browser."""
    made = Client()
    made.force_login(ada)
    return made


def begun(browser: Client) -> dict[str, str]:
    """Where Facebook's dialog was asked for, and with what."""
    answer = browser.get(START)
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def back(browser: Client, **query: str) -> Any:
    """Come back from the dialog, with a code unless the query says otherwise."""
    state = begun(browser)["state"]
    return browser.get(BACK, {"state": state, "code": "practice-code", **query})


def said(answer: Any) -> str:
    """What the page says above everything else."""
    return " ".join(str(each) for each in get_messages(answer.wsgi_request))


def words(answer: Any) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_dialog_is_asked_for_what_we_need(browser: Client, app: App, settings: Any) -> None:
    settings.FACEBOOK_DIALOG_ORIGIN = "https://www.facebook.com"
    location = browser.get(START)["Location"]
    assert location.startswith("https://www.facebook.com/v25.0/dialog/oauth?")
    asked = begun(browser)
    assert (asked["client_id"], asked["response_type"]) == (APP_ID, "code")
    assert asked["redirect_uri"] == f"{settings.BASE_URL}{BACK}"
    assert set(asked["scope"].split(",")) == set(tiny_graph.GRANTED)
    assert SECRET not in location
    # Each time another, and the last one counts.
    assert begun(browser)["state"] != asked["state"]


def test_pages_are_chosen_and_become_accounts_that_are_not_switched_on(
    browser: Client, app: App, graph: TinyX, settings: Any
) -> None:
    answer = back(browser)
    assert answer["Location"] == CHOICE
    (first, second) = graph.asked_for(TOKEN)
    assert first.query["code"] == "practice-code"
    assert first.query["redirect_uri"] == f"{settings.BASE_URL}{BACK}"
    assert (second.query["grant_type"], second.query["fb_exchange_token"]) == ("fb_exchange_token", "short-token")
    assert graph.asked_for(ACCOUNTS)[0].query["access_token"] == "long-token"
    shown = browser.get(CHOICE)
    assert "Acme Care" in words(shown)
    assert "Not connected yet" in words(shown)
    assert not ChannelAccount.objects.exists()

    before = timezone.now()
    answer = browser.post(CHOICE, {"page": [CARE]})
    account = ChannelAccount.objects.get()
    assert answer["Location"] == f"{BASE}{account.pk}/preview/"
    assert (account.kind, account.address, account.name, account.app) == ("facebook", CARE, "Acme Care", app)
    assert (account.state, account.token_expires_at) == (AccountState.PAUSED, None)
    assert account.begins_at >= before
    proof = hmac.new(SECRET.encode(), f"page-token-{CARE}".encode(), hashlib.sha256).hexdigest()
    assert account.credentials == {"access_token": f"page-token-{CARE}", "appsecret_proof": proof}
    assert account.settings == {
        "category": "Customer service", "permissions": list(SCOPES), "missing": [], "subscribed": True, "hooked": True,
    }  # fmt: skip
    (subscription,) = graph.asked_for(subscribed(CARE))
    assert subscription.form["subscribed_fields"].split(",") == list(SUBSCRIBED)
    assert not graph.asked_for(subscribed(OUTLET))
    (callback,) = graph.asked_for(CALLBACK)
    assert callback.form["callback_url"] == f"{settings.BASE_URL}/hooks/facebook/{APP_ID}/"
    assert callback.form["verify_token"] == app.secrets["verify_token"]
    assert (callback.form["object"], callback.form["include_values"]) == ("page", "true")
    # The choice is over: its tokens are out of the session.
    assert browser.get(CHOICE)["Location"] == BASE


def test_several_at_once_lead_to_the_list_of_accounts(browser: Client, app: App, graph: TinyX) -> None:
    back(browser)
    answer = browser.post(CHOICE, {"page": [CARE, OUTLET, "6100000000000999"]})
    assert answer["Location"] == BASE
    assert "Acme Care, Acme Outlet are connected and not switched on yet." in said(answer)
    assert ChannelAccount.objects.filter(state=AccountState.PAUSED).count() == 2
    assert len(graph.asked_for(CALLBACK)) == 1


def test_no_token_is_rendered_logged_or_readable_in_the_session(
    browser: Client, app: App, graph: TinyX, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        back(browser)
        kept = str([row.get_decoded() for row in Session.objects.all()])
        pages = [browser.get(CHOICE)]
        browser.post(CHOICE, {"page": [CARE, OUTLET]})
    account = ChannelAccount.objects.get(address=CARE)
    pages += [browser.get(address) for address in (BASE, f"{BASE}{account.pk}/", f"{BASE}apps/facebook/")]
    from contactcentre.lib.secrets import hide

    logged = hide(caplog.text)
    history = str(list(HistoryEntry.objects.values_list("data", flat=True)))
    for token in TOKENS:
        assert token not in kept
        assert token not in history
        assert token not in logged
        assert all(token not in page.content.decode() for page in pages)


def test_a_state_that_is_not_ours_or_was_used_brings_nothing(browser: Client, app: App, graph: TinyX) -> None:
    state = begun(browser)["state"]
    assert "belongs to no connecting" in said(browser.get(BACK, {"state": "another", "code": "c"}))
    assert "belongs to no connecting" in said(browser.get(BACK, {"state": state, "code": "c"}))
    assert "belongs to no connecting" in said(browser.get(BACK))
    assert graph.asked == []


def test_who_comes_back_or_chooses_too_late_begins_again(
    browser: Client, app: App, graph: TinyX, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(facebook_views, "LASTS", timedelta(seconds=-1))
        assert "came too late" in said(back(browser))
    assert graph.asked == []
    back(browser)
    monkeypatch.setattr(facebook_views, "CHOICE_LASTS", timedelta(seconds=-1))
    answer = browser.post(CHOICE, {"page": [CARE]})
    assert (answer["Location"], ChannelAccount.objects.count()) == (BASE, 0)
    assert "no longer open" in said(answer)


@pytest.mark.parametrize(
    ("script", "query", "expected"),
    [
        ({}, {"error": "access_denied", "error_reason": "user_denied", "code": ""}, "the consent was not given"),
        ({}, {"code": ""}, "the consent was not given"),
        ({TOKEN: [refused(100, subcode=36009)]}, {}, "good once, and for a few minutes"),
        ({TOKEN: [refused(1, message="Error validating client secret.")]}, {}, "does not know our app"),
        ({TOKEN: [refused(101)]}, {}, "does not know our app"),
        ({TOKEN: [(200, {"access_token": ""})]}, {}, "cannot be read"),
        ({TOKEN: [html(502)]}, {}, "a failure of its own"),
        ({TOKEN: [reset]}, {}, "not connected"),
        ({DEBUG: [refused(190, subcode=460)]}, {}, "changed their Facebook password"),
        ({ACCOUNTS: [refused(4)]}, {}, "too many calls"),
        ({ACCOUNTS: [listing()]}, {}, "no Page was opened to us"),
        ({ACCOUNTS: [listing(page(CARE, "Acme Care", access_token=None))]}, {}, "no Page was opened to us"),
        ({ACCOUNTS: [(200, {"data": "odd"})]}, {}, "no Page was opened to us"),
    ],
)
def test_what_goes_wrong_on_the_way_back_is_said_in_words(
    browser: Client, app: App, graph: TinyX, script: dict[str, list[Any]], query: dict[str, str], expected: str
) -> None:
    for call, answers in script.items():
        graph.on(call, *answers)
    answer = back(browser, **query)
    assert answer["Location"] == BASE
    assert expected in said(answer)
    assert "Traceback" not in words(browser.get(BASE))
    assert not ChannelAccount.objects.exists()


def test_a_missing_permission_is_named_before_and_after(browser: Client, app: App, graph: TinyX) -> None:
    scopes = [scope for scope in tiny_graph.GRANTED if scope not in ("pages_messaging", "pages_manage_metadata")]
    only_outlet = [{"scope": "pages_read_user_content", "target_ids": [OUTLET]}, {"scope": "pages_show_list"}]
    graph.on(DEBUG, told(scopes=scopes, granular_scopes=only_outlet))
    graph.on(subscribed(CARE), refused(200, status=403))
    back(browser)
    shown = words(browser.get(CHOICE))
    assert shown.count("Messenger does not come in") == 2
    assert shown.count("What people write on the Page does not come in.") == 1
    browser.post(CHOICE, {"page": [CARE]})
    account = ChannelAccount.objects.get()
    assert account.settings["missing"] == ["pages_read_user_content", "pages_manage_metadata", "pages_messaging"]
    assert account.settings["subscribed"] is False


def test_a_page_is_subscribed_to_what_the_permissions_allow(browser: Client, app: App, graph: TinyX) -> None:
    # Facebook refuses the whole list for the sake of one field.
    graph.on(DEBUG, told(scopes=[scope for scope in tiny_graph.GRANTED if scope != "pages_messaging"]))
    back(browser)
    browser.post(CHOICE, {"page": [CARE]})
    assert graph.asked_for(subscribed(CARE))[0].form["subscribed_fields"] == "feed"
    assert ChannelAccount.objects.get().settings["subscribed"] is True


def test_a_door_that_facebook_does_not_reach_is_said_with_what_to_do(browser: Client, app: App, graph: TinyX) -> None:
    graph.on(CALLBACK, refused(2200, message="Callback verification failed"))
    back(browser)
    answer = browser.post(CHOICE, {"page": [CARE]})
    assert "did not take our hook address" in said(answer)
    account = ChannelAccount.objects.get()
    assert account.settings["hooked"] is False
    # Once the way is open, one button mends it for every Page.
    graph.on(CALLBACK, (200, {"success": True}))
    again = browser.post(f"{BASE}apps/facebook/callback/")
    assert again["Location"] == f"{BASE}apps/facebook/?app={app.pk}"
    assert "tells us at once from now on" in said(again)
    account.refresh_from_db()
    assert account.settings["hooked"] is True


def test_a_verify_token_that_leaked_is_made_anew_and_facebook_told_at_once(
    browser: Client, app: App, graph: TinyX
) -> None:
    leaked = app.secrets["verify_token"]
    page = browser.get(f"{BASE}apps/facebook/").content.decode()
    assert f'formaction="{BASE}apps/facebook/verify-token/?app={app.pk}"' in page
    browser.post(f"{BASE}apps/facebook/verify-token/?app={app.pk}")
    fresh = App.objects.get().secrets
    assert leaked != fresh["verify_token"]
    assert {**fresh, "verify_token": leaked} == app.secrets
    assert graph.asked_for(CALLBACK)[0].form["verify_token"] == fresh["verify_token"]
    entry = HistoryEntry.objects.get(act="app.verify_token_renewed")
    assert entry.data == {"app": app.pk, "kind": "facebook"}
    assert "Verify token made anew" in browser.get("/settings/history/").content.decode()


def test_where_facebook_does_not_take_the_new_token_the_old_one_is_dead_all_the_same(
    browser: Client, app: App, graph: TinyX
) -> None:
    graph.on(CALLBACK, refused(2200, message="Callback verification failed"))
    answer = browser.post(f"{BASE}apps/facebook/verify-token/?app={app.pk}")
    assert "The old one proves nothing any more" in said(answer)
    assert "did not take the callback address" in said(answer)
    assert App.objects.get().secrets["verify_token"] != app.secrets["verify_token"]


def test_the_buttons_of_an_earlier_app_are_about_that_one(browser: Client, app: App, graph: TinyX, ada: Person) -> None:
    registering.enter_app(
        actor=ada, kind="facebook", name="Newer", client_id="1700000000000099", client_secret="practice-only", now=NOW
    )
    earlier = f"{BASE}apps/facebook/?app={app.pk}"
    assert f'action="{BASE}apps/facebook/callback/?app={app.pk}"' in browser.get(earlier).content.decode()
    assert browser.post(f"{BASE}apps/facebook/callback/?app={app.pk}")["Location"] == earlier
    assert graph.asked_for(CALLBACK)[0].path.endswith(f"/{app.client_id}/subscriptions")


def test_one_page_that_fails_leaves_the_others_connected_and_can_be_tried_again(
    browser: Client, app: App, graph: TinyX
) -> None:
    back(browser)
    graph.on(DEBUG, told(), refused(2, status=500), told())
    answer = browser.post(CHOICE, {"page": [CARE, OUTLET]})
    assert answer["Location"] == CHOICE
    assert "Acme Outlet was not connected." in said(answer)
    assert [account.address for account in ChannelAccount.objects.all()] == [CARE]
    assert browser.post(CHOICE, {"page": [OUTLET]}).status_code == 302
    assert ChannelAccount.objects.count() == 2


def test_a_token_that_died_between_dialog_and_choice_connects_nothing(browser: Client, app: App, graph: TinyX) -> None:
    back(browser)
    graph.on(DEBUG, told(is_valid=False))
    answer = browser.post(CHOICE, {"page": [CARE]})
    assert "no longer accepts what it gave us" in said(answer)
    assert not ChannelAccount.objects.exists()


@pytest.mark.parametrize(("ticked", "expected"), [([], "Tick at least one Page"), (["6999"], "Tick at least one Page")])
def test_a_choice_of_nothing_is_asked_again(
    browser: Client, app: App, graph: TinyX, ticked: list[str], expected: str
) -> None:
    back(browser)
    answer = browser.post(CHOICE, {"page": ticked})
    assert answer.status_code == 422
    assert expected in words(answer)
    assert not ChannelAccount.objects.exists()


def test_more_than_twenty_at_once_are_too_many(browser: Client, app: App, graph: TinyX) -> None:
    pages = [page(f"61000000000{number:05d}", f"Shop {number}") for number in range(choosing.MOST_AT_ONCE + 1)]
    graph.on(ACCOUNTS, listing(*pages))
    back(browser)
    answer = browser.post(CHOICE, {"page": [each["id"] for each in pages]})
    assert answer.status_code == 422
    assert "At most 20 at once" in words(answer)
    assert answer.content.decode().count(" checked") == len(pages)


def test_the_listing_is_read_to_its_end_but_not_round_for_ever(browser: Client, app: App, graph: TinyX) -> None:
    graph.on(ACCOUNTS, listing(page(CARE, "Acme Care"), after="2"), listing(page(OUTLET, "Acme Outlet"), after="2"))
    back(browser)
    shown = words(browser.get(CHOICE))
    assert "Acme Care" in shown
    assert "Acme Outlet" in shown
    assert len(graph.asked_for(ACCOUNTS)) <= 3


def test_more_than_two_hundred_pages_are_said(browser: Client, app: App, graph: TinyX) -> None:
    def part(start: int, after: str = "") -> tuple[int, dict[str, Any]]:
        return listing(*(page(f"6100000{n:06d}", f"Shop {n}") for n in range(start, start + 100)), after=after)

    graph.on(ACCOUNTS, part(0, "1"), part(100, "2"), part(200))
    back(browser)
    shown = words(browser.get(CHOICE))
    assert "Only the first 200 Pages are shown here." in shown
    assert "Shop 199" in shown
    assert "Shop 200" not in shown


def connected(app: App, **given: Any) -> ChannelAccount:
    """Acme Care, connected a day ago."""
    values = {
        "kind": "facebook", "address": CARE, "name": "Old name", "app": app,
        "credentials": Credentials(access_token="old"),
        "begins_at": NOW - timedelta(days=1), "created_at": NOW - timedelta(days=1), "cursor": {"feed": "7"},
        "polled_at": NOW, "settings": {"missing": ["pages_messaging"], "subscribed": False, "hooked": False},
    }  # fmt: skip
    return ChannelAccount.objects.create(**{**values, **given})


def test_a_refused_page_goes_on_from_where_it_stopped(browser: Client, app: App, graph: TinyX) -> None:
    account = connected(app, state=AccountState.REFUSED, error_text="no", error_code="unauthorised", failures=3)
    back(browser)
    shown = browser.get(CHOICE)
    assert "Stopped; it goes on from where it stopped" in words(shown)
    answer = browser.post(CHOICE, {"page": [CARE]})
    assert answer["Location"] == f"{BASE}{account.pk}/"
    assert "goes on from where it stopped" in said(answer)
    account.refresh_from_db()
    assert (account.state, account.cursor, account.failures, account.error_text) == ("active", {"feed": "7"}, 0, "")
    assert account.begins_at == NOW - timedelta(days=1)
    assert (account.name, account.settings["missing"], account.settings["hooked"]) == ("Acme Care", [], True)
    assert account.credentials["access_token"] == f"page-token-{CARE}"
    assert HistoryEntry.objects.filter(act="account.reconnected").count() == 1


def test_a_page_that_was_not_ticked_is_said_to_be_still_stopped(browser: Client, app: App, graph: TinyX) -> None:
    connected(app, state=AccountState.REFUSED, address="6100000000000999", name="Acme Outlet")
    back(browser)
    assert "Still stopped: Acme Outlet." in said(browser.post(CHOICE, {"page": [CARE]}))


def test_a_paused_page_begins_anew_and_is_not_switched_on(browser: Client, app: App, graph: TinyX) -> None:
    account = connected(app, state=AccountState.PAUSED, heard_at=NOW)
    back(browser)
    assert "begins anew now" in words(browser.get(CHOICE))
    browser.post(CHOICE, {"page": [CARE]})
    account.refresh_from_db()
    assert (account.state, account.cursor, account.polled_at, account.heard_at) == ("paused", {}, None, None)
    assert account.begins_at > NOW


def test_when_the_access_to_data_ends_is_kept(browser: Client, app: App, graph: TinyX) -> None:
    graph.on(DEBUG, told(data_access_expires_at=1_900_000_000))
    back(browser)
    browser.post(CHOICE, {"page": [CARE]})
    assert ChannelAccount.objects.get().token_expires_at == datetime.fromtimestamp(1_900_000_000, UTC)


def test_a_new_secret_of_the_app_makes_new_proofs(ada: Person, app: App) -> None:
    account = connected(app, credentials=Credentials(access_token="practice-token", appsecret_proof="old"))
    registering.enter_app(
        actor=ada, kind="facebook", name="Acme", client_id=APP_ID, client_secret="practice-only-new", now=NOW
    )
    account.refresh_from_db()
    assert account.credentials["appsecret_proof"] == hmac.new(
        b"practice-only-new", b"practice-token", hashlib.sha256
    ).hexdigest()


def test_the_choice_costs_few_statements(
    browser: Client, app: App, graph: TinyX, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    graph.on(ACCOUNTS, listing(*(page(f"61000000000{number:05d}", f"Shop {number}") for number in range(50))))
    back(browser)
    # Session, person, app, accounts; how many accounts are in trouble is counted once in ten seconds.
    alarm.in_trouble(now=timezone.now())
    with django_assert_max_num_queries(6):
        browser.get(CHOICE)


def test_no_stranger_and_no_agent_connects_pages(client: Client, anna: Person, app: App) -> None:
    for address in (START, f"{START}app/{app.pk}/", BACK, CHOICE):
        assert "/sign-in/" in client.get(address)["Location"]
    client.force_login(anna)
    for address in (START, f"{START}app/{app.pk}/", BACK, CHOICE):
        assert client.get(address).status_code == 403
    assert client.post(CHOICE, {"page": [CARE]}).status_code == 403
    assert client.post(f"{BASE}apps/facebook/callback/").status_code == 403
