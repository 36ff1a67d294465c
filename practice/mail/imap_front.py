"""The door in front of the IMAP engine: passes bytes through, and misbehaves below the protocol when told to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from practice.happenings import Happenings
from practice.mail.switches import DRIP, NETWORK, SILENCE
from practice.mischief import Mischief
from practice.settings import HOST

_PIECE = 65536

#: A command that asks for the text of letters, not only for sizes or flags.
_FETCHES_TEXT = re.compile(rb"FETCH [^\r\n]*(BODY(\.PEEK)?\[|RFC822(\.TEXT|\.HEADER)?[ )\r])", re.IGNORECASE)

_HTML = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\r\n"
)


class ImapFront:
    """Takes connections on the port everybody knows and leads them to the engine."""

    def __init__(self, *, engine_port: int, mischief: Mischief, happenings: Happenings) -> None:
        self._engine_port = engine_port
        self._mischief = mischief
        self._happenings = happenings

    async def listen(self, port: int) -> asyncio.Server:
        """Start to take connections; raise OSError when the port is taken."""
        return await asyncio.start_server(self._connected, host=HOST, port=port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._take("imap_silent", "An IMAP connection was accepted and left without a word."):
                await _wait_until_gone(reader)
            elif self._take("imap_html", "An IMAP connection was greeted with a web page."):
                writer.write(_HTML)
                await writer.drain()
            else:
                await self._lead_through(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            # Either side hung up in the middle. That is the other side's right, and no news here.
            return
        finally:
            writer.close()

    async def _lead_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_connection(HOST, self._engine_port)
        drop = asyncio.Event()
        dripping = self._take("imap_drip", "An IMAP connection gets its answers drop by drop.")

        async def to_engine(piece: bytes) -> None:
            if _FETCHES_TEXT.search(piece) and self._take("imap_drop", "An IMAP connection was dropped mid-fetch."):
                drop.set()
            engine_writer.write(piece)
            await engine_writer.drain()

        async def to_client(piece: bytes) -> None:
            if drop.is_set():
                writer.write(piece[: len(piece) // 2])
                await writer.drain()
                raise ConnectionAbortedError("dropped on purpose")
            for start in range(0, len(piece), 1 if dripping else _PIECE):
                writer.write(piece[start : start + (1 if dripping else _PIECE)])
                await writer.drain()
                if dripping:
                    await asyncio.sleep(DRIP)

        ways = [
            asyncio.create_task(_pass_on(reader, to_engine)),
            asyncio.create_task(_pass_on(engine_reader, to_client)),
        ]
        try:
            # One way at its end means the conversation is over: the other one is not waited for.
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            engine_writer.close()

    def _take(self, switch: str, words: str) -> bool:
        taken = self._mischief.take(NETWORK, switch)
        if taken:
            self._happenings.note(NETWORK, switch, words)
        return taken


async def _pass_on(reader: asyncio.StreamReader, give: Callable[[bytes], Awaitable[None]]) -> None:
    while piece := await reader.read(_PIECE):
        await give(piece)


async def _wait_until_gone(reader: asyncio.StreamReader) -> None:
    """Return when the other side hung up, or after SILENCE."""
    try:
        async with asyncio.timeout(SILENCE):
            while await reader.read(_PIECE):
                pass
    except TimeoutError:
        return
