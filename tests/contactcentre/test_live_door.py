"""What the stream's door does by the clock, with the clock's limits made short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contactcentre import live
from contactcentre.fanout import Fanout
from contactcentre.lib import realtime
from contactcentre.lib.asgi import Message
from contactcentre.lib.realtime import Topics
from contactcentre.live import LiveDoor
from tests.contactcentre.conftest import ValkeyServer

TOPICS: Topics = {"queues": frozenset(), "person": 1, "all": True}


def visit(
    server: ValkeyServer, *, send: Callable[[Message], Awaitable[None]], leave: asyncio.Event, streams: int = 10
) -> Awaitable[None]:
    """One browser's visit, until `leave` is set or the door ends it."""

    async def receive() -> Message:
        await leave.wait()
        return {"type": "http.disconnect"}

    async def visiting() -> None:
        door = LiveDoor(Fanout(server.url), streams=streams)
        scope: Any = {
            **{"type": "http", "method": "GET", "path": "/live/", "query_string": b""},
            "headers": [(b"cookie", b"contactcentre_session=made-up")],
        }
        try:
            async with asyncio.timeout(10):
                await door(scope, receive, send)
        finally:
            await door.close()

    return visiting()


def test_a_quiet_stream_says_that_it_is_there_and_where(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "admit", lambda session_key: TOPICS)
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.05)
    sent: list[bytes] = []
    place = realtime.position()

    async def run() -> None:
        leave = asyncio.Event()

        async def send(message: Message) -> None:
            sent.append(message.get("body", b""))
            if sent.count(f'id: {place}\nevent: still\ndata: {{"names": []}}\n\n'.encode()) == 3:
                leave.set()

        await visit(valkey, send=send, leave=leave)

    asyncio.run(run())


def test_the_session_is_looked_at_again_by_the_clock(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([TOPICS, TOPICS, TimeoutError("no answer"), None])

    def admit(session_key: str) -> Topics | None:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(live, "admit", admit)
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(live, "CHECK_AGAIN_SECONDS", 0.02)
    sent: list[Message] = []

    async def run() -> None:
        async def send(message: Message) -> None:
            sent.append(message)

        await visit(valkey, send=send, leave=asyncio.Event())

    asyncio.run(run())
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert next(answers, "all asked") == "all asked"


def test_a_browser_that_reads_nothing_for_long_is_let_go(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "admit", lambda session_key: TOPICS)
    monkeypatch.setattr(live, "STALL_SECONDS", 0.05)

    async def run() -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        await visit(valkey, send=send, leave=asyncio.Event())

    asyncio.run(run())


def test_a_full_process_asks_to_come_back(valkey: ValkeyServer) -> None:
    sent: list[Message] = []

    async def run() -> None:
        async def send(message: Message) -> None:
            sent.append(message)

        await visit(valkey, send=send, leave=asyncio.Event(), streams=0)

    asyncio.run(run())
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
