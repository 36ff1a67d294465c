"""Real Chromium, the agent and the customer side by side, on one running product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.flows.at_facebook import AtFacebook
from tests.flows.at_x import AtX
from tests.running import Running, running
from tests.sights import connect_facebook, connect_x

# The default of five seconds is for pages: here mail servers and networks answer, on machines that do other things.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("browser product")) as started:
        yield started


@pytest.fixture(scope="session")
def x_handle(product: Running) -> AtX:
    """X, with @AcmeCare connected."""
    return connect_x(product)


@pytest.fixture(scope="session")
def facebook_page(product: Running) -> AtFacebook:
    """Facebook, with the Page Acme Care connected."""
    return connect_facebook(product)


@pytest.fixture
def open_page(request: pytest.FixtureRequest, chromium: Browser, product: Running) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own; no console error is forgiven."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    forgiven = request.node.get_closest_marker("forgives")

    def opened(
        address: str, *, width: int = 1440, scheme: str = "light", scripts: bool = True, cookies: Any = ()
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=scripts,
        )
        contexts.append(context)
        if cookies:
            context.add_cookies(cookies)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    # Chromium writes every refused fetch on the console, also one the page handles: a test says which it expects.
    assert [one for one in problems if not (forgiven and any(word in one for word in forgiven.args))] == []


@pytest.fixture(scope="session")
def keys() -> dict[str, Any]:
    """The cookies of each role that has signed in."""
    return {}


@pytest.fixture
def agent_page(open_page: Callable[..., Page], product: Running, keys: dict[str, Any]) -> Callable[..., Page]:
    """Somebody signed in at the inbox: with their password where they are the first of their role, then by what that
    left in the browser, which saves two pages and a password that is slow to check."""

    def signed_in(path: str = "/", *, role: str = "agent", **options: object) -> Page:
        if role in keys:
            return open_page(product.inbox + path, cookies=keys[role], **options)
        page = open_page(f"{product.inbox}/sign-in/", **options)
        who = product.file()["sign_in"][role]
        page.fill("#email", who["username"])
        page.fill("#password", who["password"])
        page.click(".sign-in__form button")
        page.wait_for_url(lambda address: "/sign-in/" not in address)
        keys[role] = page.context.cookies()
        if path != "/":
            page.goto(product.inbox + path)
        return page

    return signed_in
