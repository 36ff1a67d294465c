"""Every field the adapter reads: gone or renamed, the item is quarantined or means something safe, nothing else.

One line a field. `SAFE` names what the reading falls back to; whoever reads another field adds a line here.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from channels.adapters.base import NotOurs, PayloadError
from channels.adapters.facebook import FacebookAdapter, split, webhooks
from channels.happenings import Deleted
from tests.channels.adapters.facebook.conftest import (
    ANA,
    NOW,
    PAGE,
    POST,
    PSID,
    comment,
    connection,
    event,
    feed_change,
    message,
    post,
    read,
    webhook,
)
from tests.channels.adapters.x.test_contract import ways

Make = Callable[[], dict[str, Any]]
VALUE = "entry.0.changes.0.value"
EVENT = "entry.0.messaging.0"


def added() -> dict[str, Any]:
    """A customer's answer below a comment, with a picture."""
    return webhook(changes=[feed_change(parent_id="901_902", photo="https://scontent.example/a.jpg")])


def bare() -> dict[str, Any]:
    return webhook(changes=[feed_change()])


def linked() -> dict[str, Any]:
    return webhook(changes=[feed_change(link="https://shop.example/")])


def visited() -> dict[str, Any]:
    return webhook(changes=[feed_change(item="status", post_id=f"{PAGE}_77", comment_id=None, parent_id=None)])


def removed() -> dict[str, Any]:
    return webhook(changes=[feed_change(verb="remove", message=None)])


def said() -> dict[str, Any]:
    attached = [{"type": "image", "payload": {"url": "https://scontent.example/a.jpg"}}]
    given = {"mid": "m_1", "text": "hello", "attachments": attached, "reply_to": {"mid": "m_0"}}
    return webhook(messaging=[event({"message": given})])


def plain() -> dict[str, Any]:
    return webhook(messaging=[event()])


def echoed() -> dict[str, Any]:
    given = {"mid": "m_2", "text": "hi", "is_echo": True, "metadata": "message:1.ab"}
    return webhook(messaging=[event({"message": given}, sender={"id": PAGE}, recipient={"id": PSID})])


def taken_back() -> dict[str, Any]:
    return webhook(messaging=[event({"message": {"mid": "m_1", "is_deleted": True}})])


def changed() -> dict[str, Any]:
    return webhook(messaging=[event({"message_edit": {"mid": "m_1", "text": "hello!", "num_edit": 1}})])


def seen() -> dict[str, Any]:
    return webhook(messaging=[event({"read": {"watermark": 1795253000000}})])


def delivered() -> dict[str, Any]:
    return webhook(messaging=[event({"delivery": {"watermark": 1795253000000}})])


def pressed() -> dict[str, Any]:
    return webhook(messaging=[event({"postback": {"title": "Track", "payload": "T", "mid": "m_3"}})])


def filmed() -> dict[str, Any]:
    photos = ["https://scontent.example/b.jpg"]
    return webhook(changes=[feed_change(video="https://scontent.example/a.mp4", photos=photos)])


def pictured() -> dict[str, Any]:
    """A visitor's picture, whose place an item of this sort tells as its link."""
    given = {"item": "photo", "link": "https://scontent.example/a.jpg", "post_id": f"{PAGE}_77"}
    return webhook(changes=[feed_change(comment_id=None, parent_id=None, **given)])


def long_ago() -> dict[str, Any]:
    """As it was told before 2018."""
    return webhook(changes=[feed_change(**{"from": None}, sender_id=ANA, sender_name="Ana Baker")])


def found_at() -> dict[str, Any]:
    place = {"type": "location", "payload": {"coordinates": {"lat": 12.5, "long": 43.25}}}
    return webhook(messaging=[event({"message": {"mid": "m_1", "attachments": [place]}})])


def stuck_on() -> dict[str, Any]:
    sticker = {"type": "image", "payload": {"url": "https://scontent.example/", "sticker_id": 1}}
    return webhook(messaging=[event({"message": {"mid": "m_1", "attachments": [sticker]}})])


