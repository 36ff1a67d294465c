"""The loop on X in real Chromium: the customer's phone on one screen, the inbox on the other, neither loaded again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import newcomer, send, turn_to
from tests.flows.at_x import CARE, AtX
from tests.running import Running

pytestmark = pytest.mark.browser
Opens = Callable[..., Page]


def test_posts_and_messages_are_answered_and_a_refused_answer_is_mended(
    product: Running, x_handle: AtX, agent_page: Opens, open_page: Opens
) -> None:
    key = newcomer(product, "Ida Quill")
    inbox = agent_page("/")
    phone = open_page(f"{product.practice}/?as={key}")
    posts = phone.locator("#x-screen")

    # In public: she posts, and sees the answer below her post.
    phone.fill("#x-text", "@AcmeCare my kettle hums at night")
    phone.locator(".phone-frame--x").get_by_role("button", name="Post").click()
    expect(posts).to_contain_text("my kettle hums at night")
    row = inbox.locator("[data-ticket]", has_text="my kettle hums at night")
    expect(row).to_be_visible()
    row.locator("a").click()
    expect(inbox.locator("[data-where]:visible")).to_contain_text("publicly")
    said = send(inbox, "We will find out why, Ida.")
    expect(said.locator("[data-state=sent]")).to_be_visible()
    expect(posts).to_contain_text("We will find out why, Ida.")

    # Privately: the same ticket, and the way to answer is there without the page being loaded again.
    messages = open_page(f"{product.practice}/?as={key}&x=dm:{CARE}")
    messages.fill("#x-text", "It is number K-88, but tell nobody")
    messages.locator(".phone-frame--x").get_by_role("button", name="Send").click()
    expect(inbox.locator("#timeline")).to_contain_text("It is number K-88")
    turn_to(inbox, "x:dm")
    said = send(inbox, "A new one is on its way, Ida.")
    expect(said.locator("[data-state=sent]")).to_be_visible()
    expect(messages.locator("#x-screen")).to_contain_text("A new one is on its way, Ida.")

    # X takes no words twice: the bubble says so, and other words go through.
    turn_to(inbox, "x:mention")
    refused = send(inbox, "We will find out why, Ida.", nth=1)
    expect(refused.locator(".failure")).to_contain_text("does not take the same words twice")
    said = send(inbox, "Found it: the lid was loose.")
    expect(said.locator("[data-state=sent]")).to_be_visible()
    expect(posts).to_contain_text("Found it: the lid was loose.")
    expect(posts.get_by_text("We will find out why, Ida.")).to_have_count(1)


def test_words_for_a_post_that_is_deleted_meanwhile_are_kept_and_another_way_is_offered(
    product: Running, x_handle: AtX, agent_page: Opens
) -> None:
    writer = x_handle.customer()
    post = writer.post("@AcmeCare my toaster sings")
    writer.message("And this toaster smells")
    product.ticket_with("my toaster sings")
    page = agent_page(f"/t/{product.ticket_with('this toaster smells')}/")
    turn_to(page, "x:mention")
    page.fill("#composer-text", "We will look at it.")
    writer.act("DELETE", f"/2/tweets/{post}")
    expect(page.locator("[data-callouts]")).to_contain_text("deleted at the network")
    page.get_by_role("button", name="Use DM").click()
    expect(page.locator("[role=tab][data-surface='x:dm']")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#composer-text")).to_have_value("We will look at it.")


def test_words_begun_for_the_customer_alone_stay_private_when_the_page_is_loaded_again(
    product: Running, x_handle: AtX, agent_page: Opens
) -> None:
    writer = x_handle.customer()
    writer.message("What is my code?")
    writer.post("@AcmeCare does anybody read this?")
    product.ticket_with("does anybody read this")
    page = agent_page(f"/t/{product.ticket_with('What is my code')}/")
    chosen = page.locator("[role=tab][aria-selected=true]")
    expect(chosen).to_have_attribute("data-surface", "x:mention")
    turn_to(page, "x:dm")
    page.fill("#composer-text", "Your code is blue.")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.reload()
    expect(page.locator("#composer-text")).to_have_value("Your code is blue.")
    expect(chosen).to_have_attribute("data-surface", "x:dm")
    turn_to(page, "x:mention")
    page.fill("#composer-text", "We do.")
    page.reload()
    expect(page.locator("#composer-text")).to_have_value("We do.")
    expect(chosen).to_have_attribute("data-surface", "x:mention")


def test_an_answer_too_long_for_x_cannot_be_sent_by_button(
    product: Running, x_handle: AtX, agent_page: Opens
) -> None:
    x_handle.customer().post("@AcmeCare how long may an answer be?")
    page = agent_page(f"/t/{product.ticket_with('how long may an answer be')}/")
    button = page.locator("[data-send] > [data-then='']")
    page.fill("#composer-text", "x" * 281)
    expect(page.locator("[data-count]")).to_contain_text("1 too many")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.fill("#composer-text", "x" * 280)
    expect(button).not_to_have_attribute("aria-disabled", "true")
