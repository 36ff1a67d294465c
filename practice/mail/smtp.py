"""SMTP: aiosmtpd as a submission server (RFC 6409) that takes mail from those who log in, for those who live here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from practice.happenings import Happenings
from practice.mail.accounts import Account, Accounts, without_tag
from practice.mail.delivery import NULL_SENDER, SERVER_NAME, Delivery
from practice.mail.switches import NETWORK, SILENCE
from practice.mischief import Mischief
from practice.settings import HOST

#: The largest letter taken, in bytes, announced by SIZE (RFC 1870).
LARGEST = 35 * 1024 * 1024


class PracticeSMTP(SMTP):
    """aiosmtpd with room for the long lines that careless senders write; it would refuse more than 1,000 bytes."""

    line_length_limit = 65536


class Submission:
    """Answers the commands of one server. aiosmtpd finds the methods by their names."""

    def __init__(self, *, accounts: Accounts, delivery: Delivery, mischief: Mischief, happenings: Happenings) -> None:
        self._accounts = accounts
        self._delivery = delivery
        self._mischief = mischief
        self._happenings = happenings
        #: Connections on which a login was refused on purpose. smtplib tries a second mechanism on the same one, and
        #: a provider that refuses a password refuses it in every mechanism.
        self._locked_out: WeakSet[Session] = WeakSet()

    def log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        """Check a login; the session remembers the mailbox."""
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        login, password = (part.decode("utf-8", "replace") for part in (given.login, given.password))
        account = self._accounts.log_in(login, password)
        if (
            account
            and session not in self._locked_out
            and self._take(account, "smtp_refuse_login", f"{login}: refused.")
        ):
            self._locked_out.add(session)
        if account is None or session in self._locked_out:
            return AuthResult(success=False, handled=False, message="535 5.7.8 Authentication credentials invalid")
        return AuthResult(success=True, auth_data=account)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        """Take the envelope sender: one's own address, with a tag or without, or none at all."""
        login = session.auth_data
        if not isinstance(login, Account):
            return "530 5.7.0 Authentication required"
        if address != NULL_SENDER and without_tag(address) != login.address:
            return f"553 5.7.1 Sender address rejected: not owned by {login.address}"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        """Answer for this one recipient."""
        login = _who(session)
        if self._take(login, "smtp_451", f"{login.address} → {address}: not now (451)."):
            return "451 4.3.0 Try again later"
        if self._take(login, "smtp_550", f"{login.address} → {address}: refused (550)."):
            return "550 5.7.1 Message refused"
        if self._accounts.find(address) is None:
            if not self._accounts.known_domain(address):
                return f"550 5.1.2 <{address}>: no such domain"
            if not self._mischief.take(NETWORK, "bounce"):
                return f"550 5.1.1 <{address}>: there is nobody of that name here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the letter. What can go wrong afterwards goes wrong after it was delivered and filed."""
        login = _who(session)
        about = f"{login.address} → {', '.join(envelope.rcpt_tos)}"
        if self._take(login, "smtp_552", f"{about}: too large (552)."):
            return "552 5.3.4 Message too big for system"
        if self._take(login, "smtp_silent_before", f"{about}: time-out before it was taken."):
            return await _silence(server)
        self._delivery.take(
            login=login,
            sender=envelope.mail_from or NULL_SENDER,
            recipients=envelope.rcpt_tos,
            raw=envelope.original_content or b"",
            helo=session.host_name or "",
        )
        if self._take(login, "smtp_silent_after", f"{about}: taken, and no answer given."):
            return await _silence(server)
        if self._take(login, "smtp_drop_after", f"{about}: taken, and the line went dead."):
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 4.3.0 Gone"
        return "250 2.0.0 OK: taken"

    def _take(self, login: Account, switch: str, words: str) -> bool:
        """Return whether to misbehave. Only our own mailboxes meet it: the customers' mail always works."""
        taken = login.ours and self._mischief.take(NETWORK, switch, address=login.address)
        if taken:
            self._happenings.note(NETWORK, switch, words)
        return taken


async def start_smtp(submission: Submission, port: int) -> asyncio.Server:
    """Start to take mail; raise OSError when the port is taken."""
    # aiosmtpd warns about logins without TLS at every connection. On loopback there is nobody to listen.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()

    def protocol() -> PracticeSMTP:
        return PracticeSMTP(
            submission,
            hostname=SERVER_NAME,
            ident="Practice SMTP",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            timeout=SILENCE,
            authenticator=submission.log_in,
            loop=loop,
        )

    return await loop.create_server(protocol, host=HOST, port=port)


def _who(session: Session) -> Account:
    """Return who logged in. Nobody gets past MAIL without having done so."""
    assert isinstance(session.auth_data, Account)
    return session.auth_data


async def _silence(server: SMTP) -> str:
    """Say nothing until the other side hangs up, which cancels this, or for SILENCE seconds."""
    await asyncio.sleep(SILENCE - 1)
    return "421 4.4.2 Timed out"
