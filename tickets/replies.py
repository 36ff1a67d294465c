"""A reply goes out: message and outbox row in one transaction, recipient and words frozen."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone as django_timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels import outbox
from channels.happenings import Address
from channels.models import AccountState, Outbound, StoredFile
from channels.surfaces import SURFACES, Surface
from contactcentre.lib import realtime
from contactcentre.lib.text import clean, clean_line, snippet
from tickets import access, reading, threads, urgency
from tickets.access import Rights
from tickets.events import ticket_changed
from tickets.models import Attachment, Contact, Draft, Message, Note, State, Ticket
from tickets.receipts import reference
from tickets.targets import Targets
from tickets.weight import length

LONGEST = 100_000
MOST_FILES = 20
# How much of the customer's last mail is quoted below ours, and how many earlier mails are named in References.
QUOTED_LENGTH = 20_000
MOST_REFERENCES = 20
THEN = {"": None, "wait": State.WAITING, "solve": State.SOLVED}


class CannotReply(Exception):
    """This reply cannot be taken; the text says why in plain words, and nothing was kept or sent."""


class Conflict(CannotReply):
    """Something arrived after what the author last saw. `arrived` are the texts, newest last."""

    def __init__(self, arrived: Sequence[str]) -> None:
        super().__init__(_("Something arrived while you were writing. Nothing was sent, your words are kept."))
        self.arrived = tuple(arrived)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A stored file and the name it goes under."""

    id: int
    name: str


def reply(
    *,
    person: Person,
    ticket_id: int,
    contact_id: int,
    text: str,
    seen: int,
    now: datetime,
    files: Sequence[UploadedFile] = (),
    cc: Sequence[str] = (),
    then: str = "",
    anyway: bool = False,
    undo: timedelta = timedelta(0),
    to_reply_to: bool = False,
) -> Message:
    """Queue an answer to a contact's author and return the message, which leaves after `undo`.

    `seen` is the arrival number the author last saw; `anyway` sends although something came after it. `then`
    is "", "wait" or "solve". `cc` are values of the contact's participants; `to_reply_to` answers the address
    the customer's mail asked for instead of the one it came from.

    Raises Conflict, CannotReply, Http404 and PermissionDenied. The caller holds a transaction.
    """
    have = access.rights(person)
    ticket = access.ticket_to_act(have, ticket_id)
    contact = _contact(have, ticket, contact_id)
    surface = SURFACES[contact.surface]
    words = clean(text).strip()
    _refuse(ticket, contact, surface, words, files, now=now)
    if then not in THEN:
        raise CannotReply(_("It is not known what should become of the ticket."))
    if not anyway:
        _stop_if_something_came(ticket, person, seen)
    contact = _contact_here(ticket, contact, now=now)
    state_before, owner_before = ticket.state, ticket.owner_id
    ticket.arrivals += 1
    recipient = _recipient(contact, to_reply_to=to_reply_to)
    message = Message.objects.create(
        ticket=ticket,
        contact=contact,
        customer_id=ticket.customer_id,
        account=contact.account,
        channel_kind=contact.account.kind,
        scope="",
        surface=contact.surface,
        direction="out",
        person=person,
        arrival=ticket.arrivals,
        said_at=now,
        received_at=now,
        subject=_subject(contact),
        text=words,
        state="queued",
        extra={
            "to": recipient.display or recipient.value,
            "undo_until": (now + undo).isoformat() if undo else "",
            "then": then,
            "state_before": state_before,
            "owner_before": owner_before,
        },
    )
    _attach(message, files)
    row = _queue(message, contact, recipient, files, cc=cc, not_before=now + undo, now=now)
    message.reference = row.marker
    message.save(update_fields=["reference"])
    _after(ticket, contact, message, then, now=now)
    if ticket.owner_id is None:
        ticket.owner = person
        history.record(
            at=now,
            act="ticket.assigned",
            actor=person,
            ticket_id=ticket.pk,
            customer_id=ticket.customer_id,
            owner=person.pk,
        )
    ticket.save()
    urgency.recount(ticket, Targets.load())
    Draft.objects.filter(ticket=ticket, person=person, surface="reply").delete()
    reading.mark(person=person, ticket=ticket, arrival=ticket.arrivals, now=now)
    realtime.publish(*ticket_changed(ticket))
    return message


