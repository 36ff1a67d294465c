"""One HTTP request to an address on this machine, without following redirects and without waiting for ever."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

#: How long Facebook waits for an answer, in seconds. Meta's own patience is said to be five to twenty.
PATIENCE = 5.0
#: How much of an answer is read, in bytes: a challenge is short, and nothing else is looked at.
_LONGEST_ANSWER = 64 * 1024
#: How much of a status line or a header is read.
_LONGEST_LINE = 8 * 1024

_HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Heard:
    """What came back. `status` is None when no answer came at all; `words` say what came, for people."""

    status: int | None
    words: str
    body: bytes = b""


def address_fault(url: str) -> str:
    """Return why nothing may be sent to an address, or "" if it may: make-believe rings nobody's door outside."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        return "it is no address"
    if parts.scheme != "http" or parts.hostname not in _HERE or not port or len(url) > 1000:
        return f"it must be an http:// address on {_HERE[0]}"
    if not url.isascii() or any(each.isspace() or not each.isprintable() for each in url):
        return "it must be plain ASCII without spaces"
    return ""


async def call(url: str, *, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None) -> Heard:
    """Return what an address answers within PATIENCE; whatever goes wrong is told as a Heard without status."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = {"Host": f"{host}:{port}", "User-Agent": "facebookexternalua", "Accept": "*/*", **(headers or {})}
    if method == "POST":
        lines["Content-Length"] = str(len(body))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_LINE)
            try:
                writer.write(head.encode("ascii") + b"Connection: close\r\n\r\n" + body)
                await writer.drain()
                return await _heard(reader)
            finally:
                writer.close()
    except TimeoutError:
        return Heard(None, f"no answer within {PATIENCE:.0f} seconds")
    except OSError as error:
        # asyncio words a refusal as a call that failed; the system has a word for it.
        return Heard(None, os.strerror(error.errno).lower() if error.errno else str(error))
    except ValueError:
        # StreamReader says ValueError for a line without end, and int() for a length that is none.
        return Heard(None, "an answer that is no HTTP")


async def _heard(reader: asyncio.StreamReader) -> Heard:
    first = (await reader.readline()).decode("latin-1").strip()
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdigit()):
        return Heard(None, "an answer that is no HTTP" if first else "the line was dropped")
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
        if len(headers) > 100:
            return Heard(None, "an answer that is no HTTP")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return Heard(int(status), rest[:200], await _chunks(reader))
    length = min(int(headers.get("content-length") or _LONGEST_ANSWER), _LONGEST_ANSWER)
    return Heard(int(status), rest[:200], await _read(reader, length))


async def _read(reader: asyncio.StreamReader, length: int) -> bytes:
    """Return so many bytes, or those there are."""
    found = b""
    while len(found) < length and (more := await reader.read(length - len(found))):
        found += more
    return found


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while (size := int((await reader.readline()).split(b";")[0].strip() or b"0", 16)) and len(found) < _LONGEST_ANSWER:
        found += await _read(reader, min(size, _LONGEST_ANSWER))
        await reader.readline()
    return found[:_LONGEST_ANSWER]
