"""One line of the table, and how it is taken.

The CPU of the application is this process's own; the CPU of the database is that of the one server process that
serves it (/proc/<pid>/stat). Both are counted, not timed, so that a busy machine spoils p50 and p95 but hardly these.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

ROUNDS = 100
WARM_UP = 10
TICK = os.sysconf("SC_CLK_TCK")
# Not statements of anybody: what begins and ends a transaction.
FRAME = ("BEGIN", "COMMIT", "SAVE", "RELEASE")


@dataclass(frozen=True, slots=True)
class Figure:
    """What one page, or one message, costs. Times in milliseconds; `mean` is the whole time divided by how many."""

    what: str
    p50: float
    p95: float
    mean: float
    application: float
    database: float
    statements: float
    bytes: int = 0

    @property
    def cpu(self) -> float:
        """Application and database together."""
        return self.application + self.database

    def called(self, what: str) -> Figure:
        """The same under another name."""
        return replace(self, what=what)


def timed(what: str, act: Callable[[], Any], *, rounds: int = 0, of: int = 1) -> Figure:
    """Do it `rounds` times (0: the usual number) after a warming up, and tell what one costs.

    `of` is how many messages one doing takes: all is told by the message then.
    """
    rounds = rounds or ROUNDS
    for _round in range(WARM_UP if of == 1 else 2):
        answer = act()
    with CaptureQueriesContext(connection) as captured:
        answer = act()
        asked = [one["sql"] for one in captured.captured_queries if not one["sql"].startswith(FRAME)]
    server = _server_pid()
    gc.collect()
    gc.disable()
    times = []
    server_before, before = cpu_of(server), time.process_time()
    for _round in range(rounds):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) / of * 1000)
    application, database = time.process_time() - before, cpu_of(server) - server_before
    gc.enable()
    times.sort()
    done = rounds * of
    return Figure(
        what,
        p50=statistics.median(times),
        p95=times[int(len(times) * 0.95)],
        mean=statistics.mean(times),
        application=application / done * 1000,
        database=database / done * 1000,
        statements=len(asked) / of,
        bytes=len(answer.content) if hasattr(answer, "content") else 0,
    )


def _server_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def cpu_of(pid: int) -> float:
    """The CPU seconds a process has used; counted in hundredths, which many rounds even out."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def table(title: str, figures: list[tuple[Figure, Figure | None]], *, messages: bool = False) -> None:
    """Print lines, each with its floor and how many times that it costs."""
    rate = "a second" if messages else "kB"
    print(f"{title:38} {'p50':>7} {'p95':>7} {'CPU app + db':>14} {'SQL':>5} {rate:>9} {'floor':>7} {'× floor':>8}")
    for one, floor in figures:
        cpu = f"{one.application:.1f} + {one.database:.1f}"
        size = f"{1000 / one.mean:.0f}" if messages else f"{one.bytes / 1000:.0f}" if one.bytes else ""
        beside = f"{floor.cpu:7.1f} {one.cpu / floor.cpu:8.1f}" if floor is not None else ""
        print(f"{one.what:38} {one.p50:7.1f} {one.p95:7.1f} {cpu:>14} {one.statements:5.3g} {size:>9} {beside}")
    print()
