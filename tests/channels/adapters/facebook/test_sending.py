"""Answers leave by the real facebook-sdk; what Facebook says to them decides what becomes of the row."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import pytest

from channels.adapters.base import DeliveryError
from channels.adapters.facebook import FacebookAdapter
from channels.happenings import Address, OutgoingFile
from tests.channels.adapters.facebook.conftest import (
    CHATS,
    MESSAGES,
    NOW,
    PAGE,
    PROOF,
    PSID,
    TOKEN,
    VERSION,
    Tiny,
    answer,
    chat,
    comment,
    connection,
    error,
    message,
    outgoing,
    page,
    without_none,
)
from tests.channels.adapters.x.conftest import html, reset

BELOW = f"POST /{VERSION}/901_903/comments"
LISTED = f"GET /{VERSION}/901_903/comments"


def nothing_to_open(path: str) -> BinaryIO:
    raise AssertionError(path)


def send(adapter: FacebookAdapter, given: Any, *, opener: Any = nothing_to_open, ours: bool = True) -> Any:
    return adapter.send(connection(), given, opener=opener, still_ours=lambda: ours)


def refusal(adapter: FacebookAdapter, given: Any, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(adapter, given, **more)
    assert str(caught.value)
    return caught.value


def test_a_message_bears_our_mark_and_proves_the_app(facebook: Tiny, adapter: FacebookAdapter) -> None:
    facebook.on(MESSAGES, (200, {"recipient_id": PSID, "message_id": "m_out"}))
    assert send(adapter, outgoing()).external_id == "m_out"
    (asked,) = facebook.asked
    assert asked.form["access_token"] == TOKEN
    assert asked.query == {"appsecret_proof": PROOF}
    assert json.loads(asked.form["recipient"]) == {"id": PSID}
    assert asked.form["messaging_type"] == "RESPONSE"
    assert json.loads(asked.form["message"]) == {"text": "We are looking into it.", "metadata": "message:1.abc"}


def test_a_comment_stands_below_the_top_level_comment(facebook: Tiny, adapter: FacebookAdapter) -> None:
    facebook.on(BELOW, (200, {"id": "901_905"}))
    assert send(adapter, answer(parent_id="901_904")).external_id == "901_905"
    assert facebook.asked[0].form["message"] == "We are looking into it."


def test_a_file_is_uploaded_with_its_message_and_never_by_a_link(facebook: Tiny, adapter: FacebookAdapter) -> None:
    facebook.on(MESSAGES, (200, {"recipient_id": PSID, "message_id": "m_out", "attachment_id": "1"}))
    file = OutgoingFile(name="Rechnung ä.pdf", content_type="application/pdf", size=4, path="ab/cd")
    sent = send(adapter, outgoing(text="", files=(file,)), opener=lambda path: io.BytesIO(f"<{path}>".encode()))
    assert sent.external_id == "m_out"
    (asked,) = facebook.asked
    assert asked.headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="filedata"' in asked.body
    assert b"<ab/cd>" in asked.body
    assert b'"attachment": {"type": "file", "payload": {"is_reusable": false}}' in asked.body
    assert b'"metadata": "message:1.abc"' in asked.body


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [("image/png", "image"), ("image/svg+xml", "file"), ("video/mp4", "video"), ("audio/mpeg", "audio"), ("", "file")],
)
def test_kinds_of_files(facebook: Tiny, adapter: FacebookAdapter, content_type: str, kind: str) -> None:
    facebook.on(MESSAGES, (200, {"message_id": "m_out"}))
    file = OutgoingFile(name="a", content_type=content_type, size=4, path="ab")
    send(adapter, outgoing(text="", files=(file,)), opener=lambda _path: io.BytesIO(b"data"))
    assert f'{{"type": "{kind}"'.encode() in facebook.asked[0].body


def test_what_can_never_leave_is_refused_before_anything_does(facebook: Tiny, adapter: FacebookAdapter) -> None:
    file = OutgoingFile(name="a.png", content_type="image/png", size=4, path="ab")
    large = OutgoingFile(name="a.png", content_type="image/png", size=26 * 1024 * 1024, path="ab")
    other_page = Address(kind="fb_psid", value=PSID, scope="9")
    for given, code in [
        (answer(files=(file,)), "files"),
        (answer(thread=""), "nobody"),
        (outgoing(recipient=Address(kind="fb_psid", value="")), "nobody"),
        (outgoing(recipient=other_page), "other-page"),
        (outgoing(files=(file,)), "files"),
        (outgoing(text="", files=(file, file)), "files"),
        (outgoing(text="", files=(large,)), "file-too-large"),
    ]:
        refused = refusal(adapter, given)
        assert (refused.code, refused.permanent) == (code, True)
    assert facebook.asked == []


@pytest.mark.parametrize("given", [outgoing(), answer()])
def test_whoever_lost_the_lease_sends_nothing(facebook: Tiny, adapter: FacebookAdapter, given: Any) -> None:
    refused = refusal(adapter, given, ours=False)
    assert (refused.code, refused.permanent, refused.outcome_unknown) == ("lease-lost", False, False)
    assert facebook.asked == []


PERMANENT, PASSING, UNKNOWN, CREDENTIALS = "permanent", "passing", "unknown", "credentials"


@pytest.mark.parametrize(
    ("given", "code", "fate"),
    [
        (error(190, 463), "unauthorised", CREDENTIALS),
        (error(190, status=401), "unauthorised", CREDENTIALS),
        (error(190, status=500), "unauthorised", CREDENTIALS),
        (error(102), "unauthorised", CREDENTIALS),
        (error(100, message="Invalid appsecret_proof provided in the API argument"), "app-secret", CREDENTIALS),
        (error(4), "rate-limit", PASSING),
        (error(17), "rate-limit", PASSING),
        (error(32), "rate-limit", PASSING),
        (error(341), "rate-limit", PASSING),
        (error(613), "rate-limit", PASSING),
        (error(80001, status=403), "rate-limit", PASSING),
        (error(1, status=500), "server-error", UNKNOWN),
        (error(2, status=503), "server-error", UNKNOWN),
        (error(2), "server-error", UNKNOWN),
        (error(7777, is_transient=True), "server-error", UNKNOWN),
        (error(7777, status=500), "server-error", UNKNOWN),
        (html(502), "server-error", UNKNOWN),
        (html(429), "rate-limit", PASSING),
        (html(200), "odd-answer", UNKNOWN),
        ((200, b"{", {}), "odd-answer", UNKNOWN),
        ((200, [1], {}), "odd-answer", UNKNOWN),
        ((200, {"recipient_id": PSID}, {}), "odd-answer", UNKNOWN),
        ((302, b"", {"location": "https://elsewhere.example/"}), "odd-answer", UNKNOWN),
        (error(10, 2018278), "window-closed", PERMANENT),
        (error(10, 2534022), "window-closed", PERMANENT),
        (error(551, 1545041), "recipient-unavailable", PERMANENT),
        (error(100, 2018001), "recipient-unavailable", PERMANENT),
        (error(100, 1893061), "retired-tag", PERMANENT),
        (error(10), "not-permitted", PERMANENT),
        (error(3), "not-permitted", PERMANENT),
        (error(200, status=403), "not-permitted", PERMANENT),
        (error(299), "not-permitted", PERMANENT),
        (error(368), "blocked", PERMANENT),
        (error(100, 33), "gone", PERMANENT),
        (error(1609005), "link-refused", PERMANENT),
        (error(100), "refused-100", PERMANENT),
        (error(190, status=200), "unauthorised", CREDENTIALS),
        ((404, b"not here", {"content-type": "text/plain"}), "refused-404", PERMANENT),
        (reset, "connection-lost", UNKNOWN),
    ],
)
def test_what_each_refusal_means(facebook: Tiny, adapter: FacebookAdapter, given: Any, code: str, fate: str) -> None:
    facebook.on(MESSAGES, given)
    refused = refusal(adapter, outgoing())
    assert refused.code == code
    assert (refused.permanent, refused.outcome_unknown, refused.credentials) == (
        fate == PERMANENT, fate == UNKNOWN, fate == CREDENTIALS,
    )  # fmt: skip
    assert TOKEN not in str(refused)


def test_facebook_says_how_long_to_wait(facebook: Tiny, adapter: FacebookAdapter) -> None:
    told = json.dumps({PAGE: [{"type": "messenger", "call_count": 100, "estimated_time_to_regain_access": 7}]})
    facebook.on(MESSAGES, error(613, headers={"X-Business-Use-Case-Usage": told}))
    assert refusal(adapter, outgoing()).retry_after == timedelta(minutes=7)


def test_nobody_listening_means_nothing_left(adapter: FacebookAdapter, settings: Any) -> None:
    settings.FACEBOOK_GRAPH_ORIGIN = "http://127.0.0.1:1"
    refused = refusal(adapter, outgoing())
    assert (refused.code, refused.permanent, refused.outcome_unknown) == ("unreachable", False, False)


def test_without_a_token_nothing_is_asked(facebook: Tiny, adapter: FacebookAdapter) -> None:
    with pytest.raises(DeliveryError) as caught:
        adapter.send(
            connection(account_id=8, credentials=type(connection().credentials)()),
            outgoing(),
            opener=nothing_to_open,
            still_ours=lambda: True,
        )
    assert caught.value.credentials
    assert facebook.asked == []


def just_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def our_comment(**given: Any) -> dict[str, Any]:
    values = {"from": {"id": PAGE}, "message": "We are looking into it.", "created_time": just_now()}
    return without_none({**comment("901_905"), **values, **given})


@pytest.mark.parametrize(
    ("listed", "is_unknown"),
    [
        # Made when the test runs: what was said just now when the file was read may be long ago by then.
        (lambda: (200, page(our_comment())), True),
        (lambda: (200, page(our_comment(created_time="2020-01-01T00:00:00+0000"))), False),
        (lambda: (200, page(our_comment(message="Something else"))), False),
        (lambda: error(2), True),
    ],
)
def test_the_same_words_refused_may_be_an_earlier_try(
    facebook: Tiny, adapter: FacebookAdapter, listed: Callable[[], Any], is_unknown: bool
) -> None:
    facebook.on(BELOW, error(506))
    facebook.on(LISTED, listed())
    refused = refusal(adapter, answer())
    assert (refused.code, refused.outcome_unknown, refused.permanent) == ("duplicate", is_unknown, not is_unknown)


def test_a_comment_of_unknown_fate_is_found_by_its_words(facebook: Tiny, adapter: FacebookAdapter) -> None:
    mine = {"from": {"id": PAGE}, "message": " We are\nlooking into it."}
    older = comment("901_906", minutes=30, **mine)
    facebook.on(LISTED, (200, page(comment("901_907", message="We are looking into it."), older)))
    looked = adapter.look(connection(), answer(), since=NOW - timedelta(minutes=6))
    assert (looked.external_id, looked.absence_proves) == ("", False)
    facebook.on(LISTED, (200, page(comment("901_905", **mine), older)))
    assert adapter.look(connection(), answer(), since=NOW - timedelta(minutes=6)).external_id == "901_905"


def test_a_message_of_unknown_fate_is_found_in_its_conversation(facebook: Tiny, adapter: FacebookAdapter) -> None:
    mine = message("m_out", **{"from": {"id": PAGE}}, message="We are looking into it.")
    facebook.on(CHATS, (200, page(chat(message("m_3"), mine))))
    looked = adapter.look(connection(), outgoing(), since=NOW - timedelta(minutes=5))
    assert (looked.external_id, looked.absence_proves) == ("m_out", False)
    assert facebook.asked[0].query["user_id"] == PSID
    facebook.on(CHATS, (200, page()))
    assert adapter.look(connection(), outgoing(), since=NOW).external_id == ""


def test_a_file_of_unknown_fate_is_found_by_name_and_size_only(facebook: Tiny, adapter: FacebookAdapter) -> None:
    file = OutgoingFile(name="a.png", content_type="image/png", size=4, path="ab")
    there = {"data": [{"id": "1", "name": "a.png", "size": 4}]}
    mine = message("m_out", **{"from": {"id": PAGE}}, message="", attachments=there)
    facebook.on(CHATS, (200, page(chat(mine))))
    given = outgoing(text="", files=(file,))
    assert adapter.look(connection(), given, since=NOW - timedelta(minutes=5)).external_id == "m_out"
    there["data"][0]["size"] = 5
    assert adapter.look(connection(), given, since=NOW - timedelta(minutes=5)).external_id == ""


def test_a_look_that_fails_says_so(facebook: Tiny, adapter: FacebookAdapter) -> None:
    facebook.on(CHATS, error(2))
    with pytest.raises(DeliveryError):
        adapter.look(connection(), outgoing(), since=NOW)


def test_what_somebody_is_called(facebook: Tiny, adapter: FacebookAdapter) -> None:
    asked = f"GET /{VERSION}/{PSID}"
    facebook.on(asked, (200, {"first_name": "Ana", "last_name": "Baker", "profile_pic": "https://s.example/a"}))
    made = adapter.profile(connection(), PSID)
    assert made is not None
    assert (made.name, made.avatar_url) == ("Ana Baker", "https://s.example/a")
    for refused in (error(100, 2018218), error(200)):
        facebook.on(asked, refused)
        assert adapter.profile(connection(), PSID) is None


def test_trying_out_says_what_works(facebook: Tiny, adapter: FacebookAdapter) -> None:
    from channels.adapters.facebook.trying import SCOPES, SUBSCRIBED

    facebook.on(f"GET /{VERSION}/{PAGE}", (200, {"id": PAGE, "name": "Acme Care"}))
    facebook.on(f"GET /{VERSION}/debug_token", (200, {"data": {"is_valid": True, "scopes": list(SCOPES)}}))
    facebook.on(CHATS, (200, page()))
    told = f"GET /{VERSION}/{PAGE}/subscribed_apps"
    facebook.on(told, (200, page({"id": "1", "subscribed_fields": list(SUBSCRIBED)})))
    tried = adapter.try_out(connection())
    assert tried.ok
    assert tried.words[0] == "Facebook knows the Page as Acme Care."
    facebook.on(told, (200, page({"id": "1", "subscribed_fields": ["feed"]})))
    tried = adapter.try_out(connection())
    assert not tried.ok
    assert "message_echoes" in tried.words[-1]
    facebook.on(f"GET /{VERSION}/debug_token", error(100))
    tried = adapter.try_out(connection(settings={"permissions": ["pages_messaging"]}))
    assert "Comments may not be read" in tried.words[1]
    assert "Messenger may be read" in tried.words[3]
    facebook.on(f"GET /{VERSION}/{PAGE}", error(190))
    assert adapter.try_out(connection()).words == ("Facebook no longer accepts our access to this Page.",)
