"""Asks the API in a person's name, over the same door as everybody: what one does on the phone is done by HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from practice.x.profiles import Profile

#: How long the phone waits for the API, in seconds.
_TIME_OUT = 15.0


class HandsetError(OSError):
    """The network refused it or did not answer. The text is in the network's own words."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


class Handset:
    """Everybody's phone. `origin` is set once the API listens."""

    def __init__(self) -> None:
        self.origin = ""

    async def ask(
        self, owner: Profile, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Return the `data` of an answer; raise HandsetError for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        return await asyncio.to_thread(self._ask, owner.token, method, path, data, "application/json")

    async def upload(self, owner: Profile, content: bytes) -> str:
        """Return the media id of a picture after uploading it; raise HandsetError."""
        boundary = "practice-x-boundary"
        parts = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="media_category"\r\n\r\ntweet_image\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="picture.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        data = parts.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        told = await asyncio.to_thread(self._ask, owner.token, "POST", "/2/media/upload", data, kind)
        return str(told["id"])

    def _ask(self, token: str, method: str, path: str, data: bytes | None, kind: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", **({"Content-Type": kind} if data is not None else {})}
        request = Request(self.origin + path, data=data, headers=headers, method=method)
        try:
            with urlopen(request, timeout=_TIME_OUT) as answer:
                told = json.loads(answer.read())
        except HTTPError as error:
            with error:
                problem = json.loads(error.read())
            first = (problem.get("errors") or [{}])[0].get("message")
            raise HandsetError(first or problem.get("detail") or problem["title"], error.code) from error
        except (OSError, ValueError) as error:
            raise HandsetError(f"The network did not answer: {error}", 502) from error
        return dict(told.get("data", {}))
