"""What every message that comes in asks the database, with its SQL written once a process (lib/prepared.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Case, QuerySet, When

from contactcentre.lib.by_hand import ByHand
from contactcentre.lib.prepared import Prepared, PreparedRows, stored
from tickets.models import LIVE, AccountFeed, Contact, Message, State, Ticket


def _known_of(*, kind: str, scope: str, external_id: str) -> QuerySet[Message, tuple[Any, ...]]:
    # Said, because the index is on messages that have an id, and a plan for any id must know that this is one.
    named = Message.objects.exclude(external_id="")
    return named.filter(channel_kind=kind, scope=scope, external_id=external_id).values_list("id")


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
    return Contact.objects.filter(ticket_id=ticket_id).order_by("id")


# A message and its sighting in one statement. PostgreSQL writes the rest of a message itself.
_FIELDS = [field for field in Message._meta.local_concrete_fields if not field.primary_key and not field.generated]
_STORE = ByHand(
    "store_message",
    f"""
WITH stored AS (
    INSERT INTO tickets_message ({", ".join(f"{field.column}" for field in _FIELDS)})
    VALUES ({", ".join(["%s"] * len(_FIELDS))}) RETURNING id
)
INSERT INTO tickets_sighting (message_id, account_id, seen_at)
SELECT id, %s::bigint, %s::timestamptz FROM stored RETURNING message_id
""",  # noqa: S608  (names of our own)
)


def store(message: Message, *, now: datetime) -> None:
    """Write a message that came in, and that its account saw it. Raises IntegrityError where it is known by now."""
    ((message.pk,),) = _STORE.rows(*[stored(message, field) for field in _FIELDS], message.account_id, now)
    message._state.adding, message._state.db = False, DEFAULT_DB_ALIAS


KNOWN = Prepared(_known_of)
FEED = PreparedRows(_feed_of, AccountFeed, "queue")
CURRENT = PreparedRows(_current_of, Ticket, "queue", "owner")
CONTACT = PreparedRows(_contact_of, Contact, "entry_queue")
SAID = PreparedRows(_contacts_said, Contact, "entry_queue")
CONTACTS = PreparedRows(_contacts_of, Contact)
