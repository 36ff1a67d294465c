"""The pages of X: entering our app, going to the consent page, and what the card tells."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import accounts as acts
from channels.adapters.base import PollError, Tried
from channels.consent import registering
from channels.models import AccountState, App, ChannelAccount
from channels.spans import clock
from contactcentre.lib.secrets import Credentials
from practice.x import grants
from tests.channels.conftest import NOW, ScriptedAdapter
from tickets import demonstration

pytestmark = pytest.mark.django_db

BASE = "/settings/accounts/"
APP = f"{BASE}apps/x/"
START = f"{BASE}connect/x/"
SECRET = "practice-only-secret"
TYPED = {"name": "Acme contact centre", "client_id": "practice-client", "client_secret": SECRET}


@pytest.fixture
def browser(ada: Person) -> Client:
    """Ada's browser."""
    made = Client()
    made.force_login(ada)
    return made


@pytest.fixture
def app(ada: Person) -> App:
    return registering.enter_app(actor=ada, kind="x", now=NOW, **TYPED)


@pytest.fixture
def handle(app: App) -> ChannelAccount:
    """@AcmeCare, running."""
    moment = timezone.now()
    return ChannelAccount.objects.create(
        kind="x", address="1730000000000000001", name="@AcmeCare", app=app, settings={"handle": "AcmeCare"},
        credentials=Credentials(access_token="practice-access", refresh_token="practice-refresh",
                                expires_at=(moment + timedelta(hours=2)).isoformat()),
        begins_at=moment - timedelta(hours=1), created_at=moment - timedelta(hours=1),
        polled_at=moment, caught_up_at=moment, next_poll_at=moment + timedelta(minutes=1),
    )  # fmt: skip


def words(answer: Any) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_without_an_app_the_card_leads_to_the_form(browser: Client) -> None:
    page = browser.get(BASE).content.decode()
    assert f'href="{APP}"' in page
    assert f'href="{START}"' not in page
    assert browser.get(START)["Location"] == APP


def test_an_app_is_entered_and_its_secret_is_stored_encrypted_and_never_shown(browser: Client) -> None:
    form = browser.get(APP)
    assert "/settings/accounts/connect/x/callback/" in words(form)
    answer = browser.post(APP, TYPED)
    assert answer["Location"] == f"{BASE}#connect"
    app = App.objects.get()
    assert (app.kind, app.name, app.client_id) == ("x", "Acme contact centre", "practice-client")
    assert app.secrets["client_secret"] == SECRET
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets::text FROM channels_app")
        assert SECRET not in cursor.fetchone()[0]
    for address in (APP, BASE):
        assert SECRET not in browser.get(address).content.decode()
    entry = HistoryEntry.objects.get(act="app.entered")
    assert SECRET not in str(entry.data)
    assert f'href="{START}"' in browser.get(BASE).content.decode()


def test_an_empty_secret_keeps_the_stored_one_of_the_same_client_only(browser: Client, app: App) -> None:
    assert browser.post(APP, {**TYPED, "name": "Renamed", "client_secret": ""}).status_code == 302
    app.refresh_from_db()
    assert (app.name, app.secrets["client_secret"]) == ("Renamed", SECRET)
    answer = browser.post(APP, {**TYPED, "client_id": "another-client", "client_secret": ""})
    assert answer.status_code == 422
    assert "type the secret that belongs to this client ID" in words(answer)
    assert App.objects.count() == 1


def test_a_wrong_form_shows_no_secret(browser: Client) -> None:
    answer = browser.post(APP, {**TYPED, "name": ""})
    assert answer.status_code == 422
    assert SECRET not in answer.content.decode()
    assert not App.objects.exists()


def test_a_replaced_app_is_for_new_accounts_and_old_ones_keep_theirs(
    browser: Client, app: App, handle: ChannelAccount
) -> None:
    browser.post(APP, {**TYPED, "client_id": "another-client", "client_secret": "practice-only-other"})
    assert App.objects.count() == 2
    handle.refresh_from_db()
    assert handle.app == app
    begun = parse_qs(urlsplit(browser.get(START)["Location"]).query)
    assert begun["client_id"] == ["another-client"]


