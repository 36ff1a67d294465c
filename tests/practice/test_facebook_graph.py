"""Facebook's Graph as its documents describe it, asked by real facebook-sdk: Pages, comments, Messenger."""

from __future__ import annotations

import io
import json
import time
from signal import SIGKILL
from typing import Any

import facebook
import pytest
import requests

from practice.mail.writing import picture
from tests.practice.facebook_client import CARE, CARLA_ID, CARLA_PSID, OUTLET, Facebook, Graph, error

_PICTURE = picture().content
COMMENT = "id,from{id,name},message,created_time,parent{id},attachment,comment_count,can_hide,is_hidden,permalink_url"
MESSAGE = "id,created_time,from,to,message,attachments,reply_to"


def post_id(fb: Facebook, page_id: str = CARE) -> str:
    """The Page's first post."""
    return str(next(page["posts"][-1] for page in fb.facts["pages"] if page["id"] == page_id))


def comment(fb: Facebook, text: str, to: str = "", person: str = "carla") -> str:
    """Comment as a person, and return the comment's id."""
    return str(fb.act("write", person=person, do="comment", to=to or post_id(fb), text=text)["id"])


def message(fb: Facebook, text: str, person: str = "carla", page: str = CARE, **more: object) -> str:
    """Write on Messenger as a person, and return the mid."""
    return str(fb.act("write", person=person, do="message", page=page, text=text, **more)["mid"])


def listed(graph: Graph, node: str, edge: str, **args: Any) -> list[dict[str, Any]]:
    """The first page of a list."""
    found: list[dict[str, Any]] = graph.get_connections(node, edge, **args)["data"]
    return found


def test_a_comment_stands_below_its_post_with_what_was_asked_for_and_nothing_else(fb: Facebook) -> None:
    care, post = fb.page(), post_id(fb)
    made = comment(fb, "Wo bleibt meine Mühle? 🤔")
    (found,) = [each for each in listed(care, post, "comments", fields=COMMENT, limit=100) if each["id"] == made]
    assert found["from"] == {"id": CARLA_ID, "name": "Carla Hughes"}
    assert (found["message"], found["is_hidden"], found["can_hide"]) == ("Wo bleibt meine Mühle? 🤔", False, True)
    assert "parent" not in found
    assert "attachment" not in found
    assert set(care.get_object(made, fields="message")) == {"id", "message"}
    assert set(care.get_object(made)) == {"id", "created_time", "from", "message"}
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.get_object(made, fields="message,colour")
    assert error(caught)["message"] == "(#100) Tried accessing nonexisting field (colour) on node type (Comment)"
    assert error(caught)["code"] == 100
    assert care.last.status_code == 400
    with pytest.raises(facebook.GraphAPIError, match=r"nonexisting field .height. on node type"):
        care.get_object(made, fields="from{height}")
    with pytest.raises(facebook.GraphAPIError, match="Unexpected parameter: colour"):
        care.get_object(made, colour="red")
    with pytest.raises(facebook.GraphAPIError, match="Syntax error") as caught:
        care.get_object(made, fields="from{id")
    assert error(caught)["code"] == 2500


