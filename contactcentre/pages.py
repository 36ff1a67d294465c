"""The pages' door: Django's WSGI handler on a fixed pool of threads, and its manners towards slow clients.

a2wsgi carries a request to a thread and the answer back. A thread is a seat that eight requests share, so
this door sees to it that nobody sits on one without need: a small body is read before the thread is taken,
and whoever stops sending or reading for STALL_SECONDS in the middle loses the seat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import IO, Any, cast

from a2wsgi import WSGIMiddleware

from contactcentre.lib.asgi import Message, Receive, Scope, Send, header, refuse

# Forms, webhooks and API calls fit; of an upload this much is read before it needs a thread.
READ_AHEAD_BYTES = 256 * 1024
STALL_SECONDS = 30.0
# Requests that wait for a thread beyond the ones at work. More would time out at the client's before their turn.
WAITING_LIMIT = 400
FILE_BLOCK_BYTES = 64 * 1024

logger = logging.getLogger(__name__)

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ClientGone(OSError):
    """The client went away, or stalled, before its request was complete.

    An OSError, because that is what Django turns into UnreadablePostError: half an upload is never taken for
    a whole one.
    """


class FileBlocks:
    """A file in blocks of 64 KiB (PEP 3333, wsgi.file_wrapper).

    Every block crosses from the thread to the event loop; with Django's 4 KiB an attachment of 25 MB would
    cross 6,400 times.
    """

    def __init__(self, file: IO[bytes], block_size: int = FILE_BLOCK_BYTES) -> None:
        self._file = file
        self._block_size = max(block_size, FILE_BLOCK_BYTES)

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(self._block_size):
            yield block

    def close(self) -> None:
        """Close the file; Django put the end of the request (its signals, its other files) behind that."""
        self._file.close()


class PagesDoor:
    """An ASGI application for scopes of type http. `threads` requests are worked on at once."""

    def __init__(self, application: WSGI, *, threads: int, largest_body: int) -> None:
        def with_files(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environ["wsgi.file_wrapper"] = FileBlocks
            return application(environ, start_response)

        # a2wsgi describes ASGI's dictionaries key by key, and more narrowly than they are.
        self._application: Any = WSGIMiddleware(cast(Any, with_files), workers=threads)
        self._most = threads + WAITING_LIMIT
        self._largest_body = largest_body
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        length = header(scope, b"content-length")
        if length.isdecimal() and int(length) > self._largest_body:
            # Only the first word of the path: what follows may be a secret, as a hook's token is.
            door = scope["path"].lstrip("/").partition("/")[0][:40]
            logger.warning("refused %s bytes at %r: WEB_MAX_BODY_BYTES is %d", length[:20], door, self._largest_body)
            await refuse(
                send,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"At most {self._largest_body} bytes in one request.",
                connection="close",
            )
            return
        try:
            start, complete = await _read_ahead(receive)
        except ClientGone:
            await refuse(send, HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.", connection="close")
            return
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        if not length and complete and start:
            # Sent in chunks: WSGI knows a body by its length only (PEP 3333) and would see none.
            headers.append((b"content-length", str(len(start)).encode()))
        elif not length and not complete:
            await refuse(send, HTTPStatus.LENGTH_REQUIRED, "Say the length of a large body.", connection="close")
            return
        if self._under_way >= self._most:
            await refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once, try again.", retry_after="2")
            return
        self._under_way += 1
        try:
            # In WSGI X-Real-Name and X_Real_Name become one variable. Without the second kind nobody can slip
            # a header past a proxy that sets or removes only the first.
            await self._application({**scope, "headers": headers}, _rest(start, complete, receive), _patient(send))
        finally:
            self._under_way -= 1


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """The next part of the body, and whether it was the last. Raises ClientGone."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            message = await receive()
    except TimeoutError as error:
        raise ClientGone(f"nothing was sent for {STALL_SECONDS:g} s") from error
    if message["type"] != "http.request":
        raise ClientGone("the client went away before its request was complete")
    return message.get("body", b""), not message.get("more_body", False)


async def _read_ahead(receive: Receive) -> tuple[bytes, bool]:
    """The beginning of the body, and whether that is all of it. Raises ClientGone."""
    parts, size, complete = [], 0, False
    while not complete and size < READ_AHEAD_BYTES:
        part, complete = await _next(receive)
        parts.append(part)
        size += len(part)
    return b"".join(parts), complete


def _rest(start: bytes, complete: bool, receive: Receive) -> Receive:
    """`receive` for a2wsgi: what was read ahead, then the rest as it comes."""
    begun = False

    async def receive_rest() -> Message:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": start, "more_body": not complete}
        part, last = await _next(receive)
        return {"type": "http.request", "body": part, "more_body": not last}

    return receive_rest


def _patient(send: Send) -> Send:
    """`send` that waits STALL_SECONDS for a client that does not read, then drops what is left.

    It must not raise: a2wsgi's thread would wait for ever for room in a queue that nobody empties. The server
    closes the connection itself when it finds the answer incomplete.
    """
    gone = False

    async def send_or_drop(message: Message) -> None:
        nonlocal gone
        if gone:
            return
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await send(message)
        except TimeoutError:
            gone = True

    return send_or_drop
