"""Calls in real Chromium: the screen pop, the clock, and the call that is written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.running import Running, until

pytestmark = pytest.mark.browser


def test_a_call_pops_up_and_is_written_down(product: Running, agent_page: Callable[..., Page]) -> None:
    until(
        lambda: all(line["hook_url"] for line in product.got("/practice/telephony/lines")["lines"]),
        what="the lines' hooks",
    )
    page = agent_page("/")
    made = product.act("/practice/telephony/calls", act="call", **{"from": "+447700900970"})
    pop = page.locator(".toast--call")
    expect(pop).to_contain_text("is calling")
    pop.get_by_role("link").click()
    product.act("/practice/telephony/calls", act="answer", call=made["id"])
    product.act("/practice/telephony/calls", act="hangup", call=made["id"])
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
