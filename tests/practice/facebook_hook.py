"""A callback of the test's own: answers the challenge, and keeps what Facebook posts, byte for byte."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator

from practice.facebook.schemas import webhook_schema

VERIFY_TOKEN = "practice-verify-token"
SECRET = "practice-facebook-secret"
LONGEST_WAIT = 15


@dataclass(frozen=True)
class Came:
    """One post: its bytes, what is in them, its signature, and the status it got."""

    body: bytes
    told: dict[str, Any]
    signature: str
    status: int

    @property
    def signed(self) -> bool:
        """Whether the signature is that of our app's secret over exactly these bytes."""
        wanted = "sha256=" + hmac.new(SECRET.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, self.signature)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The values of all changes in the feed."""
        return [change["value"] for entry in self.told["entry"] for change in entry.get("changes", [])]

    @property
    def messaging(self) -> list[dict[str, Any]]:
        """All items of Messenger."""
        return [item for entry in self.told["entry"] for item in entry.get("messaging", [])]


class Callback:
    """Listens on a port of its own. Answers with `answers` one after another, then with 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self._came: queue.Queue[Came] = queue.Queue()
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = {name: each[0] for name, each in parse_qs(urlsplit(self.path).query).items()}
                right = asked.get("hub.mode") == "subscribe" and asked.get("hub.verify_token") == VERIFY_TOKEN
                self._answer(200 if right else 403, asked["hub.challenge"].encode() if right else b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = callback.answers.pop(0) if callback.answers else 200
                callback._came.put(Came(body, json.loads(body), self.headers["X-Hub-Signature-256"], status))
                self._answer(status, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/facebook/1/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def next(self, *, spoilt: bool = False) -> Came:
        """What is posted next. Unless it is spoilt on purpose it has the shape of what Facebook posts."""
        came = self._came.get(timeout=LONGEST_WAIT)
        if not spoilt:
            Draft202012Validator(webhook_schema()).validate(came.told)
        return came

    def nothing_came(self) -> bool:
        """Whether nothing has come that was not asked for."""
        return self._came.empty()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def listening() -> Iterator[Callback]:
    """A callback that is closed afterwards."""
    callback = Callback()
    try:
        yield callback
    finally:
        callback.close()
