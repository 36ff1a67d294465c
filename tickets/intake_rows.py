"""What every message that comes in asks the database, with its SQL written once a process (lib/prepared.py)."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, QuerySet, When

from contactcentre.lib.prepared import Prepared, PreparedRows
from tickets.models import LIVE, AccountFeed, Contact, Message, State, Ticket


def _known_of(*, kind: str, scope: str, external_id: str) -> QuerySet[Message, tuple[Any, ...]]:
    return Message.objects.filter(channel_kind=kind, scope=scope, external_id=external_id).values_list("id")


def _feed_of(*, account_id: int) -> QuerySet[AccountFeed]:
    return AccountFeed.objects.select_related("queue").filter(account_id=account_id)


def _current_of(*, customer_id: int) -> QuerySet[Ticket]:
    return (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("queue", "owner")
        .filter(customer_id=customer_id)
        .exclude(state=State.MERGED)
        .order_by(Case(When(state__in=LIVE, then=0), default=1), "-id")[:1]
    )


def _contact_of(*, contact_id: int) -> QuerySet[Contact]:
    return Contact.objects.select_related("entry_queue").filter(pk=contact_id)


def _contacts_said(*, identity_id: int, surface: str, thread: str) -> QuerySet[Contact]:
    contacts = Contact.objects.select_related("entry_queue")
    return contacts.filter(identity_id=identity_id, surface=surface, thread=thread).order_by("-id")[:1]


def _contacts_of(*, ticket_id: int) -> QuerySet[Contact]:
    return Contact.objects.filter(ticket_id=ticket_id)


KNOWN = Prepared(_known_of)
FEED = PreparedRows(_feed_of, AccountFeed, "queue")
CURRENT = PreparedRows(_current_of, Ticket, "queue", "owner")
CONTACT = PreparedRows(_contact_of, Contact, "entry_queue")
SAID = PreparedRows(_contacts_said, Contact, "entry_queue")
CONTACTS = PreparedRows(_contacts_of, Contact)
