"""Which of two messages that were said in the same instant came first (docs/one-ticket.md, row 22).

X tells whole seconds, and its numbers grow with time (https://docs.x.com/fundamentals/x-ids). Elsewhere what we heard
of first stands first, which our rows' own numbers say, on whatever ticket the message is by now.
"""

from __future__ import annotations

from typing import Protocol

from django.db.models import Case, F, Value, When
from django.db.models.functions import Length

from tickets.models import Message

# Messages of one customer in one second of X that are compared. More than that have no order anybody could see.
MOST_AT_ONCE = 50

# For order_by(): what was said last comes first. Of two decimal numbers the longer is the greater one.
LATEST_FIRST = (
    F("said_at").desc(),
    Case(When(channel_kind="x", then=Length("external_id")), default=Value(0)).desc(),
    Case(When(channel_kind="x", then=F("external_id")), default=Value("")).desc(),
    F("id").desc(),
)


class Placed(Protocol):
    """A message, whole or as a timeline reads it."""

    @property
    def id(self) -> int:
        """Its row's number."""

    @property
    def channel_kind(self) -> str:
        """The kind of channel it came by."""

    @property
    def external_id(self) -> str:
        """What its network calls it."""


def place(message: Placed) -> tuple[int, str, int]:
    """Where a message stands among those of its instant: the same order, to be compared."""
    number = message.external_id if message.channel_kind == "x" else ""
    return (len(number), number, message.id)


def is_overtaken(message: Message) -> bool:
    """Whether another message of its ticket, said in the same instant, came later. A statement, for X alone."""
    if message.channel_kind != "x":
        return False
    others = Message.objects.filter(
        customer_id=message.customer_id, said_at=message.said_at, ticket_id=message.ticket_id, channel_kind="x"
    )
    others = others.exclude(pk=message.pk).only("channel_kind", "external_id")
    return any(place(other) > place(message) for other in others[:MOST_AT_ONCE])
