"""Facebook on somebody's phone: what one does on it, what it shows, and Facebook's own app beside the inbox."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.practice.facebook_hook import VERIFY_TOKEN, listening
from tests.practice.running import Practice
from tests.practice.test_facebook_webhooks import CARE, CARLA_PSID, OUTLET, carla, does, first_post

CHAT = f"/?as=carla&fb=chat:{CARE}"


@pytest.fixture
def facebook(practice: Practice) -> Iterator[Practice]:
    yield practice
    practice.ask("/practice/mischief", {"network": "facebook", "behave": True})


def submit(practice: Practice, path: str, query: str = "as=carla", **fields: str) -> str:
    """Send a form as a browser without JavaScript does, and return the page it is led to."""
    request = Request(f"{practice.url}/practice/facebook/{path}?{query}", data=urlencode(fields).encode())
    with urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def conversation(practice: Practice, page: str = CARE) -> dict[str, Any]:
    told: dict[str, Any] = practice.ask(f"/practice/facebook/conversation?person=carla&page={page}").body
    return told


def screen(practice: Practice, address: str = "/?as=carla") -> str:
    parts = practice.ask("/live" + address.removeprefix("/")).body["parts"]
    return str(parts["fb-screen"])


def test_comments_are_written_answered_changed_and_deleted_by_hand(facebook: Practice) -> None:
    post = first_post(facebook)
    page = submit(facebook, "write", person="carla", do="comment", to=post, text="By <hand>")
    assert "By &lt;hand&gt;" in page
    first = facebook.ask("/practice/facebook/feed").body["posts"]
    comment = next(each for each in first if each["id"] == post)["comments"][-1]
    assert (comment["text"], comment["person"], comment["parent"]) == ("By <hand>", "carla", "")
    answer = does(facebook, "page", do="comment", person="carla", text="From us")
    assert answer["parent"] == comment["id"]
    assert "From us" in screen(facebook)
    form = facebook.ask(f"/?as=carla&fb=edit:{comment['id']}").body.decode()
    assert "By &lt;hand&gt;</textarea>" in form
    page = submit(facebook, "write", f"as=carla&fb=edit:{comment['id']}", person="carla", do="edit",
                  to=comment["id"], text="By hand, edited")  # fmt: skip
    assert "By hand, edited" in page
    assert "· edited" in page
    does(facebook, "page", do="hide", to=comment["id"])
    assert "hidden by Acme Care" in screen(facebook)
    assert "By hand, edited" not in screen(facebook, "/?as=tom")
    submit(facebook, "touch", person="carla", do="delete", thing=comment["id"])
    assert "By hand, edited" not in screen(facebook)
    assert "From us" not in screen(facebook)


def test_a_visitor_writes_on_a_page_with_a_picture(facebook: Practice) -> None:
    visit = carla(facebook, do="post", page="Acme Outlet", text="Five weeks!", picture=True)
    shown = screen(facebook, f"/?as=tom&fb=page:{OUTLET}")
    assert "Five weeks!" in shown
    assert visit["picture"] in shown
    assert facebook.ask(visit["picture"]).body.startswith(b"\x89PNG")
    carla(facebook, "touch", do="delete", thing=visit["id"])
    assert "Five weeks!" not in screen(facebook, f"/?as=tom&fb=page:{OUTLET}")


def test_messages_go_both_ways_with_files_marks_and_second_thoughts(facebook: Practice) -> None:
    files = [{"name": "bill.pdf", "type": "application/pdf", "content": base64.b64encode(b"%PDF-1.7").decode()}]
    said = carla(facebook, text="Here is the bill", attachments=files)
    assert [each["text"] for each in said["messages"]] == ["Here is the bill", ""]
    file = said["messages"][1]["files"][0]
    assert (file["kind"], file["name"], file["size"]) == ("file", "bill.pdf", 8)
    assert facebook.ask(f"/practice/facebook/media/{file['id']}").body == b"%PDF-1.7"
    assert "bill.pdf" in screen(facebook, CHAT)
    assert ">Sent<" in screen(facebook, CHAT)
    does(facebook, "page", person="carla", text="Thank you, one moment")
    shown = screen(facebook, CHAT)
    assert "Thank you, one moment" in shown
    assert ">New<" in shown
    assert "Read it" in facebook.ask(CHAT).body.decode()
    submit(facebook, "touch", f"as=carla&fb=chat:{CARE}", person="carla", page=CARE, do="read")
    assert "You have read it" in screen(facebook, CHAT)
    submit(facebook, "write", f"as=carla&fb=edit:{said['mid']}", person="carla", do="edit", to=said["mid"], text="New")
    told = conversation(facebook)
    assert told["psid"] == CARLA_PSID
    assert [(each["text"], each["edits"]) for each in told["messages"]][2] == ("New", 1)
    carla(facebook, "touch", do="delete", thing=said["mid"])
    assert said["mid"] not in [each["mid"] for each in conversation(facebook)["messages"]]


def test_a_conversation_can_grow_old(facebook: Practice) -> None:
    carla(facebook, text="Hello")
    before = conversation(facebook)["wrote_at"]
    submit(facebook, "pass", person="carla", page=CARE, hours="25")
    assert conversation(facebook)["wrote_at"] == pytest.approx(before - 25 * 3600)
    comment = carla(facebook, do="comment", to=first_post(facebook), text="Soon old")
    does(facebook, "pass", thing=comment["id"], hours=24 * 8)
    posts = facebook.ask("/practice/facebook/feed?limit=200").body["posts"]
    found = next(each for post in posts for each in post["comments"] if each["id"] == comment["id"])
    assert found["at"] == pytest.approx(comment["at"] - 8 * 86400)
    assert facebook.ask("/practice/facebook/pass", {"person": "carla", "hours": 0}).status == 400


def test_habits_show_on_the_phone(facebook: Practice) -> None:
    page = submit(facebook, "habits", person="carla", shares_profile="")
    assert 'id="fb-share" aria-pressed="true"' in page
    comment = carla(facebook, do="comment", to=first_post(facebook), text="Nameless")
    assert comment["shares_profile"] is False
    assert "without a name for apps" in screen(facebook)
    submit(facebook, "habits", person="carla", shares_profile="on")
    page = submit(facebook, "habits", f"as=carla&fb=chat:{CARE}", person="carla", available="")
    told = facebook.ask(f"/live?as=carla&fb=chat:{CARE}").body["parts"]["fb-foot"]
    assert 'id="fb-available" aria-pressed="true"' in told
    does(facebook, "habits", person="carla", available=True)


@pytest.mark.parametrize(
    ("path", "fields", "status", "words"),
    [
        ("write", {"person": "priyanka", "text": "a"}, 404, "Nobody on Facebook"),
        ("write", {"person": "carla", "text": " "}, 400, "nothing in it"),
        ("write", {"person": "carla", "text": "a" * 2001}, 400, "longer than 2000"),
        ("write", {"person": "carla", "text": "a", "page": "Nobody"}, 404, "no Page of ours"),
        ("write", {"person": "carla", "text": "a", "colour": "red"}, 400, "no field"),
        ("write", {"person": "carla", "do": "comment", "to": "1_2", "text": "a"}, 404, "no post, comment"),
        ("write", {"person": "carla", "do": "sing", "text": "a"}, 400, "do must be"),
        ("touch", {"person": "carla", "do": "react", "thing": "m_none"}, 404, "no post, comment"),
        ("page", {"person": "grace", "text": "a"}, 404, "Nobody on Facebook"),
        ("page", {"person": "declan", "page": OUTLET, "text": "a"}, 409, "has not written"),
    ],
)
def test_what_cannot_be_is_said(
    facebook: Practice, path: str, fields: dict[str, object], status: int, words: str
) -> None:
    answer = facebook.ask(f"/practice/facebook/{path}", fields)
    assert (answer.status, words in answer.body["error"]) == (status, True), answer.body


def test_nobody_changes_what_another_wrote(facebook: Practice) -> None:
    comment = carla(facebook, do="comment", to=first_post(facebook), text="Mine")["id"]
    tom = {"person": "tom", "do": "edit", "to": comment, "text": "Not mine"}
    assert facebook.ask("/practice/facebook/write", tom).status == 403
    assert facebook.ask("/practice/facebook/page", {"do": "edit", "to": comment, "text": "a"}).status == 403
    said = carla(facebook, text="Mine")["mid"]
    assert facebook.ask("/practice/facebook/touch", {"person": "tom", "do": "delete", "thing": said}).status == 403
    assert "Mine</textarea>" not in facebook.ask(f"/?as=tom&fb=edit:{said}").body.decode()


def test_who_is_not_on_facebook_sees_so(facebook: Practice) -> None:
    assert "is not on Facebook" in facebook.ask("/?as=priyanka").body.decode()
    facts = facebook.ask("/people.json").body["networks"]["facebook"]
    assert [page["id"] for page in facts["pages"]] == [CARE, OUTLET]


def test_a_busy_hour_plays_facebook(facebook: Practice) -> None:
    after = facebook.ask("/practice/happenings").body["happenings"][-1]["id"]
    before = facebook.ask("/practice/facebook/feed?limit=200").body, conversation(facebook)
    assert facebook.ask("/practice/busy", {"acts": 80, "seconds": 0, "seed": 4}).status == 200
    ended = facebook.ask(f"/practice/happenings?after={after}&wait=20&kind=ended").body["happenings"]
    assert any(each["kind"] == "ended" for each in ended)
    assert (facebook.ask("/practice/facebook/feed?limit=200").body, conversation(facebook)) != before


@pytest.mark.browser
def test_an_answer_appears_on_the_phone(facebook: Practice, chromium: Browser) -> None:
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(facebook.url + CHAT)
    phone = page.get_by_role("region", name="Facebook of Carla Hughes")
    page.get_by_label("Message Acme Care").fill("In the browser")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(phone).to_contain_text("In the browser")
    page.get_by_label("Message Acme Care").fill("I was just about to")
    does(facebook, "page", person="carla", text="And answered")
    expect(phone).to_contain_text("And answered")
    expect(page.get_by_label("Message Acme Care")).to_have_value("I was just about to")
    page.get_by_role("button", name="Read it").click()
    expect(phone).to_contain_text("You have read it")
    phone.get_by_role("link", name="Edit").last.click()
    page.get_by_label("Other words").fill("In the browser, edited")
    page.get_by_role("button", name="Change").click()
    expect(phone).to_contain_text("In the browser, edited")
    expect(page.get_by_label("Message Acme Care")).to_have_value("")
    with listening() as callback:
        page.get_by_text("Developer console").click()
        page.get_by_label("Callback URL").fill(callback.url)
        page.get_by_label("Verify token").fill(VERIFY_TOKEN)
        page.get_by_role("button", name="Verify and save").click()
        expect(page.locator("#fb-callback")).to_contain_text(callback.url)
    facebook.ask("/practice/facebook/callback", {"callback_url": ""})
    assert complaints == []
    page.close()
