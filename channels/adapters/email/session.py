"""One conversation with an IMAP server, read only: dialled through the guard, bounded in time and in size."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from channels.adapters.email.hosts import Deadline, HostRefused, dial, encrypt, may_be_plain
from channels.adapters.email.mailbox import Mailbox, Server

# RFC 5530 codes and common words for "not now" in the answer to a login that has nothing to do with a password.
_NOT_NOW = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN|OVERQUOTA)\]|too many|try again|temporar|later|busy", re.I
)
_ATOM = re.compile(r"[A-Za-z0-9@._+=-]+")


class ImapProblem(Exception):
    """A conversation that did not come through. `code` is a stable word; `credentials` where login was refused."""

    def __init__(self, message: str, *, code: str, credentials: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.credentials = credentials


@dataclass(frozen=True, slots=True)
class Selected:
    """What the server says of an opened folder. `uid_next` is 0 where it does not tell."""

    uid_validity: int
    uid_next: int
    exists: int


class _Wire(imaplib.IMAP4):
    """The library's protocol over a connection of our own making, with a limit on what one literal may hold."""

    def __init__(self, server: Server, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        self.too_much = False
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connection = dial(self._server.host, self._server.port, deadline=self._deadline)
        if self._server.security == "tls":
            return encrypt(connection, host=self._server.host)
        return connection

    def read(self, size: int) -> bytes:
        """A literal. Its size is the server's claim, and memory is ours."""
        if size > settings.MAIL_MAX_BYTES + 1024 * 1024:
            # The library makes a plain abort of whatever is raised here, so a flag remembers the reason.
            self.too_much = True
            raise self.abort(f"a literal of {size} bytes")
        data: bytes = super().read(size)
        return data


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient, unchanged but for where its connection comes from."""

    def __init__(self, server: Server, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        super().__init__(server.host, server.port, ssl=server.security == "tls", timeout=None)
        # Aware times, as the server wrote them; the library's default is the local zone without saying so.
        self.normalise_times = False

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return _Wire(self._server, self._deadline)

    @property
    def too_much(self) -> bool:
        """Whether the server began to hand over more for one mail than is allowed, which ended the connection."""
        return bool(self._imap.too_much)

    def _set_read_timeout(self) -> None:
        """The connection came with its time limits; the library would take them away."""


@contextmanager
def session(mailbox: Mailbox, *, deadline: Deadline) -> Iterator[Client]:
    """A logged-in client. Everything that goes wrong inside, and on the way there, is raised as ImapProblem."""
    client: Client | None = None
    try:
        client = _connected(mailbox, deadline)
        if mailbox.imap.security == "starttls":
            client.starttls(ssl.create_default_context())
        _log_in(client, mailbox)
        yield client
        # Good manners only; a server that does not say goodbye has handed over everything all the same.
        with suppress(IMAPClientError, OSError):
            client.logout()
            client = None
    except ImapProblem:
        raise
    except HostRefused as error:
        raise ImapProblem(str(error), code="host-refused") from error
    except ssl.SSLCertVerificationError as error:
        raise ImapProblem(
            _("The certificate of %(host)s is not valid: %(why)s")
            % {"host": mailbox.imap.host, "why": error.verify_message},
            code="certificate",
        ) from error
    except (IMAPClientError, OSError, EOFError, ValueError) as error:
        raise _problem(error, mailbox, deadline) from error
    finally:
        if client is not None:
            with suppress(OSError, IMAPClientError):
                client.shutdown()


def select(client: Client, folder: str) -> Selected:
    """Open a folder for reading only (EXAMINE), so that nothing in it can change. Raises ImapProblem."""
    try:
        answer = client.select_folder(folder, readonly=True)
    except IMAPClientAbortError:
        raise
    except IMAPClientError as error:
        # NO is about the folder, unless it says that the server is in trouble; BAD always says that.
        if not str(error).startswith("select failed") or _NOT_NOW.search(str(error)):
            raise
        raise ImapProblem(
            _("The folder %(folder)s cannot be opened: %(why)s") % {"folder": folder, "why": _words(error)},
            code="no-folder",
        ) from error
    return Selected(
        uid_validity=_number(answer.get(b"UIDVALIDITY")),
        uid_next=_number(answer.get(b"UIDNEXT")),
        exists=_number(answer.get(b"EXISTS")),
    )


def _connected(mailbox: Mailbox, deadline: Deadline) -> Client:
    server = mailbox.imap
    if server.security == "none" and not may_be_plain(server.host):
        raise ImapProblem(_("Without encryption a password would be readable on the way."), code="not-encrypted")
    return Client(server, deadline)


def _log_in(client: Client, mailbox: Mailbox) -> None:
    user, password = mailbox.username, mailbox.password
    try:
        if user.isascii() and password.isascii():
            # The library quotes the password and not the name.
            client.login(user if _ATOM.fullmatch(user) else '"' + re.sub(r'(["\\])', r"\\\1", user) + '"', password)
        else:
            client.sasl_login("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            # The library calls a connection that broke while logging in a refused login, too.
            raise error.__context__ from error
        if _NOT_NOW.search(str(error)):
            raise ImapProblem(
                _("%(host)s does not let us in just now: %(why)s") % {"host": mailbox.imap.host, "why": _words(error)},
                code="unavailable",
            ) from error
        told = {"host": mailbox.imap.host, "why": _words(error)}
        raise ImapProblem(
            _("%(host)s refuses the name or the password (%(why)s)") % told,
            code="login-refused",
            credentials=True,
        ) from error


def _problem(error: Exception, mailbox: Mailbox, deadline: Deadline) -> ImapProblem:
    host = mailbox.imap.host
    if deadline.expired or isinstance(error, TimeoutError):
        return ImapProblem(
            _("%(host)s was too slow: it was given %(seconds)d seconds.")
            % {"host": host, "seconds": round(deadline.seconds)},
            code="timeout",
        )
    if isinstance(error, socket.gaierror):
        return ImapProblem(_("There is no server called %(host)s.") % {"host": host}, code="no-such-host")
    if isinstance(error, ConnectionRefusedError):
        return ImapProblem(
            _("%(host)s takes no connections on port %(port)d.") % {"host": host, "port": mailbox.imap.port},
            code="unreachable",
        )
    if isinstance(error, IMAPClientError) and not isinstance(error, IMAPClientAbortError):
        return ImapProblem(_("%(host)s answered: %(why)s") % {"host": host, "why": _words(error)}, code="refused")
    return ImapProblem(
        _("The connection to %(host)s broke: %(why)s") % {"host": host, "why": _words(error)}, code="connection-lost"
    )


def _words(error: Exception) -> str:
    """A library's error as one short line; bytes literals inside lose their wrapping, and half a line is left out."""
    told = re.sub(r"(unterminated line): .*", r"\1", " ".join(str(error).split()))
    return re.sub(r"b'([^']*)'|b\"([^\"]*)\"", r"\1\2", told)[:200]


def _number(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
