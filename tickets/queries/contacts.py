"""A page's contacts, each with its account and identity: read once for the timeline and the composer.

Each has `is_gone` besides its columns: whether what an answer in public would stand below is not there any more
(tickets/places.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery

from channels.models import ChannelAccount
from contactcentre.lib.prepared import Prepared, columns, read
from customers.models import Identity
from tickets import places
from tickets.models import Contact, Message, Participant

LIMIT = 40
COPIES = 10

# Of an account what pages name; its credentials above all are not decrypted to show its name.
ACCOUNT = columns(ChannelAccount, "id", "kind", "address", "name", "state")
IDENTITY = columns(Identity)
_CONTACT = columns(Contact)
_COLUMNS = (
    *_CONTACT,
    *(f"account__{name}" for name in ACCOUNT),
    *(f"identity__{name}" for name in IDENTITY),
)


def by_id(ids: Iterable[int]) -> dict[int, Contact]:
    """These contacts; none costs no statement."""
    wanted = sorted(set(ids))
    return {contact.pk: contact for contact in map(made, _BY_ID.rows(ids=wanted))} if wanted else {}


def of_customer(*, customer_id: int) -> QuerySet[Contact, tuple[Any, ...]]:
    """The customer's latest contacts, as made() takes them; with `copies` (addresses in copy) and `asked_to` (the last
    Reply-To)."""
    return (
        Contact.objects.annotate(
            is_gone=places.is_gone(),
            copies=ArraySubquery(
                Participant.objects.filter(contact=OuterRef("pk")).order_by("id").values("value")[:COPIES]
            ),
            asked_to=Subquery(
                Message.objects.filter(contact=OuterRef("pk"), direction="in")
                .order_by("-said_at")
                .values("extra__reply_to")[:1]
            ),
        )
        .filter(customer_id=customer_id)
        .order_by("-last_said_at", "-id")
        .values_list(*_COLUMNS, "is_gone", "copies", "asked_to")[:LIMIT]
    )


def _by_id(*, ids: list[int]) -> QuerySet[Contact, tuple[Any, ...]]:
    return Contact.objects.annotate(is_gone=places.is_gone()).filter(pk__in=ids).values_list(*_COLUMNS, "is_gone")


_BY_ID = Prepared(_by_id)


def made(row: Sequence[Any]) -> Contact:
    """The contact of a row."""
    a, i = len(_CONTACT), len(_CONTACT) + len(ACCOUNT)
    end = i + len(IDENTITY)
    contact = read(Contact, _CONTACT, row[:a])
    contact.account = read(ChannelAccount, ACCOUNT, row[a:i])
    contact.identity = read(Identity, IDENTITY, row[i:end])
    contact.is_gone, *more = row[end:]  # type: ignore[attr-defined]
    if more:
        contact.copies, contact.asked_to = more  # type: ignore[attr-defined]
    return contact
