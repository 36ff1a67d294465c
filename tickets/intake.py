"""A message comes in: identity, customer, the one live ticket, contact, message. One short transaction.

Lock order, here and everywhere: the identity's row, the customer's, then the ticket's. The identity's lock holds
off whoever would give it, or a contact of it, to another customer; the customer's makes two messages of one person
wait for each other; the partial unique index on live tickets decides what locks do not see, and the loser is
processed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from agents import history
from channels.happenings import Address, InboundMessage
from channels.receiver import GROUP_DM, PROCESSED, Answer, CannotReceive
from channels.surfaces import SURFACES, Surface
from contactcentre.lib import realtime
from contactcentre.lib.prepared import insert
from contactcentre.lib.text import clean_line, snippet
from customers import resolving
from customers.addresses import NotAnAddress
from customers.models import Customer, Identity, IdentityKind
from tickets import finishing, instants, intake_rows, naming, reopening, threads, urgency
from tickets.attaching import attach
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, Message, Queue, Relation, Sighting, State, Ticket
from tickets.targets import Targets

NO_QUEUE = gettext_noop("there is no queue yet: an admin makes one under Settings, Queues, then processes this again")

# What a message changes on its ticket, and on a contact that goes on.
_CHANGED = (*finishing.CHANGED, *urgency.SUMMARY)
_SAID = ("first_said_at", "last_said_at", "last_in_at", "unanswered_since", "due_at")


class NoQueue(CannotReceive):
    """There is no queue at all, so no ticket can begin."""


@dataclass(frozen=True, slots=True)
class Author:
    """Whose words these are, and on whose ticket they go; the identity's row is locked, the customer's not yet.

    `speaks_for` is the identity whose contact this is: the author's own, or that of the mail contact they
    stand in To or Cc of. `latest` is that identity's latest contact in this thread, on whatever ticket, as it was
    before the customer's row was locked, and `thread` what it is called. No `customer_id`: somebody on a shared address
    whose contact would begin now (row 12). `is_new`: made by this very message, and its customer too.
    """

    identity: Identity
    is_new: bool
    customer_id: int | None
    speaks_for: Identity
    latest: Contact | None
    thread: str


def receive(message: InboundMessage, *, account_id: int, now: datetime) -> Answer:
    """Put a customer's message on their one ticket, inside the caller's transaction.

    Answers filtered where it is nobody's business of ours (blocked sender, group DM, automatic mail without a
    ticket). Raises IntegrityError for the loser of a race: the caller tries again.
    """
    if message.is_group:
        return Answer(GROUP_DM)
    thread = threads.find(message)
    author = _who(message, thread, now=now)
    identity = author.identity
    if identity.ask_name_at == now:
        # Made by this very message. Whoever was not told a name so is found by the sweep.
        naming.soon()
    # Asked under the lock alone: two accounts may have brought the same message at the same time. The ledger has
    # turned away most of what comes twice before.
    met = intake_rows.situation(
        message, account_id=account_id, customer_id=author.customer_id, is_locked=author.is_new
    )
    customer = met.customer
    # Of somebody who only stands in another one's mail the identity is not locked: it may be leaving its customer now.
    if customer is not None and customer.pk == identity.customer_id and identity.pk == author.speaks_for.pk:
        resolving.take_name(customer, identity)
    if met.known is not None:
        return _sighted(met.known, account_id=account_id, now=now)
    if resolving.is_blocked(identity, customer):
        return Answer("blocked")
    queue = met.queue
    if queue is None:
        raise NoQueue(NO_QUEUE)
    if customer is None:
        if message.automatic:
            return Answer("automatic")
        customer = resolving.provisional(message.author, now=now)
    if not message.automatic:
        ticket = _goes_on(met.ticket, customer=customer, queue=queue, subject=message.subject, now=now, reopens=True)
    elif met.ticket is None or not _inside_window(met.ticket, now=now):
        return Answer("automatic")
    else:
        ticket = met.ticket
    # A ticket that begins with this message has none.
    contacts = intake_rows.CONTACTS.all(ticket_id=ticket.pk) if ticket is met.ticket else []
    contact = _contact(message, contacts, ticket=ticket, author=author, queue=queue, account_id=account_id, now=now)
    if contact.pk is None:
        contacts.append(contact)
    elif contact.entry_queue_id == queue.pk:
        contact.entry_queue = queue
    _add(
        message, contacts, ticket=ticket, contact=contact, identity=identity, account_id=account_id,
        targets=met.targets, now=now,
    )  # fmt: skip
    if thread is not None and thread.ticket_id != ticket.pk and thread.customer_id != customer.pk:
        Relation.objects.get_or_create(ticket=ticket, other_id=thread.ticket_id, defaults={"made_at": now})
    return PROCESSED


def feed_queue(account_id: int) -> Queue:
    """The queue an account's contacts enter by; the default queue where an admin has chosen none.

    Raises NoQueue.
    """
    feed = intake_rows.FEED.first(account_id=account_id)
    queue = feed.queue if feed else Queue.objects.filter(is_default=True).first()
    if queue is None:
        raise NoQueue(NO_QUEUE)
    return queue


def current_ticket(customer: Customer) -> Ticket | None:
    """The customer's live ticket, else the latest that is over, locked; None for a new customer."""
    return intake_rows.current(customer.pk)


