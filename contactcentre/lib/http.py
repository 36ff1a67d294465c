"""Outside calls by HTTP that end: how the networks' own client libraries get time limits and another origin.

The libraries (tweepy, facebook-sdk) write their hosts into their code and set no time limit. Both talk through a
`requests` session, and a session takes an adapter per address: theirs stays unchanged, ours does the travelling.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager, ProxyManager

CONNECT_SECONDS = 5.0
# From the last byte to the next one.
SILENCE_SECONDS = 15.0
# The whole call. Less than a third of the poll lease, because one poll may be three calls.
TOTAL_SECONDS = 20.0
# What may be asked once more where nobody knows whether it was heard (RFC 9110, 9.2.1).
SAFE = ("GET", "HEAD")
# Some hundred posts with everything around them are about one megabyte.
MAX_BODY_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024


class NotSent(requests.ConnectionError):
    """No byte of the request left this machine: whatever it asked for was surely not done."""


class TooSlow(requests.ReadTimeout):
    """The call as a whole took longer than it may, although bytes may have been dripping all the time."""


class TooLarge(requests.RequestException):
    """The answer is longer than anything that is expected; the rest of it was not read."""


class _Call:
    """One call in flight: when it must end, the connection it runs on, and whether bytes have left on it.

    `writes`: what it asks for changes something, so it gets a connection of its own.
    """

    def __init__(self, seconds: float, *, writes: bool) -> None:
        self.writes = writes
        self._lock = threading.Lock()
        self._watched: dict[int, socket.socket] = {}
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._ends_at = time.monotonic() + seconds
        self._shut_down = False
        self.bytes_left = False

    @property
    def expired(self) -> bool:
        return self._shut_down or time.monotonic() >= self._ends_at

    def __enter__(self) -> _Call:
        _calls.current = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _calls.current = None
        with self._lock:
            for duplicate in self._watched.values():
                duplicate.close()
            self._watched.clear()

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down at the deadline. A duplicate of the descriptor is kept: TLS takes the original
        apart, and both are the same connection to the kernel."""
        number = connection.fileno()
        with self._lock:
            if number < 0 or number in self._watched:
                return
            duplicate = socket.socket(fileno=os.dup(number))
            self._watched[number] = duplicate
            if self._shut_down:
                _shut(duplicate)

    def _end(self) -> None:
        with self._lock:
            self._shut_down = True
            for duplicate in self._watched.values():
                _shut(duplicate)


class _Calls(threading.local):
    current: _Call | None = None


_calls = _Calls()


class _Watched:
    """What both kinds of connection below do more than urllib3's: they tell the call in flight of themselves."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        if _calls.current is not None:
            _calls.current.watch(made)
        return made

    def send(self, data: Any) -> None:
        if self.sock is None:
            # http.client would connect inside `send`; here it must be known which of the two failed.
            self.connect()  # type: ignore[attr-defined]
        if _calls.current is not None:
            # A connection kept from an earlier call was not made under this one's eyes.
            _calls.current.watch(self.sock)
            _calls.current.bytes_left = True
        super().send(data)  # type: ignore[misc]


class _Connection(_Watched, HTTPConnection):
    pass


class _SecureConnection(_Watched, HTTPSConnection):
    pass


class _Anew:
    """A call that writes never goes out on a connection that was kept.

    The other side may be closing it at that very moment, and then nobody knows whether the words were heard: an answer
    to a customer would be left to a person, though X or Facebook never got it (RFC 9112, 9.3.1).
    """

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        if _calls.current is not None and _calls.current.writes:
            connection.close()
        return connection


class _Pool(_Anew, HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(_Anew, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}


class RedirectAdapter(HTTPAdapter):
    """Sends what is meant for a public host to `origin`, and ends every call after `total` seconds.

    The library keeps building (and signing) its public addresses; scheme and host are exchanged at the very last
    moment. With the public origin itself only the limits are added. The answer comes back read, whole and at most
    `max_bytes` long after unpacking. Raises NotSent, TooSlow, TooLarge and what requests raises.
    """

    def __init__(
        self,
        origin: str,
        *,
        connect: float = CONNECT_SECONDS,
        silence: float = SILENCE_SECONDS,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        parts = urlsplit(origin)
        self._scheme, self._host = parts.scheme, parts.netloc
        self._timeout = (connect, min(silence, total))
        self._total = total
        self._max_bytes = max_bytes
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """The pool, of connections that are watched."""
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        """The pool towards a proxy, watched as well."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The answer with its body read; `stream` is ignored, because what is read later is read without a limit."""
        request = request.copy()
        there = urlsplit(request.url or "")
        request.url = urlunsplit((self._scheme, self._host, there.path, there.query, ""))
        if there.netloc != self._host:
            # The proxy was chosen for the public host.
            proxies = None
        with _Call(self._total, writes=request.method not in SAFE) as call:
            try:
                response = super().send(
                    request,
                    stream=True,
                    timeout=timeout or self._timeout,
                    verify=verify,
                    cert=cert,
                    proxies=dict(proxies) if proxies else None,
                )
                try:
                    self._read(response, call)
                finally:
                    # Back to the pool where all was read, else closed.
                    response.close()
            except TooLarge:
                raise
            except (requests.RequestException, OSError) as error:
                if not call.bytes_left:
                    raise NotSent(error, request=request) from error
                if call.expired:
                    raise TooSlow(error, request=request) from error
                raise
        return response

    def _read(self, response: requests.Response, call: _Call) -> None:
        announced = response.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced) > self._max_bytes:
            raise TooLarge(f"an answer of {announced} bytes", response=response)
        parts, size = [], 0
        for part in response.iter_content(_CHUNK):
            size += len(part)
            if size > self._max_bytes:
                raise TooLarge(f"an answer of more than {self._max_bytes} bytes", response=response)
            parts.append(part)
        if call.expired:
            # An answer without a length looks complete when it is cut off.
            raise TooSlow("the answer did not end in time", response=response)
        response._content = b"".join(parts)


def session(public_origin: str, adapter: RedirectAdapter, given: requests.Session | None = None) -> requests.Session:
    """The session (or a new one) with this adapter for this origin, and with nowhere else to go.

    A redirect is not followed: it would carry the token to wherever an answer says, without our limits. An address of
    any other place raises requests' InvalidSchema.
    """
    made = given or requests.Session()
    made.max_redirects = 0
    # The session's own ones go anywhere, and know neither time limit nor size.
    made.adapters.clear()
    made.mount(f"{public_origin.rstrip('/')}/", adapter)
    return made


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side was quicker: it is closed already, which is all we want.
        return
