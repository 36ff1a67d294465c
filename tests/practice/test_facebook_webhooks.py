"""What Facebook posts to our app: the challenge, the signature, the shapes, and how it goes wrong."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import facebook as sdk
import pytest

from tests.practice.facebook_client import APP_ID, SECRET, Facebook
from tests.practice.facebook_hook import VERIFY_TOKEN, Callback, listening
from tests.practice.running import Practice

CARE = "6100000000000201"
OUTLET = "6100000000000202"
CARLA_PSID = "7200000000000101"
CARLA_COMMENTER = "7100000000000101"
CONSOLE = "/practice/facebook/callback"


def does(practice: Practice, path: str, **fields: object) -> dict[str, Any]:
    """Do something on Facebook that works."""
    answer = practice.ask(f"/practice/facebook/{path}", fields)
    assert answer.status == 200, answer
    told: dict[str, Any] = answer.body
    return told


def carla(practice: Practice, path: str = "write", **fields: object) -> dict[str, Any]:
    return does(practice, path, person="carla", **fields)


def misbehave(practice: Practice, switch: str, on: bool = True, **limits: object) -> None:
    answer = practice.ask("/practice/mischief", {"network": "facebook", "switch": switch, "on": on, **limits})
    assert answer.status == 200, answer


def first_post(practice: Practice, page: str = CARE) -> str:
    """The id of the post that stands on a Page from the start."""
    posts = practice.ask(f"/practice/facebook/feed?page={page}&limit=200").body["posts"]
    return str(posts[-1]["id"])


@pytest.fixture
def callback() -> Iterator[Callback]:
    with listening() as made:
        yield made


@pytest.fixture
def told(practice: Practice, callback: Callback) -> Iterator[Practice]:
    """Facebook with a callback that hears of both Pages."""
    does(practice, "callback", callback_url=callback.url, verify_token=VERIFY_TOKEN, pages=[CARE, OUTLET])
    yield practice
    practice.ask("/practice/mischief", {"network": "facebook", "behave": True})
    practice.ask(CONSOLE, {"callback_url": ""})


def test_a_callback_is_taken_only_after_it_answered_the_challenge(practice: Practice, callback: Callback) -> None:
    wrong = practice.ask(CONSOLE, {"callback_url": callback.url, "verify_token": "another"})
    assert wrong.status == 422
    assert "(#2200) Callback verification failed" in wrong.body["error"]
    assert "HTTP Status Code = 403" in wrong.body["error"]
    nobody = practice.ask(CONSOLE, {"callback_url": "http://127.0.0.1:9/", "verify_token": "a"})
    assert (nobody.status, "refused" in nobody.body["error"]) == (422, True)
    outside = practice.ask(CONSOLE, {"callback_url": "https://inbox.example/", "verify_token": "a"})
    assert (outside.status, "http:// address on 127.0.0.1" in outside.body["error"]) == (400, True)
    unknown = {"callback_url": callback.url, "verify_token": VERIFY_TOKEN, "fields": ["feed", "weather"]}
    assert practice.ask(CONSOLE, unknown).status == 400
    assert practice.ask(CONSOLE).body["callback_url"] == ""
    set_now = does(practice, "callback", callback_url=callback.url, verify_token=VERIFY_TOKEN, fields=["feed"])
    assert set_now == {"callback_url": callback.url, "verify_token": VERIFY_TOKEN, "fields": ["feed"]}
    does(practice, "callback", callback_url="")


def test_an_app_sets_its_callback_over_the_graph(practice: Practice, callback: Callback) -> None:
    network = Facebook(practice)
    app, care = network.client(f"{APP_ID}|{SECRET}"), network.page()
    asked = {"object": "page", "callback_url": callback.url, "fields": "feed,messages"}
    with pytest.raises(sdk.GraphAPIError, match="Callback verification failed"):
        app.put_object(APP_ID, "subscriptions", **asked, verify_token="another")
    assert app.put_object(APP_ID, "subscriptions", **asked, verify_token=VERIFY_TOKEN) == {"success": True}
    listed = app.get_connections(APP_ID, "subscriptions")["data"][0]
    assert (listed["callback_url"], [each["name"] for each in listed["fields"]]) == (callback.url, ["feed", "messages"])
    assert care.put_object(CARE, "subscribed_apps", subscribed_fields="feed")["success"]
    carla(practice, text="The Page tells of its feed only")
    carla(practice, do="comment", to=first_post(practice), text="Over the Graph")
    assert callback.next().changes[0]["message"] == "Over the Graph"
    care.put_object(first_post(practice), "comments", message="And the Page’s own")
    assert callback.next().changes[0]["from"]["id"] == CARE
    does(practice, "callback", callback_url="")


def test_a_comment_is_told_signed_and_escaped(told: Practice, callback: Callback) -> None:
    post = first_post(told)
    comment = carla(told, do="comment", to=post, text="Grüße und/oder 🙂")
    came = callback.next()
    assert came.signed
    assert b"Gr\\u00fc\\u00dfe und\\/oder \\ud83d\\ude42" in came.body
    assert came.told["object"] == "page"
    entry = came.told["entry"][0]
    assert (entry["id"], entry["time"], entry["changes"][0]["field"]) == (CARE, int(comment["at"]), "feed")
    assert came.changes == [
        {
            "item": "comment",
            "verb": "add",
            "comment_id": comment["id"],
            "post_id": post,
            "parent_id": post,
            "created_time": int(comment["at"]),
            "from": {"id": CARLA_COMMENTER, "name": "Carla Hughes"},
            "message": "Grüße und/oder 🙂",
        }
    ]


def test_what_becomes_of_comments_and_posts_is_told(told: Practice, callback: Callback) -> None:
    post = first_post(told)
    first = carla(told, do="comment", to=post, text="One")["id"]
    assert callback.next().changes[0]["verb"] == "add"
    carla(told, do="edit", to=first, text="Two")
    edited = callback.next().changes[0]
    assert (edited["verb"], edited["comment_id"], edited["message"]) == ("edited", first, "Two")
    answer = does(told, "page", do="comment", to=first, text="From Facebook itself")
    own = callback.next().changes[0]
    assert (own["from"]["id"], own["comment_id"], own["parent_id"]) == (CARE, answer["id"], first)
    does(told, "page", do="hide", to=first)
    assert callback.next().changes[0]["verb"] == "hide"
    does(told, "page", do="unhide", to=first)
    assert callback.next().changes[0]["verb"] == "unhide"
    carla(told, "touch", do="react", thing=first, reaction="love")
    liked = callback.next().changes[0]
    assert (liked["item"], liked["reaction_type"], liked["comment_id"]) == ("reaction", "love", first)
    carla(told, "touch", do="delete", thing=first)
    removed = callback.next().changes[0]
    assert (removed["verb"], removed["comment_id"], "message" in removed) == ("remove", first, False)
    visit = carla(told, do="post", page="Acme Outlet", text="Hello", picture=True)
    came = callback.next()
    assert came.told["entry"][0]["id"] == OUTLET
    assert (came.changes[0]["item"], came.changes[0]["post_id"]) == ("post", visit["id"])
    carla(told, "touch", do="delete", thing=visit["id"])
    assert callback.next().changes[0]["verb"] == "remove"


def test_what_becomes_of_messages_is_told(told: Practice, callback: Callback) -> None:
    said = carla(told, text="Any news?")
    came = callback.next()
    assert came.told["entry"][0]["time"] // 10**12 == 1, "milliseconds"
    message = came.messaging[0]
    assert (message["sender"], message["recipient"]) == ({"id": CARLA_PSID}, {"id": CARE})
    assert message["timestamp"] == int(said["messages"][0]["at"] * 1000)
    assert message["message"] == {"mid": said["mid"], "text": "Any news?"}
    carla(told, do="edit", to=said["mid"], text="Any news today?")
    edit = callback.next().messaging[0]["message_edit"]
    assert edit == {"mid": said["mid"], "text": "Any news today?", "num_edit": 1}
    does(told, "page", person="carla", text="One moment")
    items = callback.next().messaging
    items += callback.next().messaging if len(items) == 1 else []
    echo, delivery = items
    assert (echo["sender"], echo["recipient"], echo["message"]["is_echo"]) == ({"id": CARE}, {"id": CARLA_PSID}, True)
    assert delivery["delivery"]["mids"] == [echo["message"]["mid"]]
    assert delivery["delivery"]["watermark"] >= echo["timestamp"]
    carla(told, "touch", do="read")
    assert callback.next().messaging[0]["read"]["watermark"] >= echo["timestamp"]
    carla(told, "touch", do="react", thing=echo["message"]["mid"], reaction="sad")
    reaction = callback.next().messaging[0]["reaction"]
    assert reaction == {"mid": echo["message"]["mid"], "action": "react", "emoji": "😢", "reaction": "sad"}
    answer = carla(told, to=echo["message"]["mid"], text="Thanks")
    assert callback.next().messaging[0]["message"]["reply_to"] == {"mid": echo["message"]["mid"]}
    carla(told, "touch", do="delete", thing=answer["mid"])
    assert callback.next().messaging[0]["message"] == {"mid": answer["mid"], "is_deleted": True}
    carla(told, "touch", do="unsupported")
    assert callback.next().messaging[0]["message"]["is_unsupported"] is True
    carla(told, "touch", do="postback", title="Get started")
    assert callback.next().messaging[0]["postback"]["title"] == "Get started"
    carla(told, picture=True)
    attachment = callback.next().messaging[0]["message"]["attachments"][0]
    assert attachment["type"] == "image"
    assert attachment["payload"]["url"].startswith("https://scontent.practice.fbcdn.net/")


def test_what_happens_in_a_short_while_comes_in_one_post(told: Practice, callback: Callback) -> None:
    misbehave(told, "fb_hook_late")
    carla(told, do="comment", to=first_post(told), text="Older")
    carla(told, do="comment", to=first_post(told), text="Newer")
    carla(told, page="Acme Outlet", text="To the other Page")
    assert callback.nothing_came()
    misbehave(told, "fb_hook_late", on=False)
    came = callback.next()
    assert [entry["id"] for entry in came.told["entry"]] == [OUTLET, CARE]
    assert [value["message"] for value in came.changes] == ["Newer", "Older"], "late things come newest first"


def test_what_was_not_taken_comes_again_byte_for_byte(told: Practice, callback: Callback) -> None:
    callback.answers = [500, 400]
    carla(told, text="Again and again")
    first, second, third = callback.next(), callback.next(), callback.next()
    assert first.body == second.body == third.body
    assert [first.status, second.status, third.status] == [500, 400, 200]
    told.ask("/practice/facebook/webhooks")
    assert callback.nothing_came()


def test_only_what_was_subscribed_to_is_told(told: Practice, callback: Callback) -> None:
    does(told, "callback", callback_url=callback.url, verify_token=VERIFY_TOKEN, fields=["feed"])
    carla(told, text="Not for this app")
    carla(told, do="comment", to=first_post(told), text="For this app")
    assert callback.next().changes[0]["message"] == "For this app"
    does(told, "callback", callback_url="")
    carla(told, do="comment", to=first_post(told), text="For nobody")
    assert told.ask("/practice/facebook/webhooks").body["waiting"] == 0
    assert callback.nothing_came()


def test_who_keeps_their_profile_comments_without_a_name(told: Practice, callback: Callback) -> None:
    carla(told, "habits", shares_profile=False)
    carla(told, do="comment", to=first_post(told), text="Who am I?")
    assert "from" not in callback.next().changes[0]
    carla(told, "habits", shares_profile=True)
    misbehave(told, "fb_nameless", times=None)
    carla(told, do="comment", to=first_post(told), text="And now?")
    assert "from" not in callback.next().changes[0]
    does(told, "page", do="comment", person="carla", text="The Page is never nameless")
    assert callback.next().changes[0]["from"]["id"] == CARE


@pytest.mark.parametrize(("switch", "signed"), [("fb_hook_twice", True), ("fb_hook_timeout", True)])
def test_the_same_post_comes_twice(told: Practice, callback: Callback, switch: str, signed: bool) -> None:
    misbehave(told, switch, times=1, address="Acme Care")
    carla(told, text="Once")
    first, second = callback.next(), callback.next()
    assert first.body == second.body
    assert first.signed is signed


def test_a_forged_post_is_signed_with_another_secret(told: Practice, callback: Callback) -> None:
    misbehave(told, "fb_hook_forged", times=1)
    callback.answers = [400]
    carla(told, text="Hello")
    forged, right = callback.next(), callback.next()
    assert (forged.signed, right.signed, forged.body == right.body) == (False, True, True)


def test_events_can_be_lost_or_come_out_of_order(told: Practice, callback: Callback) -> None:
    misbehave(told, "fb_hook_lost", times=1)
    carla(told, text="Lost")
    misbehave(told, "fb_hook_disorder")
    carla(told, text="First")
    carla(told, text="Second")
    texts = [callback.next().messaging[0]["message"]["text"] for _ in range(2)]
    assert texts == ["Second", "First"]
    misbehave(told, "fb_hook_disorder", on=False)
    misbehave(told, "fb_echo_lost", times=1)
    does(told, "page", person="carla", text="Nobody hears of it")
    assert "delivery" in callback.next().messaging[0]


def test_events_can_be_spoilt(told: Practice, callback: Callback) -> None:
    post = first_post(told)
    misbehave(told, "fb_hook_old_shape", times=1)
    comment = carla(told, do="comment", to=post, text="As in 2015")
    old = callback.next().changes[0]
    assert (old["sender_id"], old["sender_name"], "from" in old) == (int(CARLA_COMMENTER), "Carla Hughes", False)
    misbehave(told, "fb_hook_drop_field", times=1)
    carla(told, do="edit", to=comment["id"], text="No id")
    assert "comment_id" not in callback.next(spoilt=True).changes[0]
    misbehave(told, "fb_hook_rename_field", times=1, address="value.from.id")
    carla(told, do="edit", to=comment["id"], text="Another id")
    assert callback.next(spoilt=True).changes[0]["from"] == {"id_renamed": CARLA_COMMENTER, "name": "Carla Hughes"}
    misbehave(told, "fb_hook_odd_text", times=1)
    carla(told, text="Odd")
    came = callback.next(spoilt=True)
    assert came.body.endswith(b'Odda\\u0000b\\ud83e"}}]}]}')
    assert came.signed
    posts = told.ask("/practice/facebook/webhooks?limit=1").body["posts"]
    assert posts[0]["body"]["entry"][0]["messaging"][0]["message"]["text"] == "Odda\0b\ud83e"
    misbehave(told, "fb_hook_unknown", times=1)
    carla(told, text="What is this?")
    assert "message_hologram" in callback.next(spoilt=True).messaging[0]


def test_nothing_is_forgotten_when_the_program_is_killed(told: Practice, callback: Callback) -> None:
    misbehave(told, "fb_hook_late")
    carla(told, text="Before the end")
    told.end(signal.SIGKILL)
    told.start_again()
    misbehave(told, "fb_hook_late", on=False)
    assert callback.next().messaging[0]["message"]["text"] == "Before the end"
