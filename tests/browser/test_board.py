"""The lead's board in real Chromium: many tickets moved at once, and taken back from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import stranger_writes
from tests.running import Running

pytestmark = pytest.mark.browser


def test_two_tickets_change_queues_and_are_taken_back_from_another_page(
    product: Running, agent_page: Callable[..., Page]
) -> None:
    tickets = [stranger_writes(product, f"Bo Ard {number}", f"Board matter {number}") for number in range(2)]
    general = product.value("SELECT queue_id FROM tickets_ticket WHERE id = %s", tickets[0])
    other, name = product.rows("SELECT id, name FROM tickets_queue WHERE id <> %s ORDER BY id LIMIT 1", general)[0]
    page = agent_page("/board/", role="lead")
    for ticket in tickets:
        page.locator(f"#queue-ticket-{ticket} [data-select]").check()
    expect(page.locator("[data-selected-words]")).to_have_text("2 selected")
    page.select_option("#selection-queue", str(other))
    page.get_by_role("button", name="Move", exact=True).click()
    for ticket in tickets:
        # The column it moved to has it, without the page being loaded again.
        expect(page.locator(f".column:has(#queue-ticket-{ticket})")).to_contain_text(name)
    page.goto(f"{product.inbox}/t/{tickets[0]}/")
    page.keyboard.press("u")
    expect(page.locator(".toast").last).to_be_visible()
    page.goto(f"{product.inbox}/board/")
    for ticket in tickets:
        expect(page.locator(f".column:has(#queue-ticket-{ticket})")).not_to_contain_text(name)
    ids = ", ".join(str(ticket) for ticket in tickets)
    assert product.rows(f"SELECT DISTINCT queue_id FROM tickets_ticket WHERE id IN ({ids})") == [(general,)]