def undo(*, person: Person, message_id: int, now: datetime) -> Message:
    """Take a reply back before it leaves: nothing goes out, the words are a draft again, "& solve" is undone too.

    Raises CannotReply where it has left already, PermissionDenied for somebody else's reply. The caller holds
    a transaction.
    """
    message, ticket = _own(person, message_id)
    if message.person_id != person.pk:
        raise PermissionDenied
    if message.state == "cancelled":
        return message
    if not outbox.cancel(reference=reference(message.pk), now=now):
        raise CannotReply(_("It is too late: the message is already on its way."))
    # The receipt of the cancelling has changed both rows.
    message.refresh_from_db()
    ticket.refresh_from_db()
    extra = message.extra
    became = THEN.get(extra.get("then", ""))
    if became is not None and ticket.state == became:
        ticket.state, ticket.solved_at = extra["state_before"], None
    if extra.get("owner_before") is None and ticket.owner_id == person.pk:
        ticket.owner = None
    last = (
        Message.objects.filter(ticket=ticket, contact__entry_queue__is_confidential=False)
        .exclude(state="cancelled")
        .order_by("-said_at", "-id")
        .first()
    )
    if last is not None:
        _last_words(ticket, last)
    ticket.save()
    Draft.objects.update_or_create(
        ticket=ticket, person=person, surface="reply", defaults={"text": message.text, "saved_at": now}
    )
    history.record(
        at=now,
        act="message.taken_back",
        actor=person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        message=message.pk,
    )
    urgency.recount(ticket, Targets.load())
    realtime.publish(*ticket_changed(ticket))
    return message


def retry(*, person: Person, message_id: int, now: datetime) -> Message:
    """Send a failed reply again, to the same frozen recipient. Raises CannotReply; the caller holds a transaction."""
    message, ticket = _own(person, message_id)
    rows = Outbound.objects.filter(reference=reference(message.pk), state="failed").values_list("pk", flat=True)
    window = _window_end(message.contact)
    if not rows:
        raise CannotReply(_("This message is not waiting for another try."))
    for row in rows:
        try:
            outbox.retry_by_hand(outbound_id=row, actor=person, now=now, too_late_at=window)
        except (outbox.NotPossible, outbox.TooLate) as error:
            raise CannotReply(str(error)) from error
    _record(ticket, message, person, "message.retried", now=now)
    message.refresh_from_db()
    return message


def settle(*, person: Person, message_id: int, is_there: bool, now: datetime) -> Message:
    """Take a person's word on a reply that perhaps went out. Raises CannotReply; the caller holds a transaction."""
    message, ticket = _own(person, message_id)
    rows = Outbound.objects.filter(reference=reference(message.pk), state="unknown").values_list("pk", flat=True)
    if not rows:
        raise CannotReply(_("It is known by now what became of this message."))
    for row in rows:
        try:
            outbox.settle(outbound_id=row, is_there=is_there, actor=person, now=now)
        except (outbox.NotPossible, outbox.TooLate) as error:
            raise CannotReply(str(error)) from error
    _record(ticket, message, person, "message.settled", now=now, is_there=is_there)
    message.refresh_from_db()
    return message


def _record(ticket: Ticket, message: Message, person: Person, act: str, *, now: datetime, **data: bool) -> None:
    history.record(
        at=now,
        act=act,
        actor=person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        message=message.pk,
        **data,
    )


def _own(person: Person, message_id: int) -> tuple[Message, Ticket]:
    """A message of ours on a ticket this person may act on, that ticket locked."""
    message = (
        Message.objects.select_related("contact__entry_queue", "contact__account")
        .filter(pk=message_id, direction="out")
        .first()
    )
    if message is None:
        raise Http404
    have = access.rights(person)
    ticket = access.ticket_to_act(have, message.ticket_id)
    if not have.may_read_contact(message.contact.entry_queue_id):
        raise PermissionDenied
    return message, ticket


