"""Which port a server gets: the preferred one, else the next free one, and we say so."""

from __future__ import annotations

import errno
import itertools
import os
import socket
import sys
from collections.abc import Callable, Collection

from contactcentre.supervisor.problem import Problem

# Below every range from which a system takes the near ends of outgoing connections (Linux from 32768, some sandboxes
# from 16000). A port inside it can be taken by any client between the choice and the server's start, also by a
# client's own attempt to reach the server while that restarts, and then the server can never have it back.
FIRST, LAST = 10000, 15999
# A process chooses from ports of its own, one after the other: two starts at the same moment, each of which finds a
# port free and listens a second later, would else meet now and then.
OF_A_PROCESS = 50
TRIES = 200

_turn = itertools.count()
# Port → the descriptor that holds the claim to it until this process ends, however it ends.
_claimed: dict[int, int] = {}


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 at `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections that ended a moment ago must not make the port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free(*, taken: Collection[int] = ()) -> int:
    """A free port that is not in `taken`. Raises Problem when none is found."""
    own = os.getpid() * OF_A_PROCESS
    for _ in range(OF_A_PROCESS):
        port = _in_range(own + next(_turn) % OF_A_PROCESS)
        if port not in taken and is_free(port):
            return port
    for port in map(_in_range, range(own, own + LAST - FIRST + 1)):
        if port not in taken and is_free(port):
            return port
    raise Problem(f"No free port between {FIRST} and {LAST} on 127.0.0.1: too many servers run on this machine.")


def _in_range(number: int) -> int:
    return FIRST + number % (LAST - FIRST + 1)


def _claim(port: int) -> bool:
    """Whether no other start has chosen the port: its server may listen only seconds after the choice.

    The claim is a name without a file (unix(7), "Abstract sockets"), which goes with its process and is the same one
    for every user. Systems without such names do not claim; there two starts within seconds may still meet.
    """
    if port in _claimed or not sys.platform.startswith("linux"):
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0contact-centre-port-{port}")
    except OSError as error:
        claim.close()
        # Anything else: these names are forbidden here, as they are in some sandboxes.
        return error.errno != errno.EADDRINUSE
    _claimed[port] = claim.detach()
    return True


def preferred(name: str, port: int, *, taken: Collection[int], say: Callable[[str], None]) -> int:
    """`port` if it is free, else the next free one above it, which `say` is told. Raises Problem when none is left."""
    for candidate in range(port, min(port + TRIES, 65536)):
        if candidate not in taken and is_free(candidate) and _claim(candidate):
            if candidate != port:
                say(f"port {port} is in use, so {name} takes {candidate}")
            return candidate
    raise Problem(f"No free port from {port} on for {name}: name another in the environment, or stop what runs there.")
