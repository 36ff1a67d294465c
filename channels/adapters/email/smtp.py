"""Handing a mail to the provider's SMTP server, in one transaction, knowing at every step what may have happened.

RFC 5321 4.1.1.4: a server takes a mail when it answers the final dot. Before the dot nothing was taken, an
answer to it is the truth, and silence after it means nobody knows.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from channels.adapters.base import DeliveryError
from channels.adapters.email.compose import Letter
from channels.adapters.email.hosts import Deadline, HostRefused, dial, encrypt, may_be_plain
from channels.adapters.email.mailbox import Mailbox, Server
from channels.adapters.email.reports import plain_status
from contactcentre.lib.text import clean_line

_CHUNK = 64 * 1024
_PERIOD = re.compile(rb"(?m)^\.")


class Transport(smtplib.SMTP):
    """smtplib over a connection of our own making: dialled through the guard, watched by the deadline."""

    def __init__(self, server: Server, deadline: Deadline, *, local_hostname: str) -> None:
        self._server = server
        self._deadline = deadline
        # The library would look our own name up, which has no time limit.
        super().__init__(local_hostname=local_hostname)
        # The name that STARTTLS checks the certificate against.
        self._host = server.host

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        connection = dial(self._server.host, self._server.port, deadline=self._deadline)
        return encrypt(connection, host=self._server.host) if self._server.security == "tls" else connection

    def open(self) -> None:
        """Connect and greet. Raises what smtplib and the guard raise."""
        code, words = self.connect(self._server.host, self._server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        self.ehlo_or_helo_if_needed()
        if self._server.security == "starttls":
            self.starttls(context=ssl.create_default_context())
            self.ehlo_or_helo_if_needed()

    def log_in(self, user: str, password: str) -> None:
        """Log in by whatever the server offers; nothing where it offers nothing and is not to be encrypted.

        Raises what smtplib raises.
        """
        if not self.has_extn("auth"):
            if self._server.security == "none":
                return
            raise smtplib.SMTPNotSupportedError("the server offers no login")
        if user.isascii() and password.isascii():
            self.login(user, password)
            return
        # The library knows ASCII only; RFC 4616 says UTF-8.
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
        code, words = self.docmd("AUTH", f"PLAIN {token}")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, words)


@contextmanager
def connected(mailbox: Mailbox, *, deadline: Deadline) -> Iterator[Transport]:
    """A logged-in transport. What goes wrong on the way there is raised as DeliveryError, never permanent."""
    server = mailbox.smtp
    try:
        if server.security == "none" and not may_be_plain(server.host):
            raise DeliveryError(_("Without encryption a password would be readable on the way."), code="not-encrypted")
        domain = mailbox.address.rpartition("@")[2]
        name = domain if domain.isascii() and domain and " " not in domain else "localhost"
        transport = Transport(server, deadline, local_hostname=name)
    except (HostRefused, OSError) as error:
        raise _unreachable(error, server, deadline) from error
    try:
        try:
            transport.open()
            if mailbox.username and mailbox.password:
                transport.log_in(mailbox.username, mailbox.password)
        except smtplib.SMTPAuthenticationError as error:
            raise _login_refused(error.smtp_code, error.smtp_error, server) from error
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError(
                _("%(host)s offers no way to log in as this mailbox is set up.") % {"host": server.host},
                code="no-login-offered",
                credentials=True,
            ) from error
        except (HostRefused, smtplib.SMTPException, OSError, ValueError) as error:
            raise _unreachable(error, server, deadline) from error
        yield transport
    finally:
        transport.close()


def deliver(
    transport: Transport, letter: Letter, *, still_ours: Callable[[], bool], deadline: Deadline
) -> tuple[str, ...]:
    """Hand the letter over; notes about copies that were refused come back. Raises DeliveryError."""
    try:
        notes = _envelope(transport, letter)
        code, words = transport.docmd("DATA")
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _before_the_dot(error, deadline) from error
    if code != 354:
        raise _refused(code, words, "refused")
    # The last moment at which nothing has left: a server that sees the line end here takes nothing.
    if not still_ours():
        transport.close()
        raise DeliveryError(_("Somebody else has taken this mail over meanwhile."), code="lease-lost")
    try:
        _write(transport, _stuffed(letter.data), deadline)
    except (smtplib.SMTPException, OSError) as error:
        raise _before_the_dot(error, deadline) from error
    try:
        _write(transport, b".\r\n", deadline)
        code, words = transport.getreply()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(
            _("The connection ended after the mail had left and before the server confirmed it."),
            outcome_unknown=True,
            code="timeout" if deadline.expired or isinstance(error.__context__, TimeoutError) else "connection-lost",
        ) from error
    if 200 <= code < 300:
        return notes
    if not 400 <= code < 600:
        raise DeliveryError(
            _("The server answered the mail with something that cannot be read."),
            outcome_unknown=True,
            code="timeout" if deadline.expired else "odd-answer",
        )
    raise _refused(code, words, "refused")


def _envelope(transport: Transport, letter: Letter) -> tuple[str, ...]:
    """MAIL and RCPT. The recipient must be taken; copies that are refused are noted."""
    limit = transport.esmtp_features.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(letter.data):
        raise DeliveryError(
            _("The mail has %(size)d MB; the server takes %(limit)d MB.")
            % {"size": -(-len(letter.data) // 1_000_000), "limit": int(limit) // 1_000_000},
            permanent=True,
            code="too-large",
        )
    options = [f"size={len(letter.data)}"] if transport.has_extn("size") else []
    if transport.has_extn("8bitmime"):
        options.append("body=8bitmime")
    code, words = transport.mail(letter.sender, options)
    if code not in {250, 251}:
        if code in {530, 535}:
            raise _login_refused(code, words, transport._server)
        raise _refused(code, words, "too-large" if code == 552 else "refused-sender")
    code, words = transport.rcpt(letter.recipient)
    if code not in {250, 251, 252}:
        raise _refused(code, words, "refused-recipient", address=letter.recipient)
    notes = []
    for copy in letter.copies:
        code, words = transport.rcpt(copy)
        if code == 421:
            raise _refused(code, words, "refused")
        if code not in {250, 251, 252}:
            notes.append(
                _("The copy to %(address)s was refused: %(why)s") % {"address": copy, "why": _said(code, words)}
            )
    return tuple(notes)


def _write(transport: Transport, data: bytes, deadline: Deadline) -> None:
    connection = transport.sock
    if connection is None:
        raise smtplib.SMTPServerDisconnected("not connected")
    view = memoryview(data)
    for start in range(0, len(view), _CHUNK):
        if deadline.expired:
            raise TimeoutError("the time for this mail is over")
        connection.sendall(view[start : start + _CHUNK])


def _stuffed(data: bytes) -> bytes:
    """The lines with a leading dot doubled (RFC 5321 4.5.2), ended by CRLF, without the final dot."""
    made = _PERIOD.sub(b"..", data)
    return made if made.endswith(b"\r\n") else made + b"\r\n"


def _refused(code: int, words: bytes | str, what: str, *, address: str = "") -> DeliveryError:
    """A clear answer: 5xx is final, anything else (4xx, or what no server should say) passes."""
    said = _said(code, words)
    text = (
        _("%(address)s was refused: %(why)s") % {"address": address, "why": said}
        if address
        else _("The mail server refused the mail: %(why)s") % {"why": said}
    )
    return DeliveryError(text, permanent=500 <= code < 600, code=what)


def _login_refused(code: int, words: bytes | str, server: Server) -> DeliveryError:
    """Wrong name or password: not permanent, because the mail goes out once a person mends the account."""
    if 400 <= code < 500:
        # 454: the server cannot check passwords just now (RFC 4954 6).
        return DeliveryError(
            _("%(host)s does not let us in just now: %(why)s") % {"host": server.host, "why": _said(code, words)},
            code="unavailable",
        )
    # In brackets: what stood behind "password:" would be taken for one and hidden (contactcentre/lib/secrets.py).
    return DeliveryError(
        _("%(host)s refuses the name or the password (%(why)s)") % {"host": server.host, "why": _said(code, words)},
        code="login-refused",
        credentials=True,
    )


def _before_the_dot(error: Exception, deadline: Deadline) -> DeliveryError:
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error.smtp_code, error.smtp_error, "refused")
    if deadline.expired or isinstance(error, TimeoutError):
        return DeliveryError(_("The mail server was too slow; nothing was sent."), code="timeout")
    return DeliveryError(_("The connection ended before the mail had left; nothing was sent."), code="connection-lost")


def _unreachable(error: Exception, server: Server, deadline: Deadline) -> DeliveryError:
    host = {"host": server.host, "port": server.port}
    if isinstance(error, HostRefused):
        return DeliveryError(str(error), code="host-refused")
    if isinstance(error, ssl.SSLCertVerificationError):
        why = {**host, "why": error.verify_message}
        return DeliveryError(_("The certificate of %(host)s is not valid: %(why)s") % why, code="certificate")
    if isinstance(error, socket.gaierror):
        return DeliveryError(_("There is no server called %(host)s.") % host, code="no-such-host")
    if isinstance(error, smtplib.SMTPResponseException):
        why = {**host, "why": _said(error.smtp_code, error.smtp_error)}
        return DeliveryError(_("%(host)s takes no mail just now: %(why)s") % why, code="unavailable")
    if deadline.expired or isinstance(error, TimeoutError):
        return DeliveryError(_("%(host)s was too slow; nothing was sent.") % host, code="timeout")
    if isinstance(error, ConnectionRefusedError):
        return DeliveryError(_("%(host)s takes no connections on port %(port)d.") % host, code="unreachable")
    return DeliveryError(_("%(host)s cannot be reached; nothing was sent.") % host, code="unreachable")


def _said(code: int, words: bytes | str) -> str:
    """The server's answer in one line, in plain words where its enhanced code has some."""
    text = clean_line(words.decode("utf-8", "replace") if isinstance(words, bytes) else words, 200)
    plain = plain_status(text) if code >= 400 else ""
    return f"{plain} ({code} {text})" if plain else f"{code} {text}".strip()
