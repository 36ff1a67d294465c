"""The admin's pages in real Chromium: where one is stays in view, and the template's preview follows the typing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.running import Running

pytestmark = pytest.mark.browser

PAGES = (
    "people/", "people/new/", "teams/", "queues/", "queues/new/", "feeds/", "targets/", "templates/", "templates/new/",
    "books/?period=all", "history/",
)  # fmt: skip


def test_the_settings_navigation_shows_where_one_is_on_a_telephone(
    product: Running, agent_page: Callable[..., Page]
) -> None:
    page = agent_page("/settings/people/", role="admin", width=390)
    for path in PAGES:
        page.goto(f"{product.inbox}/settings/{path}")
        expect(page.locator(".settings-nav [aria-current]")).to_be_in_viewport()


def test_the_preview_of_a_template_follows_the_typing(agent_page: Callable[..., Page]) -> None:
    page = agent_page("/settings/templates/new/", role="admin")
    page.fill("#id_text", "Dear {{ customer.first_name }}, {{ order.number }}")
    preview = page.locator("#template-preview")
    expect(preview).to_contain_text("Dear Carla,")
    expect(preview).to_contain_text("Nothing stands for {{ order.number }}")
