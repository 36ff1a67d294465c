"""Calls: the events of an exchange, and calls logged by hand. Every call is one contact (rows 8, 26, 27)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.adapters.phone import VOICEMAIL
from channels.happenings import Address, Call
from channels.models import ChannelAccount
from channels.receiver import PROCESSED, Answer
from contactcentre.lib import realtime
from contactcentre.lib.text import clean, clean_line, snippet
from customers import resolving
from customers.addresses import NotAnAddress, key, shown
from customers.models import Customer, Identity, IdentityKind
from tickets import access, intake, urgency
from tickets.events import call_rings, ticket_changed
from tickets.models import CallDetails, Contact, Message, Queue, Sighting, State, Ticket
from tickets.targets import Targets

# A call logged by hand within this long of one the exchange told of is probably the same call.
RECENT = timedelta(hours=2)
LONGEST_SUMMARY = 10_000
DISPOSITIONS = ("answered", "missed", "voicemail", "busy", "failed", "wrong-number", "call-back-promised")
# How an exchange says why a call ended → our word for what became of it.
CAUSES = {"busy": "busy", "cancel": "missed", "noanswer": "missed", "voicemail": "voicemail", "failed": "failed"}
NEXT = {"": None, "wait": State.WAITING, "solve": State.SOLVED}


class CannotLog(Exception):
    """This call cannot be logged; the text says why in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What an agent writes down of a call."""

    number: str
    direction: str
    disposition: str
    summary: str
    started_at: datetime
    duration_seconds: int
    then: str = ""


def receive(call: Call, *, account_id: int, now: datetime) -> Answer:
    """Put one event of a call on the customer's ticket, in whatever order the events come.

    The first event makes the ticket (for the screen pop); a hang-up without answer starts the clock; what
    a later event tells of an earlier time is applied as if it had come in order.
    """
    known = Message.objects.filter(channel_kind="phone", scope=call.scope, external_id=call.external_id).first()
    if known is None:
        resolved = _resolve(call.customer, call.external_id, now=now)
        if resolved.identity.blocked_at or resolved.customer.blocked_at:
            return Answer("blocked")
        known = Message.objects.filter(channel_kind="phone", scope=call.scope, external_id=call.external_id).first()
        if known is None:
            known = _first(call, resolved, account_id=account_id, now=now)
    else:
        known = _locked(known.pk)
    _apply(call, known, now=now)
    return PROCESSED


def log(
    *,
    person: Person,
    account: ChannelAccount,
    logged: Logged,
    now: datetime,
    customer_id: int | None = None,
    name: str = "",
    call_id: int | None = None,
) -> Message:
    """Write down a call and return its message: on the call the exchange told of (`call_id`), else as a new one.

    `customer_id` chooses among those whose number it is; without it the number decides, and a number nobody
    had makes a new customer called `name`. Raises CannotLog; the caller holds a transaction.
    """
    have = access.rights(person)
    if logged.disposition not in DISPOSITIONS or logged.direction not in ("in", "out") or logged.then not in NEXT:
        raise CannotLog(_("Choose what became of the call."))
    if not 0 <= logged.duration_seconds <= 24 * 3600:
        raise CannotLog(_("A call lasts at most a day."))
    if call_id is not None:
        message = _logged_before(have, call_id)
    else:
        message = _by_hand(person, account, logged, customer_id=customer_id, name=name, now=now)
    ticket = (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("queue", "owner")
        .get(pk=message.ticket_id)
    )
    if not have.may_read(ticket) and call_id is not None:
        raise PermissionDenied
    details = CallDetails.objects.get(message=message)
    answered = logged.disposition in ("answered", "call-back-promised", "wrong-number")
    details.disposition = logged.disposition
    if call_id is None:
        details.answered_at = logged.started_at if answered else None
        details.ended_at = logged.started_at + timedelta(seconds=logged.duration_seconds)
        details.duration_seconds = logged.duration_seconds
    details.save()
    message.text = clean(logged.summary).strip()[:LONGEST_SUMMARY]
    message.person = person
    _settle(message, details)
    message.save(update_fields=["text", "person", "state", "asked_at", "sent_at"])
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
    became = NEXT[logged.then]
    if became is not None and ticket.state != became:
        history.record(
            at=now,
            act="ticket.waiting" if became == State.WAITING else "ticket.solved",
            actor=person,
            ticket_id=ticket.pk,
            customer_id=ticket.customer_id,
            was=ticket.state,
        )
        ticket.state, ticket.snoozed_until = became, None
        ticket.solved_at = now if became == State.SOLVED else None
    history.record(
        at=now,
        act="call.logged",
        actor=person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        message=message.pk,
        disposition=logged.disposition,
    )
    _finish(ticket, message)
    return message


def recent(*, number: str, region: str, now: datetime) -> Message | None:
    """The latest call with this number within two hours that nobody has written down yet."""
    try:
        wanted = key(Address(kind=IdentityKind.PHONE, value=number, region=region))
    except NotAnAddress:
        return None
    return (
        Message.objects.select_related("call", "ticket__customer")
        .filter(
            channel_kind="phone",
            contact__identity__kind=IdentityKind.PHONE,
            contact__identity__value=wanted.value,
            person=None,
            said_at__gte=now - RECENT,
        )
        .order_by("-said_at", "-id")
        .first()
    )


def _resolve(address: Address, call_id: str, *, now: datetime) -> resolving.Resolved:
    try:
        return resolving.resolve(address, now=now)
    except NotAnAddress:
        # Withheld, short and impossible numbers are nobody's: never matched, never evidence (row 11).
        nameless = Address(kind=IdentityKind.NAMELESS, scope="phone", value=call_id, display=address.value)
        return resolving.resolve(nameless, now=now)


def _first(call: Call, resolved: resolving.Resolved, *, account_id: int, now: datetime) -> Message:
    return _make(
        # Every call is a contact of its own, so that on a shared number each begins with somebody new (row 12).
        customer=resolving.speaker(resolved, call.customer, now=now),
        identity=resolved.identity,
        account_id=account_id,
        queue=intake.feed_queue(account_id),
        thread=call.external_id,
        external_id=call.external_id,
        scope=call.scope,
        direction=call.direction,
        at=min(call.at, now),
        now=now,
        line=call.line,
        number=shown(call.customer),
        source="exchange",
    )


def _by_hand(
    person: Person, account: ChannelAccount, logged: Logged, *, customer_id: int | None, name: str, now: datetime
) -> Message:
    region = str(account.settings.get("region", ""))
    address = Address(kind=IdentityKind.PHONE, value=logged.number, region=region, name=clean_line(name, 200))
    call_id = f"logged-{uuid.uuid4()}"
    resolved = _resolve(address, call_id, now=now)
    chosen = customer_id is not None
    customer = resolving.lock(customer_id) if customer_id else resolving.speaker(resolved, address, now=now)
    if chosen and customer_id != resolved.customer.pk:
        if not Ticket.objects.filter(customer=customer).exists():
            raise CannotLog(_("That customer is not there any more."))
        have = access.rights(person)
        if not access.visible(have, Ticket.objects.filter(customer=customer)).exists():
            raise PermissionDenied
    return _make(
        customer=customer,
        identity=resolved.identity,
        account_id=account.pk,
        queue=intake.feed_queue(account.pk),
        thread=call_id,
        external_id=call_id,
        scope=account.address,
        direction=logged.direction,
        at=min(logged.started_at, now),
        now=now,
        line=account.address,
        number=logged.number,
        source="form",
        by_hand=chosen and (customer_id != resolved.customer.pk or resolved.identity.is_shared),
    )


def _logged_before(have: access.Rights, call_id: int) -> Message:
    message = Message.objects.filter(pk=call_id, channel_kind="phone").first()
    if message is None:
        raise CannotLog(_("That call is not there any more."))
    message = _locked(call_id)
    access.message_to_read(have, message)
    return message


def _locked(message_id: int) -> Message:
    """The call's message as it is under the lock of whose it is: a merge or a move may just have taken it along."""
    mine = Message.objects.select_related("contact").filter(pk=message_id)
    resolving.lock_whose(lambda: mine.values_list("customer_id", flat=True).first())
    return mine.get()