def test_the_page_answers_edits_hides_and_deletes(fb: Facebook) -> None:
    care, post = fb.page(), post_id(fb)
    asked = comment(fb, "Is it loud?")
    answer = care.put_comment(asked, "Not at all.")["id"]
    deeper = comment(fb, "Really?", to=answer)
    below = listed(care, asked, "comments", fields=COMMENT)
    assert [(each["id"], each["parent"]["id"]) for each in below] == [(answer, asked), (deeper, asked)]
    assert below[0]["from"] == {"id": CARE, "name": "Acme Care"}
    assert care.get_object(asked, fields="comment_count")["comment_count"] == 2
    toplevel = [each["id"] for each in listed(care, post, "comments", limit=100)]
    stream = [each["id"] for each in listed(care, post, "comments", limit=100, filter="stream")]
    assert asked in toplevel
    assert answer not in toplevel
    assert {asked, answer, deeper} <= set(stream)
    reverse = [
        each["id"]
        for each in listed(care, post, "comments", limit=100, filter="stream", order="reverse_chronological")
    ]
    assert reverse == stream[::-1]
    assert care.post(answer, message="Not at all!") == {"success": True}
    assert care.get_object(answer)["message"] == "Not at all!"
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.post(asked, message="It is lovely.")
    assert error(caught)["code"] == 200
    assert care.post(asked, is_hidden=True) == {"success": True}
    assert care.get_object(asked, fields="is_hidden")["is_hidden"] is True
    assert care.delete_object(answer) == {"success": True}
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.get_object(answer)
    assert (error(caught)["code"], error(caught)["error_subcode"]) == (100, 33)
    assert error(caught)["type"] == "GraphMethodException"
    with pytest.raises(facebook.GraphAPIError):
        care.put_comment(asked, "")
    pictured = care.request(
        f"v25.0/{asked}/comments", post_args={"message": "Look"}, files={"source": ("p.png", _PICTURE, "image/png")}
    )["id"]
    assert care.get_object(pictured, fields="attachment")["attachment"]["type"] == "photo"


def test_the_feed_brings_posts_of_visitors_with_their_comments_and_answers(fb: Facebook) -> None:
    care = fb.page()
    visited = fb.act("write", person="tom", do="post", page=CARE, text="My order never came.")["id"]
    first = comment(fb, "Mine neither", to=visited)
    care.put_comment(first, "We look into it.")
    inner = "comments.limit(1).filter(toplevel){id,message,comments.limit(5){id,from,message}}"
    fields = f"id,from,message,created_time,updated_time,permalink_url,{inner}"
    top = listed(care, CARE, "feed", fields=fields)[0]
    assert (top["id"], top["from"]["name"], top["message"]) == (visited, "Tom Okafor", "My order never came.")
    assert top["created_time"].endswith("+0000")
    assert top["comments"]["data"][0]["comments"]["data"][0]["message"] == "We look into it."
    assert listed(care, CARE, "visitor_posts")[0]["id"] == visited
    assert all(each["id"] != visited for each in listed(care, CARE, "posts"))
    assert listed(care, CARE, "feed", since=int(time.time()) + 60) == []
    comment(fb, "More", to=visited)
    page = care.get_object(visited, fields="comments.limit(1){message}")["comments"]
    assert page["paging"]["next"].startswith(f"https://graph.facebook.com/v25.0/{visited}/comments?access_token=")
    again = care.session.get(page["paging"]["next"], timeout=5).json()
    assert [each["message"] for each in again["data"]] == ["More"]
    assert set(again["data"][0]) == {"id", "message"}


def test_lists_are_turned_by_cursors_and_by_links_with_the_public_host(fb: Facebook) -> None:
    care = fb.page()
    post = fb.act("write", person="tom", do="post", page=CARE, text="Count with me")["id"]
    made = [comment(fb, str(number), to=post) for number in range(7)]
    assert [each["id"] for each in care.everything(post, "comments", limit=3)] == made
    assert [each["id"] for each in care.get_all_connections(post, "comments", limit=3)] == made
    first = care.get_connections(post, "comments", limit=3)
    second = care.get_connections(post, "comments", limit=3, after=first["paging"]["cursors"]["after"])
    back = care.get_connections(post, "comments", limit=3, before=second["paging"]["cursors"]["before"])
    assert [each["id"] for each in back["data"]] == made[:3]
    last = care.get_connections(post, "comments", limit=3, after=second["paging"]["cursors"]["after"])
    assert "next" not in last["paging"]
    assert care.get_connections(post, "comments", after=last["paging"]["cursors"]["after"]) == {"data": []}
    with pytest.raises(facebook.GraphAPIError, match="should not exceed 100"):
        care.get_connections(post, "comments", limit=101)
    with pytest.raises(facebook.GraphAPIError, match="Invalid cursors"):
        care.get_connections(post, "comments", after="nonsense")
    assert "access_token" in first["paging"]["next"]


