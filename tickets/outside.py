"""Our own words that come in: answers written in the network's own app, and echoes of what we sent (row 19)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from channels import outbox
from channels.connections import is_own
from channels.happenings import Address, InboundMessage
from channels.models import Outbound
from channels.receiver import NO_THREAD, PROCESSED, Answer
from channels.surfaces import SURFACES
from contactcentre.lib import realtime
from contactcentre.lib.text import clean_line, snippet
from customers import resolving
from customers.addresses import NotAnAddress, key
from customers.models import Identity, IdentityKind
from tickets import instants, intake, listing, threads, urgency
from tickets.attaching import attach
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, Message, Sighting, Ticket
from tickets.receipts import reference
from tickets.targets import Targets

# A reply that could not leave in this time does not leave at all (channels/outbox.py), a minute for our clocks.
_LONGEST_ON_THE_WAY = outbox.LONGEST + timedelta(minutes=1)
# A machine of ours answered nobody (row 28), and no ticket can be made of it.
AUTOMATIC = gettext_noop("our own, automatic")
TO_OURSELVES = gettext_noop("our own, to another account of ours")
TO_SOMEBODY_ELSE = gettext_noop("our own, to somebody else")
IS_OVER = gettext_noop("our own, on a ticket that is over")
# Mails of one contact that may have asked for another address.
_MOST_ASKED = 50
# X writes whom a reply goes to before its words.
_LEADING_NAMES = re.compile(r"^(?:\s*@\w{1,15})+\s*")


def ours(message: InboundMessage, *, account_id: int, now: datetime) -> Answer:
    """What becomes of a message whose author is one of our own accounts.

    Known already (sent from here) → a sighting. To another account of ours → filtered. In a customer's
    thread → an outgoing message "written outside the inbox" that answers its contact, on the customer's live ticket
    where the thread's own is over. Else filtered.
    """
    known = _known(message) or _renamed(message)
    if known is not None:
        _prove(known, message, now=now)
        Sighting.objects.get_or_create(message=known, account_id=account_id, defaults={"seen_at": now})
        return PROCESSED
    is_mail = message.channel_kind == "email"
    if is_mail:
        if message.automatic:
            return Answer(AUTOMATIC)
        contact = threads.find(message)
    else:
        name = threads.name_of(message)
        if _is_marked(message) or _under_way(message, name) or _is_part(message):
            return PROCESSED
        contact = _by_thread(message, name)
    if message.recipient is not None and _is_to_ourselves(message.recipient, message.channel_kind):
        # Whoever is connected today may have been a customer before, so their thread is not asked (row 18).
        return Answer(TO_OURSELVES)
    if contact is None:
        return Answer(NO_THREAD)
    if not (_reaches(contact, message) if is_mail else _is_to(contact, message)):
        # Such as a mail that somebody forwarded to a colleague.
        return Answer(TO_SOMEBODY_ELSE)
    if is_mail:
        message = replace(message, said_at=_not_before_the_question(message))
    mine = Contact.objects.select_related("entry_queue", "identity").filter(pk=contact.pk)
    customer = resolving.lock_whose(lambda: mine.values_list("customer_id", flat=True).first())
    ticket = intake.current_ticket(customer) if customer else None
    # As it is under the lock: a merge or a move may have taken it to another ticket, an answer met it.
    contact = mine.get()
    if ticket is None or (ticket.pk != contact.ticket_id and ticket.state not in LIVE):
        return Answer(IS_OVER)
    taken_back = _said_already(message, contact, now=now)
    contact = threads.continued(contact, ticket, at=min(message.said_at, now))
    _add(message, ticket=ticket, contact=contact, account_id=account_id, now=now)
    if taken_back:
        # Lists showed the reply that does not leave.
        listing.rebuild(ticket)
        ticket.save()
    return PROCESSED


def _known(message: InboundMessage) -> Message | None:
    """The message as this inbox sent it: by our marker, by the provider's id, or by its reference."""
    by_id = Message.objects.filter(
        channel_kind=message.channel_kind, scope=message.scope, external_id=message.external_id
    ).first()
    if by_id is not None or not message.reference:
        return by_id
    return Message.objects.filter(
        channel_kind=message.channel_kind, reference=message.reference, direction="out"
    ).first()


