"""An admin connects a handle by X's own consent page, and the permission stays alive."""

from __future__ import annotations

import base64
import hashlib
import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.db import connection as database
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import accounts, delivery, frozen, polling, refusals
from channels.adapters.base import DeliveryError
from channels.connections import connection_of, ready_connection_of
from channels.consent import tokens, x_views
from channels.consent.problem import ConsentProblem
from channels.happenings import Address
from channels.models import AccountState, App, ChannelAccount, LedgerItem, Outbound
from contactcentre import urls as real
from contactcentre.lib.secrets import Credentials
from tests.channels.adapters.x.conftest import MENTIONS, SCOPE, TinyX, a_post, html, page, quiet, reset
from tests.channels.conftest import NOW

US = "2244994945"
TOKEN = "POST /2/oauth2/token"
ME = "GET /2/users/me"
START = "/settings/accounts/connect/x/"
BACK = "/settings/accounts/connect/x/callback/"

urlpatterns = [path("settings/accounts/connect/", include("channels.consent.urls")), *real.urlpatterns]


def granted(number: int = 1, **given: Any) -> tuple[int, dict[str, Any]]:
    values = {
        "token_type": "bearer",
        "expires_in": 7200,
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "scope": SCOPE,
    }
    return 200, {name: value for name, value in {**values, **given}.items() if value is not None}


@pytest.fixture
def app(db: None) -> App:
    return App.objects.create(
        kind="x",
        name="Acme",
        client_id="practice-id",
        secrets=Credentials(client_secret="practice-only"),
        created_at=NOW,
    )


@pytest.fixture
def handle(app: App) -> ChannelAccount:
    """@AcmeCare, switched on, its token good for another hour."""
    return ChannelAccount.objects.create(
        kind="x",
        address=US,
        name="@AcmeCare",
        app=app,
        settings={"handle": "AcmeCare"},
        credentials=Credentials(
            access_token="access-0",
            refresh_token="refresh-0",
            scope=SCOPE,
            expires_at=(NOW + timedelta(hours=1)).isoformat(),
            renewed_at=(NOW - timedelta(hours=1)).isoformat(),
        ),
        begins_at=NOW - timedelta(days=1),
        created_at=NOW - timedelta(days=1),
        next_poll_at=NOW,
    )


