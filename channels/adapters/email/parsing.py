"""One raw mail in, one InboundMessage out. Nothing here knows of tickets, people or tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from channels.adapters.base import Connection, NotOurs, PayloadError
from channels.adapters.email import automatic, reports
from channels.adapters.email.address import Mailbox, mailboxes
from channels.adapters.email.headers import Headers, key_of, message_id, message_ids
from channels.adapters.email.mailbox import is_ours, plus_part
from channels.adapters.email.mime import Content, content, parsed
from channels.adapters.email.quoting import split
from channels.happenings import OUR_MAIL, Address, FilePart, InboundMessage, RawItem
from contactcentre.lib.html import sanitise_counted
from contactcentre.lib.text import clean

DRAFT = gettext_noop("our own, a draft")

MAX_REFERENCES = 50
MAX_PARTICIPANTS = 50

# Where a mail system writes the address it really delivered to; the plus part of our reply address is there
# even where To was rewritten.
_DELIVERY_FIELDS = ("Delivered-To", "X-Original-To", "Envelope-To")
_TOKEN = re.compile(r"t\d+\.[A-Za-z0-9._-]+")
_OWN_ID = re.compile(r"<(t\d+\.[A-Za-z0-9._-]+)@[^<>\s@]+>")


def inbound(item: RawItem, connection: Connection) -> InboundMessage:
    """The message that a fetched mail is. Raises PayloadError where it cannot be one, NotOurs for a draft."""
    if item.meta.get("draft"):
        raise NotOurs(DRAFT)
    problem = item.meta.get("error")
    if problem:
        raise PayloadError(str(problem))
    if not item.body.strip():
        raise PayloadError(_("The mail is empty: the server handed over no bytes for it."))
    try:
        return _inbound(item, connection)
    except PayloadError:
        raise
    except Exception as error:
        # (IndexError, AttributeError, RecursionError …). Any of them must quarantine this one mail with a
        # reason instead of stopping the worker that reads all the others.
        raise PayloadError(_("This mail cannot be read (%(kind)s).") % {"kind": type(error).__name__}) from error


def _inbound(item: RawItem, connection: Connection) -> InboundMessage:
    headers = Headers.read(item.body)
    external_id = key_of(headers, item.body)
    own_id = message_id(headers)
    sender = _sender(headers)
    # Whatever lies among our sent mail is ours, also under an address that this mailbox has besides its own.
    is_sent = item.happening == OUR_MAIL
    is_out = is_sent or (sender is not None and is_ours(sender.spec, connection))
    nearest, thread = _references(headers, own_id)
    to, blind = mailboxes(headers.every("To")), mailboxes(headers.every("Bcc")) if is_out else []
    copied = mailboxes(headers.every("Cc"))
    participants = _participants([*to, *copied], sender, connection)
    unseen = _participants(blind, sender, connection)
    notes: list[str] = []
    too_large = item.meta.get("too_large")
    body = Content()
    found: reports.Report | None = None
    subject = headers.line("Subject", 500)
    # Our own address says nothing of who wrote: a person may well answer from noreply@.
    why = automatic.reason(headers, author=sender.spec if sender and not is_out else "")
    if too_large:
        notes.append(
            _("This mail has %(size)d MB, more than is fetched. Only its head is here; read it in the mailbox itself.")
            % {"size": int(str(too_large)) // 1_000_000}
        )
    else:
        tree = parsed(item.body)
        body = content(tree)
        if why and not is_out:
            found = reports.report(tree, headers, author=sender.spec if sender else "", text=body.text)
    text, quoted = split(body.text, subject=subject)
    shown = sanitise_counted(body.html)
    notes += body.notes
    if shown.pictures_left_out:
        notes.append(
            ngettext(
                "%(count)d picture that lies on another server was not loaded.",
                "%(count)d pictures that lie on other servers were not loaded.",
                shown.pictures_left_out,
            )
            % {"count": shown.pictures_left_out}
        )
    if shown.too_long:
        notes.append(_("The formatted version of this mail is too long to be shown; its text is here."))
    return InboundMessage(
        channel_kind="email",
        surface="email",
        external_id=external_id,
        thread=thread or own_id or external_id,
        author=_author(sender, connection, external_id=external_id, is_out=is_out),
        said_at=_sent_at(item, headers, connection) if is_sent else _said_at(item, headers, connection),
        direction="out" if is_out else "in",
        text=clean(text),
        html=shown.html,
        quoted=clean(quoted),
        subject=subject,
        reference=own_id,
        references=nearest,
        files=_inline(body.files, shown.pictures),
        automatic=found.why if found else why,
        reply_to=_reply_to(headers, sender),
        participants=participants,
        blind=unseen,
        recipient=_recipient([*participants, *unseen], to) if is_out else None,
        marker=_mark(headers, connection) if is_out else "",
        token=_token([*to, *copied, *_delivered(headers)], nearest, connection),
        notes=tuple(notes),
        report_on=found.on if found else "",
        report=found.state if found else "",
        report_to=found.to if found else (),
    )


def _sender(headers: Headers) -> Mailbox | None:
    """Who wrote it: the first mailbox of From, else of Sender (RFC 5322 3.6.2)."""
    for name in ("From", "Sender"):
        found = mailboxes(headers.every(name))
        if found:
            return found[0]
    return None


def _author(sender: Mailbox | None, connection: Connection, *, external_id: str, is_out: bool) -> Address:
    if sender is not None:
        return sender.address()
    if is_out:
        return Address(kind="email", value=connection.address, display=connection.address)
    return Address(kind="nameless", value=external_id)


def _recipient(others: Sequence[Address], to: Sequence[Mailbox]) -> Address | None:
    """Whom a mail of ours goes to: the first who is not ourselves, else whoever stands first."""
    return others[0] if others else to[0].address() if to else None


def _reply_to(headers: Headers, sender: Mailbox | None) -> Address | None:
    wished = mailboxes(headers.every("Reply-To"))
    if not wished or (sender is not None and wished[0].spec.casefold() == sender.spec.casefold()):
        return None
    return wished[0].address()


def _participants(named: Iterable[Mailbox], sender: Mailbox | None, connection: Connection) -> tuple[Address, ...]:
    """Everybody in To and Cc who is neither one of our mailboxes nor the author, each once."""
    seen = {sender.spec.casefold()} if sender else set()
    found: list[Address] = []
    for each in named:
        if each.spec.casefold() not in seen and not is_ours(each.spec, connection):
            seen.add(each.spec.casefold())
            found.append(each.address())
    return tuple(found[:MAX_PARTICIPANTS])


def _references(headers: Headers, own_id: str) -> tuple[tuple[str, ...], str]:
    """What this mail answers, nearest first, and the oldest id of its thread (empty where it names none)."""
    answered = [each for value in headers.every("In-Reply-To") for each in message_ids(value)]
    chain = [each for value in headers.every("References") for each in message_ids(value)]
    nearest = [each for each in dict.fromkeys([*answered, *reversed(chain)]) if each != own_id]
    oldest = next((each for each in [*chain, *answered] if each != own_id), "")
    return tuple(nearest[:MAX_REFERENCES]), oldest


def _delivered(headers: Headers) -> list[Mailbox]:
    """Where the mail system says that it delivered it to."""
    return [each for name in _DELIVERY_FIELDS for each in mailboxes(headers.every(name))]


def _token(recipients: Iterable[Mailbox], nearest: tuple[str, ...], connection: Connection) -> str:
    """The plus part of an address of ours that the mail was sent to, else one of our own message ids' words.

    Whether it is genuine is for its issuer to check; several are there only by somebody's hand, and one of
    our form is taken before any other.
    """
    parts = [part for each in recipients if (part := plus_part(each.spec, connection))]
    ours = next((part for part in parts if _TOKEN.fullmatch(part)), "")
    if ours:
        return ours
    named = next((match[1] for each in nearest if (match := _OWN_ID.fullmatch(each))), "")
    return named or (parts[0] if parts else "")


def _mark(headers: Headers, connection: Connection) -> str:
    """The word of ours behind the plus of Reply-To, which only mails have that left from here; else empty.

    Some providers give each mail they take an id of their own, and leave this.
    """
    parts = (plus_part(each.spec, connection) or "" for each in mailboxes(headers.every("Reply-To")))
    return next((part for part in parts if _TOKEN.fullmatch(part)), "")


def _said_at(item: RawItem, headers: Headers, connection: Connection) -> datetime:
    """When the mail server took it in (INTERNALDATE); the Date field only where that is not known.

    Date is written by the sender's clock, and by anybody who wants to be first in a list.
    """
    for value in (str(item.meta.get("internaldate") or ""), headers.first("Date")):
        moment = _moment(value)
        if moment is not None:
            return moment
    return connection.begins_at


def _sent_at(item: RawItem, headers: Headers, connection: Connection) -> datetime:
    """When our own mail was written: its program's time where that is the earlier, for a copy may be filed much later
    than the mail left, and what was asked between the two is not answered by it."""
    filed_at, dated = _said_at(item, headers, connection), _moment(headers.first("Date"))
    return min(filed_at, dated) if dated is not None else filed_at


def _moment(value: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            # Not in this writing; a date that nobody can read is no reason to refuse the mail.
            continue
    return None


def _inline(files: list[FilePart], pictures: frozenset[str]) -> tuple[FilePart, ...]:
    """The files, those the HTML shows marked as inline. The others are attachments, whatever they say."""
    return tuple(
        FilePart(
            name=each.name,
            content_type=each.content_type,
            data=each.data,
            size=each.size,
            content_id=each.content_id,
            is_inline=bool(each.content_id) and each.content_id in pictures,
            note=each.note,
        )
        for each in files
    )
