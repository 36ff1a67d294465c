"""When Facebook refuses an answer, applies it and does not say so, asks us to wait, or no longer knows our token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.flows.at_facebook import CARE, OUTLET, AtFacebook, Friend
from tests.flows.at_x import becomes
from tests.running import Browser, Running, until

ANSWER = "Thank you, we look into it."
WINDOW = "Messenger lets us answer within 24 hours of their last"
LOOK_THERE = "look at the network whether it is there"


@dataclass
class Asked:
    """A customer's question on its ticket: `thing` is its comment or message."""

    friend: Friend
    thing: str
    ticket: int


def by_message(product: Running, facebook: AtFacebook) -> Asked:
    """Somebody new asks on Messenger."""
    friend = facebook.friend()
    (mid,) = friend.message(f"Where is my order, asks {friend.key}?")
    return Asked(friend, mid, product.ticket_with(f"asks {friend.key}?"))


def by_comment(product: Running, facebook: AtFacebook) -> Asked:
    """Somebody new asks below our post."""
    friend = facebook.friend()
    comment = friend.comment(f"Where is my order, asks {friend.key}?", facebook.post())
    return Asked(friend, comment, product.ticket_with(f"asks {friend.key}?"))


def answered(facebook: AtFacebook, asked: Asked) -> tuple[Browser, int]:
    """A lead who answers, and the answer's id."""
    return facebook.lead, facebook.lead.reply(asked.ticket, ANSWER)


# ---------------------------------------------------------------- the window


def test_a_day_after_their_last_words_the_composer_says_why_there_is_no_answering(
    product: Running, facebook: AtFacebook
) -> None:
    asked = by_message(product, facebook)
    facebook.change(
        "UPDATE tickets_contact SET last_in_at = last_in_at - interval '25 hours',"
        " last_said_at = last_said_at - interval '25 hours' WHERE ticket_id = %s",
        asked.ticket,
    )
    lead = facebook.lead
    assert f'aria-disabled="true" title="{WINDOW} words' in lead.get(f"/t/{asked.ticket}/").text
    row = product.rows(
        "SELECT c.id, t.arrivals FROM tickets_contact c JOIN tickets_ticket t ON t.id = c.ticket_id WHERE t.id = %s",
        asked.ticket,
    )[0]
    refused = lead.post(f"/t/{asked.ticket}/reply/", contact=row[0], seen=row[1], text=ANSWER)
    assert (refused.status_code, WINDOW in refused.json()["error"]) == (422, True)
    asked.friend.message("Hello? Is anybody there?")
    assert product.ticket_with("Hello? Is anybody there?") == asked.ticket
    becomes(lead, lead.reply(asked.ticket, ANSWER), "sent")
    assert asked.friend.answers() == [ANSWER]


def test_facebooks_own_no_after_a_day_shows_in_words_on_the_bubble(product: Running, facebook: AtFacebook) -> None:
    """10/2018278: only there the time has passed."""
    asked = by_message(product, facebook)
    product.act("/practice/facebook/pass", person=asked.friend.key, page=CARE, hours=25)
    lead, message = answered(facebook, asked)
    becomes(lead, message, "failed")
    assert facebook.rows(message) == [("failed", 1, False)]
    assert facebook.reason(message).startswith(f"{WINDOW} message, and these are over.")
    page = lead.get(f"/t/{asked.ticket}/").text
    assert f"{WINDOW} message, and these are over." in page
    assert f'data-act="retry" data-message="{message}"' in page
    assert f'id="trouble-{message}"' in lead.get("/board/").text
    assert asked.friend.answers() == []


# ---------------------------------------------------------------- sent, and nobody said so