def test_somebody_who_does_not_share_their_profile_comments_without_a_name(fb: Facebook) -> None:
    fb.act("habits", person="declan", shares_profile=False)
    made = comment(fb, "Who am I?", person="declan")
    fb.act("habits", person="declan", shares_profile=True)
    assert "from" not in fb.page().get_object(made, fields=COMMENT)


def test_a_person_writes_and_the_page_answers_with_its_own_mark(fb: Facebook) -> None:
    care = fb.page()
    mid = message(fb, "Hello, is anybody there?")
    (thread,) = listed(
        care, CARE, "conversations", platform="messenger", user_id=CARLA_PSID,
        fields=f"id,updated_time,participants,snippet,unread_count,messages.limit(20){{{MESSAGE}}}",
    )  # fmt: skip
    assert {each["id"] for each in thread["participants"]["data"]} == {CARE, CARLA_PSID}
    newest = thread["messages"]["data"][0]
    assert (newest["id"], newest["message"], newest["from"]["id"]) == (mid, "Hello, is anybody there?", CARLA_PSID)
    assert newest["to"]["data"][0]["id"] == CARE
    sent = care.send(
        CARE, {"id": CARLA_PSID}, {"text": "We are.", "metadata": "mark-1"}, messaging_type="RESPONSE",
        reply_to={"mid": mid},
    )  # fmt: skip
    assert sent["recipient_id"] == CARLA_PSID
    told = care.get_object(sent["message_id"], fields=MESSAGE)
    assert (told["message"], told["from"]["id"], told["reply_to"]["id"]) == ("We are.", CARE, mid)
    assert "metadata" not in told
    assert care.get_object(CARLA_PSID) == {"first_name": "Carla", "last_name": "Hughes", "id": CARLA_PSID}
    assert care.send(CARE, {"id": CARLA_PSID}, None, sender_action="mark_seen") == {"recipient_id": CARLA_PSID}
    assert listed(care, CARE, "conversations", user_id=CARLA_PSID, fields="unread_count")[0]["unread_count"] == 0


def test_only_the_newest_twenty_messages_can_be_read(fb: Facebook) -> None:
    care, new = fb.page(), fb.practice.ask("/practice/people", {"name": "Ilse Brandt"}).body
    mids = [message(fb, f"Line {number}", person=new["key"]) for number in range(22)]
    thread = listed(care, CARE, "conversations", user_id=new["facebook_psid"], fields="id,message_count")[0]
    assert thread["message_count"] == 22
    told = care.get_object(thread["id"], fields="messages.limit(50){id,message,from}")["messages"]["data"]
    assert [each["id"] for each in told] == mids[::-1]
    assert ["message" in each for each in told] == [True] * 20 + [False] * 2
    assert [each["id"] for each in care.everything(thread["id"], "messages", limit=9)] == mids[::-1]
    with pytest.raises(facebook.GraphAPIError, match="has been deleted"):
        care.get_object(mids[0])
    fb.act("touch", person=new["key"], do="delete", thing=mids[-1])
    with pytest.raises(facebook.GraphAPIError, match="has been deleted"):
        care.get_object(mids[-1])
    assert care.get_object(thread["id"], fields="message_count")["message_count"] == 21


def test_conversations_come_the_liveliest_first_and_page_by_page(fb: Facebook) -> None:
    outlet = fb.page(OUTLET)
    for person in ("carla", "tom", "nora", "carla"):
        message(fb, "Hi outlet", person=person, page=OUTLET)
    threads = list(outlet.everything(OUTLET, "conversations", limit=1, fields="participants"))
    names = [each["participants"]["data"][0]["name"] for each in threads]
    assert names[:3] == ["Carla Hughes", "نورا المنصوري", "Tom Okafor"]
    assert listed(outlet, OUTLET, "conversations", user_id=CARLA_PSID) == []
    with pytest.raises(facebook.GraphAPIError, match="Unexpected parameter: since"):
        outlet.get_connections(OUTLET, "conversations", since=1)


