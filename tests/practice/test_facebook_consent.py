"""Facebook's login dialog, tokens and subscriptions, asked by real facebook-sdk."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from pathlib import Path

import facebook
import pytest
import requests
from jsonschema import Draft202012Validator

from practice.facebook import compare
from practice.facebook.pages import PAGES, commenter_id_of, psid_of
from practice.facebook.schemas import webhook_schema
from practice.facebook.store import Store
from practice.people import CAST, People
from tests.practice.facebook_client import ADA, APP_ID, CALLBACK, CARE, OUTLET, PERMISSIONS, SECRET, Facebook, error


def test_consent_leads_to_a_person_and_from_them_to_the_pages_they_chose(fb: Facebook) -> None:
    back = fb.consent(pages=[OUTLET])
    assert back["state"] == "s-1"
    client = fb.client()
    short = client.get_access_token_from_code(back["code"], CALLBACK, APP_ID, SECRET)
    client.access_token = short["access_token"]
    assert 0 < short["expires_in"] < 7200
    long = client.extend_access_token(APP_ID, SECRET)
    assert long["expires_in"] > 59 * 86_400
    ada = fb.client(long["access_token"])
    assert ada.get_object("me") == {"name": "Ada Lowe", "id": ADA}
    (outlet,) = ada.get_connections("me", "accounts")["data"]
    assert (outlet["id"], outlet["name"], "MESSAGING" in outlet["tasks"]) == (OUTLET, "Acme Outlet", True)
    told = ada.debug_access_token(outlet["access_token"], APP_ID, SECRET)["data"]
    assert (told["type"], told["expires_at"], told["profile_id"], told["is_valid"]) == ("PAGE", 0, OUTLET, True)
    assert set(PERMISSIONS) <= set(told["scopes"])
    assert ada.get_permissions("me") >= {"pages_messaging"}
    short_lived = fb.client(short["access_token"]).get_connections("me", "accounts")["data"][0]["access_token"]
    assert ada.debug_access_token(short_lived, APP_ID, SECRET)["data"]["expires_at"] > 0
    with pytest.raises(facebook.GraphAPIError) as caught:
        fb.client(outlet["access_token"]).get_object(CARE)
    assert error(caught)["code"] == 10


def test_a_code_works_once_and_only_for_the_address_it_was_made_for(fb: Facebook) -> None:
    code, client = fb.consent()["code"], fb.client()
    with pytest.raises(facebook.GraphAPIError) as caught:
        client.get_access_token_from_code(code, CALLBACK + "/", APP_ID, SECRET)
    assert error(caught)["error_subcode"] == 36008
    with pytest.raises(facebook.GraphAPIError, match="client secret"):
        client.get_access_token_from_code(code, CALLBACK, APP_ID, "another")
    client.get_access_token_from_code(code, CALLBACK, APP_ID, SECRET)
    with pytest.raises(facebook.GraphAPIError) as caught:
        client.get_access_token_from_code(code, CALLBACK, APP_ID, SECRET)
    assert error(caught)["error_subcode"] == 36009


def test_somebody_who_cancels_is_led_back_with_the_reason(fb: Facebook) -> None:
    back = fb.consent(decision="cancel")
    assert (back["error"], back["error_reason"], back["state"]) == ("access_denied", "user_denied", "s-1")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "12"}, "Invalid App ID"),
        ({"redirect_uri": "https://elsewhere.example/"}, "URL blocked"),
        ({"scope": "pages_show_list,pages_do_everything"}, "Invalid Scopes: pages_do_everything"),
        ({"response_type": "token"}, "response_type must be code"),
    ],
)
def test_a_dialog_that_makes_no_sense_is_explained(fb: Facebook, changed: dict[str, str], words: str) -> None:
    asked = {"client_id": APP_ID, "redirect_uri": CALLBACK, "scope": "pages_show_list", "state": "s", **changed}
    answer = requests.get(f"{fb.origin}/v25.0/dialog/oauth", params=asked, timeout=5)
    assert answer.status_code == 400
    assert words in answer.text


def test_what_was_not_allowed_is_refused(fb: Facebook) -> None:
    care = fb.page(permissions=["pages_show_list", "pages_manage_metadata"])
    post = fb.facts["pages"][0]["posts"][-1]
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.get_connections(CARE, "feed")
    assert error(caught)["code"] == 10
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.put_comment(post, "Hello")
    assert error(caught)["code"] == 200
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.get_connections(CARE, "conversations")
    assert error(caught)["code"] == 230
    with pytest.raises(facebook.GraphAPIError, match="pages_messaging"):
        care.put_object(CARE, "subscribed_apps", subscribed_fields="messages")
    assert fb.client(fb.user_token(permissions=[])).get_connections("me", "accounts") == {"data": []}


def test_tokens_die_with_the_consent_and_say_why(fb: Facebook) -> None:
    care = fb.page()
    for subcode in (460, 459, 464, 458):
        token = care.access_token
        fb.act("revoke", subcode=subcode)
        with pytest.raises(facebook.GraphAPIError) as caught:
            care.get_object(CARE)
        assert (error(caught)["code"], error(caught)["error_subcode"]) == (190, subcode)
        assert 'OAuth "Facebook Platform" "invalid_token"' in care.last.headers["www-authenticate"]
        told = care.debug_access_token(token, APP_ID, SECRET)["data"]
        assert (told["is_valid"], told["error"]["subcode"]) == (False, subcode)
        care = fb.page()
    with pytest.raises(facebook.GraphAPIError) as caught:
        fb.client("EAAnonsense").get_object("me")
    assert error(caught)["code"] == 190
    with pytest.raises(facebook.GraphAPIError) as caught:
        fb.client("").get_object("me")
    assert error(caught)["code"] == 104
    without = fb.page(CARE)
    fb.consent(pages=[OUTLET])
    with pytest.raises(facebook.GraphAPIError, match="impersonating a user's page") as caught:
        without.get_object(CARE)
    assert error(caught)["code"] == 190


def test_the_proof_of_the_secret_is_checked_and_can_be_demanded(fb: Facebook) -> None:
    care = fb.page()
    proof = hmac.new(SECRET.encode(), care.access_token.encode(), hashlib.sha256).hexdigest()
    assert care.get_object(CARE, appsecret_proof=proof)["id"] == CARE
    with pytest.raises(facebook.GraphAPIError, match="Invalid appsecret_proof"):
        care.get_object(CARE, appsecret_proof=proof[::-1])
    fb.act("proof", required=True)
    with pytest.raises(facebook.GraphAPIError, match="require an appsecret_proof"):
        care.get_object(CARE)
    assert care.get_object(CARE, appsecret_proof=proof)["id"] == CARE


def test_a_page_is_subscribed_field_by_field(fb: Facebook) -> None:
    care = fb.page()
    assert care.put_object(CARE, "subscribed_apps", subscribed_fields="feed,messages") == {"success": True}
    (app,) = care.get_connections(CARE, "subscribed_apps")["data"]
    assert (app["id"], app["subscribed_fields"]) == (APP_ID, ["feed", "messages"])
    with pytest.raises(facebook.GraphAPIError, match="must be one of"):
        care.put_object(CARE, "subscribed_apps", subscribed_fields="colours")
    with pytest.raises(facebook.GraphAPIError, match="Page Access Token"):
        fb.client(fb.user_token()).put_object(CARE, "subscribed_apps", subscribed_fields="feed")
    assert care.delete_object(f"{CARE}/subscribed_apps") == {"success": True}
    assert care.get_connections(CARE, "subscribed_apps") == {"data": []}


def test_a_callback_that_does_not_answer_the_challenge_is_not_taken(fb: Facebook) -> None:
    client = fb.client()
    client.access_token = client.get_app_access_token(APP_ID, SECRET)
    before = client.get_connections(APP_ID, "subscriptions")
    with pytest.raises(facebook.GraphAPIError) as caught:
        client.put_object(
            APP_ID, "subscriptions", object="page", callback_url="http://127.0.0.1:9/hook", verify_token="t",
            fields="feed",
        )  # fmt: skip
    assert error(caught)["code"] == 2200
    assert client.get_connections(APP_ID, "subscriptions") == before
    with pytest.raises(facebook.GraphAPIError, match="app access_token"):
        fb.page().get_connections(APP_ID, "subscriptions")


@pytest.mark.parametrize(
    ("path", "code"),
    [("v2.8/me", 2635), ("v99.0/me", 2635), ("v25.0/me/accounts/more", 2500), ("v25.0/6100000000000201/colours", 100),
     ("v25.0/1_2", 100), ("v25.0/t_9", 100), ("v25.0/m_nothing", 100), ("v25.0/123", 100), ("v25.0", 2500)],
)  # fmt: skip
def test_an_address_that_is_not_there_is_refused_in_facebooks_words(fb: Facebook, path: str, code: int) -> None:
    care = fb.page()
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.request(path)
    assert error(caught)["code"] == code


def test_recorded_shapes_are_held_against_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event: dict[str, object] = {"sender": {"id": 1}, "recipient": {"id": 2}, "read": {"watermark": 3, "seq": 4}}
    body = {"object": "page", "entry": [{"id": 12, "time": 1, "messaging": [event]}]}
    (tmp_path / "read.json").write_text(json.dumps(body))
    assert compare.main([str(tmp_path)]) == 0
    event["read"] = {"colour": "red"}
    (tmp_path / "odd.json").write_text(json.dumps(body))
    assert compare.main([str(tmp_path)]) == 1
    assert "odd.json: entry/0" in capsys.readouterr().out
    assert compare.main([]) == 2
    Draft202012Validator.check_schema(webhook_schema())


def test_what_the_store_tells_of_has_the_shape_of_webhooks() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.row_factory = sqlite3.Row
    people = People(db)
    store, now = Store(db, people), 1_800_000_000.0
    post = store.feed.add_post(CARE, "Hello", now=now, person_key="tom")
    picture = store.media.add(page_id=CARE, kind="image", name="p.png", type="image/png", content=b"-", now=now)
    asked = store.feed.add_comment(post, "Loud?", now=now, person_key="carla", media_id=picture.id)
    answer = store.feed.add_comment(post, "No", now=now, parent=asked)
    store.feed.edit_comment(answer, "No!", now=now)
    store.feed.hide_comment(asked, True)
    store.feed.hide_comment(asked, False)
    store.feed.edit_post(post, "Hello!", now=now)
    store.feed.hide_post(post, True)
    store.feed.delete_comment(answer)
    store.feed.delete_post(post)
    thread = store.inbox.begun(CARE, "carla", now=now)
    said = store.inbox.said(thread, "Hello", now=now, media=[picture.id])
    store.inbox.answered(thread, "Hello", now=now + 1, metadata="mark", reply_to=said.mid)
    store.inbox.delivered(thread, now=now + 2)
    store.inbox.read_by_person(store.inbox.begun(CARE, "carla", now=now), now=now + 3)
    store.inbox.edit(said, "Hello!", now=now + 4)
    store.inbox.unsend(said, now=now + 5)
    store.inbox.said(thread, "", now=now + 6, unsupported=True)
    told = store.happenings_after(0)
    for each in told:
        if each.field == "feed":
            entry = {"id": CARE, "time": 1, "changes": [{"field": "feed", "value": each.value}]}
        else:
            entry = {"id": CARE, "time": 1, "messaging": [each.value]}
        Draft202012Validator(webhook_schema()).validate({"object": "page", "entry": [entry]})
    verbs = [each.value["verb"] for each in told if each.field == "feed"]
    assert verbs == ["add", "add", "add", "edited", "hide", "unhide", "edited", "hide", "remove", "remove"]
    assert [each.field for each in told if each.field != "feed"] == [
        *("messages", "message_echoes", "message_deliveries", "message_reads", "message_edits", "messages"),
        "messages",
    ]


def test_the_same_person_is_another_number_to_each_page_and_in_each_place() -> None:
    for person in CAST:
        if person.facebook_psid:
            numbers = [make(person, page) for make in (psid_of, commenter_id_of) for page in PAGES]
            assert len(set(numbers)) == 4
    everybody = [psid_of(person, page) for person in CAST for page in PAGES if person.facebook_psid]
    assert len(set(everybody)) == len(everybody)
