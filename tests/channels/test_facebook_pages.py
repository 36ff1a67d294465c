"""The pages of Facebook: entering our app, the card and page of a connected Page, and what the demonstration knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import accounts as acts
from channels.adapters.base import Polled, Tried
from channels.consent import registering
from channels.models import AccountState, App, ChannelAccount
from channels.surfaces import SURFACES
from contactcentre.lib.secrets import Credentials, hide
from practice.facebook.pages import APP as PRACTICE_APP
from tests.channels.adapters.x.conftest import TinyX, tiny
from tests.channels.conftest import NOW, ScriptedAdapter
from tickets import demonstration

pytestmark = pytest.mark.django_db
__all__ = ["tiny"]

BASE = "/settings/accounts/"
APP = f"{BASE}apps/facebook/"
START = f"{BASE}connect/facebook/"
SECRET = "practice-only-secret"
APP_ID = "1700000000000009"
TYPED = {"name": "Acme contact centre", "client_id": APP_ID, "client_secret": SECRET}
CARE = "6100000000000201"


@pytest.fixture
def browser(ada: Person) -> Client:
    """Ada's browser."""
    made = Client()
    made.force_login(ada)
    return made


@pytest.fixture
def app(ada: Person) -> App:
    return registering.enter_app(actor=ada, kind="facebook", now=NOW, **TYPED)


@pytest.fixture
def care(app: App) -> ChannelAccount:
    """Acme Care, running."""
    moment = timezone.now()
    return ChannelAccount.objects.create(
        kind="facebook", address=CARE, name="Acme Care", app=app,
        settings={"category": "Customer service", "missing": [], "subscribed": True, "hooked": True},
        credentials=Credentials(access_token="practice-page-token", appsecret_proof="practice-proof"),
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


def test_an_app_is_entered_and_its_secret_is_stored_encrypted_and_never_shown(browser: Client, settings: Any) -> None:
    form = words(browser.get(APP))
    assert f"{settings.BASE_URL}{START}callback/" in form
    assert "Verify token" not in form
    answer = browser.post(APP, TYPED)
    assert answer["Location"] == f"{BASE}#connect"
    app = App.objects.get()
    assert (app.kind, app.name, app.client_id) == ("facebook", "Acme contact centre", APP_ID)
    assert app.secrets["client_secret"] == SECRET
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets::text FROM channels_app")
        assert SECRET not in cursor.fetchone()[0]
    for address in (APP, BASE):
        assert SECRET not in browser.get(address).content.decode()
    assert SECRET not in str(HistoryEntry.objects.get(act="app.entered").data)
    assert f'href="{START}"' in browser.get(BASE).content.decode()


def test_what_meta_s_console_wants_to_know_stands_on_the_form(browser: Client, app: App, settings: Any) -> None:
    page = words(browser.get(APP))
    assert f"{settings.BASE_URL}/hooks/facebook/{APP_ID}/" in page
    assert app.secrets["verify_token"] in page
    # Saved again, it stays: Meta's console has it.
    browser.post(APP, {**TYPED, "name": "Renamed", "client_secret": ""})
    again = App.objects.get()
    assert again.secrets == app.secrets
    assert again.name == "Renamed"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"client_id": "acme-app"}, "is a number"),
        ({"client_id": "0123456789"}, "is a number"),
        ({"client_id": "1700000000000010", "client_secret": ""}, "belongs to this app ID"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_a_wrong_form_says_so_and_shows_no_secret(
    browser: Client, app: App, typed: dict[str, str], expected: str
) -> None:
    answer = browser.post(APP, {**TYPED, **typed})
    assert answer.status_code == 422
    assert expected in words(answer)
    assert SECRET not in answer.content.decode()
    assert App.objects.count() == 1


def test_the_verify_token_and_an_asked_token_are_hidden_in_logs() -> None:
    line = "/hooks/facebook/17/?hub.verify_token=abc-1&hub.challenge=5 /debug_token?input_token=x-2"
    assert "abc-1" not in hide(line)
    assert "x-2" not in hide(line)
    assert "hub.challenge=5" in hide(line)


def test_the_card_tells_when_it_asked_when_it_was_told_and_that_its_token_does_not_end(
    browser: Client, care: ChannelAccount
) -> None:
    for address in (BASE, f"{BASE}{care.pk}/"):
        page = words(browser.get(address))
        assert "Acme Care" in page
        assert "Comments, Messenger" in page
        assert "Facebook last told us nothing yet" in page
        assert "Token does not end" in page
        assert "Healthy" in page
    quota = {"label": "Use", "left": 60, "of": 100}
    ChannelAccount.objects.update(heard_at=timezone.now() - timedelta(minutes=4), quota=quota)
    page = words(browser.get(BASE))
    assert re.search(r"Facebook last told us \d\d:\d\d, 4 min ago", page)
    assert "Use 60 of 100" in page


def test_the_page_of_an_account_names_its_number_app_and_state_and_no_token(
    browser: Client, care: ChannelAccount
) -> None:
    answer = browser.get(f"{BASE}{care.pk}/")
    page = words(answer)
    told = ("Customer service", "Acme contact centre", "Tells us at once yes", "Missing permissions none")
    for expected in (CARE, *told):
        assert expected in page
    for secret in ("practice-page-token", "practice-proof", SECRET):
        assert secret not in answer.content.decode()
    assert f'href="{START}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        ({"missing": ["pages_messaging"]}, "Messenger does not come in, and we cannot answer there."),
        ({"missing": ["pages_of_tomorrow"]}, "The permission pages_of_tomorrow is missing."),
        ({"subscribed": False}, "The Page does not tell us at once"),
        ({"hooked": False}, "Facebook does not know our hook address"),
    ],
)
def test_what_connecting_again_would_mend_stands_on_the_card_with_that_button(
    browser: Client, care: ChannelAccount, settings_: dict[str, Any], expected: str
) -> None:
    ChannelAccount.objects.update(settings={**care.settings, **settings_})
    answer = browser.get(BASE)
    assert expected in words(answer)
    assert "Needs a look" in words(answer)
    assert re.search(rf'href="{START}">.*?Connect again', answer.content.decode(), re.DOTALL)


