"""A tiny server on loopback in the place of a network's picture hosts: it answers what a test scripts."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def png(shade: int = 0) -> bytes:
    """A picture of one pixel; each shade is another content."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes([0, shade])))
        + chunk(b"IEND", b"")
    )


@dataclass
class MediaHost:
    """`answers` maps a path to a list of answers, the last of which stays: (status, headers, body) or a function that
    does what it likes with the connection. `asked` are the paths and their Authorization headers."""

    origin: str
    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def on(self, path: str, *answers: Any) -> None:
        self.answers[path] = list(answers)

    def picture(self, path: str, content: bytes | None = None) -> None:
        self.on(path, (200, {"content-type": "image/png"}, png() if content is None else content))

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.path, handler.headers.get("authorization", "")))
        script = self.answers.get(handler.path.partition("?")[0], [(404, {}, b"")])
        answer = script.pop(0) if len(script) > 1 else script[0]
        if callable(answer):
            answer(handler)
            return
        status, headers, body = answer
        handler.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def media_host() -> Iterator[MediaHost]:
    """The server for the length of a block."""
    made: list[MediaHost] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def do_GET(self) -> None:
            try:
                made[0].handle(self)
            except OSError:
                self.close_connection = True

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    made.append(MediaHost(f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made[0]
    finally:
        server.shutdown()
        server.server_close()