def ticket_for(customer: Customer, *, queue: Queue, subject: str, now: datetime, reopens: bool = True) -> Ticket:
    """The ticket a customer's words go on now, open: the live one, one reopened inside its window, or a new one.

    `reopens` is False for what we begin ourselves (a first mail, a call of ours): a waiting ticket then goes on
    waiting, and a solved one stays solved, since nobody wrote again (row 26). The caller holds the customer's lock and
    saves the ticket.
    """
    return _goes_on(
        current_ticket(customer), customer=customer, queue=queue, subject=subject, now=now, reopens=reopens
    )


def _goes_on(
    ticket: Ticket | None, *, customer: Customer, queue: Queue, subject: str, now: datetime, reopens: bool
) -> Ticket:
    """See ticket_for(), with the customer's ticket as current_ticket() knows it."""
    if ticket is None or not (_inside_window(ticket, now=now) if reopens else ticket.state in LIVE):
        return open_ticket(customer=customer, queue=queue, previous=ticket, subject=subject, at=now)
    if ticket.state == State.SOLVED:
        reopening.reopen(ticket, now=now)
    elif reopens and ticket.state in (State.WAITING, State.SNOOZED):
        history.record(
            at=now, act="ticket.reopened", ticket_id=ticket.pk, customer_id=customer.pk, was=ticket.state, by="customer"
        )
        ticket.state, ticket.snoozed_until = State.OPEN, None
    return ticket


def open_ticket(
    *,
    customer: Customer,
    queue: Queue,
    previous: Ticket | None,
    subject: str,
    at: datetime,
    actor_id: int | None = None,
) -> Ticket:
    """A new live ticket of the customer, linked to the one before it. The caller holds the customer's lock."""
    ticket = Ticket(
        customer=customer,
        queue=queue,
        previous=previous,
        subject="" if queue.is_confidential else clean_line(subject),
        opened_at=at,
        last_at=at,
        urgent_at=at,
        reader_queue_ids=[queue.pk],
    )
    insert(ticket)
    history.record(at=at, act="ticket.opened", ticket_id=ticket.pk, customer_id=customer.pk, queue=queue.pk)
    return ticket


def _sighted(known: int, *, account_id: int, now: datetime) -> Answer:
    """Somebody already brought this message: another account of ours leaves its sighting (row 17)."""
    Sighting.objects.get_or_create(message_id=known, account_id=account_id, defaults={"seen_at": now})
    return PROCESSED


