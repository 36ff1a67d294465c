"""A day at the keyboard in real Chromium: walking, answering, acting, taking back, and what is typed too early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import stranger_writes
from tests.running import Running

pytestmark = pytest.mark.browser
Opens = Callable[..., Page]


def test_one_ticket_from_the_list_to_solved_and_back_by_keys(product: Running, agent_page: Opens) -> None:
    ticket = stranger_writes(product, "Keys Doe", "By keys alone, please")
    page = agent_page("/")
    row = page.locator(f"[data-ticket='{ticket}'] a").first
    expect(row).to_be_visible()
    for _step in range(60):
        page.keyboard.press("j")
        if row.evaluate("(link) => link === document.activeElement"):
            break
    expect(row).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("[data-selected-words]")).to_have_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_contain_text("By keys alone, please")

    page.keyboard.press("n")
    expect(page.locator("#composer-note-text")).to_be_focused()
    page.keyboard.type("She writes with keys.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline .note")).to_contain_text("She writes with keys.")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.press("Escape")

    for key, menu in (("a", "#assign-menu"), ("q", "#move-menu"), ("z", "#snooze-menu")):
        page.keyboard.press(key)
        expect(page.locator(menu)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(menu)).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")

    # Two acts, one page load between them and their taking back: the latest first, then the one before it.
    page.keyboard.press("e")
    expect(page.locator(".toast").last).to_contain_text("needs no reply")
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    page.reload()
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Solve (s)")).to_be_visible()
    assert product.value("SELECT awaiting FROM tickets_ticket WHERE id = %s", ticket) == "customer"
    page.keyboard.press("u")
    expect(page.locator("[data-key=e]")).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator(".toast").last).to_contain_text("nothing to take back")


def test_what_is_typed_while_the_search_page_is_on_its_way_is_searched_for(product: Running, agent_page: Opens) -> None:
    ticket = stranger_writes(product, "Quick Doe", "Where is the parcel of the impatient?")
    page = agent_page(f"/t/{ticket}/")
    expect(page.locator("[data-key=s]")).to_be_visible()
    # In one go, so that the page cannot be gone in between: every letter of it would be a key of the old page.
    page.evaluate("""() => {
      for (const key of "/ese") document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    }""")
    expect(page.locator("#search-input")).to_have_value("ese")
    page.keyboard.press("Escape")
    assert product.value("SELECT state FROM tickets_ticket WHERE id = %s", ticket) == "open"
    page.fill("#search-input", "impatient")
    expect(page.locator("#search-results")).to_contain_text("parcel of the impatient")


def test_words_and_files_are_still_there_after_the_page_was_loaded_again(
    product: Running, agent_page: Opens, tmp_path: Path
) -> None:
    ticket = stranger_writes(product, "Form Doe", "Which form do I need?")
    paper = tmp_path / "form.txt"
    paper.write_text("Name:\nAddress:\n")
    page = agent_page(f"/t/{ticket}/")
    page.fill("#composer-text", "This one, it is attached")
    page.set_input_files("[data-picker]", paper)
    expect(page.locator(".file-chip")).to_contain_text("form.txt")
    expect(page.locator(".file-chip progress")).to_have_count(0)
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.reload()
    expect(page.locator("#composer-text")).to_have_value("This one, it is attached")
    expect(page.locator(".file-chip")).to_contain_text("form.txt")
    page.press("#composer-text", "Control+Enter")
    expect(page.locator(".bubble--out")).to_contain_text("form.txt")
    expect(page.locator(".file-chip")).to_have_count(0)
    page.reload()
    expect(page.locator("#composer-text")).to_have_value("")
    expect(page.locator(".file-chip")).to_have_count(0)


def test_a_colleague_sees_who_else_looks_and_writes(product: Running, agent_page: Opens) -> None:
    ticket = stranger_writes(product, "Together Doe", "Is anybody there?")
    mine, theirs = agent_page(f"/t/{ticket}/"), agent_page(f"/t/{ticket}/", role="lead")
    expect(mine.locator("#others")).to_contain_text("Leo")
    theirs.fill("#composer-text", "I am at it")
    expect(mine.locator("#others")).to_contain_text("writing")


def test_a_ticket_can_be_read_without_scripts(product: Running, agent_page: Opens) -> None:
    ticket = stranger_writes(product, "Plain Doe", "Read me plainly")
    page = agent_page("/", scripts=False)
    expect(page.locator(f"[data-ticket='{ticket}']")).to_contain_text("Read me plainly")
    page.locator(f"[data-ticket='{ticket}'] a").first.click()
    expect(page.locator("#timeline")).to_contain_text("Read me plainly")
    for dead in ("[data-act-url]", ".composer__box", "[data-live-state]", "[popovertarget]", "[data-theme-choice]"):
        assert [one for one in page.locator(dead).all() if one.is_visible()] == [], dead