def _make(
    *,
    customer: Customer,
    identity: Identity,
    account_id: int,
    queue: Queue,
    thread: str,
    external_id: str,
    scope: str,
    direction: str,
    at: datetime,
    now: datetime,
    line: str,
    number: str,
    source: str,
    by_hand: bool = False,
) -> Message:
    ticket = intake.ticket_for(customer, queue=queue, subject="", now=now, reopens=direction == "in")
    contact = Contact.objects.create(
        ticket=ticket,
        customer=customer,
        identity=identity,
        account_id=account_id,
        surface="phone",
        thread=thread[:400],
        entry_queue=queue,
        is_outbound=direction == "out",
        first_said_at=at,
        last_said_at=at,
        moved_by_hand_at=now if by_hand else None,
    )
    ticket.arrivals += 1
    message = Message.objects.create(
        ticket=ticket,
        contact=contact,
        customer=customer,
        account_id=account_id,
        channel_kind="phone",
        scope=scope,
        external_id=external_id,
        surface="phone",
        direction=direction,
        identity=identity,
        arrival=ticket.arrivals,
        said_at=at,
        received_at=now,
        state="" if direction == "in" else "missed",
    )
    Sighting.objects.create(message=message, account_id=account_id, seen_at=now)
    CallDetails.objects.create(
        message=message, line=line[:40], number=clean_line(number, 60), started_at=at, source=source
    )
    _finish(ticket, message)
    return message