def _who(message: InboundMessage, thread: Contact | None, *, now: datetime) -> Author:
    """The author decides (row 9). Only somebody named in To or Cc of a mail contact writes into it."""
    author = message.author
    if thread is not None and threads.is_participant(thread, author):
        identity = resolving.identity_of(author, now=now)
        if identity.pk != thread.identity_id:
            owner = resolving.lock_identities([thread.identity_id])[thread.identity_id]
            # Read again under the lock: somebody may just have given the contact to another customer.
            contact = _again(thread)
            return Author(identity, False, contact.customer_id, owner, contact, thread.thread)
    try:
        identity, is_new = resolving.identity_for(author, now=now)
    except NotAnAddress:
        # Every message has an identity (row 11): one that is never matched and never evidence.
        nameless = Address(
            kind=IdentityKind.NAMELESS, scope=message.channel_kind, value=message.external_id[:300], name=author.name
        )
        identity, is_new = resolving.identity_for(nameless, now=now)
    # Asked under the identity's lock, so that a post of theirs that another worker has in hand is known by now.
    name = threads.name_of(message, identity_id=identity.pk)
    latest = None if is_new else _latest(message, thread, identity, name)
    if latest is not None and _decides(latest, message, identity):
        customer_id: int | None = latest.customer_id
    else:
        customer_id = None if identity.is_shared else identity.customer_id
    return Author(identity, is_new, customer_id, identity, latest, name)


def _again(contact: Contact) -> Contact:
    """The contact as it stands now. Raises Contact.DoesNotExist."""
    found = intake_rows.CONTACT.first(contact_id=contact.pk)
    if found is None:
        raise Contact.DoesNotExist(f"there is no contact {contact.pk}")
    return found


def _latest(message: InboundMessage, thread: Contact | None, identity: Identity, name: str) -> Contact | None:
    """The identity's latest contact in this thread; for a mail the contact it answers."""
    if thread is not None and thread.identity_id == identity.pk:
        return _again(thread)
    return intake_rows.SAID.first(identity_id=identity.pk, surface=message.surface, thread=name)


def _decides(contact: Contact, message: InboundMessage, identity: Identity) -> bool:
    """Whether a contact that goes on says whose words these are, instead of the identity.

    One of a shared identity does (row 12), and one that a person gave to somebody (row 13), until silence ends it.
    """
    if not identity.is_shared and contact.moved_by_hand_at is None:
        return False
    return not _silent(contact, SURFACES[message.surface], message.said_at)


def _inside_window(ticket: Ticket, *, now: datetime) -> bool:
    """Whether a message still belongs to this ticket: live, or solved within its queue's reopen window."""
    if ticket.state in LIVE:
        return True
    if ticket.state != State.SOLVED or ticket.solved_at is None:
        return False
    return now - ticket.solved_at < timedelta(days=ticket.queue.reopen_days)


def _contact(
    message: InboundMessage,
    contacts: list[Contact],
    *,
    ticket: Ticket,
    author: Author,
    queue: Queue,
    account_id: int,
    now: datetime,
) -> Contact:
    """The contact on this surface and thread among those of the ticket, or a new one (row 8)."""
    identity, latest = author.speaks_for, author.latest
    surface = SURFACES[message.surface]
    name = author.thread
    found: Contact | None = None
    if latest is not None:
        name = latest.thread
        found = next((contact for contact in contacts if contact.pk == latest.pk), None)
        if found is None:
            # On another ticket, and whose it is cannot change any more, but what was said in it since could. It may
            # have gone there by hand while an earlier one is here.
            latest = _again(latest)
            key = (identity.pk, message.surface, name)
            same = [one for one in contacts if (one.identity_id, one.surface, one.thread) == key]
            found = max(same, key=_session, default=None)
        else:
            latest = found
    session = 0
    if found is not None:
        if not _silent(found, surface, message.said_at):
            return found
        session = found.session + 1
    goes_on = latest if latest is not None and not _silent(latest, surface, message.said_at) else None
    # Not written yet: _add() has more to say about it.
    return Contact(
        ticket=ticket,
        customer_id=ticket.customer_id,
        identity=identity,
        account_id=account_id,
        surface=message.surface,
        thread=name,
        session=session,
        entry_queue=queue,
        subject=clean_line(message.subject),
        first_said_at=min(message.said_at, now),
        last_said_at=min(message.said_at, now),
        # What a person gave to somebody is theirs on a later ticket too, because that person said so (row 13).
        moved_by_hand_at=goes_on.moved_by_hand_at if goes_on else None,
    )


