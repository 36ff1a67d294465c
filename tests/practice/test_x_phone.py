"""The X phone: what one does on it goes through the API, and what we answer shows on it."""

from __future__ import annotations

from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.practice.x_client import CALLBACK, CARE_ID, CARLA_ID, GRACE_ID, X, ids, newest, post


def submit(x: X, path: str, key: str = "carla", **fields: str) -> str:
    """Send a form as a browser without JavaScript does, and return the page it is led to."""
    request = Request(f"{x.practice.url}{path}?as={key}", data=urlencode(fields).encode())
    with urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def test_posting_answering_editing_and_deleting_go_through_the_api(x: X) -> None:
    care = x.ours()
    since = newest(care)
    page = submit(x, "/practice/x/write", **{"as": "carla_hughes", "do": "post", "text": "@AcmeCare by <hand>"})
    assert "@AcmeCare by &lt;hand&gt;" in page
    first = ids(care.get_users_mentions(CARE_ID, since_id=since))[0]
    ours = post(care, "By hand too", in_reply_to_tweet_id=first)
    assert "By hand too" in submit(
        x, "/practice/x/write", **{"as": "carla_hughes", "do": "reply", "post": ours, "text": "Ta"}
    )
    assert care.get_users_mentions(CARE_ID, since_id=ours)["data"][0]["text"] == "@AcmeCare Ta"
    form = x.practice.ask(f"/?as=carla&x=edit:{first}").body.decode()
    assert "@AcmeCare by &lt;hand&gt;</textarea>" in form
    page = submit(
        x, "/practice/x/write", **{"as": "carla_hughes", "do": "edit", "post": first, "text": "@AcmeCare edited"}
    )
    assert "· edited" in page
    last = care.get_tweet(first)["data"]["edit_history_tweet_ids"][-1]
    submit(x, "/practice/x/touch", **{"as": "carla_hughes", "do": "delete", "post": last})
    assert "errors" in care.get_tweet(first)
    submit(x, "/practice/x/touch", "grace", **{"as": "gracelindqvist", "do": "retweet", "post": ours})
    assert care.get_users_tweets(GRACE_ID)["data"][0]["text"].startswith("RT @AcmeCare: @carla_hughes By hand too")


def test_a_message_with_a_picture_and_the_button_that_blocks(x: X) -> None:
    care = x.ours()
    fields = {"as": "carla_hughes", "do": "message", "to": "AcmeCare", "text": "Look", "picture": "on"}
    page = submit(x, "/practice/x/write", **fields)
    assert "Look" in page
    assert "/practice/x/media/" in page
    told = care.get_direct_message_events(
        participant_id=CARLA_ID, expansions=["attachments.media_keys"], media_fields=["url"], user_auth=False
    )
    assert told["includes"]["media"][0]["media_key"] == told["data"][0]["attachments"]["media_keys"][0]
    submit(x, "/practice/x/habits", handle="carla_hughes", blocks_messages="on")
    assert 'aria-pressed="true"' in x.practice.ask("/live?as=carla&x=dm").body["parts"]["x-closed"]
    submit(x, "/practice/x/habits", handle="carla_hughes", blocks_messages="")
    assert 'aria-pressed="false"' in x.practice.ask("/live?as=carla&x=dm").body["parts"]["x-closed"]


def test_what_x_refuses_is_said_in_its_words(x: X) -> None:
    refused = x.practice.ask("/practice/x/write", {"as": "carla_hughes", "do": "reply", "post": "1", "text": "Hello?"})
    assert (refused.status, "deleted or not visible" in refused.body["error"]) == (422, True)
    assert x.practice.ask("/practice/x/write", {"as": "AcmeCare", "text": "Not a person"}).status == 404
    assert x.practice.ask("/practice/x/write", {"as": "carla_hughes", "text": "a", "colour": "red"}).status == 400
    assert x.practice.ask("/practice/x/times", {"token_seconds": -1}).status == 400
    assert "is not on X" in x.practice.ask("/?as=tom").body.decode()


@pytest.mark.browser
def test_an_answer_appears_on_the_phone_and_a_handle_lets_the_app_in(x: X, chromium: Browser) -> None:
    care = x.ours()
    asked = x.handler().get_authorization_url().replace("https://twitter.com", x.facts["origin"])
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{x.practice.url}/?as=grace")
    phone = page.get_by_role("region", name="X of Grace Lindqvist")
    page.get_by_label("Post to @AcmeCare").fill("@AcmeCare in the browser")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(phone).to_contain_text("@AcmeCare in the browser")
    expect(page.get_by_label("Post to @AcmeCare")).to_have_value("")
    page.get_by_label("Post to @AcmeCare").fill("I was just about to")
    post(care, "And answered", in_reply_to_tweet_id=ids(care.get_users_mentions(CARE_ID))[0])
    expect(phone).to_contain_text("@gracelindqvist And answered")
    expect(page.get_by_label("Post to @AcmeCare")).to_have_value("I was just about to")
    assert complaints == []
    page.goto(asked)
    page.get_by_text("@AcmeDeals").click()
    assert complaints == []
    # Nobody need listen where it leads back to: that the browser goes there is enough.
    with page.expect_request(lambda request: request.url.startswith(CALLBACK)) as back:
        page.get_by_role("button", name="Authorise app").click()
    assert "code=" in back.value.url
    page.close()
