"""What leaves with a message: recipient, subject, quote, references and copies, frozen into one outbox row."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone as django_timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from channels import outbox
from channels.happenings import Address
from channels.models import StoredFile
from channels.surfaces import SURFACES
from contactcentre.lib.prepared import Prepared
from contactcentre.lib.text import clean_line, snippet
from customers.models import Identity
from tickets import instants, places, threads
from tickets.models import Attachment, Contact, Message, Ticket
from tickets.receipts import reference

# How much of the customer's last mail is quoted below ours, and how many earlier mails are named in References.
QUOTED_LENGTH = 20_000
MOST_REFERENCES = 20


class CannotReply(Exception):
    """This cannot be sent; the text says why in plain words, and nothing was kept or sent."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A stored file and the name it goes under."""

    id: int
    name: str


def window_end(contact: Contact) -> datetime | None:
    """When the network stops taking answers on this contact; None where it always does."""
    surface = SURFACES[contact.surface]
    if surface.window is None:
        return None
    return contact.last_in_at + surface.window if contact.last_in_at else contact.first_said_at


def recipient(contact: Contact, *, to_reply_to: bool) -> Address:
    """The contact's author, always; another address only where the agent chose what the mail asked for (row 10)."""
    identity = contact.identity
    address = Address(
        kind=identity.kind,
        scope=identity.scope,
        value=identity.display if identity.kind == "email" and identity.display else identity.value,
        display=identity.label,
        name=identity.name,
        handle=identity.handle,
    )
    if not to_reply_to:
        return address
    asked = _last_in(contact)
    other = asked.reply_to if asked else ""
    if not other:
        raise CannotReply(_("The customer's mail asked for no other address."))
    return Address(kind="email", value=other, display=other)