def _renamed(message: InboundMessage) -> Message | None:
    """The mail as this inbox sent it, where the provider gave it an id of its own: by its signed Reply-To and words."""
    contact_id = threads.contact_of_token(message.marker) if message.channel_kind == "email" else None
    if contact_id is None:
        return None
    sent = Message.objects.filter(
        contact__pk=contact_id,
        direction="out",
        is_outside=False,
        said_at__gte=message.said_at - _LONGEST_ON_THE_WAY,
    ).order_by("-id")[:50]
    # What is quoted below may begin earlier for us than for whoever wrote.
    whole = _plain(f"{message.text}\n{message.quoted}")
    said = _plain(message.text)
    # Files alone are the copy of files alone.
    found = [each for each in sent if (whole.startswith(words) if (words := _plain(each.text)) else not said)]
    # Of two with the same words the one that surely left, so that it proves nothing of the other.
    return max(found, key=lambda each: (len(each.text), each.state == "sent", each.pk), default=None)


def _prove(known: Message, message: InboundMessage, *, now: datetime) -> None:
    """Take the copy of a mail of ours as proof that it left, where that is in doubt.

    One that its worker has in hand just now is proven by that worker, who hears of refused copies too.
    """
    if known.channel_kind != "email" or not known.reference:
        return
    in_hand = Q(state="sending", lease_until__gt=now)
    if Outbound.objects.filter(marker=known.reference).exclude(in_hand).exists():
        outbox.confirm(marker=known.reference, external_id=message.external_id, now=now)


def _reaches(contact: Contact, message: InboundMessage) -> bool:
    """Whether a mail of ours goes to this contact's customer: to one of their addresses, or to one that a mail of the
    contact asked to be answered at. One that they wrote themselves is no answer, wherever it lies."""
    to = _mail_addresses((message.recipient, *message.participants, *message.blind))
    theirs = Identity.objects.filter(Q(pk=contact.identity_id) | Q(customer_id=contact.customer_id))
    author = _mail_addresses((message.author,))
    if theirs.filter(kind=IdentityKind.EMAIL, value__in=author).exists():
        return False
    if theirs.filter(kind=IdentityKind.EMAIL, value__in=to).exists():
        return True
    asked = Message.objects.filter(contact=contact, direction="in", extra__has_key="reply_to").order_by("-id")
    wished = asked.values_list("extra__reply_to", flat=True)[:_MOST_ASKED]
    return not to.isdisjoint(_mail_addresses(Address(kind="email", value=str(each)) for each in wished))


def _mail_addresses(given: Iterable[Address | None]) -> set[str]:
    """The addresses as identities hold them; what is none is left out."""
    found = set()
    for each in given:
        try:
            found.add(key(each).value if each is not None else "")
        except (NotAnAddress, KeyError):
            continue
    return found - {""}


def _not_before_the_question(message: InboundMessage) -> datetime:
    """When a mail of ours was said: not before what it answers, whatever the clock of its program said."""
    asked = Message.objects.filter(channel_kind="email", direction="in", reference__in=message.references[:1])
    return max([message.said_at, *asked.values_list("said_at", flat=True)[:1]])


def _by_thread(message: InboundMessage, name: str) -> Contact | None:
    """The contact in this thread; where several customers share it, the one whom the message is written to."""
    contacts = Contact.objects.select_related("entry_queue", "identity").filter(
        surface=message.surface, thread=name
    )
    if message.recipient is not None:
        try:
            wanted = key(message.recipient)
        except (NotAnAddress, KeyError):
            return None
        contacts = contacts.filter(
            identity__kind=wanted.kind, identity__scope=wanted.scope, identity__value=wanted.value
        )
    return contacts.order_by("-id").first()


def _under_way(message: InboundMessage, name: str) -> bool:
    """Whether this is a reply of ours that is just being sent, or of which it is not known whether it was: the
    network's copy came before its own answer. Matched by thread and words (row 19)."""
    for pk in _same_words(message, name, states=("sending", "unknown")):
        rows = Outbound.objects.filter(reference=reference(pk), state__in=("sending", "unknown", "sent"))
        # A file of the same bubble is a call of its own, and these words say nothing of it.
        mine = [
            marker
            for marker, words in rows.values_list("marker", "payload__text")
            if _plain(words or "") == _plain(message.text)
        ]
        for marker in mine:
            # One that its worker has in hand just now is proven by that worker.
            outbox.confirm(marker=marker, external_id=message.external_id, now=message.said_at)
        if mine:
            return True
    return False


def _said_already(message: InboundMessage, contact: Contact, *, now: datetime) -> bool:
    """Take back a reply of the same words that has not left yet: somebody wrote them in the network's own app, or an
    earlier try arrived against what the network said of it. The customer must not read them twice.

    True where one was taken back. One that has a file with it leaves all the same, and so does one just leaving.
    """
    found = _same_words(message, contact.thread, states=("queued", "retry"), recipient=contact.identity_id)
    files: dict[str, list[list[int]]] = {}
    for row, attached in Outbound.objects.filter(reference__in=map(reference, found)).values_list("reference", "files"):
        files.setdefault(row, []).append(attached)
    taken_back = [row for row in files if files[row] == [[]] and outbox.withdraw(reference=row, now=now)]
    return bool(taken_back)


