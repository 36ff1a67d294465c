"""Every page of the product, at two widths, light and dark: usable with any senses, nothing sticking out, no error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.flows.at_facebook import AtFacebook
from tests.flows.at_x import AtX
from tests.running import Running
from tests.sights import Furnished, Sight, furnish, sights

pytestmark = pytest.mark.browser

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

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


@pytest.fixture
def problems() -> list[str]:
    """What the pages of a test wrote on the console."""
    return []


@pytest.fixture
def look(chromium: Browser, product: Running, problems: list[str]) -> Iterator[Page]:
    """A page that keeps what is written on its console."""
    context = chromium.new_context(viewport=WIDE, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda said: problems.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    yield page
    context.close()


@pytest.mark.parametrize("role", ["", "agent", "lead", "admin"])
def test_every_page_is_readable_by_everybody_at_every_width(
    product: Running, furnished: Furnished, look: Page, problems: list[str], role: str
) -> None:
    if role:
        # Signed in without the form: that is walked by every other test here.
        session = product.signed_in(role).session
        look.context.add_cookies(
            [{"name": one.name, "value": str(one.value), "url": product.inbox} for one in session.cookies]
        )
    wrong: list[str] = []
    for sight in sights(product, furnished):
        if sight.role == role:
            wrong += [f"{sight.name}: {one}" for one in _looked_at(look, product, sight)]
            # Chromium writes an answer that is an error page on the console; that page is what was asked for.
            problems[:] = [one for one in problems if f"status of {sight.status}" not in one]
    assert wrong == []
    assert problems == []


def _looked_at(page: Page, product: Running, sight: Sight) -> list[str]:
    """What is wrong with a page: wide and light, then narrow and dark, without loading it again."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    answer = page.goto(product.inbox + sight.path)
    if sight.through_consent:
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(f"{product.inbox}/**")
    else:
        assert answer is not None
        assert answer.status == sight.status, f"{sight.path}: {answer.status}"
    found = _serious(page, "light") + [f"1440: {one}" for one in page.evaluate(STICKS_OUT)]
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    return found + _serious(page, "dark") + [f"390: {one}" for one in page.evaluate(STICKS_OUT)]


def _serious(page: Page, scheme: str) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{scheme}: {one['id']} {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
