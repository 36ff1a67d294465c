"""Whatever Facebook, or somebody in its place, hands over ends as an item, filtered or quarantined, never otherwise."""

from __future__ import annotations

import copy
import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.adapters.base import DeliveryError, NotOurs, PayloadError, PollError
from channels.adapters.facebook import FacebookAdapter, split, webhooks
from channels.happenings import DeliveryReceipt, InboundMessage, RawItem
from tests.channels.adapters.facebook.conftest import (
    ANA,
    CHATS,
    COMMENTS,
    FEED,
    MESSAGES,
    NOW,
    PAGE,
    POST,
    PSID,
    Tiny,
    chat,
    comment,
    connection,
    event,
    feed_change,
    message,
    outgoing,
    page,
    post,
    quiet,
    webhook,
)

TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT,
    st.sampled_from(
        ["\0", "\ud800", "9" * 19, "0", "-1", PAGE, PSID, "²", "https://[", "page", "feed", "comment", "edited",
         "remove", "9999-12-31T23:59:59-23:59", "0001-01-01", 10**18, 253402300800, 1e308]
    ),
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))

ATTACHED = [
    {"type": "image", "payload": {"url": "https://scontent.example/a.png", "sticker_id": 1}},
    {"type": "location", "payload": {"coordinates": {"lat": 1.5, "long": 2.5}}},
    {"type": "fallback", "title": "A shop", "url": "https://shop.example/"},
]
EVENTS = [
    {"message": {"mid": "m_1", "text": "hi", "attachments": ATTACHED, "reply_to": {"mid": "m_0"}, "metadata": "x"}},
    {"message": {"mid": "m_1", "is_deleted": True}},
    {"message_edit": {"mid": "m_1", "text": "hi!", "num_edit": 2}},
    {"postback": {"title": "Track", "payload": "T", "mid": "m_3"}},
    {"delivery": {"mids": ["m_2"], "watermark": 1790000000253}},
    {"read": {"watermark": 1790000000253}},
    {"reaction": {"mid": "m_1", "action": "react"}},
]
CHANGES = [
    feed_change(photo="https://scontent.example/a.png", photos=["https://scontent.example/b.png"]),
    feed_change(verb="edited"),
    feed_change(verb="remove"),
    feed_change(item="photo", link="https://scontent.example/a.png"),
    feed_change(item="like"),
]


def whole_webhook() -> dict[str, Any]:
    given = webhook(changes=copy.deepcopy(CHANGES), messaging=[event(copy.deepcopy(each)) for each in EVENTS])
    return {**given, "entry": [*given["entry"], {"id": PAGE, "time": 1, "standby": [event()]}]}


def whole_comment() -> dict[str, Any]:
    attached = {"type": "photo", "media": {"image": {"src": "https://s.example/a"}}, "url": "https://s.example/"}
    return page(comment(parent={"id": "901_1"}, attachment=attached))


def whole_feed() -> dict[str, Any]:
    inside = {"data": [{"type": "photo", "media": {"image": {"src": "https://s.example/a"}}, "title": "x"}]}
    attached = {"data": [{"type": "album", "subattachments": inside}]}
    return page(post(minutes=5, **{"from": {"id": ANA, "name": "Ana"}}, attachments=attached))


def whole_chats() -> dict[str, Any]:
    file = {"id": "1", "mime_type": "image/png", "name": "a", "size": 3, "image_data": {"url": "https://s"}}
    shares = {"data": [{"link": "https://s"}]}
    full = message(attachments={"data": [file]}, shares=shares, sticker="https://s", reply_to={"id": "m"})
    return page(chat(full))


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [way] if way else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*found, *(each for step, inner in steps for each in places(inner, (*way, step)))]


