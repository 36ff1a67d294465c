"""Calls in real Chromium: the screen pop, the clock, and the call that is written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import newcomer
from tests.running import Running, until

pytestmark = pytest.mark.browser


def test_a_call_pops_up_and_is_written_down(
    product: Running, agent_page: Callable[..., Page], open_page: Callable[..., Page]
) -> None:
    until(
        lambda: all(line["hook_url"] for line in product.got("/practice/telephony/lines")["lines"]),
        what="the lines' hooks",
    )
    page = agent_page("/")
    telephone = open_page(f"{product.practice}/?as={newcomer(product, 'Ringo Call')}")
    telephone.get_by_role("button", name="Call", exact=True).click()
    expect(telephone.locator("#call-state")).to_have_text("Ringing")
    pop = page.locator(".toast--call")
    expect(pop).to_contain_text("is calling")
    pop.get_by_role("link").click()
    telephone.get_by_label("Answer as").select_option("Anna Reid")
    telephone.get_by_role("button", name="Answer", exact=True).click()
    expect(telephone.locator("#call-state")).to_have_text("Talking to Anna Reid")
    telephone.locator("#call-end").click()
    expect(telephone.locator("#call-state")).to_have_text("The call is over")
    write = page.get_by_role("link", name="Write down what was said")
    expect(write).to_be_visible()
    write.click()
    page.fill("#summary", "Wants it in blue")
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator(".call-card")).to_contain_text("Wants it in blue")


def test_the_clock_fills_in_how_long_a_call_took(agent_page: Callable[..., Page]) -> None:
    page = agent_page("/calls/new/")
    clock = page.locator("[data-timer]")
    clock.click()
    expect(clock).to_have_text("Stop the clock")
    expect(page.locator("[name=seconds]")).to_have_value("1")
    clock.click()
    expect(clock).to_have_text("Start the clock")
