"""The adapter and the practice Facebook, written by the same documents and sharing no code: do they agree?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.adapters.base import Connection, DeliveryError, NotOurs, PayloadError, PollError
from channels.adapters.facebook import FacebookAdapter
from channels.adapters.facebook.trying import SCOPES, SUBSCRIBED
from channels.happenings import Address, Happening, InboundMessage, Outgoing, OutgoingFile
from contactcentre.lib.secrets import Credentials
from tests.practice.facebook_client import CARE, CARLA_ID, CARLA_PSID, Facebook
from tests.practice.running import Practice


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facebook]:
    program = Practice(tmp_path_factory.mktemp("practice facebook"))
    yield Facebook(program)
    program.end()


@pytest.fixture
def fb(network: Facebook, settings: Any) -> Iterator[Facebook]:
    settings.FACEBOOK_GRAPH_ORIGIN = network.origin
    yield network
    network.act("limits")
    assert network.practice.ask("/practice/mischief", {"network": "facebook", "behave": True}).status == 200


@pytest.fixture(scope="module")
def token(network: Facebook) -> str:
    client = network.page()
    client.put_object(CARE, "subscribed_apps", subscribed_fields=",".join(SUBSCRIBED))
    return str(client.access_token)


@pytest.fixture
def told(fb: Facebook, token: str) -> Connection:
    """Acme Care's Page, connected a moment ago."""
    return Connection(
        account_id=0,
        kind="facebook",
        address=CARE,
        name="Acme Care",
        settings={"permissions": list(SCOPES)},
        credentials=Credentials(access_token=token),
        begins_at=datetime.now(UTC) - timedelta(seconds=1),
        own=frozenset({CARE}),
    )


@pytest.fixture
def adapter() -> FacebookAdapter:
    return FacebookAdapter(seconds=10.0)


def polled(adapter: FacebookAdapter, told: Connection) -> list[Happening | Exception]:
    """Everything a whole round says, refusals among it."""
    made: list[Happening | Exception] = []
    cursor: dict[str, object] = {}
    while True:
        page = adapter.poll(told, cursor, now=datetime.now(UTC) + timedelta(minutes=2))
        for item in page.items:
            try:
                made += adapter.parse(item, told)
            except (PayloadError, NotOurs) as refused:
                made.append(refused)
        cursor = page.cursor
        if not page.more:
            return made


def messages(made: list[Happening | Exception]) -> list[InboundMessage]:
    return [each for each in made if isinstance(each, InboundMessage)]


def spoil(fb: Facebook, switch: str, **more: object) -> None:
    answer = fb.practice.ask("/practice/mischief", {"network": "facebook", "switch": switch, "on": True, **more})
    assert answer.status == 200, answer


def first_post(fb: Facebook) -> str:
    feed = fb.page().get_connections(CARE, "posts", fields="id", limit=1)
    return str(feed["data"][0]["id"])


def ours(text: str = "We are on it.", *, thread: str = CARLA_PSID, **more: Any) -> Outgoing:
    values: dict[str, Any] = {
        "surface": "facebook:messenger",
        "recipient": Address(kind="fb_psid", value=CARLA_PSID, scope=CARE),
        "marker": "message:1.ab",
        "text": text,
        "thread": thread,
    }
    return Outgoing(**{**values, **more})


def send(adapter: FacebookAdapter, told: Connection, given: Outgoing) -> str:
    sent = adapter.send(told, given, opener=lambda _path: io.BytesIO(b"%PDF-1.4 x"), still_ours=lambda: True)
    return sent.external_id


def test_a_round_finds_comments_answers_posts_and_messages(fb: Facebook, told: Connection, adapter: Any) -> None:
    post = first_post(fb)
    comment = fb.act("write", person="carla", do="comment", to=post, text="where is it?")
    fb.act("write", person="carla", do="comment", to=comment["id"], text="hello?")
    fb.act("write", person="carla", do="post", page=CARE, text="On your wall")
    fb.act("write", person="carla", do="message", page=CARE, text="psst")
    made = messages(polled(adapter, told))
    by_text = {each.text: each for each in made}
    assert by_text["where is it?"].thread == comment["id"]
    assert by_text["hello?"].thread == comment["id"]
    assert by_text["where is it?"].author.value == CARLA_ID
    assert by_text["On your wall"].thread == by_text["On your wall"].external_id
    assert (by_text["psst"].thread, by_text["psst"].scope) == (CARLA_PSID, CARE)
    assert by_text["psst"].author.name == "Carla Hughes"
    assert all(each.direction == "in" for each in made)


