"""The few words of ASGI that the web process speaks itself, before or instead of Django."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: bytes) -> str:
    """The value of a request header (`name` in lower case), or "" when there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def refuse(send: Send, status: HTTPStatus, detail: str, **headers: str) -> None:
    """Answer with problem details (RFC 9457) and nothing else; further headers by keyword, `_` for `-`."""
    body = json.dumps({"title": status.phrase, "status": status.value, "detail": detail}).encode()
    lines = {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    await send(
        {
            "type": "http.response.start",
            "status": status.value,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