def _apply(call: Call, message: Message, *, now: datetime) -> None:
    ticket = (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("queue", "owner")
        .get(pk=message.ticket_id)
    )
    details = CallDetails.objects.select_for_update().get(message=message)
    at = min(call.at, now)
    if call.event == "new":
        details.started_at = min(details.started_at, at)
        message.said_at = details.started_at
    elif call.event == "answered" and call.answered_by == VOICEMAIL:
        # A machine picked up: nobody has spoken with them yet.
        details.disposition = "voicemail"
    elif call.event == "answered" and details.answered_at is None:
        details.answered_at = at
    elif call.event == "ended" and details.ended_at is None:
        details.ended_at = at
        details.disposition = details.disposition or CAUSES.get(call.cause.lower(), "")
    if details.ended_at is not None:
        if details.answered_at is not None:
            details.duration_seconds = max(int((details.ended_at - details.answered_at).total_seconds()), 0)
            if details.disposition in ("", "missed"):
                details.disposition = "answered"
        elif not details.disposition:
            details.disposition = "missed"
    details.save()
    _settle(message, details)
    message.save(update_fields=["said_at", "asked_at", "state", "sent_at"])
    _finish(ticket, message)
    if call.event == "new" and call.direction == "in" and details.ended_at is None and details.answered_at is None:
        realtime.publish(*call_rings(ticket, message.pk))


def _settle(message: Message, details: CallDetails) -> None:
    """Whether the call asks something of us, or has answered: a missed one in waits for a call-back from its end on."""
    talked = details.answered_at is not None
    if message.direction == "in":
        over = details.ended_at is not None
        message.asked_at = details.ended_at if over and not talked else None
        return
    message.state = "sent" if talked else "missed"
    message.sent_at = details.answered_at


def _finish(ticket: Ticket, message: Message) -> None:
    """The ticket's list columns, urgency and live news once a call has changed."""
    details = CallDetails.objects.get(message=message)
    contact = Contact.objects.select_related("entry_queue").get(pk=message.contact_id)
    ended = details.ended_at or message.said_at
    contact.last_said_at = max(contact.last_said_at, ended)
    if message.direction == "in":
        contact.last_in_at = max(contact.last_in_at or ended, ended)
        if details.answered_at is not None and contact.first_answered_at is None:
            contact.first_answered_at = details.answered_at
    contact.save(update_fields=["last_said_at", "last_in_at", "first_answered_at"])
    if message.direction == "out" and details.answered_at is not None:
        # Called back: what waited in this queue is answered, timed at the pick-up.
        Contact.objects.filter(
            ticket=ticket,
            entry_queue_id=contact.entry_queue_id,
            is_outbound=False,
            first_answered_at__isnull=True,
            first_said_at__lte=details.answered_at,
        ).update(first_answered_at=details.answered_at)
    if "phone" not in ticket.surfaces:
        ticket.surfaces = [*ticket.surfaces, "phone"]
    if message.said_at >= ticket.last_at or not ticket.last_words:
        ticket.last_at = max(ticket.last_at, message.said_at) if ticket.last_words else message.said_at
        if not contact.entry_queue.is_confidential:
            ticket.last_words = snippet(words(details, message.direction, message.text))
            ticket.last_direction, ticket.last_author = message.direction, message.person
    if message.direction == "in":
        ticket.last_customer_at = max(ticket.last_customer_at or message.said_at, message.said_at)
    ticket.save()
    urgency.recount(ticket, Targets.load())
    realtime.publish(*ticket_changed(ticket))


def words(details: CallDetails, direction: str, summary: str) -> str:
    """A call in a line, for the list."""
    if summary:
        return summary
    if details.ended_at is None and details.answered_at is None:
        return _("Ringing …") if direction == "in" else _("We are calling …")
    if details.ended_at is None:
        return _("On the phone …")
    return {
        "answered": _("A call"),
        "missed": _("Missed call") if direction == "in" else _("We called, nobody answered"),
        "voicemail": _("Voicemail"),
        "busy": _("The line was busy"),
        "failed": _("The call failed"),
        "wrong-number": _("Wrong number"),
        "call-back-promised": _("A call back was promised"),
    }.get(details.disposition, _("A call"))


def lookup(number: str, *, region: str, have: access.Rights) -> tuple[list[Customer], list[Customer]]:
    """Who a number is: those whose number it is (known), and those whose number ends the same (maybe).

    Only customers with a ticket this person may see; at most ten each.
    """
    digits = "".join(character for character in number if character.isdigit())
    if len(digits) < 3:
        return [], []
    mine = Q(tickets__in=access.visible(have, Ticket.objects.all()))
    known: list[Customer] = []
    try:
        wanted = key(Address(kind=IdentityKind.PHONE, value=number, region=region))
        known = list(
            Customer.objects.filter(
                mine, identities__kind=IdentityKind.PHONE, identities__value=wanted.value
            ).distinct()[:10]
        )
    except NotAnAddress:
        wanted = None
    maybe: list[Customer] = []
    if len(digits) >= 6:
        alike = Identity.objects.filter(kind=IdentityKind.PHONE, value__contains=digits.lstrip("0")[-9:])
        maybe = list(
            Customer.objects.filter(mine, pk__in=alike.values("customer"))
            .exclude(pk__in=[one.pk for one in known])
            .distinct()[:10]
        )
    return known, maybe
