"""Polls: what no webhook told of, in rounds that lose nothing and end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels.adapters.base import Polled, PollError
from channels.adapters.facebook import FacebookAdapter
from channels.adapters.facebook.graph import Graph
from channels.adapters.facebook.problems import GraphProblem
from tests.channels.adapters.facebook.conftest import (
    ANA,
    CHATS,
    COMMENTS,
    FEED,
    NOW,
    PAGE,
    PROOF,
    TOKEN,
    VERSION,
    Tiny,
    ago,
    chat,
    comment,
    connection,
    error,
    message,
    page,
    post,
    quiet,
)
from tests.channels.adapters.x.conftest import html, reset


def poll(adapter: FacebookAdapter, cursor: Any = None, *, minutes: float = 0, **given: Any) -> Polled:
    polled = adapter.poll(connection(**given), cursor or {}, now=NOW + timedelta(minutes=minutes))
    json.dumps(polled.cursor)
    return polled


def ids(polled: Polled) -> list[str]:
    return [item.external_id for item in polled.items]


def test_comments_answers_posts_and_messages_come_once(facebook: Tiny, adapter: FacebookAdapter) -> None:
    visitor = post(f"{PAGE}_77", minutes=6, changed=6, **{"from": {"id": ANA, "name": "Ana Baker"}})
    facebook.on(FEED, (200, page(visitor, post())))
    facebook.on(COMMENTS, (200, page(comment("901_904", parent={"id": "901_903"}), comment())))
    facebook.on(f"GET /{VERSION}/{PAGE}_77/comments", (200, page()))
    facebook.on(CHATS, (200, page(chat(message("m_2", minutes=4), message("m_1")))))
    first = poll(adapter)
    assert ids(first) == [f"{PAGE}_77", "901_903", "901_904", "m_1", "m_2"]
    assert not first.more
    assert ids(poll(adapter, first.cursor)) == []
    asked = facebook.asked[0]
    assert (asked.query["access_token"], asked.query["appsecret_proof"]) == (TOKEN, PROOF)
    assert facebook.asked_for(COMMENTS)[0].query["filter"] == "stream"


def test_nothing_from_before_the_beginning_is_handed_up(facebook: Tiny, adapter: FacebookAdapter) -> None:
    old = post(f"{PAGE}_77", minutes=90, changed=5, **{"from": {"id": ANA}})
    facebook.on(FEED, (200, page(old)))
    facebook.on(f"GET /{VERSION}/{PAGE}_77/comments", (200, page(comment("77_2"), comment("77_1", minutes=61))))
    facebook.on(CHATS, (200, page(chat(message("m_2"), message("m_1", minutes=70)))))
    assert ids(poll(adapter)) == ["77_2", "m_2"]


def test_posts_without_news_are_not_asked_for(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(FEED, (200, page(post(changed=120))))
    poll(adapter)
    assert facebook.asked_for(COMMENTS) == []


def test_a_round_begins_a_little_before_the_newest_change(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(FEED, (200, page(post(changed=2))))
    facebook.on(COMMENTS, (200, page(comment("901_904", minutes=2))))
    first = poll(adapter)
    # Listed late, although it was said before the newest one.
    facebook.on(COMMENTS, (200, page(comment("901_904", minutes=2), comment("901_903", minutes=9))))
    second = poll(adapter, first.cursor)
    assert ids(second) == ["901_903"]


def test_many_comments_and_posts_take_several_polls_and_none_is_lost(
    facebook: Tiny, adapter: FacebookAdapter
) -> None:
    quiet(facebook)
    posts = [post(f"{PAGE}_{number}", changed=number / 10) for number in range(100, 120)]
    facebook.on(FEED, (200, page(*posts)))
    for number in range(100, 120):
        first = page(comment(f"{number}_2", minutes=3), after="c2")
        facebook.on(f"GET /{VERSION}/{PAGE}_{number}/comments", (200, first), (200, page(comment(f"{number}_1"))))
    cursor, found, rounds = {}, [], 0
    while True:
        polled = poll(adapter, cursor)
        cursor, rounds = polled.cursor, rounds + 1
        found += ids(polled)
        if not polled.more:
            break
    assert sorted(found) == sorted(f"{number}_{which}" for number in range(100, 120) for which in (1, 2))
    assert 4 < rounds < 9
    assert len(facebook.asked_for(FEED)) == 1


def test_pages_that_repeat_themselves_end(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(FEED, (200, page(post(minutes=5), after="same")))
    facebook.on(COMMENTS, (200, page(comment(), after="same")))
    facebook.on(CHATS, (200, page(chat(message()), after="same")))
    cursor: dict[str, object] = {}
    for _number in range(6):
        polled = poll(adapter, cursor)
        cursor = polled.cursor
        if not polled.more:
            break
    assert not polled.more


def test_the_pager_ends_where_a_cursor_does_not_move(facebook: Tiny) -> None:
    facebook.on(f"GET /{VERSION}/me/accounts", (200, page({"id": "1"}, after="same")))
    assert len(list(Graph(TOKEN).pages("me/accounts", most=50))) == 2


def test_a_deleted_post_does_not_hold_up_the_others(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(FEED, (200, page(post(f"{PAGE}_5"), post())))
    facebook.on(f"GET /{VERSION}/{PAGE}_5/comments", error(100, 33))
    facebook.on(COMMENTS, (200, page(comment())))
    assert ids(poll(adapter)) == ["901_903"]


def test_messages_beyond_facebooks_reach_are_a_gap_and_said_to_be_one(
    facebook: Tiny, adapter: FacebookAdapter
) -> None:
    quiet(facebook)
    many = [message(f"m_{number}", minutes=number / 10) for number in range(20)]
    facebook.on(CHATS, (200, page(chat(*many))))
    polled = poll(adapter)
    assert len(polled.items) == 20
    assert any("newest 20" in words for words in polled.quota["words"])  # type: ignore[union-attr]


def test_our_own_newest_messages_wait_for_their_echo(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    mine = {"from": {"id": PAGE, "name": "Acme Care"}}
    facebook.on(CHATS, (200, page(chat(message("m_2", minutes=0.5, **mine), message("m_1", **mine)))))
    first = poll(adapter)
    assert ids(first) == ["m_1"]
    assert ids(poll(adapter, first.cursor, minutes=1)) == ["m_2"]


@pytest.mark.parametrize(("failing", "works"), [(FEED, "m_1"), (CHATS, "901_903")])
@pytest.mark.parametrize("given", [error(10), error(2, status=500), html(502), reset, (200, {"rows": [comment()]})])
def test_one_list_that_fails_does_not_hold_up_the_other(
    facebook: Tiny, adapter: FacebookAdapter, failing: str, works: str, given: Any
) -> None:
    facebook.on(FEED, (200, page(post())))
    facebook.on(COMMENTS, (200, page(comment())))
    facebook.on(CHATS, (200, page(chat(message()))))
    facebook.on(failing, given)
    polled = poll(adapter)
    assert ids(polled) == [works]
    assert polled.quota["words"]
    facebook.asked.clear()
    poll(adapter, polled.cursor)
    assert facebook.asked_for(failing) == []
    poll(adapter, polled.cursor, minutes=2)
    assert len(facebook.asked_for(failing)) >= 1


def test_both_failing_is_a_failure_of_the_account(facebook: Tiny, adapter: FacebookAdapter) -> None:
    facebook.on(FEED, error(2))
    facebook.on(CHATS, error(2))
    with pytest.raises(PollError) as caught:
        poll(adapter)
    assert (caught.value.code, caught.value.credentials) == ("server-error", False)


def test_a_dead_token_is_said_by_code(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(FEED, error(190, 460, message="some permission must be granted"))
    with pytest.raises(PollError, match="password") as caught:
        poll(adapter)
    assert caught.value.credentials


def test_throttled_means_waiting_as_long_as_facebook_says(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    told = json.dumps({PAGE: [{"type": "pages", "call_count": 101, "estimated_time_to_regain_access": 12}]})
    facebook.on(FEED, error(32, headers={"X-Business-Use-Case-Usage": told}))
    with pytest.raises(PollError) as caught:
        poll(adapter)
    assert (caught.value.code, caught.value.retry_after) == ("rate-limit", timedelta(minutes=12))


@pytest.mark.parametrize(("used", "rests"), [(74, 0), (75, 5), (95, 15)])
def test_the_nearer_to_the_limit_the_less_is_asked(
    facebook: Tiny, adapter: FacebookAdapter, used: int, rests: int
) -> None:
    quiet(facebook)
    headers = {"X-App-Usage": json.dumps({"call_count": used, "total_time": 1})}
    facebook.on(CHATS, (200, page(), headers))
    first = poll(adapter)
    assert first.quota["left"] == 100 - used
    facebook.asked.clear()
    poll(adapter, first.cursor, minutes=rests - 0.1 if rests else 0.1)
    assert bool(facebook.asked) == (rests == 0)
    poll(adapter, first.cursor, minutes=rests + 0.1)
    assert facebook.asked


@pytest.mark.parametrize(
    "header", ["", "{", "[]", '{"call_count": "many"}', '{"call_count": -1}', '{"x": [{"call_count": true}]}', "1" * 9]
)
def test_nonsense_in_the_usage_is_nothing(facebook: Tiny, adapter: FacebookAdapter, header: str) -> None:
    quiet(facebook)
    names = ("X-App-Usage", "X-Business-Use-Case-Usage")
    facebook.on(CHATS, (200, page(), dict.fromkeys(names, header)))
    assert poll(adapter).quota["left"] == 100


@pytest.mark.parametrize(
    "kept", [None, 5, "x", [], {"since": "never", "seen": 3, "waiting": [[1], ["a"], [{}, 2]], "top": 10**30}]
)
def test_a_spoilt_cursor_begins_at_the_beginning(facebook: Tiny, adapter: FacebookAdapter, kept: Any) -> None:
    quiet(facebook)
    facebook.on(CHATS, (200, page(chat(message()))))
    assert ids(poll(adapter, {"comments": kept, "chats": kept, "rest_until": kept, "used": kept})) == ["m_1"]


def test_a_change_from_the_future_does_not_move_the_place(facebook: Tiny, adapter: FacebookAdapter) -> None:
    quiet(facebook)
    facebook.on(CHATS, (200, page(chat(message(), changed=-60 * 24 * 365))))
    kept = poll(adapter).cursor["chats"]
    assert isinstance(kept, dict)
    assert kept["since"] <= ago(0)


def test_whoever_is_called_must_answer_in_time(facebook: Tiny, settings: Any) -> None:
    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.end_headers()
        while True:
            handler.wfile.write(b" ")
            handler.wfile.flush()

    facebook.on(FEED, drip)
    with pytest.raises(GraphProblem) as caught:
        Graph(TOKEN, seconds=0.2).get(f"{PAGE}/feed")
    assert caught.value.code in ("timeout", "too-large")


def test_no_error_and_no_cause_of_one_tells_the_token(facebook: Tiny) -> None:
    facebook.on(FEED, reset)
    with pytest.raises(GraphProblem) as caught:
        Graph(TOKEN).get(f"{PAGE}/feed")
    assert caught.value.__suppress_context__
    assert TOKEN not in str(caught.value)