def test_nobody_is_written_to_who_has_been_silent_for_a_day(fb: Facebook) -> None:
    care, tom = fb.page(), {"id": "7200000000000102"}
    message(fb, "Hello", person="tom")
    care.send(CARE, tom, {"text": "Hello Tom"}, messaging_type="RESPONSE")
    fb.act("pass", person="tom", page=CARE, hours=25)
    with pytest.raises(facebook.GraphAPIError, match="outside of allowed window") as caught:
        care.send(CARE, tom, {"text": "Still there?"}, messaging_type="RESPONSE")
    assert (error(caught)["code"], error(caught)["error_subcode"]) == (10, 2018278)
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.send(CARE, tom, {"text": "Still?"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    assert error(caught)["code"] == 10
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.send(CARE, tom, {"text": "Still?"}, messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE")
    assert (error(caught)["code"], error(caught)["error_subcode"]) == (100, 1893061)
    message(fb, "I am back", person="tom")
    assert care.send(CARE, tom, {"text": "Good."})["message_id"].startswith("m_")


@pytest.mark.parametrize(
    ("recipient", "body", "code", "subcode"),
    [
        ({"id": "7200000000001101"}, {"text": "Carla, as the other Page knows her"}, 100, 2018001),
        ({"id": CARLA_ID}, {"text": "Carla, as she is under comments"}, 100, 2018001),
        ({"id": CARLA_PSID}, {"text": "x" * 2001}, 100, None),
        ({"id": CARLA_PSID}, {"text": ""}, 100, None),
        ({"id": CARLA_PSID}, {}, 100, 2018063),
        ({"id": CARLA_PSID}, {"text": "x", "colour": "red"}, 100, None),
        ({"id": CARLA_PSID}, {"attachment": {"type": "image", "payload": {"url": "https://a.example"}}}, 100, 2018008),
        ({"id": CARLA_PSID, "comment_id": "1_2"}, {"text": "x"}, 100, None),
        ({"comment_id": "1_2"}, {"text": "x"}, 100, 33),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(
    fb: Facebook, recipient: dict[str, str], body: dict[str, Any], code: int, subcode: int | None
) -> None:
    message(fb, "Hello")
    with pytest.raises(facebook.GraphAPIError) as caught:
        fb.page().send(CARE, recipient, body, messaging_type="RESPONSE")
    assert (error(caught)["code"], error(caught).get("error_subcode")) == (code, subcode)


def test_somebody_unavailable_is_not_reached(fb: Facebook) -> None:
    message(fb, "Hello", person="declan")
    fb.act("habits", person="declan", available=False)
    care = fb.page()
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.send(CARE, {"id": "7200000000000105"}, {"text": "Hello"})
    assert (error(caught)["code"], error(caught)["error_subcode"]) == (551, 1545041)
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.get_object("7200000000000105")
    assert (error(caught)["code"], error(caught)["error_subcode"]) == (100, 2018218)
    fb.act("habits", person="declan", available=True)


def test_a_comment_is_answered_privately_once_and_within_a_week(fb: Facebook) -> None:
    care, person = fb.page(OUTLET), fb.practice.ask("/practice/people", {"name": "Imke Sander"}).body["key"]
    asked = comment(fb, "Do you ship to Norway?", to=post_id(fb, OUTLET), person=person)
    assert care.get_object(asked, fields="can_reply_privately")["can_reply_privately"] is True
    sent = care.send(OUTLET, {"comment_id": asked}, {"text": "We do."})
    with pytest.raises(facebook.GraphAPIError, match="more than once") as caught:
        care.send(OUTLET, {"comment_id": asked}, {"text": "We do."})
    assert error(caught)["code"] == 10
    with pytest.raises(facebook.GraphAPIError) as caught:
        care.send(OUTLET, {"id": sent["recipient_id"]}, {"text": "And another thing"})
    assert error(caught)["error_subcode"] == 2018278
    assert care.get_object(asked, fields="private_reply_conversation")["private_reply_conversation"]["id"][:2] == "t_"
    late = comment(fb, "And to Iceland?", to=asked, person=person)
    fb.act("pass", thing=late, hours=24 * 7 + 1)
    with pytest.raises(facebook.GraphAPIError, match="expired"):
        care.send(OUTLET, {"comment_id": late}, {"text": "We do."})


def test_files_are_sent_as_parts_of_the_request_and_read_where_their_link_says(fb: Facebook) -> None:
    care = fb.page()
    message(fb, "Send me the manual")
    sent = care.request(
        f"v25.0/{CARE}/messages",
        post_args={
            "recipient": {"id": CARLA_PSID},
            "messaging_type": "RESPONSE",
            "message": {"attachment": {"type": "image", "payload": {"is_reusable": True}}, "metadata": "mark-2"},
        },
        files={"filedata": ("manual.png", io.BytesIO(_PICTURE), "image/png")},
    )
    again = {"attachment": {"type": "image", "payload": {"attachment_id": sent["attachment_id"]}}}
    assert care.send(CARE, {"id": CARLA_PSID}, again)["message_id"] != sent["message_id"]
    (told,) = care.get_object(sent["message_id"], fields="attachments")["attachments"]["data"]
    assert (told["mime_type"], told["name"], told["size"]) == ("image/png", "manual.png", len(_PICTURE))
    url = told["image_data"]["url"]
    assert url.startswith("https://scontent.practice.fbcdn.net/")
    got = requests.get(url.replace("https://scontent.practice.fbcdn.net", fb.origin), timeout=5)
    assert (got.content, got.headers["content-type"]) == (_PICTURE, "image/png")
    uploaded = care.request(
        f"v25.0/{CARE}/message_attachments",
        post_args={"message": {"attachment": {"type": "file", "payload": {"is_reusable": True}}}},
        files={"filedata": ("terms.txt", io.BytesIO(b"All ours"), "text/plain")},
    )["attachment_id"]
    file = {"attachment": {"type": "file", "payload": {"attachment_id": uploaded}}}
    (told,) = care.get_object(
        care.send(CARE, {"id": CARLA_PSID}, file)["message_id"], fields="attachments"
    )["attachments"]["data"]  # fmt: skip
    assert told["file_url"].endswith("oe=7FFFFFFF")
    message(fb, "Hello", page=OUTLET)
    outlet = fb.page(OUTLET)
    with pytest.raises(facebook.GraphAPIError, match="not this Page's"):
        outlet.send(OUTLET, {"id": "7200000000001101"}, file)


def test_how_much_of_the_limits_is_used_stands_in_every_answer(fb: Facebook) -> None:
    care = fb.page()
    care.get_object(CARE)
    told = json.loads(care.last.headers["x-business-use-case-usage"])[CARE][0]
    assert (told["type"], told["estimated_time_to_regain_access"]) == ("pages", 0)
    assert care.last.headers["facebook-api-version"] == "v25.0"
    care.get_connections(CARE, "conversations")
    assert json.loads(care.last.headers["x-business-use-case-usage"])[CARE][0]["type"] == "messenger"
    ada = fb.client(fb.user_token())
    ada.get_object("me")
    assert "call_count" in json.loads(ada.last.headers["x-app-usage"])


def test_nothing_is_lost_when_the_program_is_killed(fb: Facebook) -> None:
    token, made, mid = fb.page().access_token, comment(fb, "Before"), message(fb, "Before")
    fb.practice.end(SIGKILL)
    fb.practice.start_again()
    fb.known_origin = ""
    after = fb.client(token)
    assert after.get_object(made)["message"] == "Before"
    assert after.get_object(mid, fields="message")["message"] == "Before"
