"""Whatever X, or somebody in its place, hands over ends as an item, filtered or quarantined, never otherwise."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.adapters.base import NotOurs, PayloadError, PollError
from channels.adapters.x import XAdapter, items
from channels.adapters.x.api import Answer, Api
from channels.adapters.x.rereading import reread
from channels.happenings import InboundMessage, RawItem
from tests.channels.adapters.x.conftest import MENTIONS, NOW, TinyX, a_dm, connection, page, post_id, quiet
from tests.channels.adapters.x.test_contract import PARENT, edited, full_dm, full_post, own_reply

TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT,
    st.sampled_from(
        ["\0", "\ud800", "9" * 19, "0", "-1", "2244994945", "retweeted", "9999-12-31T23:59:59-23:59", "0001-01-01"]
    ),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [way] if way else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*found, *(each for step, inner in steps for each in places(inner, (*way, step)))]


def replaced(page_: Any, way: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(page_)
    place = changed
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return changed


def in_words(error: Exception) -> None:
    """A refusal says something."""
    assert str(error)


def reads(page_: Any, name: str) -> None:
    """Every item can be stored and read, or is refused in words; what comes out can be stored."""
    for item in items.of_page(page_, name):
        assert item.raw.external_id
        assert isinstance(item.raw.body, bytes)
        try:
            made = list(XAdapter().parse(item.raw, connection()))
        except (PayloadError, NotOurs) as refused:
            in_words(refused)
            continue
        for happening in made:
            if isinstance(happening, InboundMessage):
                texts = [
                    happening.text,
                    happening.quoted,
                    happening.author.name,
                    happening.author.handle,
                    happening.permalink,
                ]
                texts += [part for file in happening.files for part in (file.name, file.url, file.note)]
                assert not any("\0" in text for text in texts)
                "".join(texts).encode()
                assert happening.said_at.tzinfo is not None
                # A year at the calendar's end is a time, and breaks whoever converts it.
                happening.said_at.astimezone(UTC)
                assert happening.author.value.isdigit()


@pytest.mark.parametrize(("make", "name"), [(full_post, items.POST), (own_reply, items.POST), (full_dm, items.DM)])
def test_the_worst_in_every_place(make: Any, name: str) -> None:
    whole = make()
    for way in places(whole):
        for worst in ("1\ud800", "\0", "9999-12-31T23:59:59-23:59", 10**30, [[]], {"id": None}):
            reads(replaced(whole, way, worst), name)


@pytest.mark.parametrize(("make", "name"), [(full_post, items.POST), (own_reply, items.POST), (full_dm, items.DM)])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_anything_in_any_place(make: Any, name: str, data: st.DataObject) -> None:
    whole = make()
    way = data.draw(st.sampled_from(places(whole)))
    reads(replaced(whole, way, data.draw(VALUES)), name)


@settings(max_examples=150, deadline=None)
@given(value=VALUES, name=st.sampled_from([items.POST, items.DM]))
def test_anything_for_a_page(value: Any, name: str) -> None:
    reads(value if isinstance(value, dict) else {"data": value}, name)


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("happening", ["message", "edit", "delete", "?"])
def test_anything_in_the_ledger(body: bytes, happening: str) -> None:
    try:
        list(XAdapter().parse(RawItem(happening=happening, external_id="1", body=body), connection()))
    except (PayloadError, NotOurs) as refused:
        in_words(refused)


class _Telling:
    """An access whose every answer is this one."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, *_: object, **__: object) -> Answer:
        return Answer(self._body, {})


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_anything_in_any_place_of_an_answer_about_known_posts(data: st.DataObject) -> None:
    """One odd post must not keep the edits and deletions of all the others from being seen."""
    gone = {"resource_id": PARENT, "type": "https://api.x.com/2/problems/resource-not-found"}
    whole = {**edited(), "errors": [gone]}
    body = replaced(whole, data.draw(st.sampled_from(places(whole))), data.draw(VALUES))
    for item in reread(cast(Api, _Telling(body)), [PARENT, post_id(5)], now=NOW):
        with suppress(PayloadError):
            assert list(XAdapter().parse(item, connection()))


def test_five_megabytes_in_one_post() -> None:
    reads(replaced(full_post(), ("data", 0, "text"), "a\0\ud800" * 1_700_000), items.POST)
    reads(replaced(full_post(), ("data", 0, "edit_history_tweet_ids"), ["1"] * 500_000), items.POST)


def test_deep_nesting_is_refused_in_words() -> None:
    for happening in ("message", "edit", "delete"):
        with pytest.raises(PayloadError):
            list(XAdapter().parse(RawItem(happening=happening, external_id="1", body=b"[" * 200_000), connection()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60),
    status=st.sampled_from([200, 400, 401, 402, 403, 429, 500]),
)
def test_anything_for_an_answer(x: TinyX, adapter: XAdapter, body: bytes, status: int) -> None:
    quiet(x)
    x.on(MENTIONS, (status, body))
    try:
        polled = adapter.poll(connection(), {}, now=NOW)
    except PollError as error:
        in_words(error)
    else:
        json.dumps(polled.cursor)


def test_an_entry_without_an_id_is_kept_and_known_again(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page({"text": "who am I?"}, a_dm(), "not even an object")))  # type: ignore[arg-type]
    first, second = (adapter.poll(connection(), {}, now=NOW).items for _ in range(2))
    assert len(first) == 3
    assert [item.external_id for item in first] == [item.external_id for item in second]
