"""What runs, as data: the ports, the steps before, the processes of the product and of the practice networks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contactcentre.supervisor import environment, ports, private_json
from contactcentre.supervisor.environment import PROJECT
from contactcentre.supervisor.problem import Problem
from contactcentre.supervisor.process import MARK, Child
from contactcentre.supervisor.servers import Servers

PORTS_FILE = "ports.json"

# name → (variable that overrides it, preferred port). None: any free one at first and the same at every later start,
# because a connected mailbox remembers the port of its practice server.
PORTS: dict[str, tuple[str, int | None]] = {
    "web": ("WEB_PORT", 8000),
    "practice": ("PRACTICE_PORT", 8100),
    "practice-imap": ("PRACTICE_IMAP_PORT", None),
    "practice-smtp": ("PRACTICE_SMTP_PORT", None),
    "practice-x": ("PRACTICE_X_PORT", None),
    "practice-facebook": ("PRACTICE_FACEBOOK_PORT", None),
    "postgres": ("POSTGRES_PORT", None),
    "valkey": ("VALKEY_PORT", None),
}

# Celery queue → how its worker works. Polling and delivery wait for other people's servers, so threads; intake
# computes, so a process, which Celery can end when one item takes too long.
WORKERS: dict[str, tuple[str, int]] = {
    "poll": ("threads", 8),
    "intake": ("prefork", 1),
    "delivery": ("threads", 4),
}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Everything `run` starts beside the two servers."""

    prepare: Child  # to its end, before anything else; prints the sign-ins as JSON
    pages: Sequence[Child]
    # Only once the pages answer, which people wait for: six processes that start at once on two cores are all late.
    workers: Sequence[Child]


# Celery tells root about pickle, which it is not configured to read (settings.py: JSON only), in seven lines a worker.
ROOT_ADVICE = ("SecurityWarning", "absolutely not recommended", "--uid option", "uid=0 euid=0", "_warn_or_raise_sec")

# Its system checks load every page, which no worker needs; `make test` and a server's deployment run them.
CELERY = ("-m", "celery", "--quiet", "--skip-checks", "-A", "contactcentre.celery")

Layout = Callable[[Path, Servers, Mapping[str, int]], Stack]


def choose_ports(var: Path, *, say: Callable[[str], None]) -> dict[str, int]:
    """A port for each name of PORTS, free at this moment; what was chosen freely is kept in `var` for the next start.
    Raises Problem when a variable holds no port."""
    remembered = private_json.read(var / PORTS_FILE) or {}
    chosen: dict[str, int] = {}
    for name, (variable, usual) in PORTS.items():
        wanted = _port(variable) or usual or remembered.get(name)
        taken = chosen.values()
        chosen[name] = (
            ports.preferred(name, wanted, taken=taken, say=say) if isinstance(wanted, int) else ports.free(taken=taken)
        )
    private_json.write(var / PORTS_FILE, {name: port for name, port in chosen.items() if PORTS[name][1] is None})
    return chosen


def _port(variable: str) -> int | None:
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Problem(f"{variable}={text} is not a port: give a number from 1 to 65535, or leave it out.")
    return int(text)


def address(port: int) -> str:
    """The address of what listens at `port` here, without a slash at its end."""
    return f"http://127.0.0.1:{port}"


def product(var: Path, servers: Servers, chosen: Mapping[str, int]) -> Stack:
    """The contact centre itself."""
    practice_environment = {
        "PRACTICE": "1",
        "PRACTICE_WEB_PORT": str(chosen["practice"]),
        "PRACTICE_IMAP_PORT": str(chosen["practice-imap"]),
        "PRACTICE_SMTP_PORT": str(chosen["practice-smtp"]),
        "PRACTICE_X_PORT": str(chosen["practice-x"]),
        "PRACTICE_FACEBOOK_PORT": str(chosen["practice-facebook"]),
        "PRACTICE_DATA": str(var / "practice"),
        "PRACTICE_PRODUCT_URL": address(chosen["web"]),
        "PYTHONUNBUFFERED": "1",
        MARK: str(var),
    }
    product_environment = environment.joined(
        environment.product(
            keys=servers.postgres.keys, var=var, database_url=servers.postgres.url, redis_url=servers.valkey.url
        )
        | practice_environment
        | {
            "BASE_URL": address(chosen["web"]),
            "PRACTICE_URL": address(chosen["practice"]),
            "X_ORIGIN": address(chosen["practice-x"]),
            # One origin plays three of Facebook's: the Graph, the login dialog, and where pictures lie.
            "FACEBOOK_GRAPH_ORIGIN": address(chosen["practice-facebook"]),
            "FACEBOOK_DIALOG_ORIGIN": address(chosen["practice-facebook"]),
            "FACEBOOK_MEDIA_ORIGIN": address(chosen["practice-facebook"]),
        }
    )

    def python(name: str, *arguments: str) -> Child:
        return Child(
            name=name,
            command=[sys.executable, *arguments],
            folder=PROJECT,
            environment=product_environment,
            hides=ROOT_ADVICE,
        )

    web = python(
        "web",
        *("-m", "uvicorn", "contactcentre.asgi:application", "--host", "127.0.0.1", "--port", str(chosen["web"])),
        *("--no-access-log", "--no-proxy-headers", "--log-level", "warning", "--timeout-graceful-shutdown", "3"),
    )
    workers = [
        python(
            f"worker-{queue}",
            *CELERY,
            *("worker", "-Q", queue, "-n", f"{queue}@%h"),
            *("-P", pool, "-c", str(size), "--without-gossip", "--without-mingle", "--without-heartbeat"),
            *("-l", "WARNING"),
        )
        for queue, (pool, size) in WORKERS.items()
    ]
    beat = python(
        "beat",
        *(*CELERY, "beat", "-s", str(var / "celerybeat-schedule"), "-l", "WARNING"),
    )
    # It stands in for other people's servers, so it gets nothing of ours: no key, no database.
    practice = Child(
        name="practice",
        command=[sys.executable, "-m", "practice"],
        folder=PROJECT,
        environment=environment.joined(practice_environment),
    )
    return Stack(
        # One process for both: each Django that starts costs a second.
        prepare=python("prepare", "manage.py", "demonstrate", "--migrate"),
        pages=[web, practice],
        workers=[*workers, beat],
    )
