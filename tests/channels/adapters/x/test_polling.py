"""What is asked of X, in which order, and what is remembered of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels.adapters.base import Polled, PollError
from channels.adapters.x import XAdapter, snowflakes
from tests.channels.adapters.x.conftest import (
    DMS,
    MENTIONS,
    NOW,
    OWN,
    TinyX,
    a_dm,
    a_post,
    a_reply,
    connection,
    html,
    page,
    post_id,
    quiet,
    reset,
)

LIMITS = {"x-rate-limit-limit": "300", "x-rate-limit-remaining": "299", "x-rate-limit-reset": "1795254000"}
SEARCH = "GET /2/tweets/search/recent"


def poll(adapter: XAdapter, cursor: Any = None, minutes: float = 0, **given: Any) -> Polled:
    made = adapter.poll(connection(**given), cursor or {}, now=NOW + timedelta(minutes=minutes))
    # What is kept is JSON.
    json.dumps(made.cursor)
    return made


def ids(polled: Polled) -> list[str]:
    return [item.external_id for item in polled.items]


def test_everything_new_comes_oldest_first(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post(post_id(2)), a_post(post_id(9))), LIMITS))
    x.on(DMS, (200, page(a_dm(post_id(3)))))
    hers = post_id(9)
    x.on(OWN, (200, page(a_reply(post_id(1), hers, author_id="2244994945", in_reply_to_user_id="3333333333"))))
    polled = poll(adapter)
    assert ids(polled) == [post_id(9), post_id(2), f"dm:{post_id(3)}", post_id(1)]
    assert not polled.more
    assert polled.quota["left"] == 299
    assert polled.quota["of"] == 300
    assert polled.quota["resets_at"] == "2026-11-21T09:40:00+00:00"
    asked = x.asked_for(MENTIONS)[0]
    assert asked.headers["Authorization"] == "Bearer practice-token"
    assert asked.query["since_id"] == str(snowflakes.id_at(NOW - timedelta(hours=1)) - 1)
    assert {"conversation_id", "note_tweet", "edit_history_tweet_ids"} <= set(asked.query["tweet.fields"].split(","))


def test_each_item_takes_only_what_belongs_to_it(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    parent, other = a_post(post_id(50), author_id="2244994945"), a_post(post_id(51))
    x.on(MENTIONS, (200, page(a_reply(post_id(5), post_id(50)), tweets=[parent, other])))
    body = json.loads(poll(adapter).items[0].body)
    assert [each["id"] for each in body["includes"]["tweets"]] == [post_id(50)]


def test_the_next_poll_begins_before_the_newest_and_leaves_out_what_is_known(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post(post_id(2)), a_post(post_id(9)))))
    first = poll(adapter)
    late = post_id(4)
    x.on(MENTIONS, (200, page(a_post(post_id(2)), a_post(late), a_post(post_id(9)))))
    second = poll(adapter, first.cursor, minutes=1)
    assert x.asked_for(MENTIONS)[-1].query["since_id"] == post_id(12)
    assert ids(second) == [late]
    x.on(MENTIONS, (200, page(a_post(post_id(2)), a_post(late), a_post(post_id(9)))))
    assert ids(poll(adapter, second.cursor, minutes=2)) == []


def test_nothing_before_the_beginning_is_asked_for(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    begins_at = NOW - timedelta(minutes=3)
    x.on(MENTIONS, (200, page(a_post(post_id(1)))))
    x.on(DMS, (200, page(a_dm(post_id(1)), a_dm(post_id(30)))))
    first = poll(adapter, begins_at=begins_at)
    assert ids(first) == [post_id(1), f"dm:{post_id(1)}"]
    poll(adapter, first.cursor, minutes=1, begins_at=begins_at)
    assert x.asked_for(MENTIONS)[-1].query["since_id"] == str(snowflakes.id_at(begins_at) - 1)


def renamed(listed: dict[str, Any]) -> dict[str, Any]:
    """A page whose list has another name."""
    return {"posts" if name == "data" else name: value for name, value in listed.items()}


def test_a_list_that_x_counts_and_does_not_hand_over_is_no_quiet_day(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(DMS, (200, renamed(page(a_dm()))))
    assert "Direct messages do not come in" in poll(adapter).quota["words"][0]  # type: ignore[index]
    for body in (renamed(page(a_post())), {}):
        x.on(MENTIONS, (200, body))
        with pytest.raises(PollError) as failed:
            poll(adapter)
        assert failed.value.code == "odd-answer"


def test_behind_a_full_page_the_next_is_asked_for_whether_x_says_so_or_not(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    full = page(*(a_post(post_id(20, number)) for number in range(100)))
    x.on(MENTIONS, (200, full), (200, page(a_post(post_id(40)))))
    first = poll(adapter)
    assert (len(first.items), first.more) == (100, True)
    second = poll(adapter, first.cursor)
    assert x.asked_for(MENTIONS)[1].query["until_id"] == post_id(20)
    assert (ids(second), second.more) == ([post_id(40)], False)


def test_limits_that_are_no_numbers_are_left_out(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post()), {**LIMITS, "x-rate-limit-remaining": "\u00b2"}))
    polled = poll(adapter)
    assert (len(polled.items), "left" in polled.quota) == (1, False)


def test_many_mentions_come_page_by_page_and_the_place_moves_at_the_end(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(
        MENTIONS,
        (200, page(a_post(post_id(1)), a_post(post_id(2)), next_token="n1")),
        (200, page(a_post(post_id(30)), a_post(post_id(40)))),
    )
    first = poll(adapter)
    assert first.more
    second = poll(adapter, first.cursor)
    assert x.asked_for(MENTIONS)[1].query["until_id"] == post_id(2)
    assert (ids(second), second.more) == ([post_id(40), post_id(30)], False)
    poll(adapter, second.cursor, minutes=1)
    last = x.asked_for(MENTIONS)[-1].query
    assert last["since_id"] == post_id(11)
    assert "until_id" not in last


def test_an_answer_that_turns_in_circles_ends(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post(post_id(2)), next_token="n1")))
    first = poll(adapter)
    assert first.more
    assert not poll(adapter, first.cursor).more


def test_after_a_long_outage_the_search_goes_on_where_the_list_ended(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    began = {"begins_at": NOW - timedelta(days=2)}
    x.on(MENTIONS, (200, page(a_post(post_id(60)))))
    x.on(SEARCH, (200, page(a_post(post_id(90)))))
    deep = {"mentions": {"since": post_id(1000), "until": post_id(59), "top": post_id(1), "taken": 760}}
    ended = poll(adapter, deep, **began)
    assert (ids(ended), ended.more) == ([post_id(60)], True)
    found = poll(adapter, ended.cursor, **began)
    assert (ids(found), found.more) == ([post_id(90)], False)
    asked = x.asked_for(SEARCH)[0].query
    assert asked["query"] == "@AcmeCare -is:retweet"
    assert (asked["since_id"], asked["until_id"]) == (post_id(1000), post_id(60))
    assert found.quota["words"] == []


def test_what_even_the_search_does_not_reach_is_said_to_be_missing(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    began = {"begins_at": NOW - timedelta(days=20)}
    x.on(SEARCH, (200, page()))
    deep = {"mentions": {"since": post_id(60 * 24 * 15), "until": post_id(59), "top": post_id(1), "search": True}}
    found = poll(adapter, deep, **began)
    assert found.quota["words"]
    assert poll(adapter, found.cursor, minutes=5, **began).quota["words"]


def test_messages_are_asked_for_once_a_minute(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    cursor = poll(adapter).cursor
    cursor = poll(adapter, cursor, minutes=0.5).cursor
    poll(adapter, cursor, minutes=1)
    assert len(x.asked_for(DMS)) == 2
    assert len(x.asked_for(MENTIONS)) == 3


def test_messages_are_read_back_to_the_last_known_one(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(DMS, (200, page(a_dm(post_id(50)))))
    cursor = poll(adapter).cursor
    x.on(
        DMS,
        (200, page(a_dm(post_id(1)), a_dm(post_id(2)), next_token="n1")),
        (200, page(a_dm(post_id(3)), a_dm(post_id(50)), a_dm(post_id(55)), next_token="n2")),
    )
    first = poll(adapter, cursor, minutes=2)
    assert first.more
    second = poll(adapter, first.cursor, minutes=2)
    assert x.asked_for(DMS)[-1].query["pagination_token"] == "n1"
    assert ids(first) + ids(second) == [f"dm:{post_id(2)}", f"dm:{post_id(1)}", f"dm:{post_id(55)}", f"dm:{post_id(3)}"]
    again = poll(adapter, second.cursor, minutes=4)
    assert not again.more or ids(again) == []


def test_the_empty_page_behind_the_last_messages_is_looked_at_once_and_not_every_minute(
    x: TinyX, adapter: XAdapter
) -> None:
    """X names a next page behind the last one too, and takes 15 questions in a quarter of an hour."""
    quiet(x)
    x.on(DMS, (200, page(a_dm(post_id(2)), next_token="n1")), (200, page()))
    cursor = poll(adapter, poll(adapter).cursor).cursor
    x.on(DMS, (200, page(a_dm(post_id(2)), next_token="n1")))
    for minute in (1, 2):
        quiet_minute = poll(adapter, cursor, minutes=minute)
        assert not quiet_minute.more
        cursor = quiet_minute.cursor
    x.on(DMS, (200, page(a_dm(post_id(-2.5)), a_dm(post_id(2)), next_token="n2")))
    one_more = poll(adapter, cursor, minutes=3)
    assert ids(one_more) == [f"dm:{post_id(-2.5)}"]
    assert not one_more.more
    assert len(x.asked_for(DMS)) == 5


def test_messages_that_no_longer_reach_back_to_the_end_of_the_list_are_followed_again(
    x: TinyX, adapter: XAdapter
) -> None:
    quiet(x)
    x.on(DMS, (200, page(a_dm(post_id(2)))))
    cursor = poll(adapter).cursor
    x.on(
        DMS,
        (200, page(a_dm(post_id(-2)), next_token="n1")),
        (200, page(a_dm(post_id(-1)), a_dm(post_id(2)), next_token="n2")),
    )
    first = poll(adapter, cursor, minutes=3)
    assert first.more
    second = poll(adapter, first.cursor, minutes=3)
    assert not second.more
    assert ids(first) + ids(second) == [f"dm:{post_id(-2)}", f"dm:{post_id(-1)}"]


def test_a_page_token_that_expired_begins_again_and_loses_nothing(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(DMS, (200, page(a_dm(post_id(1)), next_token="n1")), (400, {"title": "Invalid Request"}))
    first = poll(adapter)
    second = poll(adapter, first.cursor, minutes=0.1)
    assert not second.more
    x.on(DMS, (200, page(a_dm(post_id(1)), a_dm(post_id(2)))))
    assert ids(poll(adapter, second.cursor, minutes=3)) == [f"dm:{post_id(2)}"]


def test_messages_are_left_alone_without_the_permission(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    poll(adapter, settings={"handle": "AcmeCare", "capabilities": {"dm": False}})
    assert x.asked_for(DMS) == []


@pytest.mark.parametrize(
    "refusal",
    [
        (429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": "1795253700"}),
        (403, {"title": "Forbidden", "detail": "You are not permitted to use OAuth2 on this endpoint"}),
        html(503),
        reset,
    ],
)
def test_trouble_with_messages_does_not_hold_up_mentions(x: TinyX, adapter: XAdapter, refusal: Any) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post(post_id(2)))))
    x.on(DMS, refusal)
    polled = poll(adapter)
    assert ids(polled) == [post_id(2)]
    assert "Direct messages" in str(polled.quota["words"])
    poll(adapter, polled.cursor, minutes=0.5)
    assert len(x.asked_for(DMS)) == 1
    x.on(DMS, (200, page(a_dm(post_id(1)))))
    mended = poll(adapter, polled.cursor, minutes=90)
    assert ids(mended) == [f"dm:{post_id(1)}"]
    assert mended.quota["words"] == []


@pytest.mark.parametrize(
    ("answer", "code", "credentials", "seconds"),
    [
        ((401, {"title": "Unauthorized", "status": 401}), "unauthorised", True, None),
        ((402, {"title": "CreditsDepleted", "detail": "no credits"}), "no-credits", False, 900),
        ((429, {"title": "UsageCapExceeded", "period": "Monthly"}, LIMITS), "usage-cap", False, 3600),
        ((429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}), "rate-limit", False, None),
        ((429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": "soon"}), "rate-limit", False, None),
        ((429, [1, 2]), "rate-limit", False, None),
        (html(503), "server-error", False, None),
        ((200, b"<html>"), "odd-answer", False, None),
        ((200, b"[1]"), "odd-answer", False, None),
        ((200, b"[" * 100_000), "odd-answer", False, None),
        ((403, b'"no"'), "forbidden", False, None),
        ((403, {"detail": "You must use keys from an App that is attached to a Project."}), "no-project", False, None),
        ((302, b"", {"location": "https://elsewhere.example/"}), "odd-answer", False, None),
        (reset, "connection-lost", False, None),
    ],
)
def test_what_goes_wrong_with_mentions_has_a_name(
    x: TinyX, adapter: XAdapter, answer: Any, code: str, credentials: bool, seconds: float | None
) -> None:
    quiet(x)
    x.on(MENTIONS, answer)
    with pytest.raises(PollError) as caught:
        poll(adapter)
    assert (caught.value.code, caught.value.credentials) == (code, credentials)
    assert caught.value.retry_after == (None if seconds is None else timedelta(seconds=seconds))
    assert str(caught.value)


def test_nobody_there_is_unreachable(x: TinyX, adapter: XAdapter, settings: Any) -> None:
    settings.X_ORIGIN = "http://nobody.invalid"
    with pytest.raises(PollError) as caught:
        poll(adapter)
    assert caught.value.code == "unreachable"


def test_without_a_token_nothing_is_asked(x: TinyX, adapter: XAdapter) -> None:
    with pytest.raises(PollError) as caught:
        poll(adapter, credentials=type(connection().credentials)())
    assert caught.value.credentials
    assert x.asked == []


@pytest.mark.parametrize("accepted", ["renamed", "to the letter"])
def test_the_new_names_are_used_where_the_old_ones_are_refused(x: TinyX, adapter: XAdapter, accepted: str) -> None:
    quiet(x)
    refused = (
        400,
        {
            "errors": [{"message": "The query parameter [tweet.fields] is not one of [id,post.fields]"}],
            "title": "Invalid",
        },
    )
    times = 1 if accepted == "renamed" else 2
    x.on(MENTIONS, *[refused] * times, (200, page(a_post(post_id(2), edit_history_post_ids=[post_id(2)]))))
    first = poll(adapter)
    assert ids(first) == [post_id(2)]
    asked = x.asked_for(MENTIONS)[-1].query
    assert "note_post" in asked["post.fields"]
    assert ("author_id" in asked["post.fields"]) == (accepted == "renamed")
    assert asked["since_id"]
    poll(adapter, first.cursor, minutes=1)
    assert "post.fields" in x.asked_for(MENTIONS)[-1].query
    assert len(x.asked_for(MENTIONS)) == times + 2


def test_an_id_from_the_future_does_not_blind_us(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    x.on(MENTIONS, (200, page(a_post("9223372036854775807"), a_post(post_id(2)))))
    polled = poll(adapter)
    assert "9223372036854775807" in ids(polled)
    poll(adapter, polled.cursor, minutes=1)
    assert x.asked_for(MENTIONS)[-1].query["since_id"] == post_id(12)


@pytest.mark.parametrize("cursor", [{"mentions": 3, "dms": [], "own": "x"}, {"mentions": {"since": "-1", "seen": "x"}}])
def test_a_broken_cursor_begins_at_the_beginning(x: TinyX, adapter: XAdapter, cursor: Any) -> None:
    quiet(x)
    poll(adapter, cursor)
    assert x.asked_for(MENTIONS)[0].query["since_id"] == str(snowflakes.id_at(NOW - timedelta(hours=1)) - 1)


def test_one_client_serves_an_account_until_its_token_changes(x: TinyX, adapter: XAdapter) -> None:
    quiet(x)
    poll(adapter)
    poll(adapter)
    (first,) = [kept for _, kept in adapter._accesses._kept.values()]
    poll(adapter, credentials=type(connection().credentials)(access_token="another"))
    (second,) = [kept for _, kept in adapter._accesses._kept.values()]
    assert first is not second
    assert x.asked[-1].headers["Authorization"] == "Bearer another"
