"""A `run` of the tiny product as a process of its own, and waiting for what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg2  # type: ignore[import-untyped]
import redis

from contactcentre.supervisor import leftovers, ports, reset, runfile
from contactcentre.supervisor.environment import PROJECT

SECONDS = 30


def wait_until(happened: Callable[[], Any], *, what: str, seconds: float = SECONDS) -> Any:
    """What `happened` gives back as soon as that is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := happened()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return answer


def lives(pid: int) -> bool:
    """Whether the process `pid` runs (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@dataclass
class TinyRun:
    """One var folder and the starts of the tiny product in it."""

    var: Path
    log: Path
    web_port: int = field(default_factory=ports.free)
    practice_port: int = field(default_factory=ports.free)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *, output: int | None = None) -> subprocess.Popen[bytes]:
        """Start it and do not wait. `output`: where its lines go, else to the log."""
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_PORT")}
        environment |= {"WEB_PORT": str(self.web_port), "PRACTICE_PORT": str(self.practice_port)}
        search = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("tiny_product.py")), str(self.var)],
                cwd=PROJECT,
                env=environment | {"PYTHONPATH": search},
                stdin=subprocess.DEVNULL,
                stdout=log if output is None else output,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def started(self, *, output: int | None = None) -> dict[str, Any]:
        """Start it, wait until it says where it is, and give back the run file."""
        process = self.start(output=output)

        def told() -> dict[str, Any] | None:
            assert process.poll() is None, self.written()
            content = runfile.read(self.var)
            # A start before this one may have been killed and left its file.
            ours = content is not None and content["pids"]["supervisor"] == process.pid
            return content if content and ours and "inbox" in content else None

        content: dict[str, Any] = wait_until(told, what=f"a run file; it wrote {self.written()}")
        return content

    def written(self) -> str:
        """All lines of all starts."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def value(self) -> tuple[Any, Any]:
        """What the database and Valkey keep under the name the tests use."""
        content = runfile.read(self.var) or {}
        connection = psycopg2.connect(content["database_url"], connect_timeout=5)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT value FROM kept")
                row = cursor.fetchone()
        finally:
            connection.close()
        with redis.Redis.from_url(content["redis_url"], socket_timeout=5) as client:
            return row[0], client.get("kept")

    def keep(self, value: str) -> None:
        """Store `value` in both."""
        content = runfile.read(self.var) or {}
        connection = psycopg2.connect(content["database_url"], connect_timeout=5)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE kept (value text); INSERT INTO kept VALUES (%s)", [value])
        finally:
            connection.close()
        with redis.Redis.from_url(content["redis_url"], socket_timeout=5) as client:
            client.set("kept", value)

    def remaining(self) -> list[int]:
        """The process ids of everything of this folder that still runs."""
        return [process.pid for process in leftovers.marked(self.var)]

    def end(self) -> None:
        """Stop every start and forget the data."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                process.wait(SECONDS)
        if self.var.exists():
            reset.reset(self.var)