def _contact(have: Rights, ticket: Ticket, contact_id: int) -> Contact:
    contact = (
        Contact.objects.select_related("account", "identity", "entry_queue")
        .filter(pk=contact_id, customer_id=ticket.customer_id)
        .first()
    )
    if contact is None:
        raise Http404
    if not have.may_read_contact(contact.entry_queue_id):
        raise PermissionDenied
    return contact


def _refuse(
    ticket: Ticket, contact: Contact, surface: Surface, words: str, files: Sequence[UploadedFile], *, now: datetime
) -> None:
    """Everything that makes this reply impossible, each with its own sentence."""
    if ticket.state in (State.CLOSED, State.MERGED):
        raise CannotReply(_("This ticket is over. Write to the customer on their live ticket."))
    if not words and not files:
        raise CannotReply(_("There is nothing to send yet."))
    if surface.kind == "phone":
        raise CannotReply(_("A call is logged, not written."))
    limit = min(surface.limit or LONGEST, LONGEST)
    if length(words, surface) > limit:
        raise CannotReply(_("The text is longer than %(limit)s characters.") % {"limit": limit})
    if len(files) > MOST_FILES:
        raise CannotReply(_("At most %(count)s files go with one message.") % {"count": MOST_FILES})
    if files and not surface.takes_files:
        raise CannotReply(_("%(surface)s takes no files.") % {"surface": surface.label})
    if contact.account.state == AccountState.REFUSED:
        raise CannotReply(
            _("%(account)s is not connected any more. An admin has to connect it again.") % {"account": contact.account}
        )
    end = _window_end(contact)
    if end is not None and end <= now:
        raise CannotReply(_("The network takes no answer any more: its window has closed."))


def _window_end(contact: Contact) -> datetime | None:
    surface = SURFACES[contact.surface]
    if surface.window is None:
        return None
    return contact.last_in_at + surface.window if contact.last_in_at else contact.first_said_at


def _stop_if_something_came(ticket: Ticket, person: Person, seen: int) -> None:
    """Refuse where something the author has not seen arrived: customers' words, colleagues' answers and notes."""
    if ticket.arrivals <= seen:
        return
    messages = (
        Message.objects.filter(ticket=ticket, arrival__gt=seen)
        .exclude(state="cancelled")
        .exclude(person=person)
        .order_by("arrival")
        .values_list("text", flat=True)
    )
    notes = Note.objects.filter(ticket=ticket, arrival__gt=seen).exclude(person=person).values_list("text", flat=True)
    arrived = [snippet(text) for text in [*messages[:5], *notes[:5]]]
    if arrived:
        raise Conflict(arrived)


def _contact_here(ticket: Ticket, contact: Contact, *, now: datetime) -> Contact:
    """The contact itself, or for one of an earlier ticket its continuation on this one."""
    if contact.ticket_id == ticket.pk:
        return contact
    made, _new = Contact.objects.get_or_create(
        ticket=ticket,
        identity=contact.identity,
        surface=contact.surface,
        thread=contact.thread,
        session=contact.session,
        defaults={
            "customer_id": ticket.customer_id,
            "account": contact.account,
            "entry_queue": contact.entry_queue,
            "is_outbound": True,
            "subject": contact.subject,
            "first_said_at": now,
            "last_said_at": now,
            "last_in_at": contact.last_in_at,
        },
    )
    return made


def _recipient(contact: Contact, *, to_reply_to: bool) -> Address:
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
    other = str(asked.extra.get("reply_to", "")) if asked else ""
    if not other:
        raise CannotReply(_("The customer's mail asked for no other address."))
    return Address(kind="email", value=other, display=other)


def _subject(contact: Contact) -> str:
    if contact.surface != "email":
        return ""
    subject = contact.subject or _("Your message")
    return clean_line(subject if subject.lower().startswith(("re:", "aw:")) else f"Re: {subject}")


def _last_in(contact: Contact) -> Message | None:
    return contact.messages.filter(direction="in").order_by("-said_at", "-id").first()


def _attach(message: Message, files: Sequence[UploadedFile]) -> None:
    stored = StoredFile.objects.in_bulk([file.id for file in files])
    if len(stored) < len({file.id for file in files}):
        raise CannotReply(_("An attachment is no longer kept here. Please attach it again."))
    Attachment.objects.bulk_create(
        [
            Attachment(message=message, file=stored[file.id], name=file.name[:160], position=position)
            for position, file in enumerate(files)
        ]
    )


