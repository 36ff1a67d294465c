"""X's API as its documents describe it, asked by real tweepy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
import tweepy

from practice.mail.writing import picture
from practice.x.wording import weight
from tests.practice.running import Practice
from tests.practice.x_client import CARE_ID, CARLA_ID, DEALS_ID, GRACE_ID, X, ids, newest, post, said

FIELDS = {
    "tweet_fields": [
        *("id", "text", "author_id", "created_at", "conversation_id", "in_reply_to_user_id", "referenced_tweets"),
        *(
            "display_text_range",
            "edit_history_tweet_ids",
            "edit_controls",
            "entities",
            "attachments",
            "lang",
            "note_tweet",
        ),
        *("possibly_sensitive", "public_metrics", "reply_settings"),
    ],
    "expansions": [
        *("author_id", "attachments.media_keys", "referenced_tweets.id", "referenced_tweets.id.author_id"),
        "in_reply_to_user_id",
    ],
    "user_fields": [
        *("id", "name", "username", "profile_image_url", "verified", "verified_type", "protected", "created_at"),
        *("public_metrics", "receives_your_dm"),
    ],
    "media_fields": [
        *("media_key", "type", "url", "preview_image_url", "alt_text", "variants", "width", "height"),
    ],
}


def test_a_post_that_names_us_stands_in_our_mentions_with_all_that_is_asked_for(x: X) -> None:
    carla, care = x.person("carla"), x.ours()
    since = newest(care)
    first = post(carla, "@AcmeCare the machine leaks https://acme.com/help #leak")
    assert ids(care.get_users_mentions(CARE_ID, since_id=since)) == [first]
    plain = care.get_users_mentions(CARE_ID, since_id=since)["data"][0]
    assert set(plain) == {"id", "text", "edit_history_tweet_ids"}
    told = care.get_users_mentions(CARE_ID, since_id=since, **FIELDS)
    whole = told["data"][0]
    assert (whole["author_id"], whole["conversation_id"], whole["lang"]) == (CARLA_ID, first, "en")
    # X calls a post that begins with a name a reply to that person, though it answers no post.
    assert (whole["in_reply_to_user_id"], "referenced_tweets" in whole) == (CARE_ID, False)
    assert whole["text"][slice(*whole["display_text_range"])].startswith("the machine leaks https://t.co/")
    mention, url = whole["entities"]["mentions"][0], whole["entities"]["urls"][0]
    assert (mention["id"], whole["text"][mention["start"] : mention["end"]]) == (CARE_ID, "@AcmeCare")
    assert (url["expanded_url"], whole["text"][url["start"] : url["end"]]) == ("https://acme.com/help", url["url"])
    assert told["includes"]["users"][0]["username"] == "carla_hughes"
    assert told["meta"] == {"result_count": 1, "newest_id": first, "oldest_id": first}
    assert care.get_users_mentions(CARE_ID, since_id=first) == {"meta": {"result_count": 0}}


def test_a_reply_is_addressed_by_x_itself_and_refers_to_what_it_answers(x: X) -> None:
    carla, care, grace = x.person("carla"), x.ours(), x.person("grace")
    asked = post(carla, "@AcmeCare @gracelindqvist who of you has my parcel?")
    answer = care.create_tweet(text="We do.", in_reply_to_tweet_id=asked, user_auth=False)["data"]
    assert answer["text"] == "@carla_hughes @gracelindqvist We do."
    alone = care.create_tweet(
        text="Only to you.", in_reply_to_tweet_id=asked, exclude_reply_user_ids=[GRACE_ID], user_auth=False
    )["data"]
    assert alone["text"] == "@carla_hughes Only to you."
    told = grace.get_tweet(answer["id"], user_auth=False, **FIELDS)
    assert told["data"]["conversation_id"] == asked
    assert told["data"]["in_reply_to_user_id"] == CARLA_ID
    assert told["data"]["referenced_tweets"] == [{"type": "replied_to", "id": asked}]
    assert [each["id"] for each in told["includes"]["tweets"]] == [asked]
    assert "We do." in str(x.practice.ask("/live?as=carla").body["parts"]["x-screen"])
    assert care.delete_tweet(alone["id"], user_auth=False) == {"data": {"deleted": True}}
    with pytest.raises(tweepy.Forbidden, match="not authorized to delete"):
        care.delete_tweet(asked, user_auth=False)
    assert care.hide_reply(post(carla, "A nasty word", in_reply_to_tweet_id=post(care, "News")), user_auth=False) == {
        "data": {"hidden": True}
    }


def test_lists_are_turned_page_by_page_and_kept_within_their_bounds(x: X) -> None:
    nora, care = x.person("nora"), x.ours()
    since, before = newest(care), datetime.now(UTC) - timedelta(milliseconds=2)
    made = [post(nora, f"@AcmeCare سؤال {number}") for number in range(12)][::-1]
    first = care.get_users_mentions(CARE_ID, since_id=since, max_results=5)
    second = care.get_users_mentions(
        CARE_ID, since_id=since, max_results=5, pagination_token=first["meta"]["next_token"]
    )
    third = care.get_users_mentions(
        CARE_ID, since_id=since, max_results=5, pagination_token=second["meta"]["next_token"]
    )
    assert ids(first) + ids(second) + ids(third) == made
    assert "next_token" not in third["meta"]
    back = care.get_users_mentions(
        CARE_ID, since_id=since, max_results=5, pagination_token=second["meta"]["previous_token"]
    )
    assert ids(back) == ids(first)
    assert ids(care.get_users_mentions(CARE_ID, until_id=made[-3], since_id=since)) == made[-2:]
    assert set(made) <= set(ids(care.get_users_mentions(CARE_ID, start_time=before, max_results=100)))
    assert ids(care.get_users_mentions(CARE_ID, end_time=before, since_id=since)) == []
    everything = care.get_users_tweets("1790000000000000103", max_results=12)
    assert ids(everything) == made


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"max_results": 4}, "is not between 5 and 100"),
        ({"max_results": 101}, "is not between 5 and 100"),
        ({"since_id": "abc"}, "`since_id` query parameter value [abc] is not valid"),
        ({"pagination_token": "nonsense"}, "`pagination_token` query parameter value [nonsense]"),
        ({"tweet_fields": ["text", "colour"]}, "`tweet.fields` query parameter value [colour] is not one of ["),
        ({"expansions": ["author"]}, "`expansions` query parameter value [author] is not one of ["),
        ({"start_time": "yesterday"}, "is not a valid date"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(x: X, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(tweepy.BadRequest) as refusal:
        x.client("practice-x-app-bearer").get_users_mentions(CARE_ID, **parameters)
    assert said(refusal)["type"].endswith("/problems/invalid-request")
    assert words in said(refusal)["errors"][0]["message"]


def test_an_unknown_parameter_or_field_of_a_body_is_refused(x: X) -> None:
    client = x.person("carla")
    with pytest.raises(tweepy.BadRequest, match=r"The query parameter \[colour\] is not one of \[id,since_id"):
        client.request("GET", f"/2/users/{CARE_ID}/mentions", params={"colour": "red"})
    with pytest.raises(tweepy.BadRequest, match=r"\$\.colour: is not defined in the schema"):
        client.request("POST", "/2/tweets", json={"text": "a", "colour": "red"})
    with pytest.raises(tweepy.BadRequest, match=r"\$\.reply\.in_reply_to_tweet_id: is missing"):
        client.request("POST", "/2/tweets", json={"text": "a", "reply": {}})
    with pytest.raises(tweepy.BadRequest, match="does not match the regex pattern"):
        client.request("POST", "/2/tweets", json={"text": "a", "reply": {"in_reply_to_tweet_id": "x"}})
    with pytest.raises(tweepy.NotFound):
        client.request("GET", "/2/nothing")


def test_a_post_that_names_two_of_our_handles_stands_in_both_mentions(x: X) -> None:
    care, deals = x.ours(), x.ours(DEALS_ID)
    both = post(x.person("grace"), "@AcmeCare @AcmeDeals which of you is it?")
    assert ids(care.get_users_mentions(CARE_ID))[0] == both
    assert ids(deals.get_users_mentions(DEALS_ID))[0] == both


def test_an_edit_is_a_new_post_with_the_old_ones_in_its_history(x: X) -> None:
    carla, care = x.person("carla"), x.ours()
    since = newest(care)
    first = post(carla, "@AcmeCare ordr 17")
    body = {"text": "@AcmeCare order 17", "edit_options": {"previous_post_id": first}}
    second = carla.request("POST", "/2/tweets", json=body).json()["data"]["id"]
    assert ids(care.get_users_mentions(CARE_ID, since_id=since)) == [second]
    old, new = care.get_tweets([first, second], tweet_fields=["conversation_id", "edit_controls"])["data"]
    assert (old["text"], new["text"]) == ("@AcmeCare ordr 17", "@AcmeCare order 17")
    assert old["edit_history_tweet_ids"] == new["edit_history_tweet_ids"] == [first, second]
    assert new["conversation_id"] == first
    assert new["edit_controls"]["edits_remaining"] == 4
    with pytest.raises(tweepy.Forbidden):
        care.request("POST", "/2/tweets", json=body)


def test_what_is_deleted_or_protected_is_an_error_beside_the_rest(x: X) -> None:
    carla, grace, care = x.person("carla"), x.person("grace"), x.ours()
    gone, there, locked = (post(each, f"@AcmeCare {n}") for n, each in enumerate((carla, carla, grace)))
    carla.delete_tweet(gone, user_auth=False)
    x.act("habits", handle="gracelindqvist", protected=True)
    told = care.get_tweets([gone, there, locked])
    assert ids(told) == [there]
    assert [each["title"] for each in told["errors"]] == ["Not Found Error", "Authorization Error"]
    assert told["errors"][0]["resource_id"] == gone
    assert care.get_tweet(gone)["errors"][0]["type"].endswith("resource-not-found")
    assert locked not in ids(care.get_users_mentions(CARE_ID))
    with pytest.raises(tweepy.Forbidden, match="deleted or not visible"):
        post(care, "Hello", in_reply_to_tweet_id=gone)
    for nobody in ("0", "9999999999999999999"):
        assert "errors" in care.get_tweet(nobody)
        with pytest.raises(tweepy.Forbidden, match="deleted or not visible"):
            post(care, "Hello", in_reply_to_tweet_id=nobody)
    answer = post(carla, "And now?", in_reply_to_tweet_id=there)
    carla.delete_tweet(there, user_auth=False)
    told = care.get_tweet(answer, expansions=["referenced_tweets.id"])
    assert "includes" not in told
    assert told["errors"][0]["parameter"] == "referenced_tweets.id"
    assert care.get_user(id=GRACE_ID, user_fields=["protected"])["data"]["protected"] is True
    x.act("habits", handle="gracelindqvist", protected=False)


def test_a_retweet_and_a_quote_refer_to_the_original(x: X) -> None:
    grace, care = x.person("grace"), x.ours()
    ours = post(care, "Closed on Monday")
    grace.request("POST", f"/2/users/{GRACE_ID}/retweets", json={"tweet_id": ours})
    quote = post(grace, "Again?! @AcmeCare", quote_tweet_id=ours)
    asked = {"tweet_fields": ["referenced_tweets", "public_metrics"], "expansions": ["referenced_tweets.id"]}
    quoted, retweeted = care.get_users_tweets(GRACE_ID, **asked)["data"][:2]
    assert quoted["referenced_tweets"] == [{"type": "quoted", "id": ours}]
    assert retweeted["referenced_tweets"] == [{"type": "retweeted", "id": ours}]
    assert retweeted["text"] == "RT @AcmeCare: Closed on Monday"
    mentions = ids(care.get_users_mentions(CARE_ID))
    assert quote in mentions
    assert retweeted["id"] not in mentions
    metrics = care.get_tweet(ours, tweet_fields=["public_metrics"])["data"]["public_metrics"]
    assert (metrics["retweet_count"], metrics["quote_count"]) == (1, 1)
    with pytest.raises(tweepy.Forbidden):
        post(care, "We quote", quote_tweet_id=quote)


def test_a_long_post_is_cut_and_whole_in_its_note(x: X) -> None:
    words = "@AcmeCare " + "it still leaks, and I have said so four times 🍊 " * 12 + "the end"
    told = x.ours().get_tweet(post(x.person("priyanka"), words), **FIELDS)["data"]
    assert told["note_tweet"]["text"] == words
    assert "the end" not in told["text"]
    assert weight(told["text"]) <= 290
    assert told["note_tweet"]["entities"]["mentions"][0]["id"] == CARE_ID


def test_our_posts_may_have_280_letters_as_x_counts_them(x: X) -> None:
    assert [
        weight(each) for each in ("a" * 280, "é", "漢字", "👍🏽", "👨‍👩‍👧", "🇬🇧", "see https://acme.com/" + "a" * 90)
    ] == [
        *(280, 1, 4, 2, 2, 2),
        27,
    ]
    care = x.ours()
    assert post(care, "漢" * 140)
    with pytest.raises(tweepy.Forbidden, match="too long"):
        post(care, "漢" * 140 + "a")


def test_a_picture_is_in_the_attachments_and_in_what_goes_along(x: X) -> None:
    carla = x.person("carla")
    upload = carla.session.post(
        "https://api.twitter.com/2/media/upload",
        files={"media": picture().content},
        data={"media_category": "tweet_image"},
        headers={"Authorization": "Bearer practice-x-carla"},
    ).json()["data"]
    told = x.ours().get_tweet(post(carla, "@AcmeCare look", media_ids=[upload["id"]]), **FIELDS)
    key = told["data"]["attachments"]["media_keys"][0]
    assert told["data"]["entities"]["urls"][0]["media_key"] == key == upload["media_key"]
    media = told["includes"]["media"][0]
    assert (media["media_key"], media["type"], media["width"], media["height"]) == (key, "photo", 480, 320)
    path = media["url"].removeprefix("https://pbs.twimg.com")
    assert carla.session.get("https://api.twitter.com" + path).content == picture().content
    with pytest.raises(tweepy.BadRequest, match="media IDs are invalid"):
        post(x.person("grace"), "stolen", media_ids=[upload["id"]])
    with pytest.raises(tweepy.BadRequest, match="media IDs are invalid"):
        post(carla, "nobody's", media_ids=["9999999999999999999"])


def test_a_search_finds_by_conversation_name_and_author(x: X) -> None:
    carla, grace, care = x.person("carla"), x.person("grace"), x.ours()
    root = post(carla, "@AcmeCare kaputt")
    answer = post(grace, "same here", in_reply_to_tweet_id=root)
    ours = post(care, "Sorry!", in_reply_to_tweet_id=root)
    assert ids(care.search_recent_tweets(f"conversation_id:{root}")) == [ours, answer, root]
    assert ids(care.search_recent_tweets(f"conversation_id:{root} -from:AcmeCare")) == [answer, root]
    assert ids(care.search_recent_tweets(f"conversation_id:{root} (from:AcmeCare OR kaputt)")) == [ours, root]
    assert ids(care.search_recent_tweets("@AcmeCare from:carla_hughes kaputt", since_id=str(int(root) - 1))) == [root]
    with pytest.raises(tweepy.BadRequest, match="invalid operator 'colour'"):
        care.search_recent_tweets("colour:red")


def test_messages_go_both_ways_and_come_newest_first(x: X) -> None:
    carla, care = x.person("carla"), x.ours()
    first = carla.create_direct_message(participant_id=CARE_ID, text="My postcode is AB1 2CD", user_auth=False)["data"]
    assert first["dm_conversation_id"] == f"{CARE_ID}-{CARLA_ID}"
    answer = care.create_direct_message(
        dm_conversation_id=first["dm_conversation_id"], text="Thank you https://acme.com/x", user_auth=False
    )["data"]
    told = care.get_direct_message_events(
        participant_id=CARLA_ID,
        dm_event_fields=["sender_id", "created_at", "dm_conversation_id", "entities", "participant_ids"],
        expansions=["sender_id"],
        user_fields=["username"],
        max_results=2,
        user_auth=False,
    )
    assert ids(told) == [answer["dm_event_id"], first["dm_event_id"]]
    newer, older = told["data"]
    assert (older["sender_id"], older["text"], older["event_type"]) == (
        CARLA_ID,
        "My postcode is AB1 2CD",
        "MessageCreate",
    )
    assert newer["entities"]["urls"][0]["expanded_url"] == "https://acme.com/x"
    assert "participant_ids" not in newer
    rest = care.get_direct_message_events(pagination_token=told["meta"]["next_token"], user_auth=False)
    assert first["dm_event_id"] not in ids(rest)
    assert "Thank you https://acme.com/x" in str(x.practice.ask("/live?as=carla&x=dm").body["parts"]["x-screen"])


def test_a_group_has_a_number_and_tells_who_joined(x: X) -> None:
    care = x.ours()
    made = x.person("carla").create_direct_message_conversation(
        text="All of you", participant_ids=[CARE_ID, GRACE_ID], user_auth=False
    )["data"]
    assert made["dm_conversation_id"].isdecimal()
    told = care.get_direct_message_events(
        dm_conversation_id=made["dm_conversation_id"], dm_event_fields=["participant_ids"], user_auth=False
    )
    assert [each["event_type"] for each in told["data"]] == ["MessageCreate", "ParticipantsJoin"]
    assert set(told["data"][1]["participant_ids"]) == {CARLA_ID, CARE_ID, GRACE_ID}
    with pytest.raises(tweepy.Forbidden):
        x.ours(DEALS_ID).create_direct_message(dm_conversation_id=made["dm_conversation_id"], text="?", user_auth=False)


def test_somebody_who_blocks_messages_gets_none(x: X) -> None:
    care = x.ours()
    x.act("habits", handle="carla_hughes", blocks_messages=True)
    with pytest.raises(tweepy.Forbidden, match="You cannot send messages to this user"):
        care.create_direct_message(participant_id=CARLA_ID, text="Hello", user_auth=False)
    assert care.get_user(id=CARLA_ID, user_fields=["receives_your_dm"])["data"]["receives_your_dm"] is False
    x.act("habits", handle="carla_hughes", blocks_messages=False)
    assert care.create_direct_message(participant_id=CARLA_ID, text="Hello", user_auth=False)


def test_people_are_found_by_id_and_by_handle(x: X) -> None:
    care = x.ours()
    assert care.get_me(user_auth=False)["data"] == {"id": CARE_ID, "name": "Acme Care", "username": "AcmeCare"}
    assert care.get_user(username="CARLA_hughes", user_fields=["created_at"])["data"]["id"] == CARLA_ID
    told = care.get_users(ids=[CARLA_ID, "123"])
    assert ids(told) == [CARLA_ID]
    assert told["errors"][0]["detail"] == "Could not find user with ids: [123]."
    made = x.practice.ask("/practice/people", {"name": "Ida Berg"}).body
    assert care.get_user(username=made["x_handle"])["data"]["name"] == "Ida Berg"


def test_all_is_still_there_after_a_kill(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "data")
    try:
        x = X(practice)
        tokens = x.tokens()
        made = post(x.person("carla"), "@AcmeCare before the kill")
        x.misbehave("x_late")
        late = post(x.person("carla"), "@AcmeCare held through the kill")
        practice.end(SIGKILL)
        practice.start_again()
        care = x.client(tokens["access_token"])
        assert ids(care.get_users_mentions(CARE_ID)) == [made]
        x.misbehave("x_late", on=False)
        assert ids(care.get_users_mentions(CARE_ID)) == [late, made]
        assert int(post(x.person("carla"), "after")) > int(late)
        assert x.handler().refresh_token(
            "https://api.twitter.com/2/oauth2/token", refresh_token=tokens["refresh_token"]
        )
    finally:
        assert practice.end() == ""
