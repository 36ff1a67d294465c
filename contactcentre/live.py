"""The stream's door: GET /live/ as server-sent events (WHATWG HTML, "Server-sent events").

The browser's session is looked at once, in a thread; after that no event costs a query. It is looked at
again when the person changed or signed out (realtime.person_changed) and every five minutes. What is sent
are names; the page fetches the changed pieces with its own rights.

    id: 5f0c…:1763779200000-0
    event: change
    data: {"names": ["ticket-42"]}

The name "refresh" alone means: fetch everything that is live on the page, we cannot say what changed. Between
changes the event "still" says every KEEP_ALIVE_SECONDS that the stream goes on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

from contactcentre.fanout import Change, Fanout, Subscription
from contactcentre.lib.asgi import Receive, Scope, Send, header, refuse
from contactcentre.lib.realtime import Position, Topics

logger = logging.getLogger(__name__)

PATH = "/live/"
KEEP_ALIVE_SECONDS = 15.0
CHECK_SECONDS = 300.0
# No names: whoever does not look at the kind of an event finds nothing changed.
_STILL = 'event: still\ndata: {"names": []}\n\n'
# When the database did not answer a check: the stream goes on, with names only, and asks again this much later.
CHECK_AGAIN_SECONDS = 15.0
CHECK_LIMIT_SECONDS = 10.0
# A browser that reads nothing for this long is gone, whatever its connection says.
STALL_SECONDS = 60.0
# A restart sends everybody away at once; they come back spread over this many milliseconds.
RETRY_MILLISECONDS = (1000, 5000)
# Where sessions live did not answer: that says nothing about the session, so nobody is sent away for good.
CANNOT_TELL = (DatabaseError, InterfaceError, RedisError, TimeoutError)


class LiveDoor:
    """An ASGI application for GET /live/. `streams` browsers at most; more are asked to come back later."""

    def __init__(self, fanout: Fanout, *, streams: int) -> None:
        self._fanout = fanout
        self._streams = streams
        # Threads of its own: pages that are slow today must not hold up the sign-in of a stream, nor the other way.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: a stream until the browser, the session or the process goes."""
        if scope["method"] != "GET":
            await refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "The live stream is only read.", allow="GET")
            return
        if len(self._fanout.subscriptions) >= self._streams:
            await refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "Too many live streams here.", retry_after="5")
            return
        session_key = parse_cookie(header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME, "")
        try:
            topics = await self._admit(session_key)
        except CANNOT_TELL as error:
            logger.warning("A live stream was refused, its session could not be read: %s", error)
            await refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "Sign-in could not be checked.", retry_after="5")
            return
        if topics is None:
            await refuse(send, HTTPStatus.UNAUTHORIZED, "Sign in first.")
            return
        subscription = self._fanout.join(topics)
        gone = asyncio.create_task(_until_gone(receive, subscription))
        try:
            await self._stream(subscription, session_key, _start(scope), send)
        finally:
            gone.cancel()
            self._fanout.leave(subscription)

    async def close(self) -> None:
        """End all streams, the reader and the threads."""
        await self._fanout.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _stream(self, subscription: Subscription, session_key: str, start: Position | None, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        clock = asyncio.get_running_loop()
        lines = _Lines(send)
        try:
            await lines.send(f"retry: {random.randint(*RETRY_MILLISECONDS)}\n\n")  # noqa: S311 - spreads load
            await self._fanout.replay(subscription, start)
            check_at = clock.time() + _jittered(CHECK_SECONDS)
            while not subscription.ended:
                subscription.wake.clear()
                if subscription.check_due or clock.time() >= check_at:
                    subscription.check_due = False
                    check_at = clock.time() + await self._check(subscription, session_key)
                    continue
                change = subscription.take()
                if change is not None:
                    await lines.send(frame(change))
                    continue
                until = min(check_at, lines.last_at + KEEP_ALIVE_SECONDS)
                try:
                    async with asyncio.timeout_at(until):
                        await subscription.wake.wait()
                except TimeoutError:
                    if clock.time() >= lines.last_at + KEEP_ALIVE_SECONDS:
                        await lines.send(self._still_here(subscription))
            await lines.end()
        except TimeoutError:
            # The answer is left incomplete, upon which the server closes the connection.
            logger.info("A live stream was closed: its browser read nothing for %g s.", STALL_SECONDS)

    def _still_here(self, subscription: Subscription) -> str:
        """An event of its own, with the present place if the browser knows all before it.

        So a page that sees few of many changes can still resume after hours, and one that hears nothing at all any
        more knows it: no browser tells of a connection that died without a word, and none of a comment in the stream.
        """
        position = self._fanout.position
        if position is not None and subscription.told_everything:
            return f"id: {position}\n{_STILL}"
        return _STILL

    async def _check(self, subscription: Subscription, session_key: str) -> float:
        """Look at session and rights again; the seconds until the next time. May end the subscription."""
        try:
            topics = await self._admit(session_key)
        except CANNOT_TELL as error:
            logger.warning("The session of a live stream could not be checked, trying again: %s", error)
            return _jittered(CHECK_AGAIN_SECONDS)
        if topics is None:
            subscription.end()
        elif topics != subscription.topics:
            subscription.topics = topics
            if self._fanout.position is not None:
                # What may be seen now may have changed while it could not be seen.
                subscription.refresh(self._fanout.position)
        return _jittered(CHECK_SECONDS)

    async def _admit(self, session_key: str) -> Topics | None:
        if not session_key:
            return None
        async with asyncio.timeout(CHECK_LIMIT_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(admit, session_key))


def admit(session_key: str) -> Topics | None:
    """What the person behind a session may be told; None for nobody, or somebody who may not.

    Runs in a thread. Only reads: looking at a session must not prolong it. Raises CANNOT_TELL.
    """
    close_old_connections()
    try:
        person_id = _signed_in(session_key)
        if person_id is None:
            return None
        topics: Callable[[Any], Topics | None] = import_string(_topics_path())
        return topics(person_id)
    finally:
        close_old_connections()


def _topics_path() -> str:
    """A dotted path, so that the wiring need not import the house that knows who sees what."""
    return getattr(settings, "LIVE_TOPICS", "tickets.access.topics")


def _signed_in(session_key: str) -> Any:
    """The id of the active person whose session this is, or None.

    The same tests as django.contrib.auth.get_user(), without its writing: that one may give the session
    another key, which a stream cannot hand to the browser.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if SESSION_KEY not in session or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    people = get_user_model()
    try:
        person = people._default_manager.filter(pk=people._meta.pk.to_python(session[SESSION_KEY])).first()
    except (ValueError, ValidationError):
        return None
    if person is None or not person.is_active:
        return None
    given = session.get(HASH_SESSION_KEY, "")
    expected = (person.get_session_auth_hash(), *person.get_session_auth_fallback_hash())
    # A changed password ends the sessions that were opened with the old one.
    if not any(constant_time_compare(given, one) for one in expected):
        return None
    return person.pk


def frame(change: Change) -> str:
    """A change as one event of the stream."""
    return f"id: {change.position}\nevent: change\ndata: {json.dumps({'names': change.names})}\n\n"


class _Lines:
    """Text on its way to a browser, with a limit on how long it may not be read."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._clock = asyncio.get_running_loop()
        self.last_at = self._clock.time()

    async def send(self, text: str) -> None:
        """Raises TimeoutError when the browser does not read."""
        self.last_at = self._clock.time()
        async with asyncio.timeout(STALL_SECONDS):
            await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    async def end(self) -> None:
        """The regular end of the answer."""
        async with asyncio.timeout(STALL_SECONDS):
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would otherwise gather events until a buffer is full.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def _until_gone(receive: Receive, subscription: Subscription) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    subscription.end()


def _start(scope: Scope) -> Position | None:
    """From where the browser wants to be told: Last-Event-ID when it comes back, `from` when the page is new."""
    text = header(scope, b"last-event-id")
    if not text:
        asked = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=None)
        text = asked.get("from", [""])[0]
    return Position.parse(text)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret
