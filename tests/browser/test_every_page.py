"""Every page of the product, at three widths, light and dark: usable with any senses, nothing stuck out, no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.axe import serious
from tests.flows.at_facebook import AtFacebook
from tests.flows.at_x import AtX
from tests.running import Running
from tests.sights import SIGHTS, Furnished, Sight, furnish

pytestmark = pytest.mark.browser

WIDE: ViewportSize = {"width": 1440, "height": 900}
MIDDLE: ViewportSize = {"width": 1024, "height": 768}
NARROW: ViewportSize = {"width": 390, "height": 844}

# The page itself, and whatever in it scrolls upwards and downwards only, but is wider than its place.
STICKS_OUT = """() => {
  const wide = [];
  const root = document.scrollingElement;
  if (root.scrollWidth > innerWidth) wide.push(`page ${root.scrollWidth} of ${innerWidth}`);
  for (const element of document.querySelectorAll("main, .work__scroll, .pane__scroll, .timeline, .sidebar__scroll")) {
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      wide.push(`${element.className} ${element.scrollWidth} of ${element.clientWidth}`);
  }
  return wide;
}"""


@pytest.fixture(scope="module")
def furnished(product: Running, x_handle: AtX, facebook_page: AtFacebook) -> Furnished:
    """The shared product, with something on every page."""
    return furnish(product, x=x_handle, facebook=facebook_page)


@dataclass
class Eye:
    """A page in somebody's browser that goes from address to address: opening one costs more than looking at it."""

    page: Page
    # What the pages wrote on the console since somebody looked.
    problems: list[str]


@pytest.fixture(scope="module")
def eyes(chromium: Browser, product: Running) -> Iterator[Callable[[str], Eye]]:
    """The eyes of a role, signed in once and without the form: that is walked by every other test here."""
    opened: dict[str, Eye] = {}

    def of(role: str) -> Eye:
        if role not in opened:
            context = chromium.new_context(viewport=WIDE, reduced_motion="reduce")
            if role:
                session = product.signed_in(role).session
                context.add_cookies(
                    [{"name": one.name, "value": str(one.value), "url": product.inbox} for one in session.cookies]
                )
            eye = opened[role] = Eye(context.new_page(), [])
            eye.page.set_default_timeout(15_000)
            eye.page.on("console", lambda said: eye.problems.append(said.text) if said.type == "error" else None)
            eye.page.on("pageerror", lambda error: eye.problems.append(str(error)))
        opened[role].problems.clear()
        return opened[role]

    yield of
    for eye in opened.values():
        eye.page.context.close()


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.name)
def test_every_page_is_readable_by_everybody_at_every_width(
    product: Running, furnished: Furnished, eyes: Callable[[str], Eye], sight: Sight
) -> None:
    eye = eyes(sight.role)
    wrong = _looked_at(eye.page, product.inbox + furnished.path(sight), sight)
    # Chromium writes an answer that is an error page on the console; that page is what was asked for.
    problems = [one for one in eye.problems if f"status of {sight.status}" not in one]
    assert wrong + problems == []


def test_search_is_one_press_away_at_every_width(
    product: Running, furnished: Furnished, eyes: Callable[[str], Eye]
) -> None:
    page = eyes("agent").page
    page.goto(product.inbox)
    for viewport in (WIDE, MIDDLE, NARROW):
        page.set_viewport_size(viewport)
        assert page.locator("a[href='/search/']:visible").count() == 1, viewport


def test_the_menu_lies_over_the_page_and_moves_nothing(
    product: Running, furnished: Furnished, eyes: Callable[[str], Eye]
) -> None:
    page = eyes("agent").page
    page.set_viewport_size(MIDDLE)
    page.goto(product.inbox)
    before = page.locator("main").bounding_box()
    page.get_by_role("link", name="Queues and views").click()
    assert page.locator("#menu:target").count() == 1
    assert page.locator("main").bounding_box() == before


def test_what_nobody_can_read_is_found(chromium: Browser) -> None:
    with chromium.new_page() as page:
        page.set_content("<main lang='en'><img src='data:,'><p style='color: #aaa; background: #bbb'>Faint</p></main>")
        assert {one.split()[0] for one in serious(page)} >= {"image-alt", "color-contrast"}


def _looked_at(page: Page, address: str, sight: Sight) -> list[str]:
    """What is wrong with a page at three widths: one page wide in light and narrow in dark, the next the other way."""
    first: Literal["light", "dark"] = "light" if SIGHTS.index(sight) % 2 == 0 else "dark"
    then: Literal["light", "dark"] = "dark" if first == "light" else "light"
    page.emulate_media(color_scheme=first)
    page.set_viewport_size(WIDE)
    answer = page.goto(address)
    if sight.through_consent:
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(f"{address}**")
    else:
        assert answer is not None
        assert answer.status == sight.status, f"{address}: {answer.status}"
    found = [f"1440 {first}: {one}" for one in serious(page) + page.evaluate(STICKS_OUT)]
    page.set_viewport_size(MIDDLE)
    found += [f"1024: {one}" for one in page.evaluate(STICKS_OUT)]
    page.emulate_media(color_scheme=then)
    page.set_viewport_size(NARROW)
    return found + [f"390 {then}: {one}" for one in serious(page) + page.evaluate(STICKS_OUT)]