def _session(contact: Contact) -> int:
    return contact.session


def _silent(contact: Contact, surface: Surface, said_at: datetime) -> bool:
    """Whether the surface ends a contact by silence and this one has been silent that long."""
    return surface.session is not None and said_at - contact.last_said_at >= surface.session


def _add(
    message: InboundMessage,
    contacts: list[Contact],
    *,
    ticket: Ticket,
    contact: Contact,
    identity: Identity,
    account_id: int,
    targets: Targets,
    now: datetime,
) -> Message:
    # Said when? The provider's time, never later than we heard of it (row 22).
    said_at = min(message.said_at, now)
    contact.first_said_at = min(contact.first_said_at, said_at)
    contact.last_said_at = max(contact.last_said_at, said_at)
    if not message.automatic:
        contact.last_in_at = max(contact.last_in_at or said_at, said_at)
        if contact.answered_until is None or said_at > contact.answered_until:
            contact.unanswered_since = min(contact.unanswered_since or said_at, said_at)
        urgency.set_due(contact, targets)

    ticket.arrivals += 1
    stored = Message(
        ticket=ticket,
        contact=contact,
        customer_id=ticket.customer_id,
        account_id=account_id,
        channel_kind=message.channel_kind,
        scope=message.scope,
        external_id=message.external_id,
        reference=message.reference,
        parent_id=message.parent_id[:400],
        surface=message.surface,
        direction="in",
        identity=identity,
        arrival=ticket.arrivals,
        said_at=said_at,
        received_at=now,
        subject=clean_line(message.subject),
        text=message.text,
        html=message.html,
        quoted=message.quoted,
        permalink=message.permalink[:500],
        automatic=message.automatic[:40],
        asked_at=None if message.automatic else said_at,
        extra=_extra(message),
    )
    if message.surface not in ticket.surfaces:
        ticket.surfaces = [*ticket.surfaces, message.surface]
    # Two posts on X within one second may come in either order.
    is_tie = bool(ticket.last_words) and said_at == ticket.last_at
    ticket.last_at = max(ticket.last_at, said_at) if ticket.last_words else said_at
    if not message.automatic:
        ticket.last_customer_at = max(ticket.last_customer_at or said_at, said_at)
    is_last = said_at >= ticket.last_at and not (is_tie and instants.is_overtaken(stored))
    if is_last and not contact.entry_queue.is_confidential:
        ticket.last_words = snippet(message.text or message.subject or _file_names(message))
        ticket.last_direction, ticket.last_author = "in", None
        ticket.subject = ticket.subject or clean_line(message.subject)
    urgency.summarise(ticket, contacts)
    intake_rows.store(stored, contact_columns=_SAID, ticket_columns=_CHANGED, now=now)
    attach(message, stored, now=now)
    threads.remember_participants(contact, message.participants)
    realtime.publish(*ticket_changed(ticket))
    return stored


def _extra(message: InboundMessage) -> dict[str, object]:
    """What the page shows beside the text: a differing Reply-To (row 10), what was left out."""
    extra: dict[str, object] = {}
    if message.reply_to is not None:
        extra["reply_to"] = message.reply_to.display or message.reply_to.value
    if message.notes:
        extra["notes"] = list(message.notes)[:20]
    if message.html:
        extra["html"] = True
    return extra


def _file_names(message: InboundMessage) -> str:
    return ", ".join(part.name for part in message.files)
