"""What Facebook tells, by webhook or in answer to a poll, in our words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels.adapters.base import NotOurs, PayloadError
from channels.adapters.facebook import split, webhooks
from channels.happenings import Deleted, DeliveryReceipt, Edited, InboundMessage
from tests.channels.adapters.facebook.conftest import (
    ANA,
    NOW,
    OUTLET,
    PAGE,
    POST,
    PSID,
    comment,
    connection,
    event,
    feed_change,
    items_of,
    message,
    ms,
    one,
    post,
    read,
    webhook,
)


def commented(**given: Any) -> Any:
    return one(webhook(changes=[feed_change(**given)]))


def said(given: dict[str, Any] | None = None, **more: Any) -> Any:
    return one(webhook(messaging=[event(given, **more)]))


def polled(name: str, given: dict[str, Any], **more: Any) -> Any:
    (only,) = read(webhooks.item("message", str(given.get("id")), PAGE, name, given, **more))
    return only


def test_a_comment_below_a_post_begins_a_conversation() -> None:
    made = commented()
    assert isinstance(made, InboundMessage)
    assert (made.surface, made.direction, made.external_id, made.thread) == (
        "facebook:comment", "in", "901_903", "901_903",
    )  # fmt: skip
    assert (made.author.kind, made.author.value, made.author.scope, made.author.name) == (
        "fb_commenter", ANA, PAGE, "Ana Baker",
    )  # fmt: skip
    assert (made.parent_id, made.text, made.said_at) == (POST, "where is my order?", NOW - timedelta(minutes=5))
    assert made.permalink == "https://www.facebook.com/901_903"


def test_an_answer_below_a_comment_belongs_to_that_comment() -> None:
    made = commented(comment_id="901_904", parent_id="901_903")
    assert (made.thread, made.parent_id) == ("901_903", "901_903")


def test_webhook_and_poll_of_one_comment_have_one_key_and_say_the_same() -> None:
    (told,) = items_of(webhook(changes=[feed_change()]))
    found = webhooks.item("message", "901_903", PAGE, webhooks.COMMENT, comment(), post={"id": POST})
    assert (told.happening, told.external_id, told.revision) == (found.happening, found.external_id, found.revision)
    assert read(told) == read(found)
    answer = comment("901_904", parent={"id": "901_903"})
    assert polled(webhooks.COMMENT, answer, post={"id": POST}).thread == "901_903"


def test_webhook_and_poll_of_one_message_have_one_key() -> None:
    (told,) = items_of(webhook(messaging=[event()]))
    found = webhooks.item("message", "m_1", PAGE, webhooks.MESSAGE, message(), **{"with": PSID})
    assert (told.happening, told.external_id, told.revision) == (found.happening, found.external_id, found.revision)
    by_webhook, by_poll = read(told)[0], read(found)[0]
    assert isinstance(by_webhook, InboundMessage)
    assert isinstance(by_poll, InboundMessage)
    assert (by_webhook.thread, by_webhook.scope, by_webhook.text) == (by_poll.thread, by_poll.scope, by_poll.text)
    assert (by_webhook.author.name, by_poll.author.name) == ("", "Ana Baker")


def test_nobody_to_be_seen_is_known_by_the_conversation() -> None:
    first, deeper = commented(**{"from": None}), commented(
        **{"from": None}, comment_id="901_904", parent_id="901_903"
    )
    assert (first.author.kind, first.author.scope, first.author.value) == ("nameless", "facebook", "901_903")
    assert deeper.author == first.author


def test_the_old_names_of_a_sender_are_understood() -> None:
    made = commented(**{"from": None}, sender_id=int(ANA), sender_name="Ana Baker")
    assert (made.author.value, made.author.name) == (ANA, "Ana Baker")


@pytest.mark.parametrize("item", ["post", "status", "photo", "video"])
def test_a_visitors_post_is_a_conversation(item: str) -> None:
    made = commented(item=item, post_id=f"{PAGE}_77", comment_id=None, parent_id=None)
    assert (made.external_id, made.thread, made.parent_id) == (f"{PAGE}_77", f"{PAGE}_77", "")
    whole = polled(webhooks.POST, post(f"{PAGE}_77", **{"from": {"id": ANA, "name": "Ana Baker"}}))
    assert (whole.external_id, whole.thread, whole.author.value) == (f"{PAGE}_77", f"{PAGE}_77", ANA)


def test_our_own_comment_answers_the_conversation_it_stands_in() -> None:
    below = commented(**{"from": {"id": PAGE}}, comment_id="901_904", parent_id="901_903")
    assert (below.direction, below.thread) == ("out", "901_903")
    # Below a visitor's post it answers that post.
    assert commented(**{"from": {"id": PAGE}}).thread == POST
    assert commented(**{"from": {"id": OUTLET}}).direction == "out"


def test_our_own_post_answers_nobody() -> None:
    with pytest.raises(NotOurs, match="our own post"):
        commented(item="status", **{"from": {"id": PAGE}}, comment_id=None, parent_id=None)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"item": "like"}, "reaction"),
        ({"item": "reaction"}, "reaction"),
        ({"verb": "hide"}, "hidden"),
        ({"verb": "unhide"}, "hidden"),
        ({"verb": "block"}, "unsupported event: comment block"),
        ({"item": "album"}, "unsupported event: album add"),
    ],
)
def test_what_nobody_said_is_filtered_with_a_reason(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOurs, match=reason):
        commented(**given)


def test_other_fields_of_a_page_are_filtered() -> None:
    with pytest.raises(NotOurs, match="unsupported event: parking"):
        one(webhook(changes=[{"field": "parking"}]))
    with pytest.raises(NotOurs, match="unsupported event"):
        one({"object": "page", "entry": [{"id": PAGE, "time": 1}]})
    with pytest.raises(NotOurs, match="unsupported event"):
        one({"object": "permissions", "entry": [{"id": PAGE, "time": 1, "changes": [{"field": "x"}]}]})


@pytest.mark.parametrize("verb", ["edit", "edited"])
def test_an_edited_comment_is_the_message_and_its_edit(verb: str) -> None:
    (item,) = items_of(webhook(changes=[feed_change(verb=verb, message="where is order 7?")]))
    (first, second) = read(item)
    assert (item.happening, item.external_id) == ("edit", "901_903")
    assert isinstance(first, InboundMessage)
    assert isinstance(second, Edited)
    assert (second.external_id, second.scope, second.text, second.edited_at) == (
        "901_903", "", "where is order 7?", NOW,
    )  # fmt: skip


def test_the_second_edit_back_to_the_first_words_is_another_one() -> None:
    change = feed_change(verb="edited", message="hello")
    first, again = items_of(webhook(changes=[change])), items_of(webhook(changes=[change], time=ms() // 1000 + 60))
    assert first[0].revision != again[0].revision


def test_a_removed_comment_and_a_removed_post() -> None:
    made = commented(verb="remove", message=None)
    assert made == Deleted(channel_kind="facebook", external_id="901_903", deleted_at=NOW)
    made = commented(item="post", verb="remove", comment_id=None, message=None, **{"from": None})
    assert made.external_id == POST


def test_pictures_of_a_comment() -> None:
    made = commented(photo="https://scontent.example/a/dead.jpg?oh=1", message=None)
    assert [(each.name, each.content_type, each.url) for each in made.files] == [
        ("dead.jpg", "image/jpeg", "https://scontent.example/a/dead.jpg?oh=1")
    ]
    picture = {"type": "photo", "media": {"image": {"src": "https://scontent.example/a/dead.jpg"}}, "url": "https://f"}
    made = polled(webhooks.COMMENT, comment(attachment=picture), post={"id": POST})
    assert made.files[0].url == "https://scontent.example/a/dead.jpg"
    shared = {"type": "share", "title": "A shop", "url": "https://shop.example/1"}
    made = polled(webhooks.COMMENT, comment(attachment=shared), post={"id": POST})
    assert (made.files, made.notes) == ((), ("Shared with it: A shop https://shop.example/1",))


def test_a_message_is_known_within_its_page() -> None:
    made = said()
    assert (made.surface, made.direction, made.external_id, made.scope, made.thread) == (
        "facebook:messenger", "in", "m_1", PAGE, PSID,
    )  # fmt: skip
    assert (made.author.kind, made.author.value, made.author.scope) == ("fb_psid", PSID, PAGE)
    assert (made.text, made.said_at) == ("hello", NOW - timedelta(minutes=5))


def test_another_app_holding_the_thread_changes_nothing() -> None:
    (item,) = items_of({"object": "page", "entry": [{"id": PAGE, "time": 1, "standby": [event()]}]})
    assert (item.happening, item.external_id) == ("message", "m_1")
    assert read(item) == [said()]


@pytest.mark.parametrize("is_recorded_wrongly", [False, True])
def test_an_echo_is_ours_and_bears_our_mark(is_recorded_wrongly: bool) -> None:
    people = {"sender": {"id": PAGE}, "recipient": {"id": PSID}}
    if is_recorded_wrongly:
        people = {"sender": {"id": int(PSID)}, "recipient": {"id": int(PAGE)}}
    echo = {"message": {"mid": "m_2", "text": "hi", "is_echo": True, "app_id": 1, "metadata": "message:42.ab"}}
    made = said(echo, **people)
    assert (made.direction, made.thread, made.scope, made.marker) == ("out", PSID, PAGE, "message:42.ab")
    assert made.recipient.value == PSID


def test_an_answer_to_a_message_names_it() -> None:
    made = said({"message": {"mid": "m_2", "text": "that one", "reply_to": {"mid": "m_1"}}})
    assert (made.parent_id, made.references) == ("m_1", ("m_1",))


def test_pictures_files_stickers_and_places() -> None:
    attached = [
        {"type": "image", "payload": {"url": "https://scontent.example/p/cat.png?x=1"}},
        {"type": "file", "payload": {"url": "https://cdn.example/d/invoice.pdf"}},
        {"type": "image", "payload": {"url": "https://scontent.example/s.png", "sticker_id": 369239263222822}},
        {"type": "location", "payload": {"coordinates": {"lat": 12.34, "long": 43.21}}},
        {"type": "fallback", "title": "A shop", "url": "https://shop.example/"},
    ]
    made = said({"message": {"mid": "m_1", "attachments": attached}})
    assert [(each.name, each.content_type) for each in made.files] == [
        ("cat.png", "image/png"), ("invoice.pdf", "application/pdf"), ("s.png", "image/png"),
    ]  # fmt: skip
    assert made.notes == ("A place on the map: 12.34000, 43.21000", "Shared with it: A shop https://shop.example/")
    only = said({"message": {"mid": "m_1", "attachments": attached[3:4]}})
    assert only.text == "A place on the map: 12.34000, 43.21000"


def test_files_as_a_conversation_lists_them() -> None:
    attached = [
        {"id": "1", "mime_type": "image/jpeg", "name": "a.jpg", "size": 12, "image_data": {"url": "https://s.example/a"}},
        {"id": "2", "mime_type": "application/pdf", "name": "b.pdf", "file_url": "https://s.example/b"},
    ]
    made = polled(
        webhooks.MESSAGE,
        message(message="", attachments={"data": attached}, shares={"data": [{"link": "https://shop.example/"}]}),
    )
    assert [(each.name, each.content_type, each.size, each.url) for each in made.files] == [
        ("a.jpg", "image/jpeg", 12, "https://s.example/a"), ("b.pdf", "application/pdf", 0, "https://s.example/b"),
    ]  # fmt: skip
    assert made.notes == ("Shared with it: https://shop.example/",)


def test_what_cannot_be_shown_is_not_lost() -> None:
    assert "cannot be shown here" in said({"message": {"mid": "m_1", "is_unsupported": True}}).text
    assert "cannot be shown here" in polled(webhooks.MESSAGE, message(message="")).text


def test_an_edit_of_a_message() -> None:
    (item,) = items_of(webhook(messaging=[event({"message_edit": {"mid": "m_1", "text": "hello!", "num_edit": "2"}})]))
    first, second = read(item)
    assert (item.happening, item.external_id, item.revision) == ("edit", "m_1", "2")
    assert isinstance(first, InboundMessage)
    assert isinstance(second, Edited)
    assert (second.external_id, second.scope, second.text, second.revision) == ("m_1", PAGE, "hello!", 2)


def test_a_message_taken_back() -> None:
    (item,) = items_of(webhook(messaging=[event({"message": {"mid": "m_1", "is_deleted": True}})]))
    assert (item.happening, item.external_id) == ("delete", "m_1")
    assert read(item) == [
        Deleted(channel_kind="facebook", external_id="m_1", scope=PAGE, deleted_at=NOW - timedelta(minutes=5))
    ]


def test_receipts_say_up_to_when() -> None:
    (item,) = items_of(webhook(messaging=[event({"delivery": {"mids": ["m_2"], "watermark": ms(1)}})]))
    one_by_one, up_to = read(item)
    assert isinstance(one_by_one, DeliveryReceipt)
    assert isinstance(up_to, DeliveryReceipt)
    assert (one_by_one.state, one_by_one.external_id, one_by_one.scope) == ("delivered", "m_2", PAGE)
    assert (up_to.state, up_to.up_to, up_to.thread) == ("delivered", NOW - timedelta(minutes=1), PSID)
    seen = said({"read": {"watermark": ms(1)}})
    assert (seen.state, seen.up_to, seen.thread, seen.scope) == ("read", NOW - timedelta(minutes=1), PSID, PAGE)


def test_a_pressed_button_says_its_title() -> None:
    made = said({"postback": {"title": "Track my order", "payload": "TRACK", "mid": "m_9"}})
    assert (made.text, made.external_id, made.thread) == ("Track my order", "m_9", PSID)
    assert said({"postback": {"title": "Track", "payload": "T"}}).external_id == f"postback:{PSID}:{ms(5)}"
    with pytest.raises(NotOurs, match="button"):
        said({"postback": {"payload": "TRACK"}})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"reaction": {"mid": "m_1", "action": "react", "emoji": "😢"}}, "reaction"),
        ({"optin": {"ref": "x"}}, "unsupported event: optin"),
        ({}, "unsupported event"),
    ],
)
def test_what_is_no_message_is_filtered(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOurs, match=reason):
        said(given)


def test_several_entries_and_pages_in_one_post() -> None:
    body = {
        "object": "page",
        "entry": [
            {"id": int(PAGE), "time": 1, "messaging": [event(), event({"read": {"watermark": 5}})]},
            {"id": OUTLET, "time": 1, "changes": [feed_change()]},
        ],
    }
    parts = split(json.dumps(body).encode())
    assert [(part.page_id, part.item.happening) for part in parts] == [
        (PAGE, "message"), (PAGE, "read"), (OUTLET, "message"),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"entry": 1}', b'{"entry": [1]}', b'{"entry": [{}]}', b"<html>"])
def test_what_is_no_webhook_cannot_be_split(body: bytes) -> None:
    with pytest.raises(PayloadError):
        split(body)


def test_words_for_another_page_are_not_ours_to_read() -> None:
    (item,) = items_of(webhook(changes=[feed_change()]))
    with pytest.raises(PayloadError, match="another Page"):
        read(item, connection(address=OUTLET))


def test_a_comment_names_what_it_stands_below_and_its_post_last() -> None:
    assert one(webhook(changes=[feed_change()])).references == (POST,)
    assert one(webhook(changes=[feed_change(comment_id="901_904", parent_id="901_903")])).references == (
        "901_903",
        POST,
    )
    assert one(webhook(changes=[feed_change(item="status", comment_id=None, parent_id=None)])).references == ()
