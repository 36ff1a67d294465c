"""Answers go out by X: what is asked of it, what its refusals mean, and how something of unknown fate is looked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.adapters.base import DeliveryError, Looked
from channels.adapters.x import XAdapter
from channels.happenings import Address, OutgoingFile, Sent
from tests.channels.adapters.x.conftest import (
    ANA,
    DMS_WITH,
    NOW,
    OWN,
    US,
    TinyX,
    a_dm,
    a_dm_out,
    a_post,
    a_reply,
    connection,
    html,
    outgoing,
    page,
    post_id,
    reset,
)

POST = "POST /2/tweets"
MESSAGE = f"POST /2/dm_conversations/with/{ANA}/messages"
HERS = post_id(5)
OURS = post_id(1)


def no_files(path: str) -> Any:
    raise AssertionError("X takes no files")


def send(adapter: XAdapter, what: Any, *, ours: bool = True) -> Sent:
    return adapter.send(connection(), what, opener=no_files, still_ours=lambda: ours)


def our_answer(number: str = OURS, parent: str = HERS, text: str = "@ana_b We are looking into it.") -> dict[str, Any]:
    return a_reply(number, parent, author_id=US, in_reply_to_user_id=ANA, text=text)


def test_a_public_answer_stands_below_what_it_answers(x: TinyX, adapter: XAdapter) -> None:
    x.on(POST, (201, {"data": {"id": OURS, "text": "We are looking into it."}}))
    assert send(adapter, outgoing()) == Sent(external_id=OURS)
    asked = x.asked_for(POST)[0]
    assert asked.json == {"text": "We are looking into it.", "reply": {"in_reply_to_tweet_id": HERS}}
    assert asked.headers["Authorization"] == "Bearer practice-token"


def test_a_direct_message_goes_to_the_person(x: TinyX, adapter: XAdapter) -> None:
    x.on(MESSAGE, (201, {"data": {"dm_conversation_id": f"{US}-{ANA}", "dm_event_id": OURS}}))
    assert send(adapter, a_dm_out(text="One *moment*")) == Sent(external_id=f"dm:{OURS}")
    assert x.asked_for(MESSAGE)[0].json == {"text": "One *moment*"}


def test_an_answer_to_nothing_never_becomes_a_statement(x: TinyX, adapter: XAdapter) -> None:
    nobody = Address(kind="x_user", value="ana_b")
    for what in (outgoing(parent_id=""), outgoing(parent_id=f"dm:{HERS}"), a_dm_out(recipient=nobody)):
        with pytest.raises(DeliveryError) as caught:
            send(adapter, what)
        assert caught.value.permanent
    assert x.asked == []


def test_files_are_refused_rather_than_left_behind(x: TinyX, adapter: XAdapter) -> None:
    file = OutgoingFile(name="a.png", content_type="image/png", size=1, path="a")
    with pytest.raises(DeliveryError) as caught:
        send(adapter, outgoing(files=(file,)))
    assert caught.value.permanent
    assert x.asked == []


def test_a_lost_lease_sends_nothing(x: TinyX, adapter: XAdapter) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(adapter, outgoing(), ours=False)
    assert (caught.value.code, caught.value.permanent, caught.value.outcome_unknown) == ("lease-lost", False, False)
    assert x.asked == []


NOT_SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to."
)
HIDDEN = "You attempted to reply to a Tweet that is deleted or not visible to you."
NOT_TAKEN = "You do not have permission to DM one or more participants."
TOO_LONG = {"errors": [{"message": "Your Tweet text is too long."}], "title": "Invalid Request"}


@pytest.mark.parametrize(
    ("what", "answer", "code", "verdict"),
    [
        (outgoing(), (403, {"title": "Forbidden", "detail": NOT_SUMMONED}), "not-summoned", "permanent"),
        (outgoing(), (403, {"detail": HIDDEN}), "gone", "permanent"),
        (outgoing(), (403, {"detail": "Something new"}), "forbidden", "permanent"),
        (outgoing(), (400, TOO_LONG), "refused-400", "permanent"),
        (outgoing(), (404, {"title": "Not Found Error"}), "gone", "permanent"),
        (a_dm_out(), (403, {"detail": "You cannot send messages to this user."}), "dm-closed", "permanent"),
        (a_dm_out(), (403, {"detail": NOT_TAKEN}), "dm-closed", "permanent"),
        (outgoing(), (401, {"title": "Unauthorized"}), "unauthorised", "credentials"),
        (outgoing(), (402, {"title": "CreditsDepleted"}), "no-credits", "passing"),
        (outgoing(), (429, {"title": "UsageCapExceeded"}), "usage-cap", "passing"),
        (outgoing(), (429, {"title": "Too Many Requests"}), "rate-limit", "passing"),
        (outgoing(), html(503), "server-error", "unknown"),
        (outgoing(), reset, "connection-lost", "unknown"),
        (outgoing(), (201, {"data": {}}), "odd-answer", "unknown"),
        (outgoing(), (201, b"<html>"), "odd-answer", "unknown"),
        (outgoing(), (201, b"null"), "odd-answer", "unknown"),
        (a_dm_out(), (500, {"title": "Internal"}), "server-error", "unknown"),
        (a_dm_out(), (201, {"data": {"dm_event_id": None}}), "odd-answer", "unknown"),
    ],
)  # fmt: skip
def test_each_refusal_says_what_became_of_it(
    x: TinyX, adapter: XAdapter, what: Any, answer: Any, code: str, verdict: str
) -> None:
    x.on(POST, answer)
    x.on(MESSAGE, answer)
    with pytest.raises(DeliveryError) as caught:
        send(adapter, what)
    error = caught.value
    found = {"permanent": error.permanent, "unknown": error.outcome_unknown, "credentials": error.credentials}
    assert [name for name, is_so in found.items() if is_so] == ([] if verdict == "passing" else [verdict])
    assert error.code == code
    assert str(error)


def test_x_s_own_words_are_shown_where_we_have_none(x: TinyX, adapter: XAdapter) -> None:
    x.on(POST, (400, TOO_LONG))
    with pytest.raises(DeliveryError, match="Your Tweet text is too long"):
        send(adapter, outgoing())


def test_the_wait_is_x_s_own(x: TinyX, adapter: XAdapter) -> None:
    day = {
        "x-rate-limit-reset": "1000",
        "x-app-limit-24hour-remaining": "0",
        "x-app-limit-24hour-reset": "99999999999",
    }
    x.on(POST, (429, {"title": "Too Many Requests"}, day))
    with pytest.raises(DeliveryError) as caught:
        send(adapter, outgoing())
    assert caught.value.retry_after == timedelta(hours=24)


def test_nobody_there_means_surely_not_sent(x: TinyX, adapter: XAdapter, settings: Any) -> None:
    settings.X_ORIGIN = "http://nobody.invalid"
    with pytest.raises(DeliveryError) as caught:
        send(adapter, outgoing())
    assert (caught.value.code, caught.value.outcome_unknown, caught.value.permanent) == ("unreachable", False, False)


DUPLICATE = (403, {"detail": "You are not allowed to create a Tweet with duplicate content.", "title": "Forbidden"})


@pytest.mark.parametrize(
    ("timeline", "verdict"),
    [
        ((200, page(our_answer())), "unknown"),
        ((200, page()), "unknown"),
        (html(503), "unknown"),
        ((200, page(our_answer(parent=post_id(40)))), "permanent"),
        ((200, page(our_answer(parent=post_id(40)), our_answer())), "unknown"),
    ],
)
def test_the_same_words_twice(x: TinyX, adapter: XAdapter, timeline: Any, verdict: str) -> None:
    x.on(POST, DUPLICATE)
    x.on(OWN, timeline)
    with pytest.raises(DeliveryError) as caught:
        send(adapter, outgoing())
    assert caught.value.code == "duplicate"
    assert (caught.value.permanent, caught.value.outcome_unknown) == (verdict == "permanent", verdict == "unknown")


def look(adapter: XAdapter, what: Any) -> Looked:
    return adapter.look(connection(), what, since=NOW - timedelta(minutes=2))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (our_answer(), True),
        (our_answer(text="@ana_b @ben_c  We are looking\ninto it."), True),
        (our_answer(parent=post_id(40)), False),
        (our_answer(text="@ana_b We are looking into it!"), False),
        (a_post(OURS, author_id=US, text="We are looking into it."), False),
    ],
)
def test_a_post_is_found_by_its_words_and_its_place(x: TinyX, adapter: XAdapter, said: Any, found: bool) -> None:
    x.on(OWN, (200, page(said)))
    assert look(adapter, outgoing()) == Looked(external_id=OURS if found else "", absence_proves=not found)


@pytest.mark.parametrize("name", ["text", "id", "referenced_tweets"])
def test_a_post_that_x_tells_half_of_may_be_ours_so_absence_proves_nothing(
    x: TinyX, adapter: XAdapter, name: str
) -> None:
    x.on(OWN, (200, page({key: value for key, value in our_answer().items() if key != name})))
    assert look(adapter, outgoing()) == Looked(absence_proves=False)


def test_behind_a_full_page_is_looked_too(x: TinyX, adapter: XAdapter) -> None:
    others = [our_answer(post_id(0.5, number), post_id(40), "@ana_b something else") for number in range(100)]
    x.on(OWN, (200, page(*others)), (200, page(our_answer())))
    assert look(adapter, outgoing()).external_id == OURS


def test_links_and_signs_do_not_hide_it(x: TinyX, adapter: XAdapter) -> None:
    entities = {"urls": [{"url": "https://t.co/aa", "expanded_url": "https://help.example/"}]}
    said = our_answer(text="@ana_b Q&amp;A: https://t.co/aa")
    x.on(OWN, (200, page({**said, "entities": entities})))
    assert look(adapter, outgoing(text="Q&A: https://help.example")).external_id == OURS


def test_the_timeline_is_read_back_to_the_first_try(x: TinyX, adapter: XAdapter) -> None:
    other = our_answer(post_id(0.5), post_id(40), "@ana_b something else")
    x.on(OWN, (200, page(other, next_token="n1")), (200, page(our_answer())))
    assert look(adapter, outgoing()).external_id == OURS
    assert x.asked_for(OWN)[0].query["since_id"] == post_id(4)
    assert x.asked_for(OWN)[1].query["until_id"] == post_id(0.5)


def test_what_was_not_read_to_the_end_proves_nothing(x: TinyX, adapter: XAdapter) -> None:
    other = our_answer(post_id(0.5), post_id(40), "@ana_b something else")
    x.on(OWN, (200, page(other, next_token="n1")))
    assert look(adapter, outgoing()) == Looked(absence_proves=False)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (a_dm(OURS, sender_id=US, text="We are looking into it."), True),
        (a_dm(OURS, sender_id=ANA, text="We are looking into it."), False),
        (a_dm(post_id(50), sender_id=US, text="We are looking into it."), False),
        (a_dm(OURS, sender_id=US, text="Something else"), False),
    ],
)
def test_a_message_is_found_by_its_words_since_the_try(x: TinyX, adapter: XAdapter, event: Any, found: bool) -> None:
    x.on(DMS_WITH, (200, page(event)))
    assert look(adapter, a_dm_out()) == Looked(external_id=f"dm:{OURS}" if found else "", absence_proves=False)


@pytest.mark.parametrize("answer", [(401, {}), (429, {}), html(502), reset, (200, {"posts": [our_answer()]})])
def test_a_look_that_failed_says_so(x: TinyX, adapter: XAdapter, answer: Any) -> None:
    x.on(OWN, answer)
    with pytest.raises(DeliveryError):
        look(adapter, outgoing())
