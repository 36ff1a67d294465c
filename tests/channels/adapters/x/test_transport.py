"""Every call by HTTP ends, and says whether anything left."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from contactcentre.lib.http import NotSent, RedirectAdapter, TooLarge, TooSlow, session

PUBLIC = "https://api.public.example"


def client(origin: str, **limits: Any) -> requests.Session:
    return session(PUBLIC, RedirectAdapter(origin, **limits))


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends one byte of a header every 50 ms, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nx-long: ")
                while not stop.wait(0.05):
                    connection.sendall(b"a")
            except OSError:
                return

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    listener.close()


def test_the_public_address_is_answered_by_another_origin(tiny: Any) -> None:
    tiny.on("GET /2/thing", (200, {"a": 1}))
    answer = client(tiny.origin).get(f"{PUBLIC}/2/thing", params={"q": "ä b"}, timeout=3)
    assert answer.json() == {"a": 1}
    assert tiny.asked[0].query == {"q": "ä b"}


def test_a_dripping_header_ends_at_the_deadline(dripping: str) -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow):
        client(dripping, total=0.4).get(f"{PUBLIC}/")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("says_length", [True, False])
def test_a_dripping_body_ends_at_the_deadline(tiny: Any, says_length: bool) -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if says_length:
            handler.send_header("content-length", "100000")
        else:
            handler.close_connection = True
        handler.end_headers()
        while not gone.wait(0.05):
            handler.wfile.write(b"{")
            handler.wfile.flush()

    tiny.on("GET /", drip)
    try:
        with pytest.raises(TooSlow):
            client(tiny.origin, total=0.4).get(f"{PUBLIC}/")
    finally:
        gone.set()


def test_what_writes_never_goes_out_on_a_connection_that_was_kept(tiny: Any) -> None:
    """The other side may be closing it just then, and nobody would know whether the words were heard."""
    asked: list[tuple[str, int]] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        asked.append((handler.command, handler.client_address[1]))
        handler.rfile.read(int(handler.headers.get("content-length", 0)))
        handler.send_response(200)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    tiny.on("GET /", note)
    tiny.on("POST /", note)
    with client(tiny.origin) as asking:
        for method in ("GET", "GET", "POST", "POST", "GET"):
            assert asking.request(method, f"{PUBLIC}/", timeout=3).json() == {}
    first, again, one, other, last = (port for _method, port in asked)
    assert first == again
    assert len({first, one, other}) == 3
    # Reading may go on where the writing was.
    assert last == other


def test_silence_is_a_time_out_and_may_have_been_applied(tiny: Any) -> None:
    gone = threading.Event()
    tiny.on("POST /", lambda handler: gone.wait(5))
    try:
        with pytest.raises(requests.Timeout) as caught:
            client(tiny.origin, silence=0.3).post(f"{PUBLIC}/", json={})
    finally:
        gone.set()
    assert not isinstance(caught.value, NotSent)


def test_a_refused_connection_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotSent):
        client(f"http://127.0.0.1:{port}").post(f"{PUBLIC}/", json={})


def test_a_name_nobody_knows_sent_nothing() -> None:
    with pytest.raises(NotSent):
        client("http://nobody.invalid").get(f"{PUBLIC}/")


def test_a_server_without_tls_sent_nothing(tiny: Any) -> None:
    with pytest.raises(NotSent):
        client(tiny.origin.replace("http:", "https:")).post(f"{PUBLIC}/", json={})


def test_a_reset_after_the_request_is_no_not_sent(tiny: Any) -> None:
    def reset(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    tiny.on("POST /", reset)
    with pytest.raises(requests.ConnectionError) as caught:
        client(tiny.origin).post(f"{PUBLIC}/", json={})
    assert not isinstance(caught.value, NotSent)


def test_the_second_call_on_a_kept_connection_has_its_own_end(tiny: Any) -> None:
    gone = threading.Event()
    tiny.on("GET /", (200, {}), lambda handler: gone.wait(5))
    asking = client(tiny.origin, total=0.5, silence=5)
    assert asking.get(f"{PUBLIC}/").ok
    try:
        with pytest.raises(requests.Timeout):
            asking.get(f"{PUBLIC}/")
    finally:
        gone.set()


def test_a_large_answer_is_not_read_to_its_end(tiny: Any) -> None:
    tiny.on("GET /", (200, b"x" * 300_000))
    with pytest.raises(TooLarge):
        client(tiny.origin, max_bytes=100_000).get(f"{PUBLIC}/")


def test_a_packed_answer_counts_unpacked(tiny: Any) -> None:
    packed = gzip.compress(b"x" * 5_000_000)
    tiny.on("GET /", (200, packed, {"content-encoding": "gzip"}))
    with pytest.raises(TooLarge):
        client(tiny.origin, max_bytes=1_000_000).get(f"{PUBLIC}/")


def test_a_redirect_carries_the_token_nowhere(tiny: Any) -> None:
    tiny.on("GET /", (302, b"", {"location": "https://elsewhere.example/"}))
    with pytest.raises(requests.TooManyRedirects):
        client(tiny.origin).get(f"{PUBLIC}/", headers={"Authorization": "Bearer practice"})


def test_what_is_not_of_the_public_address_is_not_asked_at_all(tiny: Any) -> None:
    tiny.on("GET /", (200, b"{}", {}))
    for elsewhere in (f"{tiny.origin}/", f"{PUBLIC}.evil.example/", "https://evil.example/"):
        with pytest.raises(requests.exceptions.InvalidSchema):
            client(tiny.origin).get(elsewhere, headers={"Authorization": "Bearer practice"})
