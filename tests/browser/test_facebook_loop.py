"""The loop on Facebook in real Chromium: the customer's phone on one screen, the inbox on the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import newcomer, send, turn_to
from tests.flows.at_facebook import CARE, AtFacebook, Friend
from tests.running import Running

pytestmark = pytest.mark.browser
Opens = Callable[..., Page]


def test_comments_and_messages_are_answered_and_a_closed_window_says_why_and_opens_again(
    product: Running, facebook_page: AtFacebook, agent_page: Opens, open_page: Opens
) -> None:
    key = newcomer(product, "Otto Brand")
    inbox = agent_page("/")
    phone = open_page(f"{product.practice}/?as={key}&fb=reply:{facebook_page.post()}")

    # In public: he comments on a post of ours, and sees the answer below.
    phone.fill("#fb-text", "Does the brown one whistle?")
    phone.locator(".phone-frame--facebook .phone-frame__write").get_by_role("button").last.click()
    screen = phone.locator("#fb-screen")
    expect(screen).to_contain_text("Does the brown one whistle?")
    row = inbox.locator("[data-ticket]", has_text="Does the brown one whistle?")
    expect(row).to_be_visible()
    row.locator("a").click()
    expect(inbox.locator("[data-where]:visible")).to_contain_text("publicly")
    said = send(inbox, "It does, Otto, quite loudly.")
    expect(said.locator("[data-state=sent]")).to_be_visible()
    expect(screen).to_contain_text("It does, Otto, quite loudly.")

    # By Messenger: the same customer, if not the same id; an agent joins what belongs together elsewhere.
    chat = open_page(f"{product.practice}/?as={key}&fb=chat:{CARE}")
    chat.fill("#fb-text", "Then I want two brown ones")
    chat.locator(".phone-frame--facebook .phone-frame__write").get_by_role("button").last.click()
    row = inbox.locator("[data-ticket]", has_text="Then I want two brown ones")
    expect(row).to_be_visible()
    row.locator("a").click()
    expect(inbox.locator("#timeline")).to_contain_text("Then I want two brown ones")
    turn_to(inbox, "facebook:messenger")
    said = send(inbox, "Two are packed for you, Otto.")
    expect(said.locator(".bubble__state")).to_be_visible()
    expect(chat.locator("#fb-screen")).to_contain_text("Two are packed for you, Otto.")

    # A day goes by: Messenger is closed and says why, until he writes again.
    # Only here: the practice Facebook is not told, since it is never asked.
    facebook_page.change(
        "UPDATE tickets_contact SET last_in_at = last_in_at - interval '25 hours' WHERE ticket_id = %s",
        int(inbox.locator("#ticket").get_attribute("data-ticket") or 0),
    )
    inbox.reload()
    closed = inbox.locator("[role=tab][data-surface='facebook:messenger']")
    expect(closed).to_have_attribute("aria-disabled", "true")
    # Marked as disabled, and still pressed by whoever wonders why.
    closed.click(force=True)
    expect(inbox.locator("[data-callouts]")).to_contain_text("24 hours")
    chat.fill("#fb-text", "Are they on their way?")
    chat.locator(".phone-frame--facebook .phone-frame__write").get_by_role("button").last.click()
    expect(inbox.locator("#timeline")).to_contain_text("Are they on their way?")
    expect(closed).not_to_have_attribute("aria-disabled", "true")
    turn_to(inbox, "facebook:messenger")
    send(inbox, "They left this morning.")
    expect(chat.locator("#fb-screen")).to_contain_text("They left this morning.")


def test_a_message_that_facebook_refuses_is_written_anew_or_tried_again_by_hand(
    product: Running, facebook_page: AtFacebook, agent_page: Opens
) -> None:
    friend = Friend(product, newcomer(product, "Runa Vale"))
    friend.message("Is anybody there, asks Runa?")
    page = agent_page(f"/t/{product.ticket_with('asks Runa')}/")
    facebook_page.misbehave("fb_outside_window")
    refused = send(page, "We are, Runa.")
    expect(refused.locator(".failure")).to_contain_text("24 hours")
    refused.get_by_role("button", name="Write it anew").click()
    expect(page.locator("#composer-text")).to_be_focused()
    expect(page.locator("#composer-text")).to_have_value("We are, Runa.")
    page.fill("#composer-text", "")
    facebook_page.behave()
    refused.get_by_role("button", name="Try again").click()
    expect(refused.locator(".failure")).to_have_count(0)
    expect(refused.locator("[data-state=sent], [data-state=delivered], [data-state=read]")).to_be_visible()
    assert friend.answers() == ["We are, Runa."]