def _queue(
    message: Message,
    contact: Contact,
    recipient: Address,
    files: Sequence[UploadedFile],
    *,
    cc: Sequence[str],
    not_before: datetime,
    now: datetime,
) -> Outbound:
    asked = _last_in(contact)
    marker = _marker(message, contact)
    is_mail = contact.surface == "email"
    try:
        return outbox.put(
            account=contact.account,
            surface=contact.surface,
            recipient=recipient,
            text=message.text + (_quote(asked) if is_mail and asked else ""),
            subject=message.subject,
            thread=contact.thread,
            parent_id=asked.external_id if asked else "",
            references=_references(contact) if is_mail else (),
            cc=_copies(contact, cc),
            reply_to=_reply_address(contact) if is_mail else "",
            files=[(file.id, file.name) for file in files],
            reference=reference(message.pk),
            marker=marker,
            lane=outbox.lane(
                account_id=contact.account_id, surface=contact.surface, recipient=recipient, thread=contact.thread
            ),
            not_before=not_before,
            too_late_at=_window_end(contact),
            now=now,
        )
    except outbox.TooLate as error:
        raise CannotReply(str(error)) from error


def _marker(message: Message, contact: Contact) -> str:
    """Our own name for the send: a Message-ID for mail (RFC 5322, 3.6.4), a word for networks that hand it back."""
    if contact.surface != "email":
        return f"{reference(message.pk)}.{secrets.token_hex(6)}"
    domain = contact.account.address.rpartition("@")[2]
    return f"<{threads.token(contact.pk)}.m{message.pk}.{secrets.token_hex(6)}@{domain}>"


def _reply_address(contact: Contact) -> str:
    """Where the answer should go: our mailbox with a signed plus-part, which survives providers that rewrite ids."""
    local, _at, domain = contact.account.address.rpartition("@")
    return f"{local}+{threads.token(contact.pk)}@{domain}"


def _references(contact: Contact) -> list[str]:
    rows = (
        contact.messages.exclude(reference="")
        .exclude(state__in=("failed", "cancelled"))
        .order_by("-said_at", "-id")
        .values_list("reference", flat=True)[:MOST_REFERENCES]
    )
    return [row for row in reversed(rows) if row]


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


def _quote(asked: Message) -> str:
    """The customer's last mail of this contact below ours: nothing of DMs, calls or notes can be in it (row 10)."""
    when = date_format(django_timezone.localtime(asked.said_at), "DATETIME_FORMAT")
    who = (asked.identity.name or asked.identity.label) if asked.identity else ""
    intro = _("On %(when)s %(who)s wrote:") % {"when": when, "who": who}
    lines = "\n".join(f"> {line}" for line in asked.text[:QUOTED_LENGTH].splitlines())
    return f"\n\n{intro}\n{lines}\n"


def _last_words(ticket: Ticket, message: Message) -> None:
    ticket.last_at = message.said_at
    ticket.last_words = snippet(message.text or message.subject)
    ticket.last_direction = message.direction
    ticket.last_author = message.person


def _after(ticket: Ticket, contact: Contact, message: Message, then: str, *, now: datetime) -> None:
    """The ticket's state and list columns once this is queued."""
    contact.last_said_at = now
    contact.save(update_fields=["last_said_at"])
    if contact.entry_queue.is_confidential:
        ticket.last_at = now
    else:
        _last_words(ticket, message)
    if contact.surface not in ticket.surfaces:
        ticket.surfaces = [*ticket.surfaces, contact.surface]
    became = THEN[then] or (State.OPEN if ticket.state in (State.SOLVED, State.SNOOZED) else None)
    if became is None or became == ticket.state:
        return
    history.record(
        at=now,
        act={"waiting": "ticket.waiting", "solved": "ticket.solved", "open": "ticket.reopened"}[became],
        actor=message.person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        was=ticket.state,
        message=message.pk,
    )
    ticket.state = became
    ticket.snoozed_until = None
    ticket.solved_at = now if became == State.SOLVED else None
