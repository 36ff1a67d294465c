"""News of a message of ours: from our own outbox, and from the provider afterwards (row 23)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from agents import history
from channels.happenings import Address, DeliveryReceipt, InboundMessage
from channels.models import Outbound
from channels.receiver import PROCESSED, Answer
from contactcentre.lib import realtime
from contactcentre.lib.text import clean_line
from customers import resolving
from customers.addresses import key
from tickets import finishing, places, urgency
from tickets.events import ticket_changed
from tickets.models import Contact, Message, State, Ticket
from tickets.targets import Targets

# One bubble may stand for several provider calls; it shows the worst of them.
WORST = ("failed", "unknown", "retry", "sending", "queued", "sent", "cancelled")
TROUBLE = ("failed", "unknown")
# A ticket in one of these opens again when a reply on it failed.
_OPENS = (State.WAITING, State.SNOOZED, State.SOLVED)
# What the networks' adapters say of a refusal because nothing is there that it could answer.
GONE = "gone"
# Bubbles that one receipt marks; older ones were marked by those before it.
MOST_AT_ONCE = 200
MOST_NOTES = 20


def reference(message_id: int) -> str:
    """What the outbox calls a message."""
    return f"message:{message_id}"


def apply(receipt: DeliveryReceipt, *, now: datetime) -> Answer:
    """Put a receipt on its message, or on all of a thread up to a time; filtered where it speaks of none of ours."""
    if receipt.up_to is not None and receipt.reader is not None and receipt.state in ("delivered", "read"):
        return _up_to(receipt, receipt.up_to, receipt.reader)
    message = _message(receipt)
    if message is None:
        return Answer("receipt for nothing of ours")
    if receipt.state in ("delivered", "read"):
        column = f"{receipt.state}_at"
        Message.objects.filter(pk=message.pk, **{f"{column}__isnull": True}).update(**{column: receipt.at})
        realtime.publish(*ticket_changed(message.ticket))
        return PROCESSED
    if receipt.state in ("bounced", "delayed"):
        return _bounce(message, receipt.state, receipt.reason, at=receipt.at, now=now)
    return _own(message, receipt, now=now)


def _up_to(receipt: DeliveryReceipt, up_to: datetime, reader: Address) -> Answer:
    """Messenger tells that everything was delivered, or read, until a moment: mark what had left by then.

    Known by when its last call was begun: our own note of the answer is later than Facebook's time of the message,
    and the moment is often just that time.
    """
    column, whose = f"{receipt.state}_at", key(reader)
    waiting = list(
        Message.objects.select_related("ticket")
        .filter(
            channel_kind=receipt.channel_kind,
            scope=receipt.scope,
            contact__identity__kind=whose.kind,
            contact__identity__scope=whose.scope,
            contact__identity__value=whose.value,
            contact__thread=receipt.thread[:400],
            direction="out",
            # The news may be quicker than the answer to the call that sent it.
            state__in=("sent", "sending"),
            said_at__lte=up_to,
            **{f"{column}__isnull": True},
        )
        .order_by("-said_at", "-id")[:MOST_AT_ONCE]
    )
    rows = Outbound.objects.filter(reference__in=[reference(each.pk) for each in waiting])
    later = set(rows.exclude(claimed_at__lte=up_to).values_list("reference", flat=True))
    marked = [each for each in waiting if reference(each.pk) not in later]
    if not marked:
        return Answer("receipt for nothing of ours")
    Message.objects.filter(pk__in=[each.pk for each in marked], **{f"{column}__isnull": True}).update(
        **{column: receipt.at}
    )
    for ticket in {each.ticket_id: each.ticket for each in marked}.values():
        realtime.publish(*ticket_changed(ticket))
    return PROCESSED


def report(message: InboundMessage, *, now: datetime) -> Answer:
    """A delivery report (RFC 3464) marks its message and makes no ticket (row 28)."""
    ours = Message.objects.filter(channel_kind="email", direction="out", reference=message.report_on).first()
    if ours is None:
        return Answer("a delivery report on nothing of ours")
    if message.report == "bounced" and _is_of_copies(ours, message.report_to):
        _noted(ours, _("A copy did not arrive. %(why)s") % {"why": message.automatic})
        return PROCESSED
    return _bounce(ours, message.report, message.automatic, at=min(message.said_at, now), now=now)


def _is_of_copies(message: Message, addresses: Sequence[str]) -> bool:
    """Whether a report speaks of those in Cc alone: the customer has the answer then. Not where it names nobody, or
    somebody we did not write to, for a mailbox may forward to another."""
    row = Outbound.objects.filter(reference=reference(message.pk)).order_by("id").first()
    if row is None or not addresses:
        return False
    copies = {str(one["value"]).lower() for one in row.payload.get("cc", ())}
    return set(addresses) <= copies - {str(row.recipient["value"]).lower()}


def _noted(message: Message, words: str) -> None:
    """Say something beneath a message that changes nothing about it; once, however often it is told."""
    ticket, message = _locked(message)
    notes = message.extra.get("notes", [])
    line = clean_line(words, 500)
    if line in notes or len(notes) >= MOST_NOTES:
        return
    message.extra["notes"] = [*notes, line]
    message.save(update_fields=["extra"])
    realtime.publish(*ticket_changed(ticket))


def _message(receipt: DeliveryReceipt) -> Message | None:
    if receipt.reference.startswith("message:"):
        return Message.objects.filter(pk=int(receipt.reference.removeprefix("message:"))).first()
    if not receipt.external_id:
        return None
    return Message.objects.filter(
        channel_kind=receipt.channel_kind, scope=receipt.scope, external_id=receipt.external_id, direction="out"
    ).first()


def _locked(message: Message) -> tuple[Ticket, Message]:
    """The message's ticket and the message itself, locked in the order everybody locks: customer, then ticket; as
    they are by then, since a merge or a move may have taken the message along meanwhile."""
    mine = Message.objects.filter(pk=message.pk)
    resolving.lock_whose(lambda: mine.values_list("customer_id", flat=True).first())
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(messages=message.pk)
    return ticket, Message.objects.select_for_update(of=("self",)).select_related("contact").get(pk=message.pk)


def _own(message: Message, receipt: DeliveryReceipt, *, now: datetime) -> Answer:
    """What our outbox did: the bubble shows the worst of its rows, trouble makes the contact unanswered again."""
    ticket, message = _locked(message)
    rows = Outbound.objects.filter(reference=reference(message.pk))
    told = list(rows.values_list("state", "error_text", "payload__parent_id"))
    # The words of each of its calls, by state.
    calls = {state: words for state, words, _parent in told}
    calls[receipt.state] = receipt.reason
    was, message.state = message.state, next(state for state in WORST if state in calls)
    # A picture that left after the words were refused must not take away why they were.
    message.state_reason = clean_line(calls[message.state], 500) if message.state != "sent" else ""
    if receipt.external_id and not message.external_id and not _taken(message, receipt.external_id):
        message.external_id = receipt.external_id
    if message.state == "sent" and message.sent_at is None:
        message.sent_at = receipt.at
    message.save(update_fields=["state", "state_reason", "external_id", "sent_at"])
    if receipt.code == GONE:
        places.said_gone(message, parent_ids=[parent for _state, _words, parent in told])
    if message.state == "sent":
        places.there_after_all(message, parent_ids=[parent for _state, _words, parent in told])
        _met(message)
        if receipt.state == "sent" and receipt.reason:
            # It left, but not to everybody: the server refused a copy.
            _noted(message, receipt.reason)
    if (was in TROUBLE) != (message.state in TROUBLE) or message.state in (*TROUBLE, "cancelled"):
        _trouble(ticket, message, was=was, now=now)
    realtime.publish(*ticket_changed(ticket, also_people={message.person_id} if message.person_id else None))
    return PROCESSED


def _taken(message: Message, external_id: str) -> bool:
    """Whether the network's copy of this is stored already: then that row keeps the id, and ours is sent too."""
    return (
        Message.objects.filter(channel_kind=message.channel_kind, scope=message.scope, external_id=external_id)
        .exclude(pk=message.pk)
        .exists()
    )