def told_of() -> dict[str, Any]:
    shop = {"type": "fallback", "title": "A shop", "url": "https://shop.example/"}
    return webhook(messaging=[event({"message": {"mid": "m_1", "text": "this one", "attachments": [shop]}})])


def unshown() -> dict[str, Any]:
    return webhook(messaging=[event({"message": {"mid": "m_1", "is_unsupported": True}})])


def arrived() -> dict[str, Any]:
    return webhook(messaging=[event({"delivery": {"mids": ["m_2"]}})])


def listed_films() -> dict[str, Any]:
    files = [
        {"id": "1", "mime_type": "video/mp4", "video_data": {"url": "https://scontent.example/a.mp4"}},
        {"id": "2", "mime_type": "application/pdf", "file_url": "https://scontent.example/a.pdf"},
    ]
    more = {"sticker": "https://scontent.example/s.png", "shares": {"data": [{"name": "A shop", "link": "https://s.example/"}]}}
    return {webhooks.MESSAGE: message(attachments={"data": files}, **more), "with": PSID}


def album() -> dict[str, Any]:
    inside = [
        {"type": "photo", "media": {"image": {"src": "https://scontent.example/a.jpg"}}},
        {"type": "video_inline", "media": {"source": "https://scontent.example/a.mp4"}},
        {"type": "share", "title": "A shop", "url": "https://shop.example/"},
    ]
    attached = {"data": [{"type": "album", "subattachments": {"data": inside}}]}
    return {webhooks.POST: post(f"{PAGE}_77", minutes=5, attachments=attached, **{"from": {"id": ANA, "name": "Ana"}})}


def listed_comment() -> dict[str, Any]:
    attached = {"type": "photo", "media": {"image": {"src": "https://scontent.example/a.jpg"}}}
    return {webhooks.COMMENT: comment(parent={"id": "901_902"}, attachment=attached), webhooks.POST: {"id": POST}}


def bare_comment() -> dict[str, Any]:
    return {webhooks.COMMENT: comment(), webhooks.POST: {"id": POST}}


def listed_post() -> dict[str, Any]:
    return {webhooks.POST: post(f"{PAGE}_77", minutes=5, **{"from": {"id": ANA, "name": "Ana Baker"}})}


def listed_message() -> dict[str, Any]:
    attached = {
        "data": [
            {
                "id": "1",
                "name": "a.jpg",
                "mime_type": "image/jpeg",
                "size": 7,
                "image_data": {"url": "https://scontent.example/a.jpg"},
            }
        ]
    }
    return {webhooks.MESSAGE: message(attachments=attached, reply_to={"id": "m_0"}), "with": PSID}


def bare_message() -> dict[str, Any]:
    return {webhooks.MESSAGE: message()}


QUARANTINED: list[tuple[Make, str]] = [
    *((make, f"{VALUE}.{name}") for make in (added, bare) for name in ("item", "verb", "comment_id", "post_id")),
    (added, f"{VALUE}.parent_id"),
    (bare, f"{VALUE}.message"),
    (bare, f"{VALUE}.from.id"),
    (visited, f"{VALUE}.post_id"),
    (visited, f"{VALUE}.message"),
    (removed, f"{VALUE}.comment_id"),
    (removed, "entry.0.time"),
    (bare, "entry.0.changes.0.field"),
    (bare, "entry.0.changes.0.value"),
    *((plain, f"{EVENT}.{name}") for name in ("sender", "sender.id", "recipient", "recipient.id", "timestamp")),
    (plain, f"{EVENT}.message.mid"),
    (plain, f"{EVENT}.message.text"),
    (taken_back, f"{EVENT}.message.mid"),
    (taken_back, f"{EVENT}.timestamp"),
    # Renamed, it would be a message of nothing.
    (taken_back, f"{EVENT}.message.is_deleted"),
    (changed, f"{EVENT}.message_edit.mid"),
    (changed, f"{EVENT}.message_edit.text"),
    (changed, f"{EVENT}.timestamp"),
    (seen, f"{EVENT}.read.watermark"),
    (seen, f"{EVENT}.sender"),
    (delivered, f"{EVENT}.delivery.watermark"),
    (pressed, f"{EVENT}.sender"),
    (unshown, f"{EVENT}.message.is_unsupported"),
    (arrived, f"{EVENT}.delivery.mids"),
    (listed_comment, "comment.id"),
    (listed_comment, "comment.created_time"),
    (listed_comment, "comment.from.id"),
    (listed_comment, "comment.parent.id"),
    (listed_comment, "post.id"),
    (bare_comment, "comment.message"),
    (listed_post, "post.id"),
    (listed_post, "post.from.id"),
    (listed_post, "post.message"),
    (listed_post, "post.created_time"),
    (listed_message, "message.id"),
    (listed_message, "message.from"),
    (listed_message, "message.from.id"),
    (listed_message, "message.created_time"),
    (bare_message, "message.message"),
]

