"""The pages' door, through a real server."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contactcentre.conftest import Door, wait_until


def raw(door: Door, text: bytes) -> socket.socket:
    """A connection on which `text` was sent."""
    one = socket.create_connection(("127.0.0.1", door.port), timeout=10)
    one.sendall(text)
    return one


def pool_threads(door: Door) -> list[str]:
    """The names of the pool's threads."""
    return [name for name in json.loads(door.get("/who-works/")[1])["threads"] if name.startswith("WSGI")]


def test_pages_run_on_few_threads_that_keep_their_connections(door: Door) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = [json.loads(body) for _, body, _ in pool.map(lambda _: door.get("/who-works/"), range(120))]
    assert len({answer["thread"] for answer in answers}) <= 4
    backend_of: dict[str, set[int]] = {}
    for answer in answers:
        backend_of.setdefault(answer["thread"], set()).add(answer["backend"])
    assert all(len(backends) == 1 for backends in backend_of.values()), "a thread opened its connection again"


def test_the_server_lists_no_requests_because_some_addresses_are_secrets(door: Door) -> None:
    assert door.get("/healthz/live?practice-token")[0] == 200
    assert b"practice-token" not in os.pread(door.listed.fileno(), 1_000_000, 0)


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 5_000_000])
def test_bodies_of_any_size_arrive_whole(door: Door, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    status, answer, _ = door.get("/echo/", method="POST", body=body)
    assert status == 200
    echoed = json.loads(answer)
    assert (echoed["size"], echoed["sha256"]) == (size, hashlib.sha256(body).hexdigest())


def test_a_large_upload_is_not_held_in_memory(own_door: Door) -> None:
    def memory() -> int:
        status = Path(f"/proc/{own_door.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))

    own_door.get("/trivial/")
    before = memory()
    size = 100 * 1024 * 1024
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    tail = b"\r\n--b--\r\n"

    def parts() -> object:
        yield head
        for _ in range(size // 65536):
            yield bytes(65536)
        yield tail

    status, answer, _ = own_door.get(
        "/upload/",
        method="POST",
        body=parts(),
        headers={
            "Content-Type": "multipart/form-data; boundary=b",
            "Content-Length": str(len(head) + size + len(tail)),
        },
    )
    assert (status, json.loads(answer)) == (200, {"size": size})
    assert memory() - before < 40 * 1024, "kibibytes"


def test_a_download_arrives_whole(door: Door) -> None:
    status, body, headers = door.get("/file/30000000/")
    assert (status, len(body), headers["Content-Length"]) == (200, 30_000_000, "30000000")


def test_an_oversized_or_unmeasured_body_is_refused_in_words(door: Door) -> None:
    with raw(door, b"POST /echo/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n") as one:
        assert b" 413 " in one.recv(100)
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=10)
    connection.request("POST", "/echo/", body=iter([b"a" * 1000]), encode_chunked=True)
    assert json.loads(connection.getresponse().read())["size"] == 1000, "a small one is measured for the client"
    connection.close()
    with raw(door, b"POST /echo/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n") as one:
        for _ in range(5):
            one.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert b" 411 " in one.recv(100)


def test_a_header_with_an_underscore_does_not_pass(door: Door) -> None:
    headers = {"X_Forwarded_Proto": "https", "X-Kept": "yes"}
    meta = json.loads(door.get("/echo/", headers=headers)[1])["meta"]
    assert meta["HTTP_X_KEPT"] == "yes"
    assert "HTTP_X_FORWARDED_PROTO" not in meta


def test_clients_that_dawdle_over_a_form_take_no_thread(door: Door) -> None:
    start = b"POST /echo/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nbegun"
    dawdlers = [raw(door, start) for _ in range(20)]
    assert door.get("/trivial/")[0] == 200
    for one in dawdlers:
        one.close()
    assert door.get("/trivial/")[0] == 200


def test_clients_that_leave_in_the_middle_of_an_upload_give_their_threads_back(door: Door) -> None:
    start = b"POST /echo/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 500_000
    leavers = [raw(door, start) for _ in range(4)]
    answered = threading.Event()

    def ask() -> None:
        door.get("/trivial/")
        answered.set()

    threading.Thread(target=ask, daemon=True).start()
    for one in leavers:
        one.close()
    assert answered.wait(10)
    assert len(pool_threads(door)) <= 4


def test_clients_that_leave_in_the_middle_of_a_download_give_their_threads_back(door: Door) -> None:
    leavers = [raw(door, b"GET /file/50000000/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") for _ in range(4)]
    for one in leavers:
        assert one.recv(100)
        one.close()
    with ThreadPoolExecutor(4) as pool:
        assert [status for status, _, _ in pool.map(lambda _: door.get("/trivial/"), range(8))] == [200] * 8
    assert len(pool_threads(door)) <= 4


def test_half_an_upload_is_not_taken_for_a_whole_one() -> None:
    """The disconnect becomes an error while reading, not the end of the body."""
    import asyncio

    from django.core.handlers.wsgi import WSGIRequest
    from django.http import UnreadablePostError

    from contactcentre.pages import READ_AHEAD_BYTES, PagesDoor

    outcome: list[object] = []

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        try:
            outcome.append(len(WSGIRequest(environ).body))
        except UnreadablePostError as error:
            outcome.append(error)
        start_response("200 OK", [])
        return [b""]

    messages = iter(
        [
            {"type": "http.request", "body": b"x" * READ_AHEAD_BYTES, "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive():  # type: ignore[no-untyped-def]
        return next(messages)

    async def send(message):  # type: ignore[no-untyped-def]
        pass

    scope = {
        **{"type": "http", "method": "POST", "path": "/", "query_string": b"", "http_version": "1.1"},
        "headers": [(b"content-length", str(READ_AHEAD_BYTES * 2).encode())],
    }
    asyncio.run(PagesDoor(application, threads=1, largest_body=10**9)(scope, receive, send))
    assert isinstance(outcome[0], UnreadablePostError)


def test_the_process_stops_within_its_grace_although_a_client_does_not_read(own_door: Door) -> None:
    sleeper = raw(own_door, b"GET /file/90000000/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert sleeper.recv(10)
    wait_until(lambda: own_door.get("/trivial/")[0] == 200, "others are served")
    assert own_door.stop() < 6
    sleeper.close()
