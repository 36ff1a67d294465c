"""Answers that no well-behaved server gives: silence, half a body, a drip, a reset."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from practice.settings import HOST
from practice.x.switches import DRIP, SILENCE

#: How long open requests may finish once the end has come, in seconds.
_GRACE = 1


class _Line(H11Protocol):
    """uvicorn's protocol, which tells the application about its connection, so that it can be cut."""

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, {**app_state, "line": self}, _loop)


class _Server(uvicorn.Server):
    """A second server in the program. Signals are the first one's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def listen(app: Starlette, port: int, stack: AsyncExitStack) -> int:
    """Serve the application until the stack unwinds, and return the port. Raises OSError when it is taken."""
    door = socket.create_server((HOST, port), backlog=128)
    server = _Server(
        uvicorn.Config(
            app,
            http=_Line,
            lifespan="off",
            access_log=False,
            log_level="warning",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[door]))

    async def end() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(end)
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    return int(door.getsockname()[1])


class Silence(Response):
    """No answer, until the other side gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_gone(receive), SILENCE)
        _cut(scope)
        await _gone(receive)


class Reset(Response):
    """No answer, and the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the line."""
        _cut(scope)
        await _gone(receive)


class Half(Response):
    """The first half of an answer, and then the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is sent, and cut the line."""
        body = bytes(self.body)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        _cut(scope, gently=True)
        await _gone(receive)


class Drip(Response):
    """An answer that takes longer than anybody waits, with a byte now and then so that no read times out."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send byte by byte until all is sent or nobody listens."""
        body = bytes(self.body)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        try:
            for place in range(len(body)):
                await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": True})
                await asyncio.wait([gone], timeout=DRIP)
                if gone.done():
                    return
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cut(scope: Scope, *, gently: bool = False) -> None:
    """End the connection: at once with a reset, or after what was written has left (`gently`)."""
    transport = scope["state"]["line"].transport
    if gently:
        transport.close()
        return
    line = transport.get_extra_info("socket")
    if line is not None and line.fileno() >= 0:
        # With a linger time of nothing the kernel sends RST in place of FIN.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