def replaced(whole: Any, way: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(whole)
    place = changed
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return changed


def in_words(error: Exception) -> None:
    """A refusal says something."""
    assert str(error)


def is_read(item: RawItem) -> None:
    """The item can be stored and read, or is refused in words; what comes out can be stored."""
    assert item.external_id
    assert len(item.external_id) < 400
    json.dumps([item.happening, item.external_id, item.revision]).encode()
    "".join((item.happening, item.external_id, item.revision)).encode()
    assert len(item.happening) <= 20
    try:
        made = list(FacebookAdapter().parse(item, connection()))
    except (PayloadError, NotOurs) as refused:
        in_words(refused)
        "".join(str(refused)).encode()
        return
    for each in made:
        if isinstance(each, InboundMessage):
            texts = [each.text, each.author.name, each.author.value, each.permalink, each.thread, each.marker]
            texts += each.notes
            texts += [part for file in each.files for part in (file.name, file.url, file.note, file.content_type)]
            assert not any("\0" in text for text in texts)
            "".join(texts).encode()
            assert each.said_at.tzinfo is not None
            # A year at the calendar's end is a time, and breaks whoever converts it.
            each.said_at.astimezone(UTC)
            assert each.author.value
            assert each.thread
        if isinstance(each, DeliveryReceipt):
            assert each.at.tzinfo is not None


def is_split(body: bytes) -> None:
    try:
        parts = split(body)
    except PayloadError as refused:
        in_words(refused)
        return
    for part in parts:
        assert part.page_id
        is_read(part.item)


WHOLE = whole_webhook()


@pytest.mark.parametrize("worst", ["m_\ud800", "\0", 10**18, "9999-12-31T23:59:59-23:59"])
def test_the_worst_in_every_place_of_a_webhook(worst: Any) -> None:
    for way in places(WHOLE):
        is_split(json.dumps(replaced(WHOLE, way, worst)).encode())


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_anything_in_any_place_of_a_webhook(data: st.DataObject) -> None:
    way = data.draw(st.sampled_from(places(WHOLE)))
    is_split(json.dumps(replaced(WHOLE, way, data.draw(VALUES))).encode())


@settings(max_examples=80, deadline=None)
@given(body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_anything_for_a_webhook(body: bytes) -> None:
    is_split(body)


@settings(max_examples=80, deadline=None)
@given(
    body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()),
    name=st.sampled_from([webhooks.CHANGE, webhooks.MESSAGING, webhooks.COMMENT, webhooks.MESSAGE, webhooks.POST, "?"]),
)
def test_anything_in_the_ledger(body: bytes, name: str) -> None:
    for content in (body, b'{"page": "%s", "%s": %s}' % (PAGE.encode(), name.encode(), body)):
        try:
            list(FacebookAdapter().parse(RawItem(happening="message", external_id="1", body=content), connection()))
        except (PayloadError, NotOurs) as refused:
            in_words(refused)


def test_five_megabytes_in_one_message() -> None:
    for given_ in (
        webhook(messaging=[event({"message": {"mid": "m_1", "text": "a\0\ud800" * 400_000}})]),
        webhook(changes=[feed_change(message="a" * 5_000_000)]),
        webhook(messaging=[event({"message": {"mid": "m", "attachments": ATTACHED * 10_000}})]),
    ):
        is_split(json.dumps(given_).encode())


@pytest.mark.parametrize("depth", [500, 900, 990, 3_000, 200_000])
def test_deep_nesting_is_refused_or_read(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    is_split(deep)
    is_split(b'{"object": "page", "entry": [{"id": "1", "messaging": [%s]}]}' % deep)
    change = b'{"field": "feed", "value": {"item": %s}}' % deep
    is_split(b'{"object": "page", "entry": [{"id": "1", "changes": [%s]}]}' % change)


def test_numbers_for_ids_are_ids() -> None:
    body = json.dumps(webhook(messaging=[event(sender={"id": int(PSID)}, recipient={"id": int(PAGE)}, id=int(PAGE))]))
    (part,) = split(body.replace(f'"{PAGE}"', PAGE).encode())
    (made,) = FacebookAdapter().parse(part.item, connection())
    assert isinstance(made, InboundMessage)
    assert (part.page_id, made.author.value) == (PAGE, PSID)


@pytest.mark.parametrize(("call", "make"), [(FEED, whole_feed), (COMMENTS, whole_comment), (CHATS, whole_chats)])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_anything_in_any_place_of_an_answer(
    facebook: Tiny, adapter: FacebookAdapter, call: str, make: Any, data: st.DataObject
) -> None:
    quiet(facebook)
    facebook.on(FEED, (200, page(post())))
    whole = make()
    facebook.on(call, (200, replaced(whole, data.draw(st.sampled_from(places(whole))), data.draw(VALUES))))
    polled = adapter.poll(connection(), {}, now=NOW)
    json.dumps(polled.cursor)
    for item in polled.items:
        is_read(item)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=VALUES.map(lambda value: json.dumps(value).encode())
    | VALUES.map(lambda value: json.dumps({"error": value}).encode())
    | st.binary(max_size=60),
    status=st.sampled_from([200, 400, 401, 403, 429, 500]),
    content_type=st.sampled_from(["application/json", "text/html", "image/png", "text/plain", ""]),
)
def test_anything_for_an_answer(
    facebook: Tiny, adapter: FacebookAdapter, body: bytes, status: int, content_type: str
) -> None:
    given_ = (status, body, {"content-type": content_type})
    for call in (FEED, CHATS, MESSAGES):
        facebook.on(call, given_)
    try:
        polled = adapter.poll(connection(), {}, now=NOW)
    except PollError as error:
        in_words(error)
    else:
        json.dumps(polled.cursor)
    try:
        adapter.send(connection(), outgoing(), opener=open, still_ours=lambda: True)  # type: ignore[arg-type]
    except DeliveryError as error:
        in_words(error)


def test_what_has_no_id_is_kept_and_known_again(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(FEED, (200, page(post())))
    facebook.on(COMMENTS, (200, page(comment(None), "not even an object")))  # type: ignore[arg-type]
    first, second = (adapter.poll(connection(), {}, now=NOW).items for _ in range(2))
    assert len(first) == 1
    assert [item.external_id for item in first] == [item.external_id for item in second]
    assert POST in first[0].body.decode()