FILTERED: list[tuple[Make, str]] = [
    (plain, f"{EVENT}.message"),
    (changed, f"{EVENT}.message_edit"),
    (seen, f"{EVENT}.read"),
    (delivered, f"{EVENT}.delivery"),
    (pressed, f"{EVENT}.postback"),
    (pressed, f"{EVENT}.postback.title"),
    (plain, "entry.0.messaging"),
    (bare, "entry.0.changes"),
    (bare, "object"),
]

SAFE: list[tuple[Make, str, str, Callable[[Any], bool]]] = [
    (added, f"{VALUE}.message", "the picture alone", lambda made: made.text == "" and len(made.files) == 1),
    (added, f"{VALUE}.photo", "the words alone", lambda made: made.text != "" and not made.files),
    (filmed, f"{VALUE}.video", "without the film", lambda made: len(made.files) == 1),
    (filmed, f"{VALUE}.photos", "without the picture", lambda made: len(made.files) == 1),
    (pictured, f"{VALUE}.link", "the words alone", lambda made: made.text != "" and not made.files),
    (linked, f"{VALUE}.link", "the words alone", lambda made: made.text != "" and not made.notes),
    (long_ago, f"{VALUE}.sender_id", "nobody to be seen", lambda made: made.author.kind == "nameless"),
    (long_ago, f"{VALUE}.sender_name", "an id without a name", lambda made: made.author.name == ""),
    *(
        (found_at, f"{EVENT}.message.attachments.0.payload{way}", "no place", lambda made: made.text.endswith("map."))
        for way in ("", ".coordinates", ".coordinates.lat", ".coordinates.long")
    ),
    (stuck_on, f"{EVENT}.message.attachments.0.payload.sticker_id", "a picture", lambda made: made.files[0].url),
    (told_of, f"{EVENT}.message.attachments.0.title", "its link alone", lambda made: "A shop" not in made.notes[0]),
    (told_of, f"{EVENT}.message.attachments.0.url", "its name alone", lambda made: "https" not in made.notes[0]),
    (listed_films, "message.sticker", "without it", lambda made: len(made.files) == 2),
    (listed_films, "message.shares", "without it", lambda made: not made.notes),
    (listed_films, "message.shares.data", "without it", lambda made: not made.notes),
    (listed_films, "message.shares.data.0.name", "its link alone", lambda made: "A shop" not in made.notes[0]),
    (listed_films, "message.shares.data.0.link", "its name alone", lambda made: "https" not in made.notes[0]),
    (listed_films, "message.attachments.data.0.video_data", "of unknown place", lambda made: made.files[0].note),
    (listed_films, "message.attachments.data.0.video_data.url", "of unknown place", lambda made: made.files[0].note),
    (listed_films, "message.attachments.data.1.file_url", "of unknown place", lambda made: made.files[1].note),
    *(
        (album, f"post.attachments{way}", "the words alone", lambda made: made.text != "" and not made.files)
        for way in ("", ".data", ".data.0.subattachments", ".data.0.subattachments.data")
    ),
    *(
        (album, f"post.attachments.data.0.subattachments.data.{way}", "less of it", lambda made: len(made.files) == 1)
        for way in ("0.media", "0.media.image", "0.media.image.src", "1.type", "1.media", "1.media.source")
    ),
    *(
        (album, f"post.attachments.data.0.subattachments.data.2.{name}", "less said", lambda made: len(made.files) == 2)
        for name in ("title", "url")
    ),
    (added, f"{VALUE}.created_time", "the time of the webhook", lambda made: made.said_at == NOW),
    (added, f"{VALUE}.from.name", "an id without a name", lambda made: not made.author.name),
    (added, f"{VALUE}.from", "nobody to be seen", lambda made: made.author.value == "901_902"),
    (said, f"{EVENT}.message.text", "the picture alone", lambda made: made.text == "" and len(made.files) == 1),
    (said, f"{EVENT}.message.attachments", "the words alone", lambda made: made.text == "hello" and not made.files),
    (said, f"{EVENT}.message.attachments.0.type", "said in words", lambda made: not made.files and made.notes),
    (said, f"{EVENT}.message.attachments.0.payload", "a file of unknown place", lambda made: made.files[0].note),
    (said, f"{EVENT}.message.attachments.0.payload.url", "a file of unknown place", lambda made: made.files[0].note),
    (said, f"{EVENT}.message.reply_to", "an answer to nothing", lambda made: made.parent_id == ""),
    (said, f"{EVENT}.message.reply_to.mid", "an answer to nothing", lambda made: made.parent_id == ""),
    (echoed, f"{EVENT}.message.metadata", "matched by its words", lambda made: made.marker == ""),
    (echoed, f"{EVENT}.message.is_echo", "the sender tells", lambda made: made.direction == "out"),
    (changed, f"{EVENT}.message_edit.num_edit", "edits by their times", lambda made: made.text == "hello!"),
    (pressed, f"{EVENT}.postback.mid", "person and time", lambda made: made.external_id.startswith("postback:")),
    (listed_comment, "comment.from", "nobody to be seen", lambda made: made.author.kind == "nameless"),
    (listed_comment, "comment.from.name", "an id without a name", lambda made: made.author.name == ""),
    (listed_comment, "comment.message", "the picture alone", lambda made: len(made.files) == 1),
    (listed_comment, "comment.parent", "a conversation of its own", lambda made: made.thread == "901_903"),
    (listed_comment, "comment.attachment", "the words alone", lambda made: not made.files),
    (listed_comment, "comment.attachment.media", "said in words", lambda made: not made.files and made.notes),
    (listed_comment, "comment.attachment.media.image", "said in words", lambda made: not made.files and made.notes),
    (listed_comment, "comment.attachment.media.image.src", "said in words", lambda made: not made.files and made.notes),
    (listed_comment, "comment.permalink_url", "made from its id", lambda made: made.permalink.endswith("901_903")),
    (listed_post, "post.from", "nobody to be seen", lambda made: made.author.kind == "nameless"),
    (listed_post, "post.updated_time", "only polls look at it", lambda made: made.text != ""),
    (listed_post, "post.from.name", "an id without a name", lambda made: made.author.name == ""),
    (listed_message, "message.from.name", "an id without a name", lambda made: made.author.name == ""),
    (listed_message, "message.message", "the picture alone", lambda made: made.text == "" and len(made.files) == 1),
    (listed_message, "message.attachments", "the words alone", lambda made: made.text == "hello"),
    (listed_message, "message.attachments.data", "the words alone", lambda made: made.text == "hello"),
    (listed_message, "message.attachments.data.0.image_data", "of unknown place", lambda made: made.files[0].note),
    (listed_message, "message.attachments.data.0.image_data.url", "of unknown place", lambda made: made.files[0].note),
    (listed_message, "message.attachments.data.0.size", "told by its bytes", lambda made: made.files[0].size == 0),
    (listed_message, "message.attachments.data.0.mime_type", "guessed", lambda made: made.files[0].content_type),
    (listed_message, "message.attachments.data.0.name", "a name of ours", lambda made: made.files[0].name),
    (listed_message, "message.to", "the conversation tells", lambda made: made.thread == PSID),
    (listed_message, "message.reply_to", "an answer to nothing", lambda made: made.parent_id == ""),
    (listed_message, "message.reply_to.id", "an answer to nothing", lambda made: made.parent_id == ""),
]