def test_who_enters_an_earlier_app_again_goes_on_with_that_one(browser: Client, app: App) -> None:
    browser.post(APP, {**TYPED, "client_id": "mistyped-client", "client_secret": "practice-only-other"})
    browser.post(APP, {**TYPED, "client_secret": ""})
    assert 'value="practice-client"' in browser.get(APP).content.decode()
    begun = parse_qs(urlsplit(browser.get(START)["Location"]).query)
    assert begun["client_id"] == ["practice-client"]


def test_where_x_does_not_know_our_app_the_card_leads_to_its_form_and_the_right_secret_mends_it(
    browser: Client, handle: ChannelAccount
) -> None:
    ChannelAccount.objects.update(
        state=AccountState.REFUSED, error_code="app-refused", error_text="X does not know our app.", failures=1
    )
    page = browser.get(BASE).content.decode()
    own = f"{APP}?app={handle.app_id}"
    assert re.search(rf'href="{re.escape(own)}">.*?Enter our app anew', page, re.DOTALL)
    assert "Connect again" not in page
    # Another app's secret says nothing of this one, and an empty one is the one that X refused.
    browser.post(APP, {**TYPED, "client_id": "another-client", "client_secret": "practice-only-other"})
    assert 'value="another-client"' in browser.get(APP).content.decode()
    assert f'value="{TYPED["client_id"]}"' in browser.get(own).content.decode()
    browser.post(APP, {**TYPED, "client_secret": ""})
    handle.refresh_from_db()
    assert handle.state == AccountState.REFUSED
    browser.post(APP, {**TYPED, "client_secret": "practice-only-new"})
    handle.refresh_from_db()
    assert (handle.state, handle.error_text, handle.failures) == (AccountState.ACTIVE, "", 0)
    assert HistoryEntry.objects.filter(act="account.reconnected", account_id=handle.pk).count() == 1


def test_where_the_app_was_replaced_the_card_offers_another_consent_which_mends_it_with_the_new_one(
    browser: Client, handle: ChannelAccount
) -> None:
    ChannelAccount.objects.update(state=AccountState.REFUSED, error_code="app-refused", error_text="X knows it not.")
    browser.post(APP, {**TYPED, "client_id": "another-client", "client_secret": "practice-only-other"})
    for address in (BASE, f"{BASE}{handle.pk}/"):
        card = browser.get(address).content.decode().split("health-card__trouble", 1)[1].split("</div>", 1)[0]
        assert re.search(rf'href="{START}">.*?Connect again', card, re.DOTALL)
        assert "Enter our app anew" in card
    begun = parse_qs(urlsplit(browser.get(START)["Location"]).query)
    assert begun["client_id"] == ["another-client"]


@pytest.mark.parametrize("code", ["not-permitted", "forbidden"])
def test_what_only_another_consent_mends_is_not_offered_to_be_tried_again(
    browser: Client, handle: ChannelAccount, code: str
) -> None:
    ChannelAccount.objects.update(failures=1, error_code=code, error_text="X does not allow it.")
    page = browser.get(BASE).content.decode()
    assert re.search(rf'href="{START}">.*?Connect again', page, re.DOTALL)
    assert "Try now" not in page


def test_a_used_up_quota_is_shown_as_nothing_left_with_the_time_of_the_next_try(
    browser: Client, handle: ChannelAccount
) -> None:
    due_at = timezone.now() + timedelta(minutes=40)
    ChannelAccount.objects.update(
        failures=1, error_code="rate-limit", error_text="X asks us to wait.", next_poll_at=due_at,
        quota={"label": "Questions for mentions left", "left": 441, "of": 450},
    )  # fmt: skip
    page = words(browser.get(BASE))
    assert "Questions for mentions left 0 of 450" in page
    assert f"tried again by itself at {clock(due_at, timezone.now())}." in page


def test_a_paused_handle_says_what_connecting_it_again_costs(browser: Client, handle: ChannelAccount) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED)
    assert "what people wrote meanwhile does not come in" in words(browser.get(f"{BASE}{handle.pk}/"))


