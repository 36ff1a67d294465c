"""A mail as it leaves: built once, as bytes, from frozen values, with nothing in it that could break a header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import encoders
from email.mime.base import MIMEBase
from email.utils import format_datetime, formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode
from django.utils.translation import gettext as _

from channels.adapters.base import DeliveryError, Opener
from channels.adapters.email.headers import message_ids
from channels.adapters.email.mailbox import Mailbox
from channels.happenings import Address, Outgoing, OutgoingFile
from contactcentre.lib.text import clean, clean_line, file_name

_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}")
_SPEC = re.compile(r"[^\s<>()\[\]:;,\\\"@\x00-\x1f]{1,64}@[^\s<>()\[\]:;,\\\"@\x00-\x1f]{1,255}")
# RFC 5322 sets no limit, mail programs do: the thread's beginning and its latest mails are what they look at.
_MAX_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A built mail with its envelope: bare ASCII addresses, the recipient first, and the bytes with CRLF."""

    sender: str
    recipient: str
    copies: tuple[str, ...]
    data: bytes
    reference: str


def letter(mailbox: Mailbox, outgoing: Outgoing, *, opener: Opener, date: str) -> Letter:
    """The mail of an outgoing row. Raises DeliveryError (permanent) for an address or a size that cannot go."""
    sender = spec(mailbox.address)
    recipient = spec(outgoing.recipient.value)
    copies = _copies(outgoing.cc, recipient)
    reference = next(iter(message_ids(outgoing.marker)), "")
    if not reference or not reference.isascii():
        raise DeliveryError(_("The mail has no id of its own."), permanent=True, code="no-marker")
    headers = {"Message-ID": reference, "Date": date}
    chain = [each for value in outgoing.references for each in message_ids(value) if each.isascii()]
    chain = list(dict.fromkeys(chain))
    if chain:
        kept = chain if len(chain) <= _MAX_REFERENCES else [chain[0], *chain[1 - _MAX_REFERENCES :]]
        headers["In-Reply-To"] = chain[-1]
        headers["References"] = " ".join(kept)
    message = EmailMultiAlternatives(
        subject=clean_line(outgoing.subject, 500),
        body=clean(outgoing.text),
        from_email=_formatted(mailbox.sender_name, sender),
        to=[_formatted(outgoing.recipient.name, recipient)],
        cc=[_formatted(each.name, each_spec) for each, each_spec in copies],
        reply_to=[spec(outgoing.reply_to)] if outgoing.reply_to else None,
        headers=headers,
    )
    if outgoing.html:
        message.attach_alternative(clean(outgoing.html), "text/html")
    for each in _files(outgoing.files, opener):
        message.attach(each)
    # SMTP knows CRLF only, and a line that ends otherwise could let a mail end early.
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", message.message().as_bytes())
    return Letter(
        sender=sender,
        recipient=recipient,
        copies=tuple(each_spec for _each, each_spec in copies),
        data=data,
        reference=reference,
    )


def date_header(moment: datetime) -> str:
    """A Date field's value for an aware datetime."""
    return format_datetime(moment)


def spec(address: str) -> str:
    """A bare address fit for an envelope, its domain in ASCII. Raises DeliveryError (permanent)."""
    given = address.strip()
    local, at, domain = given.rpartition("@")
    try:
        # An international domain has an ASCII form, the part in front of the @ has none.
        made = f"{local}{at}{punycode(domain)}"
    except UnicodeError:
        made = ""
    if not _SPEC.fullmatch(made) or not made.isascii():
        raise DeliveryError(
            _("%(address)s is not an address that mail can be sent to.") % {"address": clean_line(given, 120)},
            permanent=True,
            code="bad-address",
        )
    return made


def _copies(cc: Iterable[Address], recipient: str) -> list[tuple[Address, str]]:
    seen = {recipient.casefold()}
    found: list[tuple[Address, str]] = []
    for each in cc:
        each_spec = spec(each.value)
        if each_spec.casefold() not in seen:
            seen.add(each_spec.casefold())
            found.append((each, each_spec))
    return found


def _formatted(name: str, address: str) -> str:
    return formataddr((clean_line(name, 100), address))


def _files(files: tuple[OutgoingFile, ...], opener: Opener) -> Iterable[MIMEBase]:
    """The files as parts in base64. Django would re-encode text files and attach mails unencoded."""
    limit: int = settings.MAIL_MAX_BYTES
    total = 0
    for each in files:
        try:
            with opener(each.path) as stream:
                data = stream.read(limit - total + 1)
        except OSError as error:
            raise DeliveryError(
                _("The attachment %(name)s cannot be read just now.") % {"name": each.name}, code="no-file"
            ) from error
        total += len(data)
        if total > limit:
            raise DeliveryError(
                _("The attachments are larger than the %(limit)d MB that a mail may have.")
                % {"limit": limit // 1_000_000},
                permanent=True,
                code="too-large",
            )
        yield _part(each, data)


def _part(file: OutgoingFile, data: bytes) -> MIMEBase:
    kind = file.content_type.lower()
    # RFC 2046 5.2.1 allows no base64 in message/rfc822, and a multipart is no file.
    if not _TYPE.fullmatch(kind) or kind.startswith(("message/", "multipart/")):
        kind = "application/octet-stream"
    main, _slash, sub = kind.partition("/")
    part = MIMEBase(main, sub)
    part.set_payload(data)
    encoders.encode_base64(part)
    name = file_name(file.name)
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part
