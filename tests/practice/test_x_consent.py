"""Consent, tokens, scopes and limits: who may ask X for what, and how often."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import tweepy
from oauthlib.oauth2 import OAuth2Error
from requests.auth import HTTPBasicAuth

from practice.x.compare import main as compare
from practice.x.grants import challenge_of
from tests.practice.x_client import CALLBACK, CARE_ID, CARLA_ID, X, ids, post, said

TOKEN = "https://api.twitter.com/2/oauth2/token"


def ask_for_token(x: X, **fields: str) -> requests.Response:
    """The token endpoint, asked without a library."""
    secret = fields.pop("secret", "practice-x-secret")
    auth = HTTPBasicAuth("practice-x-client", secret) if secret else None
    return requests.post(f"{x.facts['origin']}/2/oauth2/token", data=fields, auth=auth, timeout=5)


def code_for(x: X) -> tuple[str, str]:
    """A fresh code and its verifier."""
    handler = x.handler()
    back = urlsplit(x.consent(handler))
    return parse_qs(back.query)["code"][0], handler._client.code_verifier


def test_the_page_says_what_is_asked_for_and_in_whose_name(x: X) -> None:
    asked = urlsplit(x.handler().get_authorization_url())
    answer = requests.get(f"{x.facts['origin']}{asked.path}?{asked.query}", timeout=5)
    assert all(words in answer.text for words in ("Authorise app", "Cancel", "@AcmeCare", "@AcmeDeals", "Acme contact"))
    assert "Send direct messages in its name" in answer.text
    assert "form-action 'self' http://127.0.0.1:8000" in answer.headers["content-security-policy"]
    for wrong in (
        "client_id=other",
        "redirect_uri=https%3A%2F%2Fevil.example%2F",
        "code_challenge_method=plain",
        "state=",
    ):
        query = asked.query.replace(
            next(each for each in asked.query.split("&") if each.startswith(wrong.split("=")[0])), wrong
        )
        assert requests.get(f"{x.facts['origin']}{asked.path}?{query}", timeout=5).status_code == 400, wrong


def test_whoever_cancels_gives_no_code(x: X) -> None:
    handler = x.handler()
    back = urlsplit(x.consent(handler, decision="cancel"))
    assert parse_qs(back.query) == {"state": [handler._state], "error": ["access_denied"]}
    assert f"{back.scheme}://{back.netloc}{back.path}" == CALLBACK


def test_a_code_is_good_once_for_seconds_and_for_its_verifier_only(x: X) -> None:
    code, verifier = code_for(x)
    fields = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    wrong = ask_for_token(x, **fields, code=code, code_verifier=verifier + "x")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_request")
    assert "code verifier" in wrong.json()["error_description"]
    again = ask_for_token(x, **fields, code=code, code_verifier=verifier)
    assert again.json()["error_description"] == "Value passed for the authorization code was invalid."
    code, verifier = code_for(x)
    good = ask_for_token(x, **fields, code=code, code_verifier=verifier, secret="", client_id="practice-x-client")
    assert good.json().keys() == {"token_type", "expires_in", "access_token", "scope", "refresh_token"}
    assert good.json()["expires_in"] == 7200
    x.act("times", code_seconds=0)
    code, verifier = code_for(x)
    assert ask_for_token(x, **fields, code=code, code_verifier=verifier).status_code == 400
    # The example of RFC 7636, appendix B.
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_refresh_token_is_good_once_and_a_dead_one_is_said_to_be(x: X) -> None:
    first = x.tokens()
    handler = x.handler()
    second = handler.refresh_token(TOKEN, refresh_token=first["refresh_token"], auth=handler.auth)
    assert second["refresh_token"] != first["refresh_token"]
    assert x.client(second["access_token"]).get_me(user_auth=False)["data"]["id"] == CARE_ID
    dead = ask_for_token(x, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (dead.status_code, dead.json()) == (
        400,
        {"error": "invalid_request", "error_description": "Value passed for the token was invalid."},
    )
    stranger = ask_for_token(x, grant_type="refresh_token", refresh_token=second["refresh_token"], secret="wrong")
    assert (stranger.status_code, stranger.json()) == (
        401,
        {"error": "unauthorized_client", "error_description": "Missing valid authorization header"},
    )
    with pytest.raises(OAuth2Error):
        handler.refresh_token(TOKEN, refresh_token=first["refresh_token"], auth=handler.auth)


def test_without_offline_access_there_is_nothing_to_refresh(x: X) -> None:
    assert "refresh_token" not in x.tokens(scopes=["tweet.read", "users.read"])


def test_a_token_expires_and_can_be_revoked_by_either_side(x: X) -> None:
    x.act("times", token_seconds=0)
    with pytest.raises(tweepy.Unauthorized) as refusal:
        x.ours().get_me(user_auth=False)
    assert said(refusal) == {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
    x.act("times", token_seconds=None)
    tokens = x.tokens()
    assert "AcmeCare" in x.facts["connected"]
    revoked = requests.post(
        f"{x.facts['origin']}/2/oauth2/revoke",
        data={"token": tokens["access_token"], "token_type_hint": "access_token"},
        auth=HTTPBasicAuth("practice-x-client", "practice-x-secret"),
        timeout=5,
    )
    assert revoked.json() == {"revoked": True}
    assert ask_for_token(x, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400
    care = x.ours()
    x.act("revoke", handle="AcmeCare")
    with pytest.raises(tweepy.Unauthorized):
        care.get_me(user_auth=False)
    with pytest.raises(tweepy.Unauthorized):
        x.client("never heard of").get_me(user_auth=False)


def test_a_scope_that_was_not_granted_is_missed(x: X) -> None:
    reader = x.client(x.tokens(scopes=["tweet.read", "users.read"])["access_token"])
    assert reader.get_users_mentions(CARE_ID)
    for forbidden in (
        lambda: post(reader, "Hello"),
        lambda: reader.get_direct_message_events(user_auth=False),
        lambda: reader.hide_reply("123", user_auth=False),
    ):
        with pytest.raises(tweepy.Forbidden) as refusal:
            forbidden()
        assert said(refusal) == {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"}


def test_an_app_by_itself_may_read_what_is_public_and_nothing_else(x: X) -> None:
    app = x.client("practice-x-app-bearer")
    made = post(x.person("carla"), "@AcmeCare anybody")
    assert made in ids(app.get_users_mentions(CARE_ID))
    for forbidden in (lambda: app.get_me(user_auth=False), lambda: app.get_direct_message_events(user_auth=False)):
        with pytest.raises(tweepy.Forbidden) as refusal:
            forbidden()
        assert said(refusal)["title"] == "Unsupported Authentication"


def test_requests_are_counted_by_endpoint_and_user_until_the_window_ends(x: X) -> None:
    care, other = x.ours(), x.ours("1780000000000000202")

    def read(client: tweepy.Client) -> Any:
        return client.request("GET", "/2/dm_events").headers

    left = [int(read(care)["x-rate-limit-remaining"]) for _ in range(15)]
    assert left == list(range(14, -1, -1))
    with pytest.raises(tweepy.TooManyRequests) as refusal:
        read(care)
    assert refusal.value.reset_time > 0
    assert refusal.value.response.headers["x-rate-limit-remaining"] == "0"
    assert read(other)["x-rate-limit-limit"] == "15"
    assert care.get_me(user_auth=False)
    x.misbehave("x_unlimited")
    assert "x-rate-limit-limit" not in read(care)
    x.misbehave("x_unlimited", on=False)
    x.act("limits")
    x.act("times", window_seconds=0)
    assert [read(care)["x-rate-limit-remaining"] for _ in range(2)] == ["14", "14"]
    sent = care.request("POST", f"/2/dm_conversations/with/{CARLA_ID}/messages", json={"text": "Hello"}).headers
    assert (sent["x-user-limit-24hour-limit"], sent["x-rate-limit-limit"]) == ("1440", "15")


def test_people_are_not_counted(x: X) -> None:
    carla = x.person("carla")
    assert all("x-rate-limit-limit" not in carla.request("GET", "/2/dm_events").headers for _ in range(17))


def test_the_schemas_are_compared_with_a_document_by_a_program(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text('{"info": {"version": "0.1"}, "paths": {}}')
    assert compare([str(document)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert "GET /2/users/{id}/mentions: not in the document" in told
    assert told[-1] == "20 operations and 0 places compared with 0.1: 20 differences"
    assert compare([str(tmp_path / "none.json")]) == 2
