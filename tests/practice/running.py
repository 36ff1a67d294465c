"""The practice networks as a program of their own, on free ports, with the real clients."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from imapclient import IMAPClient

from contactcentre.supervisor import ports

ROOT = Path(__file__).resolve().parents[2]
CARE = "care@acme.example"
CARLA = "carla.hughes@post.example"
TOM = "tom.okafor@post.example"
PASSWORDS = {CARE: "practice-care", CARLA: "practice-carla", TOM: "practice-tom"}


def start(environ: Mapping[str, str]) -> subprocess.Popen[str]:
    """The program with this environment and nothing of ours besides."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "practice"],
        cwd=ROOT,
        env={**kept, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Answer:
    """A status and what came with it."""

    status: int
    body: Any


class Practice:
    """Running practice networks."""

    def __init__(self, data: Path) -> None:
        self.environ = {
            "PRACTICE": "1",
            "PRACTICE_WEB_PORT": str(ports.free()),
            "PRACTICE_IMAP_PORT": str(ports.free()),
            "PRACTICE_SMTP_PORT": str(ports.free()),
            "PRACTICE_DATA": str(data),
            "PRACTICE_PRODUCT_URL": "http://127.0.0.1:8000/",
        }
        self.imap_port = int(self.environ["PRACTICE_IMAP_PORT"])
        self.smtp_port = int(self.environ["PRACTICE_SMTP_PORT"])
        self.url = f"http://127.0.0.1:{self.environ['PRACTICE_WEB_PORT']}"
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        process = start(self.environ)
        assert process.stdout is not None
        with DefaultSelector() as selector:
            selector.register(process.stdout, EVENT_READ)
            assert selector.select(timeout=15), "nothing was said within 15 seconds"
        line = process.stdout.readline()
        assert line == f"practice networks ready: {self.url}\n", line + process.communicate(timeout=5)[1]
        return process

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
        """End the program and return what it complained of."""
        self.process.send_signal(how)
        return self.process.communicate(timeout=10)[1]

    def start_again(self) -> None:
        """Start it with the same folder and ports."""
        self.process = self._started()

    def ask(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """GET, or POST of JSON when there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with urlopen(request, timeout=30) as answer:
                return Answer(answer.status, _understood(answer.headers, answer.read()))
        except HTTPError as error:
            with error:
                return Answer(error.code, _understood(error.headers, error.read()))

    def mail(self, **fields: object) -> Answer:
        """Send a mail as Carla, unless the fields say otherwise."""
        return self.ask("/practice/mail", {"from": CARLA, "to": [CARE], "subject": "Hello", "text": "Hello", **fields})

    def letters(self, address: str, folder: str = "INBOX") -> list[dict[str, Any]]:
        """What a mailbox holds, newest first."""
        found: list[dict[str, Any]] = self.ask(f"/practice/mail/{address}?folder={folder}").body["letters"]
        return found

    def with_subject(self, address: str, subject: str, folder: str = "INBOX") -> list[dict[str, Any]]:
        """The letters of one subject, newest first."""
        return [letter for letter in self.letters(address, folder) if letter["subject"] == subject]

    def misbehave(self, switch: str, on: bool = True, **limits: object) -> None:
        """Move a switch."""
        answer = self.ask("/practice/mischief", {"network": "mail", "switch": switch, "on": on, **limits})
        assert answer.status == 200, answer

    def imap(self, address: str = CARE, *, timeout: float = 10, login: bool = True) -> IMAPClient:
        """A real IMAP client."""
        client = IMAPClient("127.0.0.1", self.imap_port, ssl=False, timeout=timeout)
        try:
            if login:
                client.login(address, PASSWORDS[address])
        except BaseException:
            client.shutdown()
            raise
        return client

    def smtp(self, address: str = CARE, *, timeout: float = 10) -> smtplib.SMTP:
        """A real SMTP client that has logged in."""
        client = smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=timeout)
        try:
            client.login(address, PASSWORDS[address])
        except BaseException:
            client.close()
            raise
        return client


def _understood(headers: Any, body: bytes) -> Any:
    return json.loads(body) if headers.get_content_type() == "application/json" else body