def without(whole: dict[str, Any], path: str, *, renamed: bool) -> dict[str, Any]:
    """The payload with one field gone, or under another name."""
    changed_ = copy.deepcopy(whole)
    *way, last = path.split(".")
    place: Any = changed_
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    value = place.pop(last)
    if renamed:
        place[f"{last}_v3"] = value
    return changed_


def said_in(whole: dict[str, Any]) -> Any:
    """The first thing that the payload says."""
    if "entry" in whole:
        (part,) = split(json.dumps(whole).encode())
        return next(iter(read(part.item)))
    item = webhooks.item("message", "1", PAGE, "x", None)
    body = {webhooks.PAGE: PAGE, **whole}
    return next(iter(read(type(item)(happening="message", external_id="1", body=json.dumps(body).encode()))))


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize(("make", "path"), QUARANTINED)
def test_what_cannot_be_stood_behind_is_quarantined(make: Make, path: str, renamed: bool) -> None:
    assert said_in(make()) is not None
    with pytest.raises(PayloadError):
        said_in(without(make(), path, renamed=renamed))


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize(("make", "path"), FILTERED)
def test_what_has_no_sort_any_more_is_filtered_as_unsupported(make: Make, path: str, renamed: bool) -> None:
    with pytest.raises(NotOurs):
        said_in(without(make(), path, renamed=renamed))


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize(("make", "path", "default", "holds"), SAFE)
def test_what_is_missing_means_less_and_nothing_else(
    make: Make, path: str, default: str, holds: Callable[[Any], bool], renamed: bool
) -> None:
    whole, made = said_in(make()), said_in(without(make(), path, renamed=renamed))
    assert not isinstance(made, Deleted)
    assert (made.direction, made.surface, made.scope) == (whole.direction, whole.surface, whole.scope)
    if not path.endswith((".from", ".parent", ".sender_id")):
        assert (made.thread, made.author.value) == (whole.thread, whole.author.value)
    assert holds(made), default


