"""Where a mailbox may be: names typed by an admin are resolved, checked, and the checked address is dialled.

Whoever may connect a mailbox chooses a host that this process then talks to. Without a guard the form
would be a door into our own network (server-side request forgery): databases, metadata services, routers.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType

from django.conf import settings
from django.utils.translation import gettext as _

# Looking a name up has no time limit of its own in any resolver; ten seconds is two of its retries.
RESOLVE_SECONDS = 10.0
CONNECT_SECONDS = 10.0
# One read or write. A server that drips stays below it for ever; the deadline is what ends those.
SILENCE_SECONDS = 30.0

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class HostRefused(Exception):
    """A host we must not talk to. The text says why, for the admin who typed it."""


class Deadline:
    """Ends a whole conversation, however slowly the other side drips.

    A time limit on a socket counts from the last byte, so one byte every few seconds would hold a worker
    for ever. At the deadline a timer shuts every watched connection down, whatever is reading there gets an
    end of file, and `expired` says why.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.seconds = seconds
        self.expired = False

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched.clear()

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._ends_at - time.monotonic())

    def part(self, seconds: float) -> Deadline:
        """A deadline of its own, at most so many seconds away, for one part of this conversation.

        It ends the same connections: what comes after that part finds them shut.
        """
        part = Deadline(min(seconds, self.remaining()))
        with self._lock:
            for connection in self._watched:
                part.watch(connection)
        return part

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down at the deadline.

        A duplicate of the descriptor is kept, because wrapping a socket in TLS takes the original apart;
        both are the same connection to the kernel.
        """
        with self._lock:
            duplicate = connection.dup()
            self._watched.append(duplicate)
            if self.expired:
                _shut(duplicate)

    def _end(self) -> None:
        with self._lock:
            self.expired = True
            for connection in self._watched:
                _shut(connection)


def check_host(host: str) -> str:
    """The address to dial for a host name: resolved once, and allowed.

    Raises HostRefused for an empty or odd name and for private, loopback, link-local, multicast and reserved
    addresses, unless practice networks are on; socket.gaierror where the name has no address, TimeoutError
    where nobody answers. A name with one forbidden address among good ones is refused as a whole: such names
    are made for slipping through a check.
    """
    return _addresses(host)[0]


def dial(host: str, port: int, *, deadline: Deadline) -> socket.socket:
    """A connection to the first allowed address of the host that answers, watched by the deadline.

    Raises what check_host raises, and OSError where no address answers in time.
    """
    last: OSError | None = None
    for address in _addresses(host):
        limit = min(CONNECT_SECONDS, deadline.remaining())
        if limit <= 0:
            break
        try:
            connection = socket.create_connection((address, port), timeout=limit)
        except OSError as error:
            last = error
            continue
        connection.settimeout(SILENCE_SECONDS)
        deadline.watch(connection)
        return connection
    raise last or TimeoutError("no time left to connect")


def encrypt(connection: socket.socket, *, host: str) -> ssl.SSLSocket:
    """The connection in TLS, the certificate checked against the name that was typed. Raises ssl.SSLError."""
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def may_be_plain(host: str) -> bool:
    """Whether passwords may go to this host unencrypted: only to practice networks on this machine."""
    return bool(settings.PRACTICE) and ipaddress.ip_address(check_host(host)).is_loopback


def _addresses(host: str) -> list[str]:
    name = host.strip()
    if not name or len(name) > 253 or any(character.isspace() or character in "/\\@\0" for character in name):
        raise HostRefused(_("%(host)s is not the name of a server.") % {"host": host[:80]})
    found = _in_time(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not settings.PRACTICE:
        for address in addresses:
            if not _is_public(ipaddress.ip_address(address)):
                raise HostRefused(
                    _("%(host)s is %(address)s, an address inside a private network. Mail servers must be public.")
                    % {"host": name, "address": address}
                )
    return addresses[:4]


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        # NAT64 (RFC 6052): the last four bytes are the real destination.
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
        if address.is_site_local:
            # Given up by RFC 3879 and still used inside houses; Python counts them as global.
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


Found = list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]]


def _in_time(look_up: Callable[[], object]) -> Found:
    """What the resolver says, or TimeoutError. A thread that hangs in it is left to end by itself."""
    answer: list[Found] = []
    failure: list[OSError] = []

    def run() -> None:
        try:
            answer.append(look_up())  # type: ignore[arg-type]
        except UnicodeError:
            # A label beyond 63 characters, or one that IDNA does not allow.
            failure.append(socket.gaierror(socket.EAI_NONAME, "not a valid host name"))
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(RESOLVE_SECONDS)
    if failure:
        raise failure[0]
    if not answer or not answer[0]:
        raise TimeoutError("the name could not be looked up in time")
    return answer[0]


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side was quicker: it is closed already, which is all we want.
        return
