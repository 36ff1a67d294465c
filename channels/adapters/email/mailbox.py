"""A mailbox's settings, read from a connection into types: where to read, where to send, as whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from channels.adapters.base import Connection
from channels.adapters.email.address import split_plus

Security = Literal["tls", "starttls", "none"]

_PORTS = {"imap": {"tls": 993, "starttls": 143, "none": 143}, "smtp": {"tls": 465, "starttls": 587, "none": 25}}
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class Misconfigured(Exception):
    """The account's settings cannot be meant. The text says which one, for the admin."""


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two servers of a mailbox."""

    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class Mailbox:
    """All that reading and sending need. `password` never shows in a repr."""

    address: str
    sender_name: str
    username: str
    folder: str
    imap: Server
    smtp: Server
    _password: tuple[str, ...]

    @property
    def password(self) -> str:
        """The password, for the two login commands only."""
        return self._password[0]

    def __repr__(self) -> str:
        return f"<mailbox {self.address}>"


def mailbox(connection: Connection) -> Mailbox:
    """The connection's mailbox.

    Settings: imap_host, imap_port, imap_security (tls, starttls, none), imap_folder (INBOX), smtp_host,
    smtp_port, smtp_security, username (the address), sender_name (the account's name). Credentials: password.
    Raises Misconfigured.
    """
    given = connection.settings
    username = _line(given, "username") or connection.address
    password = str(connection.credentials.get("password") or "")
    if _CONTROL.search(password):
        raise Misconfigured(_("The password holds a line break or another control character."))
    return Mailbox(
        address=connection.address.strip(),
        sender_name=_line(given, "sender_name") or connection.name,
        username=username,
        folder=_line(given, "imap_folder") or "INBOX",
        imap=_server(given, "imap"),
        smtp=_server(given, "smtp"),
        _password=(password,),
    )


def is_ours(address: str, connection: Connection) -> bool:
    """Whether a mail address is one of our mailboxes, with or without a part behind a plus."""
    return plus_part(address, connection) is not None


def plus_part(address: str, connection: Connection) -> str | None:
    """What stands behind the plus in an address of ours, empty where nothing does; None for other people's."""
    folded = address.strip().casefold()
    ours = {own.strip().casefold() for own in connection.own} | {connection.address.strip().casefold()}
    if folded in ours:
        return ""
    for own in ours:
        part = split_plus(address.strip(), own)
        if part:
            return part
    return None


def _server(given: Mapping[str, object], kind: Literal["imap", "smtp"]) -> Server:
    host = _line(given, f"{kind}_host")
    if not host:
        raise Misconfigured(_("No %(kind)s server is given.") % {"kind": kind.upper()})
    security = _security(_line(given, f"{kind}_security") or "tls")
    port = given.get(f"{kind}_port") or _PORTS[kind][security]
    try:
        number = int(str(port))
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise Misconfigured(_("%(port)s is not a port.") % {"port": str(port)[:20]})
    return Server(host=host, port=number, security=security)


def _security(word: str) -> Security:
    if word == "tls":
        return "tls"
    if word == "starttls":
        return "starttls"
    if word == "none":
        return "none"
    raise Misconfigured(_("%(word)s is not a way to encrypt; say tls or starttls.") % {"word": word[:20]})


def _line(given: Mapping[str, object], name: str) -> str:
    """A setting as one line. A line break would let it say commands of its own to the server."""
    value = str(given.get(name) or "").strip()
    if _CONTROL.search(value):
        raise Misconfigured(_("%(name)s holds a line break or another control character.") % {"name": name})
    return value
