"""The loop by mail in real Chromium, and what must never happen to somebody who types."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email.message import EmailMessage
from typing import cast

import pytest
from playwright.sync_api import Page, expect

from tests.channels.media_host import png
from tests.running import Running, until

pytestmark = pytest.mark.browser
Opens = Callable[..., Page]

CARLA, GRACE = "carla.hughes@post.example", "grace.lindqvist@brev.example"


def test_customer_and_agent_side_by_side_without_a_reload(
    product: Running, agent_page: Opens, open_page: Opens
) -> None:
    inbox = agent_page("/")
    customer = open_page(f"{product.practice}/?as=carla")
    product.mail("My coffee machine has not arrived", author=CARLA, subject="Coffee machine")
    row = inbox.locator("[data-ticket]", has_text="My coffee machine has not arrived")
    expect(row).to_be_visible()
    with inbox.context.expect_page() as another:
        row.locator("a").click(modifiers=["Control"])
    another.value.close()
    assert "/t/" not in inbox.url
    row.locator("a").click()
    expect(inbox.locator("#timeline")).to_contain_text("My coffee machine has not arrived")
    inbox.fill("#composer-text", "It leaves tonight, Carla.")
    inbox.locator("[data-send] > [data-then='']").click()
    expect(inbox.locator("#composer-text")).to_be_focused()
    bubble = inbox.locator(".bubble--out", has_text="It leaves tonight, Carla.")
    expect(bubble).to_be_visible()
    expect(bubble.locator("[data-state='sent']")).to_be_visible()
    expect(inbox.locator("#composer-text")).to_have_value("")
    expect(customer.locator("body")).to_contain_text("It leaves tonight, Carla.")
    product.mail("Thank you so much!", author=CARLA, subject="Re: Coffee machine")
    expect(inbox.locator("#timeline")).to_contain_text("Thank you so much!")


def test_while_somebody_types_twenty_messages_arrive_and_nothing_is_lost(product: Running, agent_page: Opens) -> None:
    for number in range(8):
        product.mail(f"Long story {number}\n\n" + "word " * 120, author=GRACE, subject=f"Story {number}")
    ticket = product.ticket_with("Long story 7")
    until(
        lambda: product.value("SELECT count(*) FROM tickets_message WHERE ticket_id = %s", ticket) >= 8,
        what="all of it",
    )
    page = agent_page(f"/t/{ticket}/")
    page.locator("#timeline").hover()
    page.mouse.wheel(0, -1200)
    read = page.locator(".bubble", has_text="Long story 4").first
    expect(read).to_be_in_viewport()
    place = read.bounding_box()
    box = page.locator("#composer-text")
    box.click()
    words = "The quick brown fox jumps over the lazy dog. " * 4
    for number, part in enumerate(words.split(" ")):
        box.press_sequentially(part + " ")
        if number < 20:
            product.mail(f"Arrival {number} of twenty", author=GRACE, subject=f"Arrival {number}")
    expect(page.locator("#timeline")).to_contain_text("Arrival 19 of twenty", timeout=30_000)
    assert box.input_value() == words + " "
    assert page.evaluate("document.activeElement.id") == "composer-text"
    box.press("Control+Home")
    for _letter in range(9):
        box.press("Shift+ArrowRight")
    product.mail("One more for good measure", author=GRACE, subject="One more")
    expect(page.locator("#timeline")).to_contain_text("One more for good measure", timeout=30_000)
    assert page.evaluate("getSelection().toString()") == "The quick"
    # Who reads further up keeps their place.
    assert read.bounding_box() == pytest.approx(place, abs=2)


@pytest.mark.forgives("409 (Conflict)", "ERR_FAILED")
def test_a_reply_is_stopped_where_something_arrived_and_the_words_stay(product: Running, agent_page: Opens) -> None:
    product.mail("Is it in stock?", author="declan@byrne-household.example", subject="Stock")
    ticket = product.ticket_with("Is it in stock?")
    page = agent_page(f"/t/{ticket}/")
    page.fill("#composer-text", "Yes it is")
    # The page is told by its stream; here it has not heard yet.
    page.evaluate("document.getElementById('timeline-entries').dataset.arrivals = '1'")
    page.route("**/timeline/**", lambda route: route.abort())
    product.mail("Never mind, found one", author="declan@byrne-household.example", subject="Stock again")
    product.ticket_with("Never mind, found one")
    page.locator("[data-send] > [data-then='']").click()
    callout = page.locator("[data-callouts] .callout")
    expect(callout).to_contain_text("Nothing was sent")
    expect(page.locator("#composer-text")).to_have_value("Yes it is")
    page.unroute("**/timeline/**")


def test_a_mail_as_it_was_sent_shows_its_own_pictures_and_runs_nothing(product: Running, agent_page: Opens) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = CARLA, "care@acme.example", "A picture"
    letter.set_content("Look at the dent in this lid")
    html = '<p onclick="alert(1)">Look:</p><img src="cid:lid"><script>alert(1)</script>'
    letter.add_alternative(html, subtype="html")
    cast(EmailMessage, letter.get_payload(1)).add_related(png(), "image", "png", cid="<lid>", filename="lid.png")
    product.mail("", raw=base64.b64encode(letter.as_bytes()).decode(), author=CARLA)
    page = agent_page(f"/t/{product.ticket_with('the dent in this lid')}/")
    page.locator("[data-mail-html] summary").last.click()
    picture = page.frame_locator("iframe.bubble__mail").locator("img")
    expect(picture).to_be_visible()
    # The test reads with the page's own hands: in the frame itself no script runs.
    shown = "() => document.querySelector('iframe.bubble__mail').contentDocument.images[0].naturalWidth > 0"
    page.wait_for_function(shown)
    assert "allow-scripts" not in (page.locator("iframe.bubble__mail").get_attribute("sandbox") or "")
