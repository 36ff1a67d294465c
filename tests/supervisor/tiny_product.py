"""`run` with real servers and a product of a few lines: python tests/supervisor/tiny_product.py VAR"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from contactcentre.supervisor import environment, run
from contactcentre.supervisor.problem import Problem
from contactcentre.supervisor.process import MARK, Child
from contactcentre.supervisor.servers import Servers
from contactcentre.supervisor.stack import Stack

SIGN_IN = {
    "agent": {"username": "anna", "password": "practice-anna"},
    "lead": {"username": "leo", "password": "practice-leo"},
    "admin": {"username": "ada", "password": "practice-ada"},
}
PREPARE = f"print('a log line {{not JSON}}'); print({json.dumps({'sign_in': SIGN_IN})!r})"
LISTEN = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening")
while True:
    server.accept()[0].close()
"""
# Has a child of its own, as a worker with processes has.
FAMILY = "import subprocess, sys; subprocess.run(['sleep', '300'])"


def layout(var: Path, servers: Servers, chosen: Mapping[str, int]) -> Stack:
    def python(name: str, *arguments: str) -> Child:
        return Child(
            name=name,
            command=[sys.executable, "-S", "-c", *arguments],
            folder=var,
            environment=environment.joined({MARK: str(var), "PYTHONUNBUFFERED": "1"}),
        )

    return Stack(
        prepare=python("prepare", PREPARE),
        pages=[python("web", LISTEN, str(chosen["web"])), python("practice", LISTEN, str(chosen["practice"]))],
        workers=[python("worker", FAMILY)],
    )


if __name__ == "__main__":
    try:
        sys.exit(run.run(Path(sys.argv[1]), layout=layout))
    except Problem as problem:
        sys.exit(str(problem))
