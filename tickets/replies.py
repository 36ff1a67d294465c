"""A reply goes out: message and outbox row in one transaction, recipient and words frozen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from agents.models import Person
from channels.models import AccountState
from channels.surfaces import SURFACES, Surface
from contactcentre.lib.prepared import Prepared, insert
from contactcentre.lib.text import clean, snippet
from tickets import access, drafts, finishing, listing, outgoing, places, reading, threads
from tickets.access import Rights
from tickets.models import LIVE, Contact, Message, Note, State, Ticket
from tickets.outgoing import CannotReply, UploadedFile, attach, last_words, window_end
from tickets.queries import contacts
from tickets.weight import length

LONGEST = 100_000
# Of messages and of notes each: who missed more than that reads the timeline.
MOST_ARRIVED = 5
MOST_FILES = 20
THEN = {"": None, "wait": State.WAITING, "solve": State.SOLVED}


class KeyReused(CannotReply):
    """The key of an earlier press of Send came with something else than the first time; nothing was sent for it."""

    def __init__(self) -> None:
        super().__init__(
            _("An answer was taken with this key already, and this one is different: it was not sent. Look first.")
        )


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
    twice, the message of the first time comes back; with anything else than the first time, KeyReused is raised
    (draft-ietf-httpapi-idempotency-key-header, 2.7).

    Raises Conflict, CannotReply, Http404 and PermissionDenied. The caller holds a transaction.
    """
    have = access.rights(person)
    ticket = access.ticket_to_act(have, ticket_id)
    asked = _asked(ticket_id, contact_id, text, then, to_reply_to, sorted(cc), [one.id for one in files])
    earlier = _PRESSED.rows(person_id=person.pk, pressed=pressed) if pressed else []
    if earlier:
        found = Message.objects.select_related("ticket").get(pk=earlier[0][0])
        # A message of an older version of this program says nothing of what was asked.
        if found.extra.get("asked", asked) != asked:
            raise KeyReused
        return found
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
        _stop_if_something_came(have, ticket, person, seen)
    contact = threads.continued(contact, ticket, at=now)
    ticket.arrivals += 1
    recipient = outgoing.recipient(contact, to_reply_to=to_reply_to)
    message = Message(
        ticket=ticket,
        contact=contact,
        customer_id=ticket.customer_id,
        account=contact.account,
        channel_kind=contact.account.kind,
        scope=contact.account.address if surface.ids_within_account else "",
        reference=outgoing.marker(contact),
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
            **({"asked": asked} if pressed else {}),
            **finishing.before(ticket),
        },
    )
    try:
        insert(message)
    except IntegrityError as error:
        # The same key on two tickets in the same moment: neither saw the other.
        if "one_message_per_press_of_send" in str(error):
            raise KeyReused from error
        raise
    attach(message, files)
    outgoing.queue(message, contact, recipient, files, cc=cc, not_before=now + undo, now=now)
    contact.last_said_at = now
    if contact.entry_queue_id in have.confidential:
        ticket.last_at = now
    else:
        last_words(ticket, message)
    was_over = ticket.state in (State.SOLVED, State.SNOOZED)
    finishing.becomes(ticket, THEN[then] or (State.OPEN if was_over else None), message=message, now=now)
    finishing.take(ticket, person=person, now=now)
    finishing.finish(ticket, contact, "last_said_at")
    drafts.drop(person=person, ticket=ticket, kind="reply")
    reading.mark(person=person, ticket=ticket, arrival=ticket.arrivals, now=now)
    return message


def _asked(*what: object) -> str:
    """A digest of what was asked for with a key; with our secret in it, because texts can be guessed."""
    return salted_hmac("tickets.replies.asked", repr(what), algorithm="sha256").hexdigest()[:32]


def _pressed_before(*, person_id: int, pressed: str) -> QuerySet[Message, tuple[Any, ...]]:
    # Said, because the index is on those alone, and a plan for any word must know that this is one.
    marked = Message.objects.exclude(pressed="")
    return marked.filter(person_id=person_id, pressed=pressed).values_list("id")


_PRESSED = Prepared(_pressed_before)


def _contact(have: Rights, ticket: Ticket, contact_id: int) -> Contact:
    contact = contacts.by_id([contact_id]).get(contact_id)
    if contact is None or contact.customer_id != ticket.customer_id:
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
    if getattr(contact, "is_gone", False):
        raise CannotReply(places.words())


def _stop_if_something_came(have: Rights, ticket: Ticket, person: Person, seen: int) -> None:
    """Refuse where something the author has not seen arrived: customers' words, their edits and deletions, colleagues'
    answers and notes.

    What they may not read stops them too, for the answer may cross it; of that only the queue is named (row 7).
    """
    if ticket.arrivals <= seen:
        return
    messages = (
        Message.objects.filter(Q(arrival__gt=seen) | Q(changed_arrival__gt=seen), ticket=ticket)
        .exclude(state="cancelled")
        .exclude(person=person)
        .annotate(came=Coalesce("changed_arrival", "arrival"))
        .select_related("contact")
        .order_by("-came")
    )
    notes = Note.objects.filter(ticket=ticket, arrival__gt=seen).exclude(person=person).order_by("-arrival")
    came = [(message.came, _came(have, message)) for message in messages[:MOST_ARRIVED]]
    hidden = "" if have.may_read_notes(ticket.queue_id) else have.something_in(ticket.queue_id)
    came += [(note.arrival, hidden or note.text) for note in notes[:MOST_ARRIVED]]
    if came:
        raise Conflict([snippet(words) for _arrival, words in sorted(came)])


def _came(have: Rights, message: Message) -> str:
    """What is said of a message that arrived meanwhile; never nothing."""
    if not have.may_read_contact(message.contact.entry_queue_id):
        return have.something_in(message.contact.entry_queue_id)
    if message.deleted_at is not None:
        return _("Deleted by the author")
    return listing.words(message) or _("A message without words")
