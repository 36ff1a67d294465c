"""The admin's pages in real Chromium: where one is stays in view, and the template's preview follows the typing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.running import Running

pytestmark = pytest.mark.browser

PAGES = (
    "people/", "people/new/", "teams/", "queues/", "queues/new/", "feeds/", "targets/", "templates/", "templates/new/",
    "books/?period=all", "history/",
)  # fmt: skip
# Pages of one thing, by the link in the list that leads there, and what hangs below it.
LED_TO = (
    ("people/", "tbody tr:nth-child(2) th a", "deactivate/"),
    ("teams/", "tbody th a", "delete/"),
    ("queues/", "tbody tr:nth-child(2) th a", "confidential/"),
    ("queues/", "tbody tr:nth-child(2) th a", "remove/"),
    ("templates/", "tbody th a", ""),
)


def test_the_settings_navigation_shows_where_one_is_on_a_telephone(
    product: Running, agent_page: Callable[..., Page]
) -> None:
    page = agent_page("/settings/people/", role="admin", width=390)
    for path in PAGES:
        page.goto(f"{product.inbox}/settings/{path}")
        expect(page.locator(".settings-nav [aria-current]")).to_be_in_viewport()


def test_axe_finds_nothing_serious_where_an_act_is_looked_at_first(
    product: Running, agent_page: Callable[..., Page]
) -> None:
    page = agent_page("/settings/people/", role="admin")
    for path, link, below in LED_TO:
        page.goto(f"{product.inbox}/settings/{path}")
        page.goto(product.inbox + str(page.locator(link).first.get_attribute("href")) + below)
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], page.url


def test_the_preview_of_a_template_follows_the_typing(agent_page: Callable[..., Page]) -> None:
    page = agent_page("/settings/templates/new/", role="admin")
    page.fill("#id_text", "Dear {{ customer.first_name }}, {{ order.number }}")
    preview = page.locator("#template-preview")
    expect(preview).to_contain_text("Dear Carla,")
    expect(preview).to_contain_text("Nothing stands for {{ order.number }}")
