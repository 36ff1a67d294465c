"""The whole product, started as `make run` starts it, with data and ports of its own: for flow and browser tests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import requests

from contactcentre.supervisor import ports

PROJECT = Path(__file__).resolve().parent.parent
# With three starts at once it takes half a minute on two busy cores, and a slower machine is no fault.
START_SECONDS = 120
T = TypeVar("T")

# Quick polls and a short hold, so that a test waits for rows and not for clocks.
QUICK = {
    "MAIL_POLL_SECONDS": "1",
    "X_POLL_SECONDS": "1",
    "X_MESSAGES_SECONDS": "2",
    "REREAD_SECONDS": "3",
    "UNDO_SECONDS": "1",
    "DELIVERY_LEASE_SECONDS": "6",
}


class Never(AssertionError):
    """What was waited for did not come in time."""


def until(ask: Callable[[], T | None], *, what: str, seconds: float = 30) -> T:
    """The first answer that is not empty; raises Never after so many seconds. Asks twenty times a second."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise Never(f"{what}: not within {seconds} s")


class Running:
    """A started product."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var = var
        self.faults = var / "faults"
        self.faults.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._environment = {**kept, **QUICK, "CONTACTCENTRE_FAULTS": str(self.faults), **environment}
        self._log = (var / "log.txt").open("w")
        self._signed_in: dict[str, Browser] = {}
        self._database: Any = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        (self.var / "run.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "contactcentre.supervisor", "run", "--var", str(self.var)],
            cwd=PROJECT,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        until(lambda: self._ready(), what=f"the start (see {self.var}/log.txt)", seconds=START_SECONDS)

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise Never(f"the product ended: {(self.var / 'log.txt').read_text()[-2000:]}")
        return "inbox" in self.file()

    def stop(self) -> None:
        """Stop everything."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        self._hang_up()
        self._log.close()

    def file(self) -> dict[str, Any]:
        """run.json as it stands."""
        try:
            found: dict[str, Any] = json.loads((self.var / "run.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return found

    @property
    def inbox(self) -> str:
        return str(self.file()["inbox"]).rstrip("/")

    @property
    def practice(self) -> str:
        return str(self.file()["practice"]).rstrip("/")

    def kill(self, name: str) -> None:
        """SIGKILL one process and wait until the supervisor has another."""
        pid = self.file()["pids"][name]
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.file()["pids"].get(name) not in (None, pid), what=f"another {name}")

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says; a server that is just being restarted is asked again."""

        def ask() -> list[list[tuple[Any, ...]]] | None:
            try:
                with self._connection().cursor() as cursor:
                    cursor.execute(sql, values)
                    return [list(cursor.fetchall())]
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self._hang_up()
                return None

        return until(ask, what="an answer of the database")[0]

    def _connection(self) -> Any:
        """The one connection to the database: `until` asks twenty times a second, and each new one costs a process."""
        if self._database is None:
            connection = psycopg2.connect(self.file()["database_url"], connect_timeout=3)
            # Each statement sees what is committed by then, and holds nothing afterwards.
            connection.autocommit = True
            self._database = connection
        return self._database

    def _hang_up(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, None where there is none."""
        found = self.rows(sql, *values)
        return found[0][0] if found else None

    # ------------------------------------------------------------ being the customer

    def act(self, path: str, **fields: object) -> dict[str, Any]:
        """One act on the practice networks."""
        answer = requests.post(f"{self.practice}{path}", json=fields, timeout=30)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def got(self, path: str) -> dict[str, Any]:
        """What the practice networks answer."""
        found: dict[str, Any] = requests.get(f"{self.practice}{path}", timeout=30).json()
        return found

    def mischief(self, switch: str, *, network: str = "mail", **fields: object) -> None:
        """Make a network misbehave, or (on=False) behave again."""
        self.act("/practice/mischief", network=network, switch=switch, **{"on": True, **fields})

    def behave(self, network: str = "mail") -> None:
        """Everything works again."""
        self.act("/practice/mischief", network=network, behave=True)

    def mail(
        self, text: str, *, subject: str = "My order", author: str = "carla.hughes@post.example", **more: object
    ) -> str:
        """A customer's mail to care@; returns its Message-ID."""
        fields = {"from": author, "to": ["care@acme.example"], "subject": subject, "text": text, **more}
        return str(self.act("/practice/mail", **fields)["message_id"])

    def letters(self, address: str = "carla.hughes@post.example") -> list[dict[str, Any]]:
        """What a customer has got."""
        answer = requests.get(f"{self.practice}/practice/mail/{address}", timeout=30).json()
        return [letter for letter in answer["letters"] if letter["folder"] == "INBOX"]

    # ------------------------------------------------------------ being the agent

    def signed_in(self, role: str = "agent") -> Browser:
        """Somebody at the inbox, without a screen: by their role, or any of the demonstration's people by address.

        Signed in once and the same for all tests: a password is slow to check by design.
        """
        if role not in self._signed_in:
            self._signed_in[role] = Browser(self, role)
        return self._signed_in[role]

    def ticket_with(self, text: str) -> int:
        """The id of the ticket on which this was said; waits for it."""
        found = until(
            lambda: self.value("SELECT ticket_id FROM tickets_message WHERE text LIKE %s LIMIT 1", f"%{text}%"),
            what=f"a ticket with {text!r}",
        )
        return int(found)


class Browser:
    """A session at the inbox over HTTP."""

    def __init__(self, running: Running, role: str) -> None:
        self.running = running
        self.session = requests.Session()
        base = running.inbox
        page = self.session.get(f"{base}/sign-in/", timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        known = running.file()["sign_in"]
        # All of the demonstration have the same password.
        who = known.get(role) or {**known["agent"], "username": role}
        answer = self.session.post(
            f"{base}/sign-in/",
            data={"csrfmiddlewaretoken": token[1], "email": who["username"], "password": who["password"]},
            headers={"Referer": base},
            timeout=30,
        )
        assert "/sign-in/" not in answer.url, answer.text[:500]
        self.session.headers.update(
            {
                # Kept open until the next test, a connection might be closed there just as something is sent.
                "Connection": "close",
                "X-CSRFToken": self.session.cookies["contactcentre_csrf"],
                "Referer": base,
                "X-Requested-With": "fetch",
            }
        )

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.running.inbox}{path}", timeout=30)

    def post(self, path: str, **fields: object) -> requests.Response:
        return self.session.post(f"{self.running.inbox}{path}", data=fields, timeout=30)

    def reply(self, ticket_id: int, text: str, **fields: object) -> int:
        """Answer the ticket's latest contact; returns the message's id."""
        row = self.running.rows(
            "SELECT c.id, t.arrivals FROM tickets_contact c JOIN tickets_ticket t ON t.id = c.ticket_id"
            " WHERE t.id = %s ORDER BY c.last_said_at DESC, c.id DESC LIMIT 1",
            ticket_id,
        )[0]
        answer = self.post(f"/t/{ticket_id}/reply/", **{"contact": row[0], "seen": row[1], "text": text, **fields})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["message"])

    def state(self, message_id: int) -> str:
        """A message's state as the bubble shows it."""
        return str(self.running.value("SELECT state FROM tickets_message WHERE id = %s", message_id))


@contextmanager
def running(var: Path, **environment: str) -> Iterator[Running]:
    """The product for the length of a block, at ports of its own: several of them may start at the same time, and one
    that is started again must find the same ports free."""
    web = ports.free()
    own = {"WEB_PORT": str(web), "PRACTICE_PORT": str(ports.free(taken=[web]))}
    product = Running(var, **own, **environment)
    try:
        product.start()
        yield product
    finally:
        product.stop()