def test_a_look_that_failed_offers_what_mends_it(
    browser: Client, handle: ChannelAccount, scripted: ScriptedAdapter
) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED, polled_at=None)
    scripted.pages = [PollError("X no longer accepts our access.", code="unauthorised", credentials=True)]
    page = browser.get(f"{BASE}{handle.pk}/preview/").content.decode()
    assert "X no longer accepts our access." in page
    assert re.search(rf'href="{START}">.*?Connect again', page, re.DOTALL)


def test_the_consent_page_lies_where_the_setting_says(browser: Client, app: App, settings: Any) -> None:
    settings.X_AUTHORIZE_ORIGIN = "https://consent.example"
    assert browser.get(START)["Location"].startswith("https://consent.example/i/oauth2/authorize?")


def test_a_refused_account_is_connected_again_through_consent(browser: Client, handle: ChannelAccount) -> None:
    ChannelAccount.objects.update(state=AccountState.REFUSED, error_text="X no longer takes this permission.")
    for address in (BASE, f"{BASE}{handle.pk}/"):
        answer = browser.get(address)
        assert re.search(rf'href="{START}">.*?Connect again', answer.content.decode(), re.DOTALL)
        assert "X no longer takes this permission." in words(answer)
        assert f"{BASE}{handle.pk}/edit/" not in answer.content.decode()
    assert browser.get(f"{BASE}{handle.pk}/edit/").status_code == 404


def test_the_card_tells_the_handle_the_quota_and_that_the_token_renews_itself(
    browser: Client, handle: ChannelAccount
) -> None:
    resets_at = (timezone.now() + timedelta(minutes=9)).isoformat()
    quota = {"words": [], "label": "Questions for mentions left", "left": 441, "of": 450, "resets_at": resets_at}
    ChannelAccount.objects.update(quota=quota)
    for address in (BASE, f"{BASE}{handle.pk}/"):
        page = words(browser.get(address))
        assert "@AcmeCare" in page
        assert "Questions for mentions left 441 of 450, full again" in page
        assert "Token renews itself" in page
        assert "Healthy" in page


def test_what_does_not_come_in_stands_on_the_card(browser: Client, handle: ChannelAccount) -> None:
    told = ["Direct messages do not come in just now. The permission is missing"]
    ChannelAccount.objects.update(quota={"words": told})
    page = words(browser.get(BASE))
    assert "The permission is missing." in page
    assert "Needs a look" in page
    # A later shape of the words must cost the card a sentence and not the page.
    ChannelAccount.objects.update(quota={"words": {"odd": 1}})
    assert "Healthy" in words(browser.get(BASE))


def test_the_test_button_of_a_handle_answers_in_words(
    browser: Client, handle: ChannelAccount, scripted: ScriptedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "try_out", lambda told: Tried(ok=True, words=("X knows us as @AcmeCare.",)))
    assert "X knows us as @AcmeCare." in words(browser.post(f"{BASE}{handle.pk}/test/"))
    ChannelAccount.objects.update(app=None, credentials=Credentials(refresh_token="practice-refresh"))
    handle.refresh_from_db()
    tried = acts.try_out(account=handle, now=timezone.now())
    assert (tried.ok, tried.words) == (False, ("The app this account was connected with is gone.",))


def test_no_stranger_and_no_agent_reaches_the_app(client: Client, anna: Person, app: App) -> None:
    for address in (APP, START, f"{START}callback/"):
        assert "/sign-in/" in client.get(address)["Location"]
    client.force_login(anna)
    for address in (APP, START, f"{START}callback/"):
        assert client.get(address).status_code == 403
    assert client.post(APP, TYPED).status_code == 403


def test_the_demonstration_knows_the_practice_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICE_X_PORT", "8099")
    for _start in range(2):
        call_command("demonstrate")
    app = App.objects.get()
    assert (app.client_id, app.secrets["client_secret"]) == (grants.APP.client_id, grants.APP.client_secret)
    assert demonstration.X_APP["name"] == grants.APP.name