@pytest.fixture
def admin(db: None, settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    ada = Person.objects.create(email="ada@acme.example", name="Ada Lowe", created_at=NOW, is_admin=True, password="!")
    browser = Client()
    browser.force_login(ada)
    return browser


def begun(admin: Client) -> dict[str, str]:
    """Follow the link; what it asks X for comes back."""
    answer = admin.get(START)
    assert answer.status_code == 302
    return dict(parse_qsl(urlsplit(answer["Location"]).query))


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def ready(x: TinyX) -> None:
    x.on(TOKEN, granted())
    x.on(ME, (200, {"data": {"id": US, "name": "Acme Care", "username": "AcmeCare"}}))


def test_the_link_leads_to_x_with_a_challenge(x: TinyX, app: App, admin: Client, settings: Any) -> None:
    answer = admin.get(START)
    assert answer["Location"].startswith(f"{x.origin}/i/oauth2/authorize?")
    asked = begun(admin)
    assert asked["client_id"] == "practice-id"
    assert asked["redirect_uri"] == f"{settings.BASE_URL}{BACK}"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert set(asked["scope"].split()) == set(SCOPE.split())
    settings.X_ORIGIN = "https://api.twitter.com"
    assert admin.get(START)["Location"].startswith("https://twitter.com/i/oauth2/authorize?")
    # What is kept cannot be read by whoever reads the sessions.
    assert asked["state"] not in str(dict(admin.session))


def test_coming_back_connects_and_shows_first(x: TinyX, app: App, admin: Client) -> None:
    ready(x)
    asked = begun(admin)
    answer = admin.get(BACK, {"state": asked["state"], "code": "practice-code"})
    account = ChannelAccount.objects.get()
    assert answer["Location"].endswith(f"/{account.pk}/preview/")
    form = x.asked_for(TOKEN)[0].form
    assert (form["grant_type"], form["code"], form["client_id"]) == (
        "authorization_code",
        "practice-code",
        "practice-id",
    )
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    basic = base64.b64encode(b"practice-id:practice-only").decode()
    assert x.asked_for(TOKEN)[0].headers["Authorization"] == f"Basic {basic}"
    assert (account.address, account.name, account.state) == (US, "@AcmeCare", AccountState.PAUSED)
    assert account.settings == {"handle": "AcmeCare", "capabilities": {"mention": True, "reply": True, "dm": True}}
    assert account.credentials["refresh_token"] == "refresh-1"
    assert account.app == app
    assert HistoryEntry.objects.get(act="account.connected").account_id == account.pk


def test_who_comes_back_as_another_handle_is_told_which_one_is_still_stopped(x: TinyX, app: App, admin: Client) -> None:
    ChannelAccount.objects.create(
        kind="x", address="1", name="@AcmeDeals", app=app, state=AccountState.REFUSED, begins_at=NOW, created_at=NOW
    )
    ready(x)
    answer = admin.get(BACK, {"state": begun(admin)["state"], "code": "practice-code"})
    assert "Still stopped: @AcmeDeals. You came back from X as @AcmeCare." in said(answer)


def test_a_return_is_good_once_and_for_its_own_state(x: TinyX, app: App, admin: Client) -> None:
    ready(x)
    state = begun(admin)["state"]
    assert "belongs to no connecting" in said(admin.get(BACK, {"state": "another", "code": "c"}))
    assert "belongs to no connecting" in said(admin.get(BACK, {"state": state, "code": "c"}))
    assert not ChannelAccount.objects.exists()
    assert x.asked == []


def test_a_return_that_comes_too_late_is_refused(
    x: TinyX, app: App, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = begun(admin)["state"]
    late = timezone.now() + x_views.LASTS + timedelta(seconds=1)
    monkeypatch.setattr(x_views.timezone, "now", lambda: late)
    assert "came too late" in said(admin.get(BACK, {"state": state, "code": "c"}))
    assert x.asked == []


@pytest.mark.parametrize(
    ("query", "answer", "words"),
    [
        ({"error": "access_denied"}, granted(), "consent was not given"),
        ({"code": "c"}, (400, {"error": "invalid_request"}), "good once"),
        ({"code": "c"}, (401, {"error": "unauthorized_client"}), "id and secret"),
        ({"code": "c"}, granted(refresh_token=None), "offline.access"),
        ({"code": "c"}, (200, b"[]"), "cannot be read"),
        ({"code": "c"}, (200, b"<html>"), "cannot be read"),
        ({"code": "c"}, html(503), "failure of its own"),
        ({"code": "c"}, (429, {}), "wait"),
        ({"code": "c"}, reset, "broke"),
    ],
)
def test_whatever_goes_wrong_is_said_and_changes_nothing(
    x: TinyX, app: App, admin: Client, query: dict[str, str], answer: Any, words: str
) -> None:
    ready(x)
    x.on(TOKEN, answer)
    back = admin.get(BACK, {"state": begun(admin)["state"], **query})
    assert words in said(back)
    assert not ChannelAccount.objects.exists()


def test_only_admins_may_connect(x: TinyX, app: App, admin: Client) -> None:
    Person.objects.update(is_admin=False, is_lead=True, is_agent=True)
    assert admin.get(START).status_code == 403
    assert admin.get(BACK).status_code == 403
    assert Client().get(START)["Location"].startswith("/sign-in")


def test_without_an_app_there_is_nothing_to_connect(x: TinyX, admin: Client) -> None:
    assert "Enter our X app first" in said(admin.get(START))


@pytest.mark.parametrize("state", [AccountState.REFUSED, AccountState.ACTIVE])
def test_a_stopped_account_goes_on_from_where_it_was(
    x: TinyX, handle: ChannelAccount, admin: Client, state: AccountState
) -> None:
    ready(x)
    ChannelAccount.objects.update(state=state, cursor={"mentions": {"since": "5"}}, error_text="dead", failures=3)
    admin.get(BACK, {"state": begun(admin)["state"], "code": "c"})
    account = ChannelAccount.objects.get()
    assert (account.pk, account.state) == (handle.pk, AccountState.ACTIVE)
    assert account.begins_at == handle.begins_at
    assert account.cursor == {"mentions": {"since": "5"}}
    assert (account.error_text, account.failures) == ("", 0)
    assert account.credentials["access_token"] == "access-1"


def test_a_paused_account_connected_again_begins_now(x: TinyX, handle: ChannelAccount, admin: Client) -> None:
    ready(x)
    ChannelAccount.objects.update(state=AccountState.PAUSED, cursor={"mentions": {"since": "5"}})
    admin.get(BACK, {"state": begun(admin)["state"], "code": "c"})
    account = ChannelAccount.objects.get()
    assert (account.pk, account.state, account.cursor) == (handle.pk, AccountState.PAUSED, {})
    assert account.begins_at > handle.begins_at


def test_a_token_with_time_left_is_used_as_it_is(x: TinyX, handle: ChannelAccount) -> None:
    assert tokens.fresh(handle, now=NOW)["access_token"] == "access-0"
    assert x.asked == []


def test_a_token_about_to_expire_is_exchanged_and_stored(x: TinyX, handle: ChannelAccount) -> None:
    x.on(TOKEN, granted())
    late = NOW + timedelta(minutes=56)
    assert ready_connection_of(handle, now=late).credentials["access_token"] == "access-1"
    assert x.asked_for(TOKEN)[0].form == {
        "grant_type": "refresh_token", "refresh_token": "refresh-0", "client_id": "practice-id",
    }  # fmt: skip
    stored = ChannelAccount.objects.get().credentials
    assert (stored["access_token"], stored["refresh_token"]) == ("access-1", "refresh-1")
    assert datetime.fromisoformat(stored["expires_at"]).astimezone(UTC) == late + timedelta(hours=2)
    # Whoever still holds the old row is given the new pair, and X is not asked again.
    assert tokens.fresh(handle, now=late)["access_token"] == "access-1"
    assert len(x.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_exchange_it_once(x: TinyX, handle: ChannelAccount) -> None:
    def slowly(handler: Any) -> None:
        at_x.set()
        go_on.wait(5)
        answer(handler)

    def answer(handler: Any) -> None:
        body = str(granted()[1]).replace("'", '"').encode()
        handler.send_response(200)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    at_x, go_on = threading.Event(), threading.Event()
    x.on(TOKEN, slowly)
    late, found = NOW + timedelta(hours=1), []

    def ask() -> None:
        try:
            found.append(tokens.fresh(handle, now=late)["access_token"])
        finally:
            database.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads[0].start()
    assert at_x.wait(5)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == ["access-1", "access-1"]
    assert len(x.asked_for(TOKEN)) == 1


@pytest.mark.parametrize(
    ("answer", "credentials"),
    [((400, {"error": "invalid_request"}), True), ((401, {}), True), (html(503), False), (reset, False)],
)
def test_a_permission_that_cannot_be_renewed(x: TinyX, handle: ChannelAccount, answer: Any, credentials: bool) -> None:
    x.on(TOKEN, answer)
    with pytest.raises(ConsentProblem) as caught:
        tokens.fresh(handle, now=NOW + timedelta(hours=3))
    assert caught.value.credentials == credentials
    assert ChannelAccount.objects.get().credentials["refresh_token"] == "refresh-0"


def poll(handle: ChannelAccount, now: datetime = NOW) -> str:
    return polling.poll(handle.pk, now=now, clock=lambda: now).outcome


def test_a_poll_renews_before_it_asks(x: TinyX, handle: ChannelAccount) -> None:
    quiet(x)
    x.on(TOKEN, granted())
    assert poll(handle, NOW + timedelta(hours=3)) == "caught up"
    assert x.asked_for(MENTIONS)[0].headers["Authorization"] == "Bearer access-1"


def test_a_poll_brings_mentions_into_the_ledger(x: TinyX, handle: ChannelAccount) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post())))
    ChannelAccount.objects.update(credentials=Credentials(handle.credentials, expires_at="2026-11-21T12:00:00+00:00"))
    assert poll(handle, datetime(2026, 11, 21, 9, 30, tzinfo=UTC)) == "caught up"
    assert poll(handle, datetime(2026, 11, 21, 9, 32, tzinfo=UTC)) == "caught up"
    assert LedgerItem.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (granted(), AccountState.ACTIVE),
        (html(503), AccountState.ACTIVE),
        ((400, {"error": "invalid_request"}), AccountState.REFUSED),
    ],
)
def test_a_refused_token_stops_the_account_only_with_the_permission(
    x: TinyX, handle: ChannelAccount, answer: Any, state: AccountState
) -> None:
    quiet(x)
    x.on(MENTIONS, (401, {"title": "Unauthorized"}))
    x.on(TOKEN, answer)
    poll(handle)
    assert ChannelAccount.objects.get().state == state


