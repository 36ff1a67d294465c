"""What axe-core finds on a page: https://www.deque.com/axe/core-documentation/api-documentation/."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Without fetching the style sheets once more (`preload`), which only two rules ask for that concern nothing here
# (turning the screen, sounds that play by themselves); and without the list of all that is as it should be. Both
# take longer than the rules.
RUN = """() => axe.run({preload: false, resultTypes: ["violations"]}).then(found => found.violations
  .filter(one => ["serious", "critical"].includes(one.impact))
  .map(one => `${one.id} ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`))"""


def serious(page: Page) -> list[str]:
    """What is serious or critical on the page as it stands: the rule, and up to three places. Empty if nothing is."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(RUN)
    return found