def subject(contact: Contact) -> str:
    """The subject of an answer by mail; empty elsewhere."""
    if contact.surface != "email":
        return ""
    asked_about = contact.subject or _("Your message")
    return clean_line(asked_about if asked_about.lower().startswith(("re:", "aw:")) else f"Re: {asked_about}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The customer's last message of a contact that is still there, as far as an answer speaks of it."""

    external_id: str
    said_at: datetime
    text: str
    who: str
    reply_to: str


def _last_in(contact: Contact) -> _Asked | None:
    found = _LAST_IN.rows(contact_id=contact.pk)
    if not found:
        return None
    external_id, said_at, text, reply_to, name, handle, display, value = found[0]
    who = name or Identity(name=name, handle=handle, display=display, value=value).label
    return _Asked(external_id, said_at, text, who, str(json.loads(reply_to)) if reply_to else "")


def _last_in_of(*, contact_id: int) -> QuerySet[Message, tuple[Any, ...]]:
    whose = ("identity__name", "identity__handle", "identity__display", "identity__value")
    theirs = Message.objects.filter(places.STILL_THERE, contact_id=contact_id, direction="in")
    said = theirs.order_by(*instants.LATEST_FIRST)
    return said.values_list("external_id", "said_at", "text", "extra__reply_to", *whose)[:1]


def _references_of(*, contact_id: int, message_id: int) -> QuerySet[Message, tuple[Any, ...]]:
    return (
        Message.objects.filter(contact_id=contact_id)
        .exclude(pk=message_id)
        .exclude(reference="")
        .exclude(state__in=("failed", "cancelled"))
        .order_by("-said_at", "-id")
        .values_list("reference")[:MOST_REFERENCES]
    )


_LAST_IN = Prepared(_last_in_of)
_REFERENCES = Prepared(_references_of)


def attach(message: Message, files: Sequence[UploadedFile]) -> None:
    stored = StoredFile.objects.in_bulk([file.id for file in files])
    if len(stored) < len({file.id for file in files}):
        raise CannotReply(_("An attachment is no longer kept here. Please attach it again."))
    Attachment.objects.bulk_create(
        [
            Attachment(message=message, file=stored[file.id], name=file.name[:160], position=position)
            for position, file in enumerate(files)
        ]
    )


def queue(
    message: Message,
    contact: Contact,
    recipient: Address,
    files: Sequence[UploadedFile],
    *,
    cc: Sequence[str],
    not_before: datetime,
    now: datetime,
) -> None:
    """Freeze the message and put it into the outbox, one row for each provider call. The first one bears the message's
    own reference, which marker() made.

    Where files are messages of their own the words are the first call and each file is one more, in this order.
    Raises CannotReply; the caller holds a transaction.
    """
    asked = _last_in(contact)
    is_mail = contact.surface == "email"
    text = message.text + (_quote(asked) if is_mail and asked else "")
    calls = _calls(text, files, apart=SURFACES[contact.surface].files_apart)
    cc_addresses = _copies(contact, cc)
    references = _references(contact, message) if is_mail else ()
    try:
        for number, (words, attached) in enumerate(calls):
            outbox.put(
                account=contact.account,
                surface=contact.surface,
                recipient=recipient,
                text=words,
                subject=message.subject,
                thread=contact.thread,
                parent_id=asked.external_id if asked else "",
                references=references,
                cc=cc_addresses,
                reply_to=_reply_address(contact) if is_mail else "",
                files=[(file.id, file.name) for file in attached],
                reference=reference(message.pk),
                marker=marker(contact) if number else message.reference,
                lane=outbox.lane(
                    account_id=contact.account_id, surface=contact.surface, recipient=recipient, thread=contact.thread
                ),
                not_before=not_before,
                too_late_at=window_end(contact),
                now=now,
            )
    except outbox.TooLate as error:
        raise CannotReply(str(error)) from error


def _calls(text: str, files: Sequence[UploadedFile], *, apart: bool) -> list[tuple[str, Sequence[UploadedFile]]]:
    """What leaves with which call: everything at once, or the words and then each file."""
    if not apart or not files:
        return [(text, files)]
    first: list[tuple[str, Sequence[UploadedFile]]] = [(text, ())] if text else []
    return [*first, *(("", (file,)) for file in files)]


def marker(contact: Contact) -> str:
    """A new name of our own for a send: a Message-ID (RFC 5322, 3.6.4), a word for networks that hand it back."""
    if contact.surface != "email":
        return secrets.token_hex(16)
    domain = contact.account.address.rpartition("@")[2]
    return f"<{threads.token(contact.pk)}.{secrets.token_hex(8)}@{domain}>"


def _reply_address(contact: Contact) -> str:
    """Where the answer should go: our mailbox with a signed plus-part, which survives providers that rewrite ids."""
    local, _at, domain = contact.account.address.rpartition("@")
    return f"{local}+{threads.token(contact.pk)}@{domain}"


def _references(contact: Contact, message: Message) -> list[str]:
    """What a mail names in References, oldest first: the other mails of its contact."""
    rows = _REFERENCES.rows(contact_id=contact.pk, message_id=message.pk)
    return [reference for (reference,) in reversed(rows)]


def _copies(contact: Contact, values: Sequence[str]) -> list[Address]:
    """The chosen participants; a value that is not of this contact is refused: nobody is written to by mistake."""
    if not values:
        return []
    known = {row.value: row for row in contact.participants.all()}
    if any(value not in known for value in values):
        raise CannotReply(_("Somebody in Cc does not belong to this mail."))
    return [
        Address(kind="email", value=value, display=known[value].display, name=known[value].name) for value in values
    ]


def _quote(asked: _Asked) -> str:
    """The customer's last mail of this contact below ours: nothing of DMs, calls or notes can be in it (row 10)."""
    when = date_format(django_timezone.localtime(asked.said_at), "DATETIME_FORMAT")
    intro = _("On %(when)s %(who)s wrote:") % {"when": when, "who": asked.who}
    lines = "\n".join(f"> {line}" for line in asked.text[:QUOTED_LENGTH].splitlines())
    return f"\n\n{intro}\n{lines}\n"


def last_words(ticket: Ticket, message: Message) -> None:
    ticket.last_at = message.said_at
    ticket.last_words = snippet(message.text or message.subject)
    ticket.last_direction = message.direction
    ticket.last_author = message.person
