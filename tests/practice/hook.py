"""A hook of the test's own: takes what the exchange posts, and answers as the test wishes."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

LONGEST_WAIT = 15


class Hook:
    """Listens on a port of its own. Answers with `answers` one after another, then with 200."""

    def __init__(self, port: int = 0) -> None:
        self.answers: list[int] = []
        self.kinds: list[str] = []
        self._came: queue.Queue[dict[str, Any]] = queue.Queue()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.headers["Content-Type"]
                hook.kinds.append(kind)
                status = hook.answers.pop(0) if hook.answers else 200
                if kind == "application/json":
                    told = json.loads(body)
                else:
                    told = {
                        name: each if name.endswith("[]") else each[0] for name, each in parse_qs(body.decode()).items()
                    }
                hook._came.put({**told, "path": self.path, "status": status})
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hooks/phone/practice-token/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def next(self) -> dict[str, Any]:
        """What is posted next."""
        return self._came.get(timeout=LONGEST_WAIT)

    def names(self, count: int) -> list[str]:
        """The events of the next posts."""
        return [self.next()["event"] for _ in range(count)]

    def nothing_came(self) -> bool:
        """Whether nothing has come that was not asked for."""
        return self._came.empty()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def listening(port: int = 0) -> Iterator[Hook]:
    """A hook that is closed afterwards."""
    hook = Hook(port)
    try:
        yield hook
    finally:
        hook.close()
