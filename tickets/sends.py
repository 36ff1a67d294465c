"""Second thoughts on a reply: undo before it leaves, try again, and say what became of one that perhaps left."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels import outbox
from channels.models import Outbound
from contactcentre.lib import realtime
from tickets import access, drafts, finishing, listing, urgency
from tickets.events import ticket_changed
from tickets.models import LIVE, Message, State, Ticket
from tickets.outgoing import CannotReply, window_end
from tickets.receipts import reference
from tickets.replies import THEN
from tickets.targets import Targets


def undo(*, person: Person, message_id: int, now: datetime) -> Message:
    """Take a reply back before it leaves: nothing goes out, the words are a draft again, the ticket is as it was.

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
    was = ticket.state, ticket.owner_id
    _as_before(ticket, message, person)
    listing.rebuild(ticket)
    ticket.save()
    drafts.put_back(person=person, ticket=ticket, text=message.text, now=now)
    history.record(
        at=now,
        act="message.taken_back",
        actor=person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        message=message.pk,
    )
    if (ticket.state, ticket.owner_id) != was:
        # The timeline tells that the ticket was taken and solved with the reply; it has to tell that it no more is.
        history.record(
            at=now, act="ticket.taken_back", actor=person, ticket_id=ticket.pk, customer_id=ticket.customer_id
        )
    urgency.recount(ticket, Targets.load())
    realtime.publish(*ticket_changed(ticket))
    return message


def _as_before(ticket: Ticket, message: Message, person: Person) -> None:
    """Give the ticket back state and owner as they were before the message, where only that message changed them.

    State, snoozed_until and solved_at go together: a snoozed ticket without its time would never wake, a solved one
    without its time never close. What the customer wrote meanwhile keeps it open (row 1).
    """
    frozen = message.extra
    if frozen.get("ticket_before") != ticket.pk:
        # A merge or a move has taken the message to another ticket meanwhile, which the message did not change.
        return
    before = frozen["state_before"]
    became = THEN[frozen["then"]] or (State.OPEN if before in (State.SOLVED, State.SNOOZED) else before)
    if (
        ticket.state == became != before
        and not _wrote_since(ticket, message)
        and (before not in LIVE or ticket.state in LIVE or finishing.may_open(ticket))
    ):
        ticket.state = before
        ticket.snoozed_until, ticket.solved_at = _time(frozen["snoozed_before"]), _time(frozen["solved_before"])
    if frozen["owner_before"] is None and ticket.owner_id == person.pk:
        ticket.owner = None


def _time(frozen: str) -> datetime | None:
    return datetime.fromisoformat(frozen) if frozen else None


def _wrote_since(ticket: Ticket, message: Message) -> bool:
    later = Message.objects.filter(ticket=ticket, direction="in", automatic="", arrival__gt=message.arrival)
    return later.exists()


def retry(*, person: Person, message_id: int, now: datetime) -> Message:
    """Send a failed reply again, to the same frozen recipient. Raises CannotReply; the caller holds a transaction."""
    message, ticket = _own(person, message_id)
    rows = Outbound.objects.filter(reference=reference(message.pk), state="failed").values_list("pk", flat=True)
    window = window_end(message.contact)
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