# The body cannot be split without them (below); the last three are names of ours.
ELSEWHERE = {"entry", "entry.0.id", webhooks.COMMENT, webhooks.POST, webhooks.MESSAGE}
MAKERS = {make for make, *_ in [*QUARANTINED, *FILTERED, *SAFE]}


def outcome(whole: dict[str, Any]) -> Any:
    try:
        return said_in(whole)
    except (PayloadError, NotOurs) as refused:
        return type(refused)


@pytest.mark.parametrize("make", sorted(MAKERS, key=lambda make: make.__name__))
def test_no_field_that_means_anything_is_missing_here(make: Make) -> None:
    stand = {path for _, path, *_ in [*QUARANTINED, *FILTERED, *SAFE]} | ELSEWHERE
    whole = make()
    assert {path for path in ways(whole) if outcome(without(whole, path, renamed=True)) != outcome(whole)} <= stand


@pytest.mark.parametrize("path", ["entry", "entry.0.id"])
@pytest.mark.parametrize("make", [plain, bare])
def test_a_body_without_entries_or_pages_cannot_be_split(make: Make, path: str) -> None:
    with pytest.raises(PayloadError):
        split(json.dumps(without(make(), path, renamed=True)).encode())


def test_nothing_else_is_read() -> None:
    """A payload of another shape altogether is refused too."""
    with pytest.raises(PayloadError):
        said_in({"nothing": 1})
    assert FacebookAdapter().kind == connection().kind