def _met(message: Message) -> None:
    """A target is met by what was sent, timed when the agent pressed Send: on every contact this answered."""
    met = Contact.objects.filter(first_answered_at__isnull=True, first_said_at__lte=message.said_at)
    if message.answers_own_only:
        # It came here with a merge or a move: it answered its own contact, and none that it meets here.
        met = met.filter(pk=message.contact_id)
    else:
        met = met.filter(ticket_id=message.ticket_id, entry_queue_id=message.contact.entry_queue_id)
    met.update(first_answered_at=message.said_at)


def _trouble(ticket: Ticket, message: Message, *, was: str, now: datetime) -> None:
    """Failed and unknown replies answered nobody; a ticket that rests or is solved is open again, for on no list of
    open ones would anybody find what did not leave."""
    ticket.send_trouble = Message.objects.filter(ticket=ticket, direction="out", state__in=TROUBLE).count()
    if message.state in TROUBLE and ticket.state in _OPENS and finishing.may_open(ticket):
        history.record(
            at=now,
            act="ticket.reopened",
            ticket_id=ticket.pk,
            customer_id=ticket.customer_id,
            was=ticket.state,
            by="send",
        )
        ticket.state, ticket.snoozed_until, ticket.solved_at = State.OPEN, None, None
    ticket.save(update_fields=["send_trouble", "state", "snoozed_until", "solved_at"])
    if was != message.state:
        history.record(
            at=now,
            act="message.state_changed",
            ticket_id=ticket.pk,
            customer_id=ticket.customer_id,
            message=message.pk,
            was=was,
            to=message.state,
        )
    urgency.recount(ticket, Targets.load())


def _bounce(message: Message, kind: str, reason: str, *, at: datetime, now: datetime) -> Answer:
    ticket, message = _locked(message)
    message.state_reason = clean_line(reason, 500)
    if kind == "delayed":
        message.save(update_fields=["state_reason"])
    else:
        was, message.state, message.bounced_at = message.state, "failed", at
        message.save(update_fields=["state", "state_reason", "bounced_at"])
        _trouble(ticket, message, was=was, now=now)
    realtime.publish(*ticket_changed(ticket))
    return PROCESSED
