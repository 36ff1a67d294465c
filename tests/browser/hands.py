"""What a customer and an agent do by hand in the browser tests of the channels."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.running import Running


def newcomer(product: Running, name: str) -> str:
    """Somebody new on every network; their key."""
    return str(product.act("/practice/people", name=name)["key"])


def stranger_writes(product: Running, name: str, text: str) -> int:
    """Somebody new writes a mail; the id of the ticket it is on."""
    key = newcomer(product, name)
    person = next(one for one in product.got("/people.json")["people"] if one["key"] == key)
    product.mail(text, author=person["mail"], subject=text)
    return product.ticket_with(text)


def turn_to(page: Page, surface: str) -> None:
    """Turn the composer to a surface, by the keyboard."""
    wanted = page.locator(f"[role=tab][data-surface='{surface}']").first
    expect(wanted).to_be_visible()
    chosen = page.locator("[role=tab][aria-selected=true]")
    chosen.focus()
    for _step in range(page.locator("[role=tab]").count()):
        if wanted.get_attribute("aria-selected") == "true":
            break
        page.keyboard.press("ArrowRight")
    expect(wanted).to_have_attribute("aria-selected", "true")


def send(page: Page, text: str, *, nth: int = 0) -> Locator:
    """Write and send by the keyboard; the bubble, the nth of those with these words."""
    page.fill("#composer-text", text)
    page.press("#composer-text", "Control+Enter")
    bubble = page.locator(".bubble--out", has_text=text).nth(nth)
    expect(bubble).to_be_visible()
    expect(page.locator("#composer-text")).to_have_value("")
    return bubble
