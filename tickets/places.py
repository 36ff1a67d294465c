"""Whether what an answer in public would stand below is still there.

On X an answer stands below the words it answers, on Facebook below what the conversation began with. Both can be
deleted at the network, and both networks refuse an answer to nothing. That they are gone is told as a deletion (row
29 of docs/one-ticket.md), or by the refusal of an answer, which may come first, and alone where they are only hidden
from us.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils.translation import gettext as _

from channels.surfaces import SURFACES
from tickets.models import Message

# In `extra` of the customer's message: the network refused an answer because of it.
SAID_GONE = "gone"

STILL_THERE = Q(deleted_at=None) & ~Q(extra__has_key=SAID_GONE)

_PUBLIC = [surface for surface in SURFACES.values() if surface.is_public]


def words() -> str:
    """Why there is no answering here, for an agent."""
    return _("What this would answer was deleted at the network, or is hidden from us. Use another channel.")


def is_gone() -> Case:
    """Of contacts in a query: whether nothing is there any more that an answer could stand below.

    Never so in private, nor where the customer has not said anything yet. Two lookups by an index a contact, a third
    where answers stand below the first words, which may be another customer's.
    """
    theirs = Message.objects.filter(contact=OuterRef("pk"), direction="in")
    nothing_left = Q(Exists(theirs)) & ~Q(Exists(theirs.filter(STILL_THERE)))
    begun = [
        Q(surface=surface.name)
        # Empty ids excluded, though no thread is empty: only so does PostgreSQL take the index of ids, which has none.
        & Q(
            Exists(
                Message.objects.filter(
                    channel_kind=surface.kind, scope="", external_id=OuterRef("thread"), deleted_at__isnull=False
                ).exclude(external_id="")
            )
        )
        for surface in _PUBLIC
        if surface.below_thread
    ]
    return Case(
        When(
            surface__in=[surface.name for surface in _PUBLIC],
            then=ExpressionWrapper(reduce(or_, begun, nothing_left), output_field=BooleanField()),
        ),
        default=Value(False),
    )


def said_gone(answer: Message, *, parent_ids: Sequence[str]) -> None:
    """The network refused this answer because what it stood below is not there: nobody is offered that place again,
    unless the customer says more there. Nothing else about the customer's words changes."""
    if SURFACES[answer.surface].is_public:
        _below(answer, parent_ids).filter(STILL_THERE).update(
            extra=Func(F("extra"), Value({SAID_GONE: True}, JSONField()), template="%(expressions)s", arg_joiner=" || ")
        )


def there_after_all(answer: Message, *, parent_ids: Sequence[str]) -> None:
    """The answer got through: where the network had refused an earlier try of it, that was for a while only."""
    if SURFACES[answer.surface].is_public:
        _below(answer, parent_ids).filter(extra__has_key=SAID_GONE).update(
            extra=Func(F("extra"), Value(SAID_GONE), template="%(expressions)s", arg_joiner=" - ")
        )


def _below(answer: Message, parent_ids: Sequence[str]) -> QuerySet[Message]:
    """What the customer said that this answer stood below, or that falls with it."""
    theirs = Message.objects.filter(contact=answer.contact_id, direction="in")
    if SURFACES[answer.surface].below_thread:
        return theirs.filter(said_at__lte=answer.said_at)
    return theirs.filter(external_id__in=parent_ids)
