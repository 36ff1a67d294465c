"""The exchange: calls, what is told of them, and how the telling can go wrong."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from contactcentre.supervisor import ports
from tests.practice.hook import Hook, listening
from tests.practice.running import Practice

CALLS = "/practice/telephony/calls"
EVENTS = "/practice/telephony/events"
LINES = "/practice/telephony/lines"
SUPPORT = "+442079460100"
CARLA = "+442079460142"


def call(practice: Practice, **fields: object) -> dict[str, Any]:
    """Do something with a call that works."""
    answer = practice.ask(CALLS, fields)
    assert answer.status == 200, answer
    told: dict[str, Any] = answer.body
    return told


def misbehave(practice: Practice, switch: str, on: bool = True, **limits: object) -> None:
    answer = practice.ask("/practice/mischief", {"network": "telephony", "switch": switch, "on": on, **limits})
    assert answer.status == 200, answer


def settled(practice: Practice, count: int) -> list[dict[str, Any]]:
    """The last events, oldest first."""
    events: list[dict[str, Any]] = practice.ask(f"{EVENTS}?limit={count}").body["events"]
    return list(reversed(events))


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as made:
        yield made


@pytest.fixture
def exchange(practice: Practice, hook: Hook) -> Iterator[Practice]:
    """The exchange, with its support line connected and nobody on the telephone."""
    _end_all(practice)
    assert practice.ask(LINES, {"number": SUPPORT, "hook_url": hook.url}).status == 200
    yield practice
    practice.ask("/practice/mischief", {"network": "telephony", "behave": True})
    practice.ask(LINES, {"number": SUPPORT, "hook_url": ""})
    _end_all(practice)


def _end_all(practice: Practice) -> None:
    """Hang up whatever another test, or a busy hour, left behind."""
    for each in practice.ask(f"{CALLS}?limit=200").body["calls"]:
        if each["state"] != "ended":
            practice.ask(CALLS, {"act": "hangup", "call": each["id"]})


def test_a_call_is_told_in_three_forms_from_ringing_to_the_end(exchange: Practice, hook: Hook) -> None:
    made = call(exchange, person="carla", to=SUPPORT)
    assert (made["state"], made["direction"], made["number"]) == ("ringing", "in", CARLA)
    assert hook.next() == {
        "event": "newCall",
        "from": "442079460142",
        "to": "442079460100",
        "direction": "in",
        "callId": made["id"],
        "user[]": ["Anna Reid", "Ben Tallis"],
        "queue": "Acme Support",
        "path": "/hooks/phone/practice-token/",
        "status": 200,
    }
    assert call(exchange, act="answer", person="carla", user="Ben Tallis")["state"] == "talking"
    answered = hook.next()
    assert (answered["event"], answered["answeringNumber"], answered["user"]) == ("answer", "43", "Ben Tallis")
    assert call(exchange, act="hangup", **{"from": CARLA})["cause"] == "normalClearing"
    ended = hook.next()
    assert (ended["event"], ended["cause"], ended["callId"]) == ("hangup", "normalClearing", made["id"])
    assert set(hook.kinds) == {"application/x-www-form-urlencoded"}
    assert hook.nothing_came()


@pytest.mark.parametrize(("act", "cause"), [("hangup", "cancel"), ("miss", "noAnswer")])
def test_a_call_that_nobody_takes_ends_with_its_cause(exchange: Practice, hook: Hook, act: str, cause: str) -> None:
    call(exchange, person="tom")
    assert call(exchange, act=act, person="tom")["cause"] == cause
    assert hook.next()["event"] == "newCall"
    ended = hook.next()
    assert (ended["event"], ended["cause"]) == ("hangup", cause)
    assert not {"user", "answeringNumber"} & set(ended)


def test_the_voicemail_answers_as_itself(exchange: Practice, hook: Hook) -> None:
    call(exchange, person="carla")
    assert call(exchange, act="voicemail", person="carla")["state"] == "voicemail"
    said = call(exchange, act="say", person="carla", text="Please ring me back.")["said"]
    assert said == [{"by_us": False, "text": "Please ring me back."}]
    call(exchange, act="hangup", person="carla")
    assert hook.next()["event"] == "newCall"
    assert hook.next()["user"] == "voicemail"
    assert hook.next()["user"] == "voicemail"


def test_a_withheld_number_is_told_to_nobody(exchange: Practice, hook: Hook) -> None:
    call(exchange, person="carla", withheld=True)
    told = hook.next()
    assert told["from"] == "anonymous"
    assert CARLA.removeprefix("+") not in str(told)
    nobody = call(exchange, withheld=True)
    assert nobody["person"] == ""
    assert hook.next()["from"] == "anonymous"


def test_a_number_is_told_as_a_script_gave_it(exchange: Practice, hook: Hook) -> None:
    call(exchange, **{"from": "020 7946 0999"})
    assert hook.next()["from"] == "020 7946 0999"
    assert call(exchange, **{"from": CARLA})["person"] == "carla"


def test_we_ring_a_customer(exchange: Practice, hook: Hook) -> None:
    made = call(exchange, direction="out", to=CARLA, user="Ben Tallis", **{"from": SUPPORT})
    told = hook.next()
    assert (told["direction"], told["from"], told["to"]) == ("out", "442079460100", "442079460142")
    assert told["user[]"] == ["Ben Tallis"]
    assert "Acme is ringing you" in exchange.ask("/live?as=carla").body["parts"]["call-state"]
    call(exchange, act="answer", call=made["id"])
    told = hook.next()
    assert (told["user"], told["answeringNumber"]) == ("Ben Tallis", "442079460142")
    call(exchange, act="hangup", call=made["id"])
    assert hook.next()["cause"] == "normalClearing"


def test_what_makes_no_sense_is_refused(exchange: Practice) -> None:
    def status(**fields: object) -> int:
        return exchange.ask(CALLS, fields).status

    assert status(act="dance", person="carla") == 400
    assert status(person="nobody") == 404
    assert status(person="nora") == 400
    assert status() == 400
    assert status(person="carla", to="+15550100") == 404
    assert status(person="carla", colour="red") == 400
    assert status(act="answer", person="carla") == 404
    made = call(exchange, person="carla")
    assert status(person="carla") == 409
    assert status(act="say", person="carla", text="Hello?") == 409
    assert status(act="hangup", person="carla", cause="tired") == 400
    assert status(act="answer", person="carla", user="Nobody") == 400
    call(exchange, act="hangup", person="carla")
    assert status(act="hangup", call=made["id"]) == 409
    for number, url in [
        ("+15550100", "http://127.0.0.1:1/"),
        (SUPPORT, "https://hooks.example/"),
        (SUPPORT, "ftp://x"),
    ]:
        assert exchange.ask(LINES, {"number": number, "hook_url": url}).status == 400
    assert exchange.ask(LINES, {"number": SUPPORT}).status == 400


def test_a_hook_that_fails_is_told_again_until_it_takes_it(exchange: Practice, hook: Hook) -> None:
    hook.answers = [500, 503]
    made = call(exchange, person="carla")
    assert [(each["event"], each["status"]) for each in (hook.next(), hook.next(), hook.next())] == [
        ("newCall", 500),
        ("newCall", 503),
        ("newCall", 200),
    ]
    call(exchange, act="hangup", call=made["id"])
    assert hook.next()["event"] == "hangup"


def test_a_hook_that_knows_no_such_line_is_not_asked_again(exchange: Practice, hook: Hook) -> None:
    known = exchange.ask("/practice/happenings").body["happenings"][-1]["id"]
    hook.answers = [404]
    call(exchange, person="carla")
    assert hook.next()["status"] == 404
    refused = exchange.ask(f"/practice/happenings?after={known}&kind=refused&wait=10").body["happenings"]
    assert "404" in refused[-1]["words"]
    call(exchange, act="hangup", person="carla")
    assert hook.next()["event"] == "hangup"
    assert settled(exchange, 2)[0]["state"] == "given up"


def test_an_address_that_is_told_again_is_no_news(exchange: Practice, hook: Hook) -> None:
    known = exchange.ask("/practice/happenings").body["happenings"][-1]["id"]
    for url in (hook.url, hook.url, f"{hook.url}?moved", hook.url):
        assert exchange.ask(LINES, {"number": SUPPORT, "hook_url": url}).status == 200
    news = exchange.ask(f"/practice/happenings?after={known}&kind=line").body["happenings"]
    assert len(news) == 2


def test_events_come_twice(exchange: Practice, hook: Hook) -> None:
    misbehave(exchange, "call_event_twice", times=1)
    call(exchange, person="carla")
    assert hook.next() == hook.next()
    call(exchange, act="hangup", person="carla")
    assert hook.names(1) == ["hangup"]


def test_events_come_late(exchange: Practice, hook: Hook) -> None:
    misbehave(exchange, "call_event_late", times=1)
    made = call(exchange, person="carla")
    call(exchange, act="hangup", person="carla")
    assert hook.names(1) == ["hangup"]
    misbehave(exchange, "call_event_late", on=False)
    late = hook.next()
    assert (late["event"], late["callId"]) == ("newCall", made["id"])


def test_events_come_out_of_order(exchange: Practice, hook: Hook) -> None:
    misbehave(exchange, "call_event_disorder")
    call(exchange, person="carla")
    call(exchange, act="answer", person="carla")
    call(exchange, act="hangup", person="carla")
    assert hook.names(1) == ["hangup"]
    assert sorted(hook.names(2)) == ["answer", "newCall"]


def test_events_get_lost(exchange: Practice, hook: Hook) -> None:
    misbehave(exchange, "call_hangup_lost", times=1)
    call(exchange, person="carla")
    assert call(exchange, act="hangup", person="carla")["state"] == "ended"
    misbehave(exchange, "call_event_lost", times=1)
    call(exchange, person="carla")
    call(exchange, act="hangup", person="carla")
    assert hook.names(2) == ["newCall", "hangup"]
    assert [event["state"] for event in settled(exchange, 4)][1:3] == ["lost", "lost"]
    assert hook.nothing_came()


def test_an_answer_that_is_not_waited_for_brings_the_event_again(exchange: Practice, hook: Hook) -> None:
    misbehave(exchange, "call_hook_timeout", times=1)
    call(exchange, person="carla")
    assert hook.next() == hook.next()


def test_events_come_as_json(exchange: Practice, hook: Hook) -> None:
    misbehave(exchange, "call_json", address=SUPPORT)
    call(exchange, person="carla")
    assert hook.next()["user"] == ["Anna Reid", "Ben Tallis"]
    call(exchange, act="answer", person="carla")
    assert hook.next()["user"] == "Anna Reid"
    assert set(hook.kinds) == {"application/json"}


def test_a_line_that_nobody_listens_to_rings_all_the_same(exchange: Practice, hook: Hook) -> None:
    call(exchange, person="carla", to="+442079460101")
    assert call(exchange, act="answer", person="carla")["state"] == "talking"
    assert hook.nothing_came()


def test_a_kill_loses_no_event_and_no_line(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "data")
    try:
        port = ports.free()
        url = f"http://127.0.0.1:{port}/hooks/phone/practice-token/"
        practice.ask(LINES, {"number": SUPPORT, "hook_url": url})
        known = practice.ask("/practice/happenings").body["happenings"][-1]["id"]
        made = call(practice, person="carla")
        # Nobody listens there yet.
        assert practice.ask(f"/practice/happenings?after={known}&kind=again&wait=10").body["happenings"]
        practice.end(signal.SIGKILL)
        with listening(port) as hook:
            practice.start_again()
            assert practice.ask(LINES).body["lines"][0]["hook_url"] == url
            told = hook.next()
            assert (told["event"], told["callId"]) == ("newCall", made["id"])
            call(practice, act="hangup", person="carla")
            assert hook.names(1) == ["hangup"]
    finally:
        practice.end()


def test_the_busy_hour_rings_too(exchange: Practice, hook: Hook) -> None:
    known = exchange.ask("/practice/happenings").body["happenings"][-1]["id"]
    assert exchange.ask("/practice/busy", {"acts": 30, "seconds": 0, "seed": 3}).body["running"]
    assert exchange.ask(f"/practice/happenings?after={known}&kind=ended&wait=20").body["happenings"]
    assert exchange.ask("/practice/busy").body["failed"] == 0
    assert any(each["state"] == "ended" for each in exchange.ask(CALLS).body["calls"])


def test_the_page_shows_the_call_to_both_sides(exchange: Practice) -> None:
    call(exchange, person="tom")
    call(exchange, person="carla")
    parts = exchange.ask("/live?as=carla").body["parts"]
    assert "In the queue, second" in parts["call-state"]
    assert "Carla Hughes rings Acme Support" in parts["exchange-calls"]
    call(exchange, act="answer", person="carla")
    call(exchange, act="say", person="carla", text="<b>Hello?</b>")
    parts = exchange.ask("/live?as=carla").body["parts"]
    assert "Talking to Anna Reid" in parts["call-state"]
    assert "&lt;b&gt;Hello?&lt;/b&gt;" in parts["call-said"]
    assert "has no telephone" in exchange.ask("/?as=nora").body.decode()
    form = urlencode({"act": "hangup", "person": "carla"}).encode()
    with urlopen(
        Request(f"{exchange.url}{CALLS}", data=form, headers={"Referer": f"{exchange.url}/?as=carla"})
    ) as page:
        assert page.url == f"{exchange.url}/?as=carla"
        assert "The call is over" in page.read().decode()


def test_people_json_names_the_lines(exchange: Practice, hook: Hook) -> None:
    facts = exchange.ask("/people.json").body["networks"]["telephony"]
    assert facts["lines"][0] == {"number": SUPPORT, "name": "Acme Support", "hook_url": hook.url}
    assert facts["desks"][0] == {"name": "Anna Reid", "extension": "42"}


@pytest.mark.browser
def test_a_call_in_the_browser_from_ringing_to_the_end(exchange: Practice, hook: Hook, chromium: Browser) -> None:
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{exchange.url}/?as=carla")
    page.get_by_label("Withhold my number").check()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#call-state")).to_have_text("Ringing")
    assert hook.next()["from"] == "anonymous"
    page.get_by_label("Answer as").select_option("Ben Tallis")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator("#call-state")).to_have_text("Talking to Ben Tallis")
    page.get_by_label("What you say").fill("It is me again.")
    page.get_by_role("button", name="Say").click()
    expect(page.locator("#call-said")).to_contain_text("It is me again.")
    expect(page.get_by_label("What you say")).to_have_value("")
    page.locator("#call-end").click()
    expect(page.locator("#call-state")).to_have_text("The call is over")
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_visible()
    assert hook.names(2) == ["answer", "hangup"]
    assert complaints == []
    page.close()
