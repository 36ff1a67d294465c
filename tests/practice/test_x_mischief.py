"""Each way in which X can misbehave, met once by real tweepy."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from typing import Any

import pytest
import requests
import tweepy

from practice.mail.writing import picture
from tests.practice.x_client import CARE_ID, CARLA_ID, DEALS_ID, GRACE_ID, X, ids, newest, post, said


def test_too_many_requests_come_with_and_without_a_reset(x: X) -> None:
    care = x.ours()
    x.misbehave("x_429", times=1)
    with pytest.raises(tweepy.TooManyRequests) as refusal:
        care.get_users_mentions(CARE_ID)
    assert refusal.value.reset_time
    assert said(refusal)["title"] == "Too Many Requests"
    x.misbehave("x_429_no_reset", times=1)
    with pytest.raises(tweepy.TooManyRequests) as refusal:
        care.get_users_mentions(CARE_ID)
    assert refusal.value.reset_time is None
    x.misbehave("x_usage_cap", times=1)
    with pytest.raises(tweepy.TooManyRequests) as refusal:
        care.get_users_mentions(CARE_ID)
    assert said(refusal)["title"] == "UsageCapExceeded"
    assert refusal.value.response.headers["x-rate-limit-remaining"] == "299"
    assert care.get_users_mentions(CARE_ID)


@pytest.mark.parametrize(
    ("switch", "error", "words"),
    [
        ("x_401", tweepy.Unauthorized, "Unauthorized"),
        ("x_402", tweepy.HTTPException, "does not have any credits"),
        ("x_403", tweepy.Forbidden, "Forbidden"),
        ("x_403_suspended", tweepy.Forbidden, "suspended"),
        ("x_403_app", tweepy.Forbidden, "attached to a Project"),
        ("x_503", tweepy.TwitterServerError, "503"),
    ],
)
def test_a_refusal_meets_our_app_and_nothing_is_done(x: X, switch: str, error: type[Exception], words: str) -> None:
    care = x.ours()
    before = ids(care.get_users_tweets(CARE_ID))
    x.misbehave(switch, times=1)
    with pytest.raises(error, match=words):
        post(care, f"Never posted: {switch}")
    assert ids(care.get_users_tweets(CARE_ID)) == before
    x.misbehave(switch)
    assert post(x.person("carla"), "A person is never refused")


def test_a_switch_can_be_meant_for_one_handle_only(x: X) -> None:
    care, deals = x.ours(), x.ours("1780000000000000202")
    x.misbehave("x_401", address="acmedeals")
    assert care.get_me(user_auth=False)
    with pytest.raises(tweepy.Unauthorized):
        deals.get_me(user_auth=False)


def test_a_silent_server_has_done_nothing(x: X) -> None:
    care = x.ours(timeout=0.5)
    x.misbehave("x_silent", times=1)
    with pytest.raises(requests.Timeout):
        post(care, "Into the void")
    assert all(each["text"] != "Into the void" for each in care.get_users_tweets(CARE_ID).get("data", []))


@pytest.mark.parametrize(
    ("switch", "error"),
    [
        ("x_silent_after", requests.Timeout),
        ("x_drop_after", requests.ConnectionError),
        ("x_503_after", tweepy.TwitterServerError),
    ],
)
def test_a_post_and_a_message_are_there_although_no_answer_came(x: X, switch: str, error: type[Exception]) -> None:
    care = x.ours(timeout=0.5)
    asked = post(x.person("carla"), f"@AcmeCare about {switch}")
    x.misbehave(switch, times=2)
    with pytest.raises(error):
        post(care, f"We look into {switch}", in_reply_to_tweet_id=asked)
    with pytest.raises(error):
        care.create_direct_message(participant_id=CARLA_ID, text=f"About {switch}", user_auth=False)
    found = care.get_users_tweets(CARE_ID, since_id=asked, tweet_fields=["referenced_tweets"])["data"]
    assert [each["text"] for each in found] == [f"@carla_hughes We look into {switch}"]
    assert found[0]["referenced_tweets"] == [{"type": "replied_to", "id": asked}]
    assert (
        care.get_direct_message_events(participant_id=CARLA_ID, user_auth=False)["data"][0]["text"] == f"About {switch}"
    )


def test_pictures_that_do_not_come(x: X) -> None:
    carla, care = x.person("carla"), x.ours()
    key = carla.session.post(
        "https://api.twitter.com/2/media/upload",
        files={"media": picture().content},
        data={"media_category": "dm_image"},
        headers={"Authorization": f"Bearer {carla.bearer_token}"},
    ).json()["data"]["id"]
    event = carla.create_direct_message(participant_id=CARE_ID, text="Look", media_id=key, user_auth=False)
    told = care.get_direct_message_events(
        participant_id=CARLA_ID, expansions=["attachments.media_keys"], media_fields=["url"], user_auth=False
    )
    number = event["data"]["dm_event_id"]
    ton = f"https://ton.twitter.com/1.1/ton/data/dm/{number}/{key}/{key}.png"
    assert told["includes"]["media"][0]["url"] == ton
    address = f"https://api.twitter.com/2/dm_conversations/media/{number}/{key}/{key}.png"

    def asked(token: str) -> requests.Response:
        return care.session.get(address, headers={"Authorization": f"Bearer {token}"})

    assert asked(care.bearer_token).content == picture().content
    assert (asked("nobody").status_code, asked(x.ours(DEALS_ID).bearer_token).status_code) == (401, 403)
    x.misbehave("x_picture_404", times=1)
    assert asked(care.bearer_token).status_code == 404
    x.misbehave("x_picture_html", times=1)
    spoilt, whole = asked(care.bearer_token), asked(care.bearer_token)
    assert (spoilt.status_code, spoilt.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert whole.headers["content-type"] == "image/png"


def test_an_answer_is_refused_as_if_nobody_had_asked_us(x: X) -> None:
    asked = post(x.person("carla"), "@AcmeCare are you there, and may you speak?")
    x.misbehave("x_unasked", times=1)
    with pytest.raises(tweepy.Forbidden, match="not been mentioned or otherwise engaged"):
        post(x.ours(), "We may not", in_reply_to_tweet_id=asked)
    assert post(x.ours(), "We may", in_reply_to_tweet_id=asked)


def test_the_end_of_a_made_up_limit_can_be_near(x: X) -> None:
    x.act("times", reset_seconds=2)
    x.misbehave("x_429", times=1)
    with pytest.raises(tweepy.TooManyRequests) as caught:
        x.ours().get_me(user_auth=False)
    assert caught.value.reset_time - time.time() < 4
    x.act("times", reset_seconds=None)


def test_half_an_answer_and_a_dripping_one(x: X) -> None:
    care = x.ours(timeout=0.5)
    x.misbehave("x_drop", times=1)
    with pytest.raises(requests.RequestException):
        care.get_users_mentions(CARE_ID)
    x.misbehave("x_drip", times=1)
    line = HTTPConnection(x.facts["origin"].removeprefix("http://"), timeout=5)
    line.request("GET", "/2/users/me", headers={"Authorization": f"Bearer {care.bearer_token}"})
    answer = line.getresponse()
    assert [len(answer.read1(100)) for _ in range(3)] == [1, 1, 1]
    line.close()


def test_json_that_is_broken_huge_or_of_another_kind(x: X) -> None:
    post(x.person("carla"), "@AcmeCare hello")
    care = x.ours(checked=False)
    x.misbehave("x_not_json", times=1)
    with pytest.raises(requests.JSONDecodeError):
        care.get_users_mentions(CARE_ID)
    x.misbehave("x_array", times=1)
    assert isinstance(care.get_users_mentions(CARE_ID), list)
    x.misbehave("x_huge", times=1)
    assert len(care.get_users_mentions(CARE_ID)["data"][0]["text"]) == 5 * 1024 * 1024
    x.misbehave("x_odd_text", times=1)
    assert care.get_users_mentions(CARE_ID)["data"][0]["text"] == "a\0b\ud83e"
    care.create_direct_message(participant_id=CARLA_ID, text="Hello", user_auth=False)
    x.misbehave("x_unknown_kind", times=1)
    assert care.get_direct_message_events(user_auth=False)["data"][0]["event_type"] == "ReactionCreate"
    with pytest.raises(tweepy.BadRequest):
        post(care, "half \ud83e")


def test_a_field_can_be_missing_or_have_another_name(x: X) -> None:
    made = post(x.person("carla"), "@AcmeCare hello")
    care = x.ours(checked=False)
    asked = {"tweet_fields": ["author_id", "created_at"], "expansions": ["author_id"], "max_results": 5}
    x.misbehave("x_drop_field", address="created_at")
    told = care.get_users_mentions(CARE_ID, **asked)
    assert all("created_at" not in each and "author_id" in each for each in told["data"])
    x.misbehave("x_drop_field", address="includes.users.username")
    told = care.get_users_mentions(CARE_ID, **asked)
    assert told["data"][0]["id"] == made
    assert told["includes"]["users"][0].keys() == {"id", "name"}
    x.misbehave("x_drop_field", on=False)
    x.misbehave("x_rename_field", address="author_id")
    assert care.get_users_mentions(CARE_ID, **asked)["data"][0]["author_id_renamed"] == CARLA_ID


def test_the_names_of_2_167_are_asked_for_and_answered(x: X) -> None:
    carla, care = x.person("carla"), x.ours(checked=False)
    root = post(carla, "@AcmeCare a story. " + "And then it leaked again, as it always does. " * 8)
    answer = post(carla, "@AcmeCare and?", in_reply_to_tweet_id=root)
    x.misbehave("x_new_names")
    path = f"/2/users/{CARE_ID}/mentions"
    with pytest.raises(tweepy.BadRequest, match=r"\[tweet\.fields\] is not one of"):
        care.request("GET", path, params={"tweet.fields": "text"})
    asked = {"post.fields": "note_post,conversation_id,author_id", "expansions": "author_id,referenced_posts"}
    response = care.request("GET", path, params=asked)
    told = response.json()
    assert response.headers["api-version"] == "2.167"
    newer, older = told["data"][:2]
    assert newer["referenced_posts"] == [{"type": "replied_to", "id": root}]
    assert (older["edit_history_post_ids"], older["author_id"]) == ([root], CARLA_ID)
    assert "a story" in older["note_post"]["text"]
    assert root in [each["id"] for each in told["includes"]["posts"]]
    assert "tweet" not in json.dumps({key: None for each in told["data"] for key in each})
    assert newer["id"] == answer
    x.misbehave("x_new_names", on=False)
    x.misbehave("x_new_answers")
    assert "note_post" in care.request("GET", path, params={"tweet.fields": "note_tweet"}).json()["data"][1]


def test_lists_can_repeat_themselves_and_be_out_of_order(x: X) -> None:
    carla, care = x.person("carla"), x.ours()
    since = newest(care)
    made = [post(carla, f"@AcmeCare number {number}") for number in range(2)]
    x.misbehave("x_duplicate", times=1)
    assert ids(care.get_users_mentions(CARE_ID, since_id=since)) == [made[1], made[1], made[0], made[0]]
    x.misbehave("x_shuffled", times=1)
    assert ids(care.get_users_mentions(CARE_ID, since_id=since)) == made
    x.misbehave("x_again", times=1)
    assert ids(care.get_users_mentions(CARE_ID, since_id=made[1]))[:2] == made[::-1]


def test_a_late_post_appears_below_newer_ones(x: X) -> None:
    carla, care = x.person("carla"), x.ours()
    since = newest(care)
    x.misbehave("x_late", times=2)
    late = post(carla, "@AcmeCare late")
    message = carla.create_direct_message(participant_id=CARE_ID, text="late too", user_auth=False)["data"][
        "dm_event_id"
    ]
    known = post(carla, "@AcmeCare in time")
    assert ids(care.get_users_mentions(CARE_ID, since_id=since)) == [known]
    assert message not in ids(care.get_direct_message_events(user_auth=False))
    assert ids(care.get_tweets([late])) == [late]
    assert x.facts["held"] == 2
    x.misbehave("x_late", on=False)
    assert ids(care.get_users_mentions(CARE_ID, since_id=since)) == [known, late]
    assert ids(care.get_users_mentions(CARE_ID, since_id=known)) == []
    assert ids(care.get_direct_message_events(user_auth=False))[0] == message
    x.act("times", index_seconds=3600)
    assert post(carla, "@AcmeCare in an hour") not in ids(care.get_users_mentions(CARE_ID, since_id=since))


def test_the_same_words_again_are_refused_for_a_while(x: X) -> None:
    care = x.ours()
    first = post(care, "We are open again")
    with pytest.raises(tweepy.Forbidden) as refusal:
        post(care, "We are open again")
    assert said(refusal) == {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }
    x.act("times", duplicate_seconds=0)
    assert post(care, "We are open again") != first
    x.act("times", duplicate_seconds=None)
    x.misbehave("x_twice_is_fine", times=1)
    assert post(care, "We are open again") != first


def test_we_may_answer_only_those_who_spoke_to_us(x: X) -> None:
    grace, care = x.person("grace"), x.ours()
    elsewhere = post(grace, "I love my new grinder")
    with pytest.raises(tweepy.Forbidden, match="not been mentioned or otherwise engaged by the author"):
        post(care, "So do we", in_reply_to_tweet_id=elsewhere)
    x.misbehave("x_reply_unasked", times=1)
    assert post(care, "So do we", in_reply_to_tweet_id=elsewhere)
    quote = post(grace, "Look at this", quote_tweet_id=post(care, "Free grinders"))
    assert post(care, "Only today", in_reply_to_tweet_id=quote)


def test_everybody_can_close_their_messages_at_once(x: X) -> None:
    care = x.ours()
    x.misbehave("x_message_refused", times=1)
    with pytest.raises(tweepy.Forbidden, match="You cannot send messages to this user"):
        care.create_direct_message(participant_id=GRACE_ID, text="Hello", user_auth=False)
    assert care.create_direct_message(participant_id=GRACE_ID, text="Hello", user_auth=False)


def test_a_renewal_without_an_answer_has_happened(x: X) -> None:
    tokens, origin = x.tokens(), x.facts["origin"]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "practice-x-client"}
    x.misbehave("x_token_silent", times=1)
    with pytest.raises(requests.Timeout):
        requests.post(f"{origin}/2/oauth2/token", data=form, timeout=0.5)
    assert requests.post(f"{origin}/2/oauth2/token", data=form, timeout=5).status_code == 400


def test_what_happened_is_told(x: X) -> None:
    known: Any = x.practice.ask("/practice/happenings").body["happenings"][-1]["id"]
    made = post(x.person("carla"), "@AcmeCare told")
    lines = x.practice.ask(f"/practice/happenings?after={known}&kind=posted&wait=5").body["happenings"]
    assert made
    assert lines[-1]["words"] == "@carla_hughes: @AcmeCare told"
