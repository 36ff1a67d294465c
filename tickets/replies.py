"""A reply goes out: message and outbox row in one transaction, recipient and words frozen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.models import AccountState
from channels.surfaces import SURFACES, Surface
from contactcentre.lib import realtime
from contactcentre.lib.text import clean, snippet
from tickets import access, outgoing, reading, urgency
from tickets.access import Rights
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, Draft, Message, Note, State, Ticket
from tickets.outgoing import CannotReply, UploadedFile, attach, last_words, window_end
from tickets.targets import Targets
from tickets.weight import length

LONGEST = 100_000
MOST_FILES = 20
THEN = {"": None, "wait": State.WAITING, "solve": State.SOLVED}


class Conflict(CannotReply):
    """Something arrived after what the author last saw. `arrived` are the texts, newest last."""

    def __init__(self, arrived: Sequence[str]) -> None:
        super().__init__(_("Something arrived while you were writing. Nothing was sent, your words are kept."))
        self.arrived = tuple(arrived)


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
    pressed: str = "",
) -> Message:
    """Queue an answer to a contact's author and return the message, which leaves after `undo`.

    `seen` is the arrival number the author last saw; `anyway` sends although something came after it. `then`
    is "", "wait" or "solve". `cc` are values of the contact's participants; `to_reply_to` answers the address
    the customer's mail asked for instead of the one it came from. `pressed` names one press of Send: told
    twice, the message of the first time comes back.

    Raises Conflict, CannotReply, Http404 and PermissionDenied. The caller holds a transaction.
    """
    have = access.rights(person)
    ticket = access.ticket_to_act(have, ticket_id)
    if pressed:
        earlier = Message.objects.select_related("ticket").filter(person=person, pressed=pressed).first()
        if earlier is not None:
            return earlier
    contact = _contact(have, ticket, contact_id)
    surface = SURFACES[contact.surface]
    words = clean(text).strip()
    _refuse(ticket, contact, surface, words, files, now=now)
    if ticket.state == State.SOLVED:
        newer = (
            Ticket.objects.filter(customer_id=ticket.customer_id, state__in=LIVE).values_list("pk", flat=True).first()
        )
        if newer is not None:
            raise CannotReply(_("The customer has a newer ticket, #%(ticket)s: answer there.") % {"ticket": newer})
    if then not in THEN:
        raise CannotReply(_("It is not known what should become of the ticket."))
    if not anyway:
        _stop_if_something_came(ticket, person, seen)
    contact = _contact_here(ticket, contact, now=now)
    state_before, owner_before = ticket.state, ticket.owner_id
    ticket.arrivals += 1
    recipient = outgoing.recipient(contact, to_reply_to=to_reply_to)
    message = Message.objects.create(
        ticket=ticket,
        contact=contact,
        customer_id=ticket.customer_id,
        account=contact.account,
        channel_kind=contact.account.kind,
        scope=contact.account.address if surface.ids_within_account else "",
        surface=contact.surface,
        direction="out",
        person=person,
        arrival=ticket.arrivals,
        said_at=now,
        received_at=now,
        subject=outgoing.subject(contact),
        text=words,
        state="queued",
        pressed=pressed,
        extra={
            "to": recipient.display or recipient.value,
            "undo_until": (now + undo).isoformat() if undo else "",
            "then": then,
            "state_before": state_before,
            "owner_before": owner_before,
        },
    )
    attach(message, files)
    row = outgoing.queue(message, contact, recipient, files, cc=cc, not_before=now + undo, now=now)
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
    end = window_end(contact)
    if end is not None and end <= now:
        raise CannotReply(str(surface.window_words))


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
            # What a person gave to somebody is theirs on a later ticket too (row 13).
            "moved_by_hand_at": contact.moved_by_hand_at,
        },
    )
    return made


def _after(ticket: Ticket, contact: Contact, message: Message, then: str, *, now: datetime) -> None:
    """The ticket's state and list columns once this is queued."""
    contact.last_said_at = now
    contact.save(update_fields=["last_said_at"])
    if contact.entry_queue.is_confidential:
        ticket.last_at = now
    else:
        last_words(ticket, message)
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