def _same_words(
    message: InboundMessage, name: str, *, states: Collection[str], recipient: int | None = None
) -> list[int]:
    """The replies in this thread in one of these states that say the same, X's leading @names apart."""
    ours = Message.objects.filter(
        surface=message.surface,
        scope=message.scope,
        contact__thread=name,
        direction="out",
        external_id="",
        state__in=states,
    )
    if recipient is not None:
        ours = ours.filter(contact__identity=recipient)
    said = _plain(message.text)
    return [pk for pk, text in ours.values_list("pk", "text")[:50] if said and _plain(text) == said]


def _plain(text: str) -> str:
    """The words without the @names that X puts before them, and without the line breaks that mail programs move."""
    return " ".join(_LEADING_NAMES.sub("", text).split())


def _is_marked(message: InboundMessage) -> bool:
    """Whether it bears the mark of a row of our outbox; a row in doubt is proven by it."""
    if not message.marker or not Outbound.objects.filter(marker=message.marker, surface=message.surface).exists():
        return False
    outbox.confirm(marker=message.marker, external_id=message.external_id, now=message.said_at)
    return True


def _is_part(message: InboundMessage) -> bool:
    """Whether it is one of several calls that one bubble was sent by; the bubble knows the id of the first alone."""
    if message.recipient is None or not SURFACES[message.surface].files_apart:
        return False
    near = Message.objects.filter(
        scope=message.scope,
        contact__identity__kind=message.recipient.kind,
        contact__identity__scope=message.recipient.scope,
        contact__identity__value=message.recipient.value,
        contact__surface=message.surface,
        direction="out",
        is_outside=False,
        said_at__gte=message.said_at - _LONGEST_ON_THE_WAY,
    ).values_list("pk", flat=True)[:50]
    references = [reference(pk) for pk in near]
    return Outbound.objects.filter(reference__in=references, external_id=message.external_id).exists()


def _is_to_ourselves(recipient: Address, kind: str) -> bool:
    try:
        return is_own(kind, key(recipient).value)
    except (NotAnAddress, KeyError):
        return False


def _is_to(contact: Contact, message: InboundMessage) -> bool:
    if message.recipient is None:
        return True
    try:
        wanted = key(message.recipient)
    except (NotAnAddress, KeyError):
        return False
    owner = Identity.objects.get(pk=contact.identity_id)
    return (owner.kind, owner.scope, owner.value) == (wanted.kind, wanted.scope, wanted.value)


def _add(message: InboundMessage, *, ticket: Ticket, contact: Contact, account_id: int, now: datetime) -> None:
    said_at = min(message.said_at, now)
    ticket.arrivals += 1
    stored = Message.objects.create(
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
        direction="out",
        is_outside=True,
        arrival=ticket.arrivals,
        said_at=said_at,
        received_at=now,
        sent_at=said_at,
        state="sent",
        # Who wrote it saw this thread and nothing of the queue's others.
        answers_own_only=True,
        subject=clean_line(message.subject),
        text=message.text,
        html=message.html,
        quoted=message.quoted,
        permalink=message.permalink[:500],
        extra={"notes": list(message.notes)[:20]} if message.notes else {},
    )
    Sighting.objects.create(message=stored, account_id=account_id, seen_at=now)
    attach(message, stored, now=now)
    if message.channel_kind == "email":
        # Whom we take into a thread may write into it (row 9); the customer is no copy of theirs.
        others = [each for each in message.participants if each.value.casefold() != contact.identity.value]
        threads.remember_participants(contact, others)
    if contact.first_answered_at is None and contact.first_said_at <= said_at:
        contact.first_answered_at = said_at
    contact.last_said_at = max(contact.last_said_at, said_at)
    # What the customer said after it is unanswered, though we may have heard of that before (rows 2 and 22).
    contact.answered_until = max(contact.answered_until or said_at, said_at)
    contact.save(update_fields=["first_answered_at", "last_said_at", "answered_until"])
    if contact.surface not in ticket.surfaces:
        ticket.surfaces = [*ticket.surfaces, contact.surface]
    if said_at >= ticket.last_at and not (said_at == ticket.last_at and instants.is_overtaken(stored)):
        ticket.last_at = said_at
        if not contact.entry_queue.is_confidential:
            ticket.last_words = snippet(listing.words(stored))
            ticket.last_direction, ticket.last_author = "out", None
    ticket.save()
    urgency.recount(ticket, Targets.load())
    realtime.publish(*ticket_changed(ticket))
