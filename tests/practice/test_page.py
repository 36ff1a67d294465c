"""The page, the people and the busy hour."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.practice.running import CARE, CARLA, ROOT, TOM, Practice


def test_everybody_is_listed_with_ids_addresses_and_tokens(practice: Practice) -> None:
    told = practice.ask("/people.json").body
    carla, nora = (person for person in told["people"] if person["key"] in ("carla", "nora"))
    assert carla["mail"] == CARLA
    assert carla["x_id"].isdecimal()
    assert carla["phone"] == "+442079460142"
    assert all(carla[f"{network}_token"].startswith("practice-") for network in ("x", "facebook"))
    assert nora["name"] == "نورا المنصوري"
    assert told["networks"]["mail"]["imap"]["port"] == practice.imap_port
    assert {"address": CARE, "password": "practice-care"} in told["networks"]["mail"]["mailboxes"]


def test_somebody_new_has_a_mailbox_at_once_and_nobody_gets_anothers_address(practice: Practice) -> None:
    made = practice.ask("/practice/people", {"name": "Hattie Osei", "mail": "Hattie@Osei.example", "phone": ""}).body
    assert (made["mail"], made["phone"]) == ("hattie@osei.example", "")
    assert practice.mail(**{"from": made["mail"]}, subject="From somebody new").body["accepted"]
    for wrong in ({"name": " "}, {"name": "X", "mail": "x@gmail.com"}, {"name": "X", "mail": CARLA}):
        assert practice.ask("/practice/people", wrong).status == 400
    other = practice.ask("/practice/people", {"name": "王小明"}).body
    assert other["key"].isascii()
    assert other["phone"].startswith("+447700900")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/practice/people", {"name": "Half \ud83e"}),
        ("/practice/mail", {"from": CARLA, "to": CARE, "text": "Half \ud83e"}),
        ("/practice/busy", {"acts": float("inf")}),
        ("/practice/mischief", {"network": [[float("nan")]]}),
    ],
)
def test_what_nobody_could_keep_or_tell_is_refused_in_words(practice: Practice, path: str, body: object) -> None:
    refused = practice.ask(path, body)
    assert refused.status == 400
    assert refused.body["error"].startswith("That is not JSON: ")


def test_the_page_says_who_one_is_and_shows_nothing_of_networks_that_are_not_there(practice: Practice) -> None:
    page = practice.ask("/?as=tom").body.decode()
    assert 'href="/?as=tom" aria-current="true"' in page
    assert TOM in page
    assert str(practice.imap_port) in page
    assert 'href="http://127.0.0.1:8000/"' in page
    assert "LinkedIn" not in page
    assert "Nobody" not in page


def test_somebody_without_a_mail_address_is_told_so(practice: Practice) -> None:
    key = practice.ask("/practice/people", {"name": "Ola Nordmann", "mail": ""}).body["key"]
    assert "has no mail address" in practice.ask(f"/?as={key}").body.decode()
    parts = set(practice.ask(f"/live?as={key}").body["parts"])
    assert parts >= {"mischief", "mischief-count", "busy", "happenings"}
    assert not any(part.startswith("mail-") for part in parts)


def test_the_page_keeps_a_strict_policy_and_other_sites_cannot_post(practice: Practice) -> None:
    with urlopen(practice.url, timeout=10) as answer:
        policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|style=|<script(?! src=)| on\w+=", page)
    refused = practice.ask("/practice/busy", {"acts": 1}, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status == 403


def test_what_strangers_write_stays_text(practice: Practice) -> None:
    nasty = "<script>alert(1)</script>"
    practice.mail(**{"from": CARE}, to=[CARLA], subject=nasty, text=nasty, html=f"<p>{nasty}</p>")
    letter = practice.with_subject(CARLA, nasty)[0]
    page = practice.ask(f"/?as=carla&mail={letter['id']}").body.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    with urlopen(f"{practice.url}/practice/mail/{CARLA}/{letter['id']}/html", timeout=10) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_the_live_parts_are_sent_only_when_something_changed(practice: Practice) -> None:
    # What the tests before set going may still be arriving.
    for _again in range(20):
        with urlopen(f"{practice.url}/live?as=carla", timeout=10) as answer:
            tag = answer.headers["ETag"]
        if practice.ask("/live?as=carla", headers={"If-None-Match": tag}).status == 304:
            break
    else:
        pytest.fail("something changes at every look")
    practice.mail(**{"from": CARE}, to=[CARLA], subject="Something new")
    parts = practice.ask("/live?as=carla", headers={"If-None-Match": tag}).body["parts"]
    assert "Something new" in parts["mail-screen"]
    assert "Something new" in parts["happenings"]


def test_the_forms_work_without_javascript(practice: Practice) -> None:
    form = urlencode(
        {"as": CARLA, "mail": "new", "to": CARE, "subject": "By form", "text": "a\r\nb", "extra": "broken"}
    )
    with urlopen(Request(f"{practice.url}/practice/mail/write?as=carla", data=form.encode()), timeout=10) as answer:
        assert re.fullmatch(rf"{practice.url}/\?as=carla&mail=\d+", answer.url)
    got = practice.letters(CARE)[0]
    assert got["subject"].startswith("By form")
    assert got["attachments"][0]["name"] == "passwd"


def test_an_answer_on_the_phone_names_and_quotes_what_it_answers(practice: Practice) -> None:
    asked = practice.mail(**{"from": CARE}, to=[TOM], subject="Your order", text="It is on its way.").body
    letter = practice.with_subject(TOM, "Your order")[0]
    form = urlencode({"as": TOM, "mail": letter["id"], "text": "Thanks!", "quote": "on", "extra": "picture"})
    urlopen(Request(f"{practice.url}/practice/mail/write?as=tom", data=form.encode()), timeout=10).close()
    got = practice.with_subject(CARE, "Re: Your order")[0]
    assert got["references"] == [asked["message_id"]]
    assert got["text"].startswith("Thanks!\n\nOn ")
    assert "\n> It is on its way.\n" in got["text"]
    assert got["attachments"][0]["name"] == "dent.png"


def test_a_busy_hour_plays_what_was_asked_and_can_be_stopped(practice: Practice) -> None:
    known = practice.ask("/practice/happenings").body["happenings"][-1]["id"]
    before = len(practice.letters(CARE)) + len(practice.letters("returns@acme.example"))
    assert practice.ask("/practice/busy", {"acts": 12, "seconds": 0, "seed": 7}).body["running"]
    assert practice.ask(f"/practice/happenings?after={known}&kind=ended&wait=20").body["happenings"]
    assert practice.ask("/practice/busy").body == {"running": False, "acts": 12, "done": 12, "failed": 0}
    after = len(practice.letters(CARE)) + len(practice.letters("returns@acme.example"))
    # The acts are spread over all networks.
    assert before < after <= before + 12
    assert practice.ask("/practice/busy", {"acts": 5, "seconds": 3600}).body["running"]
    assert practice.ask("/practice/busy", {"acts": 5}).status == 409
    assert not practice.ask("/practice/busy", {"stop": True}).body["running"]
    assert practice.ask("/practice/busy", {"acts": 5000}).status == 409


@pytest.mark.browser
def test_an_answer_appears_without_disturbing_what_is_typed(practice: Practice, chromium: Browser) -> None:
    asked = practice.mail(subject="In the browser").body
    letter = practice.with_subject(CARLA, "In the browser", "Sent")[0]
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{practice.url}/?as=carla&mail={letter['id']}")
    page.get_by_placeholder("Reply to care@acme.example").fill("I was just about to")
    practice.mail(
        **{"from": CARE},
        to=[CARLA],
        subject="Re: In the browser",
        text="Found it!",
        in_reply_to=asked["message_id"],
    )
    expect(page.locator("#mail-screen")).to_contain_text("Found it!")
    expect(page.get_by_placeholder("Reply to care@acme.example")).to_have_value("I was just about to")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#mail-screen article")).to_have_count(3)
    expect(page.get_by_placeholder("Reply to care@acme.example")).to_have_value("")
    page.get_by_text("Make the network misbehave").click()
    page.get_by_label("Only the next").fill("2")
    page.get_by_label("Everything twice").first.check()
    expect(page.locator("#mischief")).to_contain_text("2 more")
    assert complaints == []
    page.close()


def test_every_icon_of_the_templates_is_in_the_sprite() -> None:
    folder = ROOT / "practice"
    used = {
        name for path in _templates(folder) for name in re.findall(r"icons\.svg#([a-z-]+)", path.read_text("utf-8"))
    }
    there = set(re.findall(r'<symbol id="([a-z-]+)"', (folder / "static" / "icons.svg").read_text("utf-8")))
    assert used == there


def _templates(folder: Path) -> list[Path]:
    return sorted((folder / "templates").rglob("*.html"))
