"""Edits and deletions are found by reading known posts again; and the test button."""

from __future__ import annotations

from typing import Any

import pytest

from channels.adapters.base import PollError
from channels.adapters.x import XAdapter
from channels.happenings import Deleted, Edited
from contactcentre.lib.secrets import Credentials
from tests.channels.adapters.x.conftest import DMS, NOW, US, TinyX, a_post, connection, html, page, post_id

POSTS = "GET /2/tweets"
ME = "GET /2/users/me"
FIRST, SECOND, OTHER, GONE, HIDDEN = (post_id(minutes) for minutes in (30, 20, 29, 28, 27))


def reread(adapter: XAdapter, *ids: str) -> list[Any]:
    items = adapter.reread(connection(), ids, now=NOW)
    return [(item, happening) for item in items for happening in adapter.parse(item, connection())]


def error(number: str, kind: str) -> dict[str, str]:
    return {"resource_id": number, "value": number, "parameter": "ids", "type": f"https://api.x.com/2/problems/{kind}"}


def old_and_new(text: str = "@AcmeCare my modem is dead") -> tuple[dict[str, Any], dict[str, Any]]:
    history = {"edit_history_tweet_ids": [FIRST, SECOND], "conversation_id": FIRST}
    return a_post(FIRST, **history), a_post(SECOND, text=text, **history)


def test_an_edit_is_read_in_its_latest_version(x: TinyX, adapter: XAdapter) -> None:
    old, new = old_and_new()
    x.on(POSTS, (200, page(old, a_post(OTHER))), (200, page(new)))
    ((item, edited),) = reread(adapter, FIRST, OTHER)
    assert isinstance(edited, Edited)
    assert (item.happening, item.external_id, item.revision) == ("edit", FIRST, SECOND)
    assert (edited.external_id, edited.previous_id, edited.text) == (SECOND, FIRST, "@AcmeCare my modem is dead")
    assert [asked.query["ids"] for asked in x.asked_for(POSTS)] == [f"{FIRST},{OTHER}", SECOND]


def test_a_history_with_something_in_it_that_is_no_id_does_not_stop_the_others(x: TinyX, adapter: XAdapter) -> None:
    odd = a_post(SECOND, conversation_id=FIRST, edit_history_tweet_ids=[FIRST, None, "", SECOND])
    x.on(POSTS, (200, {**page(odd), "errors": [error(GONE, "resource-not-found")]}))
    edit, deletion = adapter.reread(connection(), [FIRST, GONE], now=NOW)
    assert (edit.external_id, edit.revision) == (FIRST, SECOND)
    assert (deletion.happening, deletion.external_id) == ("delete", GONE)


def test_a_latest_version_at_once_needs_no_second_question(x: TinyX, adapter: XAdapter) -> None:
    x.on(POSTS, (200, page(old_and_new()[1])))
    ((_, edited),) = reread(adapter, FIRST)
    assert edited.external_id == SECOND
    assert len(x.asked_for(POSTS)) == 1


def test_what_is_gone_is_deleted_and_what_is_hidden_is_not(x: TinyX, adapter: XAdapter) -> None:
    errors = [
        error(GONE, "resource-not-found"),
        error(HIDDEN, "not-authorized-for-resource"),
        error("5", "resource-not-found"),
    ]
    x.on(POSTS, (200, {**page(a_post(OTHER)), "errors": errors}))
    ((item, deleted),) = reread(adapter, OTHER, GONE, HIDDEN)
    assert isinstance(deleted, Deleted)
    assert (item.happening, deleted.external_id, deleted.deleted_at) == ("delete", GONE, NOW)


def test_all_of_them_gone_is_still_an_answer(x: TinyX, adapter: XAdapter) -> None:
    x.on(POSTS, (200, {"errors": [error(GONE, "resource-not-found")]}))
    assert [happening.external_id for _, happening in reread(adapter, GONE)] == [GONE]


def test_messages_are_not_read_again(x: TinyX, adapter: XAdapter) -> None:
    assert reread(adapter, f"dm:{FIRST}", "") == []
    assert x.asked == []


def test_more_than_a_hundred_are_the_caller_s_mistake(x: TinyX, adapter: XAdapter) -> None:
    with pytest.raises(ValueError):
        adapter.reread(connection(), [str(number) for number in range(1, 102)], now=NOW)


def test_a_failure_is_a_poll_error(x: TinyX, adapter: XAdapter) -> None:
    x.on(POSTS, html(503))
    with pytest.raises(PollError):
        reread(adapter, FIRST)


def ready(x: TinyX, number: str = US) -> None:
    x.on(ME, (200, {"data": {"id": number, "name": "Acme Care", "username": "AcmeCare"}}))
    x.on(DMS, (200, page()))


def test_the_test_button_says_what_works(x: TinyX, adapter: XAdapter) -> None:
    ready(x)
    tried = adapter.try_out(connection())
    assert tried.ok
    assert "@AcmeCare" in tried.words[0]
    assert "encrypted" in tried.words[-1]
    assert all(asked.method == "GET" for asked in x.asked)


@pytest.mark.parametrize(
    ("scope", "ok", "words"),
    [
        ("tweet.read users.read tweet.write offline.access", True, "Direct messages are not connected"),
        ("tweet.read users.read offline.access", False, "may not be answered"),
        ("tweet.read users.read tweet.write", False, "within two hours"),
        ("tweet.write offline.access", False, "may not be read"),
    ],
)
def test_a_missing_permission_is_named(x: TinyX, adapter: XAdapter, scope: str, ok: bool, words: str) -> None:
    ready(x)
    tried = adapter.try_out(connection(credentials=Credentials(access_token="practice-token", scope=scope)))
    assert tried.ok == ok
    assert words in " ".join(tried.words)


def test_messages_that_x_refuses_do_not_fail_the_rest(x: TinyX, adapter: XAdapter) -> None:
    ready(x)
    x.on(DMS, (403, {"detail": "You are not permitted to use OAuth2 on this endpoint"}))
    tried = adapter.try_out(connection())
    assert tried.ok
    assert "cannot be read just now" in tried.words[-1]


def test_somebody_else_s_access_is_no_success(x: TinyX, adapter: XAdapter) -> None:
    ready(x, number="999")
    assert not adapter.try_out(connection()).ok


def test_a_dead_access_is_said_in_words(x: TinyX, adapter: XAdapter) -> None:
    x.on(ME, (401, {"title": "Unauthorized"}))
    tried = adapter.try_out(connection())
    assert not tried.ok
    assert "no longer accepts" in tried.words[0]