def test_answers_leave_and_are_found(fb: Facebook, told: Connection, adapter: Any) -> None:
    since = datetime.now(UTC)
    fb.act("write", person="carla", do="message", page=CARE, text="psst")
    comment = fb.act("write", person="carla", do="comment", to=first_post(fb), text="and here")
    below = ours("Answered below.", thread=comment["id"], surface="facebook:comment")
    for given in (ours("By Messenger."), below):
        number = send(adapter, told, given)
        assert adapter.look(told, given, since=since).external_id == number
    file = OutgoingFile(name="invoice.pdf", content_type="application/pdf", size=10, path="ab")
    given = ours("", files=(file,))
    number = send(adapter, told, given)
    assert adapter.look(told, given, since=since).external_id == number
    out = {each.external_id: each for each in messages(polled(adapter, told)) if each.direction == "out"}
    assert [part.name for part in out[number].files] == ["invoice.pdf"]


def test_the_window_of_a_day(fb: Facebook, told: Connection, adapter: Any) -> None:
    fb.act("write", person="tom", do="message", page=CARE, text="psst")
    fb.act("pass", person="tom", page=CARE, hours=25)
    long_since = replace(told, begins_at=told.begins_at - timedelta(days=3))
    tom = next(each.author for each in messages(polled(adapter, long_since)) if each.author.name.startswith("Tom"))
    with pytest.raises(DeliveryError) as caught:
        send(adapter, told, ours(recipient=tom, thread=tom.value))
    assert (caught.value.code, caught.value.permanent) == ("window-closed", True)


def test_what_somebody_is_called_and_what_works(fb: Facebook, told: Connection, adapter: Any) -> None:
    fb.act("write", person="carla", do="message", page=CARE, text="psst")
    profile = adapter.profile(told, CARLA_PSID)
    assert profile is not None
    assert profile.name == "Carla Hughes"
    tried = adapter.try_out(told)
    assert tried.ok, tried.words


@pytest.mark.parametrize(
    ("switch", "code"),
    [("fb_190_password", "unauthorised"), ("fb_190_bare", "unauthorised"), ("fb_throttle_page", "rate-limit"),
     ("fb_503", "server-error"), ("fb_code_1", "server-error"), ("fb_not_json", "odd-answer"),
     ("fb_array", "odd-answer"), ("fb_no_type", "odd-answer"), ("fb_drop", "connection-lost"),
     ("fb_permission", "not-permitted")],
)  # fmt: skip
def test_misbehaviour_is_a_failure_with_a_name(
    fb: Facebook, told: Connection, adapter: Any, switch: str, code: str
) -> None:
    spoil(fb, switch)
    with pytest.raises(PollError) as caught:
        adapter.poll(told, {}, now=datetime.now(UTC))
    assert caught.value.code == code


@pytest.mark.parametrize("switch", ["fb_drop_field", "fb_rename_field"])
@pytest.mark.parametrize(
    ("field", "about", "fate"),
    [("created_time", "comment", PayloadError), ("message", "comment", PayloadError), ("id", "comment", PayloadError),
     ("parent", "comment", "another thread"), ("from", "comment", "nobody"), ("message", "message", PayloadError),
     ("created_time", "message", PayloadError), ("from", "message", PayloadError), ("id", "message", PayloadError)],
)  # fmt: skip
def test_a_field_less_in_practice_is_never_taken_for_the_same(
    fb: Facebook, told: Connection, adapter: Any, switch: str, field: str, about: str, fate: Any
) -> None:
    comment = fb.act("write", person="carla", do="comment", to=first_post(fb), text="first")
    if about == "comment":
        fb.act("write", person="carla", do="comment", to=comment["id"], text="deeper")
    else:
        fb.act("write", person="carla", do="message", page=CARE, text="psst")
    spoil(fb, switch, address=field)
    made = polled(adapter, told)
    surface = "facebook:comment" if about == "comment" else "facebook:messenger"
    found = [each for each in messages(made) if each.surface == surface]
    if fate == "another thread":
        assert any(each.text == "deeper" and each.thread == each.external_id for each in found)
    elif fate == "nobody":
        assert {each.author.kind for each in found} == {"nameless"}
    else:
        assert any(isinstance(each, fate) for each in made), made