def test_an_odd_list_of_permissions_costs_a_sentence_and_not_the_page(browser: Client, care: ChannelAccount) -> None:
    ChannelAccount.objects.update(settings={"missing": {"odd": 1}, "subscribed": True, "hooked": True})
    assert "Healthy" in words(browser.get(BASE))
    assert browser.get(f"{BASE}{care.pk}/").status_code == 200


def test_a_permission_that_ends_soon_is_said_in_time(browser: Client, care: ChannelAccount) -> None:
    ChannelAccount.objects.update(token_expires_at=timezone.now() + timedelta(days=30))
    assert "29 days left" in words(browser.get(BASE))
    assert "Healthy" in words(browser.get(BASE))
    ChannelAccount.objects.update(token_expires_at=timezone.now() + timedelta(days=5))
    page = words(browser.get(BASE))
    assert "permission ends" in page
    assert "Connect again" in page


def test_a_refused_page_is_connected_again_through_consent(browser: Client, care: ChannelAccount) -> None:
    ChannelAccount.objects.update(
        state=AccountState.REFUSED, error_text="The person who connected this Page has changed their Facebook password."
    )
    for address in (BASE, f"{BASE}{care.pk}/"):
        answer = browser.get(address)
        assert re.search(rf'href="{START}">.*?Connect again', answer.content.decode(), re.DOTALL)
        assert "changed their Facebook password." in words(answer)
        assert "Token refused" in words(answer)
    assert browser.get(f"{BASE}{care.pk}/edit/").status_code == 404


def test_a_paused_page_says_that_what_comes_is_kept(browser: Client, care: ChannelAccount) -> None:
    browser.post(f"{BASE}{care.pk}/pause/")
    assert "What Facebook tells us meanwhile is kept and comes in later." in words(browser.get(BASE))
    browser.post(f"{BASE}{care.pk}/resume/")
    assert "Healthy" in words(browser.get(BASE))


