"""Delivery reports: which mail of ours did not arrive, and why, in words.

RFC 3464 gives the form; Exim and older systems send a text with X-Failed-Recipients, Exchange marks its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Literal

from django.utils.translation import gettext as _

from channels.adapters.email.automatic import is_daemon
from channels.adapters.email.headers import UNTOUCHED, Headers, decode_words, message_ids, unfold
from channels.adapters.email.mime import message_part, part_text
from contactcentre.lib.text import clean_line

_SUBJECT = re.compile(
    r"undeliver|delivery (status|failure|has failed)|returned mail|mail delivery|failure notice|not delivered|"
    r"delivery incomplete|unzustellbar|nicht zugestellt|non remis|no entregado|mancato recapito",
    re.I,
)
_DELAYED = re.compile(r"delay|warning|verzöger|retard", re.I)
# What a report is made of (RFC 3464), and the same where addresses are not in ASCII (RFC 6533).
_STATUSES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED = frozenset({"message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers"})
_BLANK = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
_ID = re.compile(r"^[> \t]*Message-ID:[ \t]*(<[^<>\s]{3,400}>)", re.I | re.M)
# Of one report: how many recipients are looked at, and of how many the reason is told.
_MOST_RECIPIENTS = 100
_MOST_REASONS = 3
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Report:
    """`on` is the normalised Message-ID of our mail, empty where the report names none; `to` are the addresses it did
    not reach, in lower case, as far as the report names them."""

    on: str
    state: Literal["bounced", "delayed"]
    why: str
    to: tuple[str, ...] = ()


def report(message: Message, headers: Headers, *, author: str, text: str) -> Report | None:
    """What a delivery report says, None for any other mail and for good news (delivered, relayed)."""
    blocks = _blocks(message)
    if blocks:
        return _standard(message, headers, blocks, text)
    marked = headers.has("X-Failed-Recipients") or headers.has("X-MS-Exchange-Message-Is-Ndr")
    subject = headers.line("Subject")
    nobody = headers.first("Return-Path").replace(" ", "") == "<>"
    if not (marked or ((is_daemon(author) or nobody) and _SUBJECT.search(subject))):
        return None
    state: Literal["bounced", "delayed"] = "delayed" if _DELAYED.search(subject) else "bounced"
    failed = headers.line("X-Failed-Recipients")
    why = _plain("", _first_status(text), failed)
    to = tuple(address.strip().lower() for address in failed.split(",")[:_MOST_RECIPIENTS] if "@" in address)
    return Report(on=_on(message, headers, text), state=state, why=why, to=to)


def plain_status(status: str) -> str:
    """An enhanced status code (RFC 3463) in plain words, empty for one without a meaning of its own."""
    words = {
        "1.1": _("there is no such mailbox"),
        "1.2": _("there is no such mail domain"),
        "1.3": _("the address is not written correctly"),
        "1.6": _("the mailbox has moved"),
        # A domain without mail (RFC 7505), and with Exchange Online an address that is not there.
        "1.10": _("nothing can be delivered to the address"),
        "2.1": _("the mailbox is switched off"),
        "2.2": _("the mailbox is full"),
        "2.3": _("the mail is too large for the mailbox"),
        "3.4": _("the mail is too large for the receiving system"),
        "4.1": _("the receiving system does not answer"),
        "4.4": _("the receiving system cannot be found"),
        "4.6": _("the mail went round in a loop"),
        "4.7": _("the mail could not be delivered in time"),
        "7.1": _("the receiving system does not accept our mail"),
    }
    match = _STATUS.search(status)
    if match is None:
        return ""
    return words.get(f"{int(match[2])}.{int(match[3])}", "")


def _blocks(message: Message) -> list[Message]:
    """The field blocks of the delivery-status part: one for the report, then one for each recipient."""
    for part in message.walk():
        if part.get_content_type() in _STATUSES:
            blocks = _BLANK.split(message_part(part))[:100]
            return [BytesHeaderParser(policy=UNTOUCHED).parsebytes(block) for block in blocks if block.strip()]
    return []


def _standard(message: Message, headers: Headers, blocks: list[Message], text: str) -> Report | None:
    """One report speaks of every recipient that the same server gave up: whoever was in copy, or all of them."""
    failed: list[Message] = []
    delayed: list[Message] = []
    for block in blocks:
        action = _field(block, "Action").lower()
        status = _field(block, "Status")
        if action == "failed" or (not action and status.startswith("5")):
            failed.append(block)
        elif action == "delayed" or (not action and status.startswith("4")):
            delayed.append(block)
    told = (failed or delayed)[:_MOST_RECIPIENTS]
    if not told:
        return None
    to = [_recipient(block) for block in told]
    return Report(
        on=_on(message, headers, text),
        state="bounced" if failed else "delayed",
        why="; ".join(_why(block) for block in told[:_MOST_REASONS]),
        # Where one is not named, it may be anybody.
        to=tuple(to) if all(to) else (),
    )


def _recipient(block: Message) -> str:
    """The address as we wrote it, where the report still knows it; Final-Recipient is where it was forwarded to."""
    named = _field(block, "Original-Recipient") or _field(block, "Final-Recipient")
    return named.partition(";")[2].strip().strip("<>").lower()


def _why(block: Message) -> str:
    # "rfc822; carla@mail.example" and "smtp; 550 5.1.1 …": the type in front is for programs.
    recipient = _field(block, "Final-Recipient") or _field(block, "Original-Recipient")
    diagnostic = _field(block, "Diagnostic-Code").partition(";")
    return _plain(diagnostic[2] or diagnostic[0], _field(block, "Status"), recipient.partition(";")[2])


def _plain(diagnostic: str, status: str, recipient: str) -> str:
    words = [plain_status(status), clean_line(diagnostic, 300)]
    said = " – ".join(word for word in words if word) or clean_line(status, 40) or _("no reason is given")
    who = clean_line(recipient, 120)
    return f"{who}: {said}" if who else said


def _on(message: Message, headers: Headers, text: str) -> str:
    """The id of the mail that the report is about: in the returned mail, else in what the report answers."""
    for part in message.walk():
        inner: list[str] = []
        if part.get_content_type() == "text/rfc822-headers":
            inner = message_ids(Headers.read(part_text(part).encode("utf-8", "replace")).first("Message-ID"))
        elif part.get_content_type() in _RETURNED:
            inner = message_ids(Headers.read(message_part(part)).first("Message-ID"))
        if inner:
            return inner[0]
    for name in ("In-Reply-To", "References"):
        named = [each for value in headers.every(name) for each in message_ids(value)]
        if named:
            return named[-1]
    quoted = _ID.search(text)
    return message_ids(quoted[1])[0] if quoted else ""


def _first_status(text: str) -> str:
    match = _STATUS.search(text[:20_000])
    return match[0] if match else ""


def _field(block: Message, name: str) -> str:
    return clean_line(decode_words(unfold(str(block.get(name) or ""))), 400)
