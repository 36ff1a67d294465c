"""The admin's pages in real Chromium: axe finds nothing serious, and the template's preview follows the typing."""

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


def serious(page: Page) -> list[tuple[str, str]]:
    """What axe finds serious on the page as it stands."""
    found = Axe().run(page).response["violations"]
    return [(page.url, one["id"]) for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_serious_on_the_settings(
    product: Running, agent_page: Callable[..., Page], scheme: str, width: int
) -> None:
    page = agent_page("/settings/people/", role="admin", scheme=scheme, width=width)
    found: list[tuple[str, str]] = []
    base = f"{product.inbox}/settings/"
    for path in PAGES:
        page.goto(base + path)
        found += serious(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
        expect(page.locator(".settings-nav [aria-current]")).to_be_in_viewport()
    # Those have the same pieces in other places: once is enough.
    for path, link, below in LED_TO if scheme == "light" else ():
        page.goto(base + path)
        page.goto(product.inbox + str(page.locator(link).first.get_attribute("href")) + below)
        found += serious(page)
    assert found == []


def test_the_preview_of_a_template_follows_the_typing(agent_page: Callable[..., Page]) -> None:
    page = agent_page("/settings/templates/new/", role="admin")
    page.fill("#id_text", "Dear {{ customer.first_name }}, {{ order.number }}")
    preview = page.locator("#template-preview")
    expect(preview).to_contain_text("Dear Carla,")
    expect(preview).to_contain_text("Nothing stands for {{ order.number }}")