def test_a_new_page_is_looked_into_before_it_is_switched_on(
    browser: Client, care: ChannelAccount, scripted: ScriptedAdapter
) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED, polled_at=None, caught_up_at=None)
    assert "Not switched on" in words(browser.get(BASE))
    scripted.pages = [Polled(items=(), cursor={})]
    page = words(browser.get(f"{BASE}{care.pk}/preview/"))
    assert "What would come in from Acme Care" in page
    assert "Choose the Pages" in page
    assert "Nothing waits there." in page


def test_the_test_button_of_a_page_answers_in_words(
    browser: Client, care: ChannelAccount, scripted: ScriptedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "try_out", lambda told: Tried(ok=True, words=("Facebook knows us as Acme Care.",)))
    assert "Facebook knows us as Acme Care." in words(browser.post(f"{BASE}{care.pk}/test/"))
    assert acts.try_out(account=care, now=timezone.now()).ok


def test_the_pages_cost_few_statements_for_one_page_and_for_fifty(
    browser: Client, care: ChannelAccount, app: App, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    browser.get(BASE)
    for count in (0, 50):
        ChannelAccount.objects.bulk_create(
            ChannelAccount(
                kind="facebook", address=f"62{number:014d}", name="Shop", app=app, begins_at=NOW, created_at=NOW
            )
            for number in range(count)
        )
        with django_assert_max_num_queries(8):
            browser.get(BASE)
    with django_assert_max_num_queries(8):
        browser.get(f"{BASE}{care.pk}/")
    with django_assert_max_num_queries(5):
        browser.get(APP)


def test_no_stranger_and_no_agent_reaches_the_app(client: Client, anna: Person, app: App) -> None:
    assert "/sign-in/" in client.get(APP)["Location"]
    assert "/sign-in/" in client.post(f"{APP}callback/")["Location"]
    client.force_login(anna)
    assert client.get(APP).status_code == 403
    assert client.post(APP, TYPED).status_code == 403
    assert client.post(f"{APP}callback/").status_code == 403


def test_without_an_app_there_is_nothing_to_register(browser: Client) -> None:
    assert browser.post(f"{APP}callback/")["Location"] == APP


def test_the_demonstration_knows_the_practice_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICE_FACEBOOK_PORT", "8098")
    for _start in range(2):
        call_command("demonstrate")
    app = App.objects.get(kind="facebook")
    assert (app.client_id, app.secrets["client_secret"]) == (PRACTICE_APP.id, PRACTICE_APP.secret)
    assert demonstration.FACEBOOK_APP["name"] == PRACTICE_APP.name
    assert app.secrets["verify_token"]


def test_the_practice_facebook_is_told_our_door_again_after_ports_changed(
    app: App, care: ChannelAccount, tiny: TinyX, settings: Any
) -> None:
    settings.FACEBOOK_GRAPH_ORIGIN = tiny.origin
    App.objects.update(client_id=PRACTICE_APP.id)
    register = f"POST /v25.0/{PRACTICE_APP.id}/subscriptions"
    ours = f"{settings.BASE_URL}/hooks/facebook/{PRACTICE_APP.id}/"
    tiny.on(register, (200, {"success": True}))
    for told, calls in ((ours, 0), ("", 0), (None, 0), (ours.replace(":", ":1"), 1)):
        tiny.on("GET /practice/facebook/callback", (200, {"callback_url": told}))
        demonstration.tell_networks(tiny.origin)
        assert len(tiny.asked_for(register)) == calls
    assert tiny.asked_for(register)[0].form["callback_url"] == ours


def test_a_surface_whose_window_closes_says_why() -> None:
    for surface in SURFACES.values():
        assert bool(surface.window) == bool(surface.window_words)
    assert "within 24 hours of their last words" in str(SURFACES["facebook:messenger"].window_words)
