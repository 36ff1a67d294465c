"""The web process: one port, two doors.

/live/ is the async stream; everything else goes to Django's WSGI handler on a fixed pool of threads, each
with a database connection that it keeps. (Django's own ASGI handler takes a fresh thread, and so a fresh
connection, for every request: several times the price of a page.)

    uvicorn contactcentre.asgi:application --no-access-log --timeout-graceful-shutdown 3

A large installation runs the same application twice, for pages and for streams, told apart by path at the
proxy.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from http import HTTPStatus
from types import FrameType

from contactcentre.wsgi import application as pages_of_django  # first: it sets Django up

# isort: split
from django.conf import settings

from contactcentre import live
from contactcentre.fanout import Fanout
from contactcentre.lib.asgi import Receive, Scope, Send, refuse
from contactcentre.pages import PagesDoor

logger = logging.getLogger(__name__)

fanout = Fanout(settings.REDIS_URL)
live_door = live.LiveDoor(fanout, streams=getattr(settings, "LIVE_STREAMS", 2000))
pages_door = PagesDoor(
    pages_of_django,
    threads=getattr(settings, "WEB_THREADS", 8),
    largest_body=getattr(settings, "WEB_MAX_BODY_BYTES", 128 * 1024 * 1024),
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request, or live through the process' start and stop."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    elif scope["path"] == live.PATH:
        await live_door(scope, receive, send)
    elif scope["path"].startswith(live.PATH):
        await refuse(send, HTTPStatus.NOT_FOUND, "There is one live stream, at /live/.")
    else:
        await pages_door(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    _end_streams_on_signal()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await live_door.close()
    await send({"type": "lifespan.shutdown.complete"})


def _end_streams_on_signal() -> None:
    """End the streams the moment the process is told to stop.

    A server tells the application only after its connections are closed, and a stream never closes by
    itself: without this every stop would take the whole time of grace and then cancel everybody's stream.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        _chain(number, loop)


def _chain(number: signal.Signals, loop: asyncio.AbstractEventLoop) -> None:
    before = signal.getsignal(number)
    if not callable(before):
        return

    def stop(signum: int, stack: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(fanout.end_all)
        before(signum, stack)

    signal.signal(number, stop)
