"""A Valkey of its own that may be killed, the web process as a real server, and browsers that listen."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from agents.models import Membership, Person, Team
from contactcentre.lib import valkey as valkey_client
from contactcentre.supervisor import ports
from contactcentre.supervisor.valkey import program

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """The condition's first true value; fails after `seconds`."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        pause.wait(0.02)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


class ValkeyServer:
    """One server that a test may stop, freeze and kill."""

    def __init__(self, folder: Path, *, keeps: bool) -> None:
        self.folder, self.keeps, self.port = folder, keeps, ports.free()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        return Redis.from_url(self.url, decode_responses=True, socket_timeout=2, protocol=2)

    def start(self) -> None:
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if self.keeps else ["--appendonly", "no"]
        self.process = subprocess.Popen(
            [
                *(str(program()), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
                *("--save", "", "--loglevel", "warning", *keep),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, "Valkey answers")

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


class Browser:
    """One live stream, read in a thread of its own."""

    def __init__(self, port: int, cookie: str, *, start: str = "", last_event_id: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Cookie": cookie}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self.connection.request("GET", f"/live/?from={start}", headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.frames: list[tuple[str, list[str]]] = []
        self.last_id = ""
        self.retry = ""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self.thread.start()

    def _read(self) -> None:
        id_, names = "", None
        try:
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    id_ = line[4:]
                elif line.startswith("data: "):
                    names = json.loads(line[6:])["names"]
                elif line.startswith("retry: "):
                    self.retry = line[7:]
                elif not line:
                    if id_:
                        self.last_id = id_
                    if names is not None:
                        self.frames.append((id_, names))
                    names = None
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass  # the server went, or the test closed the stream: `ended` says so
        self.ended.set()

    @property
    def names(self) -> list[str]:
        """All names told so far."""
        return [name for _, names in list(self.frames) for name in names]

    def wait_for(self, name: str, seconds: float = DEADLINE_SECONDS) -> None:
        wait_until(lambda: name in self.names, f"the stream tells {name}", seconds)

    def close(self) -> None:
        if self.connection.sock is not None:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


class Door:
    """The web process."""

    def __init__(self, redis_url: str, **variables: str) -> None:
        self.port = ports.free()
        database = connection.settings_dict
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "DJANGO_SETTINGS_MODULE": "tests.contactcentre.door_settings",
            "PYTHONPATH": str(PROJECT),
            **variables,
        }
        self.browsers: list[Browser] = []
        # Where uvicorn would write its list of requests, which is not forbidden here.
        self.listed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "contactcentre.asgi:application", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--timeout-graceful-shutdown", "3"),
            ],
            cwd=PROJECT,
            env=environment,
            stdout=self.listed,
        )
        wait_until(self._answers, "the web process answers")

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the web process ended"
        try:
            return self.get("/healthz/live")[0] == 200
        except OSError:
            return False

    def get(self, path: str, cookie: str = "", method: str = "GET", **options: Any) -> tuple[int, bytes, Any]:
        """Status, body and headers of one request."""
        one = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {**({"Cookie": cookie} if cookie else {}), **options.pop("headers", {})}
            one.request(method, path, headers=headers, **options)
            answer = one.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            one.close()

    def enter(self, person: Person) -> tuple[str, str]:
        """Sign in; the cookie and the stream's position."""
        status, body, headers = self.get(f"/enter/{person.pk}/")
        assert status == 200, body
        return headers["Set-Cookie"].split(";")[0], body.decode()

    def browse(self, cookie: str, **options: str) -> Browser:
        browser = Browser(self.port, cookie, **options)
        self.browsers.append(browser)
        return browser

    def stop(self) -> float:
        """Tell it to stop; the seconds that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait(5)
            self.listed.close()
            for browser in self.browsers:
                browser.close()
        return time.monotonic() - began


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server for all tests that harm neither it nor its stream's epoch."""
    yield from _started(ValkeyServer(tmp_path_factory.mktemp("valkey"), keeps=True))


@pytest.fixture(scope="session")
def shared_door(django_db_setup: None, django_db_blocker: Any, shared_valkey: ValkeyServer) -> Iterator[Door]:
    """The web process for all tests that leave it running."""
    with django_db_blocker.unblock():
        door = Door(shared_valkey.url)
    yield door
    door.stop()


@pytest.fixture
def valkey(shared_valkey: ValkeyServer, settings: Any) -> ValkeyServer:
    """The shared server, used by the test's own process too."""
    return _use(shared_valkey, settings)


@pytest.fixture
def own_valkey(tmp_path: Path, settings: Any) -> Iterator[ValkeyServer]:
    """A server that keeps what it was told, to be killed."""
    yield from _started(_use(ValkeyServer(tmp_path, keeps=True), settings))


@pytest.fixture
def forgetful_valkey(tmp_path: Path, settings: Any) -> Iterator[ValkeyServer]:
    """A server that is empty after each start, to be killed."""
    yield from _started(_use(ValkeyServer(tmp_path, keeps=False), settings))


def _use(server: ValkeyServer, settings: Any) -> ValkeyServer:
    settings.REDIS_URL = server.url
    valkey_client._silent_until = 0.0
    return server


def _started(server: ValkeyServer) -> Iterator[ValkeyServer]:
    server.start()
    try:
        yield server
    finally:
        server.thaw()
        server.kill()


@pytest.fixture
def door(transactional_db: None, valkey: ValkeyServer, shared_door: Door) -> Iterator[Door]:
    """The shared web process; the streams a test opened are closed after it."""
    yield shared_door
    for browser in shared_door.browsers:
        browser.close()
    shared_door.browsers.clear()


@pytest.fixture
def own_door(transactional_db: None, own_valkey: ValkeyServer) -> Iterator[Door]:
    """A web process of the test's own, beside a Valkey that keeps."""
    door = Door(own_valkey.url)
    yield door
    door.stop()


@pytest.fixture
def forgetful_door(transactional_db: None, forgetful_valkey: ValkeyServer) -> Iterator[Door]:
    """A web process of the test's own, beside a Valkey that forgets."""
    door = Door(forgetful_valkey.url)
    yield door
    door.stop()


def person(name: str, **roles: bool) -> Person:
    """Somebody who signs in."""
    one = Person(name=name, email=f"{name.lower()}@acme.example", created_at=timezone.now(), **roles)
    one.set_unusable_password()
    one.save()
    return one


@pytest.fixture
def anna(transactional_db: None) -> Person:
    """Agent Anna, who serves the queue of her team."""
    anna = person("Anna", is_agent=True)
    Membership.objects.create(person=anna, team=Team.objects.create(name="Social"))
    return anna


@pytest.fixture
def leo(transactional_db: None) -> Person:
    """Lead Leo, who sees everything."""
    return person("Leo", is_lead=True)
