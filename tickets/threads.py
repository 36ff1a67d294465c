"""To which contact a mail belongs: by our signed token, then by the ids it answers. Never by its subject.
By which name the conversation goes that a message belongs to, and where it goes on on a later ticket.

Token and ids only name a candidate. Whether the author may write into it is decided by the author (row 9 of
docs/one-ticket.md): a stranger who quotes a token or a ticket number gets a ticket of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from channels.happenings import Address, InboundMessage
from contactcentre.lib.text import clean_line
from customers.addresses import NotAnAddress, key
from tickets.models import Contact, Message, Participant, Ticket

_TOKEN = re.compile(r"^t(\d{1,18})\.([0-9a-f]{16})$")
MOST_PARTICIPANTS = 50


def token(contact_id: int) -> str:
    """The part behind the plus of our reply address: names a contact and cannot be guessed."""
    return f"t{contact_id}.{_signature(contact_id)}"


def _signature(contact_id: int) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"reply address %d" % contact_id, hashlib.sha256).hexdigest()[:16]


def contact_of_token(value: str) -> int | None:
    """The contact a token names; None where its signature is not ours."""
    match = _TOKEN.match(value)
    if not match:
        return None
    contact_id = int(match[1])
    return contact_id if hmac.compare_digest(match[2], _signature(contact_id)) else None


def find(message: InboundMessage) -> Contact | None:
    """The mail contact this message may continue: one indexed query over all the ids it answers."""
    if message.channel_kind != "email" or not (message.token or message.references):
        return None
    contacts = Contact.objects.select_related("entry_queue", "ticket", "identity")
    by_token = contact_of_token(message.token)
    if by_token is not None:
        found = contacts.filter(pk=by_token, surface="email").first()
        if found is not None:
            return found
    if not message.references:
        return None
    rows = Message.objects.filter(channel_kind="email", reference__in=message.references).values_list(
        "reference", "contact_id"
    )
    by_reference = dict(rows)
    for reference in message.references:
        if reference in by_reference:
            return contacts.get(pk=by_reference[reference])
    return None


def name_of(message: InboundMessage, *, identity_id: int | None = None) -> str:
    """What the conversation is called that this message belongs to, said by this identity (None: by us).

    That is what the network calls it, except below a visitor's post on Facebook: what they write below their own post
    belongs to it, and so does everything below that (row 8). One indexed query, for comments on Facebook alone.
    """
    name = message.thread[:400]
    if message.surface != "facebook:comment" or not message.references:
        return name
    post = message.references[-1]
    if post == message.thread:
        return name
    rows = Message.objects.filter(
        channel_kind=message.channel_kind, scope=message.scope, external_id__in=[post, message.thread]
    ).values_list("external_id", "identity_id", "contact__thread")
    known = {external_id: (said_by, thread) for external_id, said_by, thread in rows}
    if message.thread in known:
        return known[message.thread][1]
    said_by, thread = known.get(post, (None, name))
    return thread if said_by is not None and said_by == identity_id else name


def is_participant(contact: Contact, author: Address) -> bool:
    """Whether the author is the contact's own or stands in To or Cc of it."""
    try:
        wanted = key(author)
    except (NotAnAddress, KeyError):
        return False
    owner = contact.identity
    if (owner.kind, owner.scope, owner.value) == (wanted.kind, wanted.scope, wanted.value):
        return True
    return wanted.kind == "email" and Participant.objects.filter(contact=contact, value=wanted.value).exists()


def remember_participants(contact: Contact, addresses: Iterable[Address]) -> None:
    """Keep who stands in To and Cc, at most fifty a contact, so that they may write into it."""
    rows = []
    for address in list(addresses)[:MOST_PARTICIPANTS]:
        try:
            wanted = key(address)
        except (NotAnAddress, KeyError):
            continue
        rows.append(
            Participant(
                contact=contact,
                value=wanted.value,
                display=clean_line(address.display or address.value, 320),
                name=clean_line(address.name, 200),
            )
        )
    if rows:
        Participant.objects.bulk_create(rows, ignore_conflicts=True)


def continued(contact: Contact, ticket: Ticket, *, at: datetime) -> Contact:
    """The contact itself, or for one of another ticket of its customer its continuation on this one, begun by us."""
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
            "entry_queue_id": contact.entry_queue_id,
            "is_outbound": True,
            "subject": contact.subject,
            "first_said_at": at,
            "last_said_at": at,
            "last_in_at": contact.last_in_at,
            # What a person gave to somebody is theirs on a later ticket too (row 13).
            "moved_by_hand_at": contact.moved_by_hand_at,
        },
    )
    return made
