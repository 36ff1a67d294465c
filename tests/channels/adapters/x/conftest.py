"""A tiny X of the tests' own: it answers what a test scripts, misbehaves on request, and remembers its questions."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from channels.adapters.base import Connection
from channels.adapters.x import XAdapter, snowflakes
from channels.happenings import Address, Outgoing
from contactcentre.lib.secrets import Credentials

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
US = "2244994945"
DEALS = "2244990001"
ANA = "3333333333"
TOKEN = "practice-token"
SCOPE = "tweet.read tweet.write users.read dm.read dm.write offline.access"


def post_id(minutes: float = 0, extra: int = 0) -> str:
    """The id of a post written so many minutes before NOW."""
    return str(snowflakes.id_at(NOW - timedelta(minutes=minutes)) + extra)


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


Misbehave = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class TinyX:
    """`answers` maps "GET /path" to a list of answers, the last of which stays. An answer is (status, body[, headers])
    or a function that does what it likes with the connection."""

    origin: str
    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, call: str, *answers: Any) -> None:
        self.answers[call] = list(answers)

    def asked_for(self, call: str) -> list[Asked]:
        return [each for each in self.asked if f"{each.method} {each.path}" == call]

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        asked = Asked(handler.command, parts.path, dict(parse_qsl(parts.query)), dict(handler.headers.items()), body)
        self.asked.append(asked)
        script = self.answers.get(f"{asked.method} {asked.path}", [(404, {"title": "Not Found Error"})])
        answer = script.pop(0) if len(script) > 1 else script[0]
        if callable(answer):
            answer(handler)
            return
        status, given, *rest = answer
        sent = given if isinstance(given, bytes) else json.dumps(given).encode()
        handler.send_response(status)
        for name, value in {"content-type": "application/json", **(rest[0] if rest else {})}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(sent)))
        handler.end_headers()
        handler.wfile.write(sent)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and cut the connection with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def html(status: int) -> tuple[int, bytes, dict[str, str]]:
    return status, b"<html><body>Over capacity</body></html>", {"content-type": "text/html"}


@pytest.fixture
def tiny() -> Iterator[TinyX]:
    """A server on loopback that ends with the test."""
    made: list[TinyX] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave apart; held back, each answer would take 40 ms.
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            return

        def _answer(self) -> None:
            try:
                made[0].handle(self)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _answer

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    made.append(TinyX(f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made[0]
    server.shutdown()
    server.server_close()


@pytest.fixture
def x(tiny: TinyX, settings: Any) -> TinyX:
    """The tiny X in the place of the real one."""
    settings.X_ORIGIN = tiny.origin
    return tiny


@pytest.fixture
def adapter() -> XAdapter:
    return XAdapter(seconds=2.0)


def connection(**given: Any) -> Connection:
    """@AcmeCare, connected an hour ago."""
    values: dict[str, Any] = {
        "account_id": 7,
        "kind": "x",
        "address": US,
        "name": "@AcmeCare",
        "settings": {"handle": "AcmeCare", "capabilities": {"mention": True, "reply": True, "dm": True}},
        "credentials": Credentials(access_token=TOKEN, refresh_token="practice-refresh", scope=SCOPE),
        "begins_at": NOW - timedelta(hours=1),
        "own": frozenset({US, DEALS}),
    }
    return Connection(**{**values, **given})


def a_post(number: str | None = None, **given: Any) -> dict[str, Any]:
    """A mention by Ana that begins a conversation; None leaves a field out."""
    number = number or post_id(5)
    values: dict[str, Any] = {
        "id": number,
        "text": "@AcmeCare my router is dead",
        "author_id": ANA,
        "created_at": "2026-11-21T09:25:00.000Z",
        "conversation_id": number,
        # As X has it of every post that begins with a name.
        "in_reply_to_user_id": US,
        "edit_history_tweet_ids": [number],
        "entities": {"mentions": [{"start": 0, "end": 9, "username": "AcmeCare", "id": US}]},
    }
    return {name: value for name, value in {**values, **given}.items() if value is not None}


def a_reply(number: str, parent: str, **given: Any) -> dict[str, Any]:
    """Ana's answer to a post of ours."""
    values = {
        "conversation_id": parent,
        "in_reply_to_user_id": US,
        "referenced_tweets": [{"type": "replied_to", "id": parent}],
    }
    return a_post(number, **{**values, **given})


def a_dm(number: str | None = None, **given: Any) -> dict[str, Any]:
    """Ana writes to us."""
    values: dict[str, Any] = {
        "id": number or post_id(5),
        "event_type": "MessageCreate",
        "text": "still broken",
        "sender_id": ANA,
        "dm_conversation_id": f"{US}-{ANA}",
        "created_at": "2026-11-21T09:25:00.000Z",
    }
    return {name: value for name, value in {**values, **given}.items() if value is not None}


USERS = [
    {"id": ANA, "name": "Ana", "username": "ana_b", "profile_image_url": "https://images.example/ana_normal.jpg"},
    {"id": US, "name": "Acme Care", "username": "AcmeCare"},
]


def page(*entries: dict[str, Any], next_token: str = "", **includes: Any) -> dict[str, Any]:
    """A page as X hands it over: without `data` where there is nothing."""
    meta: dict[str, Any] = {"result_count": len(entries)}
    if next_token:
        meta["next_token"] = next_token
    made: dict[str, Any] = {"meta": meta, "includes": {"users": USERS, **includes}}
    return {**made, "data": list(entries)} if entries else {"meta": meta}


MENTIONS = f"GET /2/users/{US}/mentions"
OWN = f"GET /2/users/{US}/tweets"
DMS = "GET /2/dm_events"
DMS_WITH = f"GET /2/dm_conversations/with/{ANA}/dm_events"


def quiet(x: TinyX) -> None:
    """Nothing new anywhere."""
    for call in (MENTIONS, OWN, DMS):
        x.on(call, (200, page()))


def outgoing(**given: Any) -> Outgoing:
    """Our public answer to Ana."""
    values: dict[str, Any] = {
        "surface": "x:mention",
        "recipient": Address(kind="x_user", value=ANA, handle="ana_b"),
        "marker": "message:1.abc",
        "text": "We are looking into it.",
        "thread": post_id(5),
        "parent_id": post_id(5),
    }
    return Outgoing(**{**values, **given})


def a_dm_out(**given: Any) -> Outgoing:
    return outgoing(**{"surface": "x:dm", "thread": f"{US}-{ANA}", "parent_id": f"dm:{post_id(5)}", **given})
