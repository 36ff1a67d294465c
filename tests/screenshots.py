"""The pictures of every page: `make screenshots`, or `python -m tests.screenshots` with CHROMIUM naming the browser.

Starts the product with data of its own, plays a small day of customers and agents (day.py), and takes each page
(sights.py) at three widths, light and dark. All of them go to var/pictures/, the few that README.md shows to
docs/pictures/ too.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.day import CARLA, TOM, Day
from tests.running import PROJECT, Running, running
from tests.sights import SIGHTS, Sight, connect_facebook, connect_x, furnish

ALL_PICTURES = PROJECT / "var" / "pictures"
SHOWN_PICTURES = PROJECT / "docs" / "pictures"
SHOWN_MAX_BYTES = 250_000

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SIZES = {1440: 900, 1024: 768, 390: 844}
SCHEMES = ("light", "dark")

# What stands half written in the composer.
DRAFT = "It will: the courier collects it at four, and you will have it tomorrow before noon."

# The same name as in README.md → the picture of ALL_PICTURES it is.
SHOWN = {
    "inbox": "inbox-open-1440-light",
    "ticket": "ticket-1440-dark",
    "board": "board-1440-light",
    "accounts": "accounts-1440-light",
    "practice": "practice-1440-light",
    "ticket-phone": "ticket-390-light",
}


def of_the_day(day: Day) -> tuple[Sight, ...]:
    """The pages that show the small day, before anything else happens."""
    return (
        Sight("inbox", "/"),
        Sight("inbox-open", f"/t/{day.tickets[TOM]}/"),
        Sight("ticket", f"/t/{day.tickets[CARLA]}/", typed=DRAFT),
        Sight("board", "/board/", role="lead"),
        Sight("accounts", "/settings/accounts/", role="admin"),
        Sight("practice", f"{day.product.practice}/?as=carla&mail={day.newest_letter('carla')}", role=""),
    )


def take(
    browser: Browser, product: Running, wanted: Sequence[Sight], folder: Path, *, zone: str
) -> Iterator[Path]:
    """Take these pages at every width in both schemes, and give back each picture's path."""
    for scheme in SCHEMES:
        for role in ("", "agent", "lead", "admin"):
            mine = [sight for sight in wanted if sight.role == role]
            if mine:
                with _page(browser, product, role=role, scheme=scheme, zone=zone) as page:
                    for sight in mine:
                        yield from _take(page, product, sight, folder, scheme)


@contextmanager
def _page(browser: Browser, product: Running, *, role: str, scheme: str, zone: str) -> Iterator[Page]:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB",
        timezone_id=zone,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    if role:
        who = product.file()["sign_in"][role]
        page.goto(f"{product.inbox}/sign-in/")
        page.fill("#email", who["username"])
        page.fill("#password", who["password"])
        page.click(".sign-in__form button")
        page.wait_for_url(lambda address: "/sign-in/" not in address)
    yield page
    context.close()


def _take(page: Page, product: Running, sight: Sight, folder: Path, scheme: str) -> Iterator[Path]:
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(sight.path if sight.path.startswith("http") else product.inbox + sight.path)
        if sight.through_consent:
            page.get_by_role("button", name="Continue").click()
            page.wait_for_url(f"{product.inbox}/**")
        if sight.typed:
            page.fill("#composer-text", sight.typed)
        page.evaluate("document.fonts.ready")
        path = folder / f"{sight.name}-{width}-{scheme}.png"
        page.screenshot(path=path)
        yield path


def afternoon_zone(now: datetime) -> str:
    """A time zone in which it is about three in the afternoon, so that the pictures show a working day."""
    ahead = max(-12, min(14, 15 - now.hour))
    # The signs of these names are the wrong way round, as POSIX has them (tzdata, file `etcetera`).
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def main() -> int:
    """Take all pictures; gives back the exit code."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        print("There is no Chromium: install it, or name one with CHROMIUM=/path.", file=sys.stderr)
        return 1
    zone = afternoon_zone(datetime.now(UTC))
    ALL_PICTURES.mkdir(parents=True, exist_ok=True)
    SHOWN_PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as var,
        running(Path(var), TIME_ZONE=zone, TZ=zone) as product,
        sync_playwright() as playwright,
    ):
        x, facebook = connect_x(product), connect_facebook(product)
        day = Day(product)
        day.play()
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        first = of_the_day(day)
        taken = {path.stem: path for path in take(browser, product, first, ALL_PICTURES, zone=zone)}
        # Long words, trouble and odd names come after the day, so that README.md shows none of them.
        here = furnish(product, x=x, facebook=facebook)
        names = {sight.name for sight in first}
        rest = [replace(sight, path=here.path(sight)) for sight in SIGHTS if sight.name not in names]
        taken |= {path.stem: path for path in take(browser, product, rest, ALL_PICTURES, zone=zone)}
        browser.close()
    too_large = []
    for name, stem in SHOWN.items():
        shutil.copyfile(taken[stem], SHOWN_PICTURES / f"{name}.png")
        if taken[stem].stat().st_size > SHOWN_MAX_BYTES:
            too_large.append(name)
    print(f"{len(taken)} pictures in {ALL_PICTURES.relative_to(PROJECT)}, {len(SHOWN)} of them in docs/pictures")
    if too_large:
        print(f"too large for README.md: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
