"""Calls: the events of an exchange, and calls logged by hand. Every call is one contact (rows 8, 26, 27)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.adapters.phone import VOICEMAIL
from channels.connections import is_own
from channels.happenings import Address, Call
from channels.models import ChannelAccount
from channels.receiver import PROCESSED, Answer
from contactcentre.lib import realtime
from contactcentre.lib.prepared import insert
from contactcentre.lib.text import clean, clean_line, snippet
from customers import resolving
from customers.addresses import NotAnAddress, key, shown
from customers.models import Customer, Identity, IdentityKind
from tickets import access, call_words, finishing, intake
from tickets.events import call_rings
from tickets.models import CallDetails, Contact, Message, Queue, Sighting, State, Ticket

LONGEST_SUMMARY = 10_000
# So long after it a call is still written down. What is said to be older is a slip of the pen, such as the year 26.
LONGEST_AGO = timedelta(days=366)
DISPOSITIONS = ("answered", "missed", "voicemail", "busy", "failed", "wrong-number", "call-back-promised")
# How an exchange says why a call ended → our word for what became of it.
CAUSES = {"busy": "busy", "cancel": "missed", "noanswer": "missed", "voicemail": "voicemail", "failed": "failed"}
NEXT = {"": None, "wait": State.WAITING, "solve": State.SOLVED}


class CannotLog(Exception):
    """This call cannot be logged; the text says why in plain words."""


class NotTheirs(PermissionDenied):
    """The call lies on a ticket that is others' to decide about; the text says what can be done."""


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
        if resolving.is_blocked(resolved.identity, None if resolved.identity.is_shared else resolved.customer):
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
    had makes a new customer called `name`. A call lies on the customer's ticket whoever they are with; but only who
    was given that ticket before takes it by this, or decides what becomes of it (row 7).

    Raises CannotLog, NotTheirs where `then` decides about such a ticket, and PermissionDenied; the caller holds a
    transaction.
    """
    have = access.rights(person)
    if logged.disposition not in DISPOSITIONS or logged.direction not in ("in", "out") or logged.then not in NEXT:
        raise CannotLog(_("Choose what became of the call."))
    if not 0 <= logged.duration_seconds <= 24 * 3600:
        raise CannotLog(_("A call lasts at most a day."))
    if logged.started_at < now - LONGEST_AGO:
        raise CannotLog(_("A call is written down within a year. Please look at its date."))
    is_theirs = True
    if call_id is not None:
        message = _logged_before(have, call_id)
    else:
        message, is_theirs = _by_hand(have, account, logged, customer_id=customer_id, name=name, now=now)
    if not is_theirs and logged.then:
        raise NotTheirs(
            _("The customer’s ticket is with another queue. Leave it open: the call is written down there for them.")
        )
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=message.ticket_id)
    if not have.may_read(ticket) and call_id is not None:
        raise PermissionDenied
    details = CallDetails.objects.get(message=message)
    answered = logged.disposition in ("answered", "call-back-promised", "wrong-number")
    details.disposition = logged.disposition
    if call_id is None:
        details.answered_at = logged.started_at if answered else None
        details.ended_at = logged.started_at + timedelta(seconds=logged.duration_seconds)
        details.duration_seconds = logged.duration_seconds
    elif answered:
        _talked(details, logged, now=now)
    details.save()
    message.text = clean(logged.summary).strip()[:LONGEST_SUMMARY]
    message.person = person
    _settle(message, details)
    message.save(update_fields=["text", "person", "state", "asked_at", "sent_at"])
    if is_theirs:
        finishing.take(ticket, person=person, now=now)
        finishing.becomes(ticket, NEXT[logged.then], message=message, now=now)
    history.record(
        at=now,
        act="call.logged",
        actor=person,
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        message=message.pk,
        disposition=logged.disposition,
    )
    _finish(ticket, message, details)
    return message


def _talked(details: CallDetails, logged: Logged, *, now: datetime) -> None:
    """Take a person's word that they talked, where the exchange told of no pick-up: some never do, others later.

    So a hang-up after it makes no missed call. Timed by the length that was given, else at the first ring.
    """
    if details.answered_at is not None:
        return
    end = details.ended_at or now
    length = timedelta(seconds=logged.duration_seconds)
    details.answered_at = max(details.started_at, end - length) if length else details.started_at
    if details.ended_at is not None:
        details.duration_seconds = max(int((end - details.answered_at).total_seconds()), 0)


def _is_ours(address: Address) -> bool:
    try:
        return is_own("phone", key(address).value)
    except NotAnAddress:
        return False


def _resolve(address: Address, call_id: str, *, now: datetime) -> resolving.Resolved:
    try:
        return resolving.resolve(address, now=now)
    except NotAnAddress:
        # Withheld, short and impossible numbers are nobody's: never matched, never evidence (row 11).
        nameless = Address(kind=IdentityKind.NAMELESS, scope="phone", value=call_id, display=address.value)
        return resolving.resolve(nameless, now=now)


def _first(call: Call, resolved: resolving.Resolved, *, account_id: int, now: datetime) -> Message:
    # Every call is a contact of its own, so that on a shared number each begins with somebody new (row 12).
    customer, queue = resolving.speaker(resolved, call.customer, now=now), intake.feed_queue(account_id)
    return _make(
        intake.ticket_for(customer, queue=queue, subject="", now=now, reopens=call.direction == "in"),
        customer=customer,
        identity=resolved.identity,
        account_id=account_id,
        queue=queue,
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
    have: access.Rights, account: ChannelAccount, logged: Logged, *, customer_id: int | None, name: str, now: datetime
) -> tuple[Message, bool]:
    """The new call, and whether its ticket was this person's to act on before the call gave anybody a right to it."""
    region = str(account.settings.get("region", ""))
    address = Address(kind=IdentityKind.PHONE, value=logged.number, region=region, name=clean_line(name, 200))
    call_id = f"logged-{uuid.uuid4()}"
    try:
        queue = intake.feed_queue(account.pk)
    except intake.NoQueue as error:
        raise CannotLog(_("There is no queue yet. An admin has to make one first.")) from error
    if _is_ours(address):
        raise CannotLog(_("That is a number of our own: a call between our lines is no customer’s."))
    resolved = _resolve(address, call_id, now=now)
    chosen = customer_id is not None
    if customer_id is None:
        customer = resolving.speaker(resolved, address, now=now)
    elif (found := resolving.lock_all([customer_id]).get(customer_id)) is not None:
        customer = found
    else:
        raise CannotLog(_("That customer is not there any more."))
    if chosen and customer_id != resolved.customer.pk:
        if not Ticket.objects.filter(customer=customer).exists():
            raise CannotLog(_("That customer is not there any more."))
        if not access.visible(have, Ticket.objects.filter(customer=customer)).exists():
            raise PermissionDenied
    latest = Ticket.objects.filter(customer=customer).exclude(state=State.MERGED).order_by("-id").first()
    reopens = logged.direction == "in" and (latest is None or have.may_read(latest))
    ticket = intake.ticket_for(customer, queue=queue, subject="", now=now, reopens=reopens)
    # Nothing has arrived yet on one that was begun just now. On others' ticket the call enters by their queue: by its
    # line's it would open the ticket to whoever serves that.
    is_theirs = not ticket.arrivals or have.may_read(ticket)
    queue = queue if is_theirs else ticket.queue
    message = _make(
        ticket,
        customer=customer,
        identity=resolved.identity,
        account_id=account.pk,
        queue=queue,
        thread=call_id,
        external_id=call_id,
        scope=account.address,
        direction=logged.direction,
        at=min(logged.started_at, now),
        now=now,
        line=account.address,
        number=shown(address),
        source="form",
        by_hand=chosen and (customer_id != resolved.customer.pk or resolved.identity.is_shared),
    )
    return message, is_theirs


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
    ticket: Ticket,
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
    contact = Contact(
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
    insert(contact)
    ticket.arrivals += 1
    message = Message(
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
    insert(message)
    insert(Sighting(message=message, account_id=account_id, seen_at=now))
    details = CallDetails(message=message, line=line[:40], number=clean_line(number, 60), started_at=at, source=source)
    insert(details)
    _finish(ticket, message, details)
    return message


def _apply(call: Call, message: Message, *, now: datetime) -> None:
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=message.ticket_id)
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
    _finish(ticket, message, details)
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


def _finish(ticket: Ticket, message: Message, details: CallDetails) -> None:
    """Contact and ticket once a call has changed."""
    contact = Contact.objects.select_related("entry_queue").get(pk=message.contact_id)
    ended = details.ended_at or message.said_at
    contact.last_said_at = max(contact.last_said_at, ended)
    if message.direction == "in":
        contact.last_in_at = max(contact.last_in_at or ended, ended)
        ticket.last_customer_at = max(ticket.last_customer_at or message.said_at, message.said_at)
        if details.answered_at is not None and contact.first_answered_at is None:
            contact.first_answered_at = details.answered_at
    elif details.answered_at is not None:
        # Called back: what waited in this queue is answered, timed at the pick-up.
        Contact.objects.filter(
            ticket=ticket,
            entry_queue_id=contact.entry_queue_id,
            is_outbound=False,
            first_answered_at__isnull=True,
            first_said_at__lte=details.answered_at,
        ).update(first_answered_at=details.answered_at)
    if message.said_at >= ticket.last_at or not ticket.last_words:
        ticket.last_at = max(ticket.last_at, message.said_at) if ticket.last_words else message.said_at
        if not contact.entry_queue.is_confidential:
            ticket.last_words = snippet(call_words.words(details, message.direction, message.text))
            ticket.last_direction, ticket.last_author = message.direction, message.person
    finishing.finish(ticket, contact, "last_said_at", "last_in_at", "first_answered_at")