def test_a_young_token_that_is_refused_is_not_renewed_for_ever(x: TinyX, handle: ChannelAccount) -> None:
    quiet(x)
    x.on(MENTIONS, (401, {"title": "Unauthorized"}))
    x.on(TOKEN, granted())
    poll(handle)
    ChannelAccount.objects.update(next_poll_at=NOW)
    assert poll(handle, NOW + timedelta(minutes=1)) == "refused"
    assert len(x.asked_for(TOKEN)) == 1


def test_a_refusal_while_sending_renews_too(x: TinyX, handle: ChannelAccount) -> None:
    x.on(TOKEN, granted())
    told = connection_of(handle)
    error = DeliveryError("no", code="unauthorised", credentials=True)
    assert not refusals.refuse(told, error, now=NOW)
    assert ChannelAccount.objects.get().credentials["access_token"] == "access-1"
    x.on(TOKEN, (400, {"error": "invalid_request"}))
    assert refusals.refuse(connection_of(ChannelAccount.objects.get()), error, now=NOW + timedelta(hours=1))


def test_looking_in_renews_and_says_when_it_cannot(x: TinyX, handle: ChannelAccount) -> None:
    x.on(TOKEN, (400, {"error": "invalid_request"}))
    seen = accounts.preview(account=handle, now=NOW + timedelta(hours=3))
    assert "connected again" in seen.words


def waiting(handle: ChannelAccount) -> Outbound:
    """A row of the outbox, as it was frozen."""
    words = frozen.payload(
        text="One moment", html="", subject="", thread="1", parent_id="1", references=(), cc=(), reply_to="", files=()
    )
    recipient = asdict(Address(kind="x_user", value="3333333333"))
    return Outbound(account=handle, surface="x:mention", recipient=recipient, payload=words, marker="m", files=[])


def test_a_delivery_renews_before_it_sends(x: TinyX, handle: ChannelAccount) -> None:
    x.on(TOKEN, granted())
    told, speaks, outgoing = delivery.prepare(waiting(handle), now=NOW + timedelta(hours=3))
    assert told.credentials["access_token"] == "access-1"
    assert (speaks.kind, outgoing.text) == ("x", "One moment")


def test_a_delivery_without_a_permission_waits(x: TinyX, handle: ChannelAccount) -> None:
    x.on(TOKEN, (400, {"error": "invalid_request"}))
    with pytest.raises(DeliveryError) as caught:
        delivery.prepare(waiting(handle), now=NOW + timedelta(hours=3))
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, False)
