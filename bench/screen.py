"""From the customer's post to the agent's screen, in the whole product as `make run` starts it.

A call rings (webhook) or a mail is sent (poll); an agent's open page has been told of it by its live stream and has
fetched what changed. Nothing else happens in the product meanwhile.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

PROJECT = Path(__file__).resolve().parent.parent
CALLS, MAILS = 40, 20
START_SECONDS, WAIT_SECONDS = 120.0, 30.0
# As `make run` has it in practice; every third of it a mail would be seen sooner.
POLL_SECONDS = 5


def measured() -> None:
    """Start the product, be customer and agent, print two lines."""
    with tempfile.TemporaryDirectory(prefix="bench") as var:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with (Path(var) / "log.txt").open("w") as log:
            product = subprocess.Popen(
                [sys.executable, "-m", "contactcentre.supervisor", "run", "--var", var],
                cwd=PROJECT, env={**kept, "MAIL_POLL_SECONDS": str(POLL_SECONDS)}, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            try:
                _measured(_ready(Path(var), product))
            finally:
                product.send_signal(signal.SIGINT)
                product.wait(60)


def _ready(var: Path, product: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and product.poll() is None:
        try:
            told: dict[str, Any] = json.loads((var / "run.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            told = {}
        if "inbox" in told:
            return told
        time.sleep(0.2)
    raise RuntimeError(f"the product did not start: {(var / 'log.txt').read_text()[-2000:]}")


def _measured(told: dict[str, Any]) -> None:
    practice = str(told["practice"]).rstrip("/")
    page = Page(str(told["inbox"]).rstrip("/"), told["sign_in"]["agent"])
    deadline = time.monotonic() + WAIT_SECONDS
    while not all(line["hook_url"] for line in _got(practice, "/practice/telephony/lines")["lines"]):
        if time.monotonic() > deadline:
            raise RuntimeError("the practice exchange was not told where to post")
        time.sleep(0.2)

    def call(number: int) -> None:
        _act(practice, "/practice/telephony/calls", act="call", **{"from": f"+4477009{number:05d}"})

    def mail(number: int) -> None:
        fields = {"from": "carla.hughes@post.example", "to": ["care@acme.example"]}
        _act(practice, "/practice/mail", subject="Where is it?", text=f"It is not here {number}", **fields)

    # The first of each kind opens connections and warms up; it is not counted.
    by_webhook = [page.shows("call-", lambda n=n: call(n)) for n in range(CALLS + 1)][1:]  # type: ignore[misc]
    by_poll = [page.shows("ticket-", lambda n=n: mail(n)) for n in range(MAILS + 1)][1:]  # type: ignore[misc]
    print(f"{'from the post to the screen':38} {'p50':>7} {'p95':>7}")
    for what, times in (("by webhook (a call)", by_webhook), (f"by poll (mail, every {POLL_SECONDS} s)", by_poll)):
        times.sort()
        print(f"{what:38} {statistics.median(times) * 1000:7.0f} {times[int(len(times) * 0.95)] * 1000:7.0f}")


class Page:
    """An agent's open page: its session, and its live stream read by a thread."""

    def __init__(self, base: str, who: dict[str, str]) -> None:
        self._base, self._session = base, requests.Session()
        form = self._session.get(f"{base}/sign-in/", timeout=WAIT_SECONDS)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        fields = {"email": who["username"], "password": who["password"]}
        self._session.post(
            f"{base}/sign-in/",
            data={"csrfmiddlewaretoken": token[1] if token else "", **fields},
            headers={"Referer": base},
            timeout=WAIT_SECONDS,
        ).raise_for_status()
        self._told: queue.Queue[list[str]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._told.get(timeout=WAIT_SECONDS)

    def _listen(self) -> None:
        with self._session.get(f"{self._base}/live/", stream=True, timeout=(5, 60)) as stream:
            for line in stream.iter_lines(chunk_size=1):
                if line.startswith(b"data: {"):
                    self._told.put(json.loads(line[6:]).get("names", []))

    def shows(self, name: str, act: Callable[[], None]) -> float:
        """Seconds from the act until a change of this name was told and the list was fetched anew."""
        while not self._told.empty():
            self._told.get_nowait()
        began = time.perf_counter()
        act()
        while not any(one.startswith(name) for one in self._told.get(timeout=WAIT_SECONDS)):
            pass
        self._session.get(f"{self._base}/list/", timeout=WAIT_SECONDS).raise_for_status()
        taken = time.perf_counter() - began
        # What else this act is told of must not be taken for the next.
        time.sleep(0.3)
        return taken


def _act(practice: str, path: str, **fields: Any) -> None:
    requests.post(f"{practice}{path}", json=fields, timeout=WAIT_SECONDS).raise_for_status()


def _got(practice: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{practice}{path}", timeout=WAIT_SECONDS).json()
    return found