def test_a_message_of_unknown_fate_is_proven_by_the_mark_in_its_echo(product: Running, facebook: AtFacebook) -> None:
    asked = by_message(product, facebook)
    facebook.misbehave("fb_drop_after", times=1)
    facebook.misbehave("fb_hook_late")
    # Looking for it finds nothing, so that the echo alone can tell.
    facebook.misbehave("fb_rename_field", address="data")
    lead, message = answered(facebook, asked)
    until(lambda: LOOK_THERE in facebook.reason(message), what="a person is asked")
    assert lead.state(message) == "unknown"
    facebook.behave()
    becomes(lead, message, "sent")
    facebook.told()
    assert facebook.rows(message) == [("sent", 1, True)]
    assert asked.friend.answers() == [ANSWER]
    ours = "SELECT count(*) FROM tickets_message WHERE ticket_id = %s AND direction = 'out'"
    assert product.value(ours, asked.ticket) == 1


@pytest.mark.parametrize("ask", [by_message, by_comment])
def test_an_answer_that_facebook_took_without_saying_so_is_found_there(
    product: Running, facebook: AtFacebook, ask: Callable[[Running, AtFacebook], Asked]
) -> None:
    asked = ask(product, facebook)
    facebook.misbehave("fb_hook_lost")
    facebook.misbehave("fb_503_after", times=1)
    lead, message = answered(facebook, asked)
    becomes(lead, message, "sent")
    assert facebook.rows(message) == [("sent", 1, True)]
    assert (facebook.below(asked.thing) or asked.friend.answers()) == [ANSWER]


@pytest.mark.parametrize(("is_there", "times"), [("0", 1), ("1", 0)])
def test_an_answer_that_is_not_found_is_for_a_person_to_decide(
    product: Running, facebook: AtFacebook, is_there: str, times: int
) -> None:
    asked = by_comment(product, facebook)
    facebook.misbehave("fb_503", times=1)
    lead, message = answered(facebook, asked)
    until(lambda: LOOK_THERE in facebook.reason(message), what="a person is asked")
    assert f'data-act="is-there" data-message="{message}"' in lead.get(f"/t/{asked.ticket}/").text
    assert facebook.below(asked.thing) == []
    assert lead.post(f"/messages/{message}/settle/", is_there=is_there).status_code == 200
    becomes(lead, message, "sent")
    assert facebook.below(asked.thing) == [ANSWER] * times


# ---------------------------------------------------------------- not now


@pytest.mark.parametrize("switch", ["fb_throttle_613", "fb_throttle_app"])
def test_an_answer_that_came_too_fast_waits_and_leaves(product: Running, facebook: AtFacebook, switch: str) -> None:
    """613 and 4, without a time to wait for."""
    asked = by_message(product, facebook)
    facebook.misbehave(switch)
    facebook.misbehave("fb_throttle_no_time")
    lead, message = answered(facebook, asked)
    becomes(lead, message, "retry")
    assert "Facebook asks us to wait" in facebook.reason(message)
    assert "Facebook asks us to wait" in lead.get(f"/t/{asked.ticket}/").text
    facebook.behave()
    becomes(lead, message, "sent")
    assert asked.friend.answers() == [ANSWER]


def test_a_dead_token_stops_the_page_in_words_and_connecting_again_loses_nothing(
    product: Running, facebook: AtFacebook
) -> None:
    """190/460: what waits to leave leaves, what was said meanwhile is there, whether we were told of it or not."""
    asked = by_message(product, facebook)
    lead, message = answered(facebook, asked)
    product.act("/practice/facebook/revoke", subcode=460)
    until(lambda: facebook.state(CARE) == "refused", what="the account is stopped")
    until(lambda: "has changed their Facebook password" in facebook.reason(message), what="the bubble says why")
    account = facebook.admin.get(f"/settings/accounts/{facebook.accounts[CARE]}/").text
    assert "has changed their Facebook password" in account
    assert "must be connected again first" in lead.get(f"/t/{asked.ticket}/").text
    asked.friend.message(f"Still here, {asked.friend.key}?")
    assert product.ticket_with(f"Still here, {asked.friend.key}?") == asked.ticket
    facebook.misbehave("fb_hook_lost")
    asked.friend.comment(f"Nobody told of {asked.friend.key}.", facebook.post())
    facebook.behave()
    facebook.connect(CARE, OUTLET)
    becomes(lead, message, "sent")
    assert asked.friend.answers() == [ANSWER]
    assert product.ticket_with(f"Nobody told of {asked.friend.key}.")
