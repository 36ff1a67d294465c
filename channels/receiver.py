"""The one hand-over upwards: whoever receives what came in says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from agents.models import Person
from channels.happenings import Call, Deleted, DeliveryReceipt, Edited, InboundMessage


@dataclass(frozen=True, slots=True)
class Answer:
    """Processed where `reason` is empty, else filtered for that reason."""

    reason: str = ""


PROCESSED = Answer()
# Why what is said in a group is filtered (docs/one-ticket.md, row 20). Cards count it by this.
GROUP_DM = gettext_noop("group DM")
# Why an answer of ours is filtered whose customer's words are not known, or not yet (channels/overtaken.py).
NO_THREAD = gettext_noop("our own, in no customer's thread")


class CannotReceive(Exception):
    """The house above is not ready for this item, and trying again alone would not help.

    The text says what a person has to do first, marked with gettext_noop; the item is quarantined with it.
    """


class Receives(Protocol):
    """The house above. Each method runs inside the item's own transaction; what it raises undoes all of it."""

    def message(self, message: InboundMessage, *, account_id: int, now: datetime) -> Answer:
        """A message was said."""
        ...

    def edited(self, edited: Edited, *, account_id: int, now: datetime) -> Answer:
        """A message's text changed."""
        ...

    def deleted(self, deleted: Deleted, *, account_id: int, now: datetime) -> Answer:
        """A message is gone."""
        ...

    def receipt(self, receipt: DeliveryReceipt, *, account_id: int, now: datetime) -> Answer:
        """News of a message of ours."""
        ...

    def call(self, call: Call, *, account_id: int, now: datetime) -> Answer:
        """Something happened to a call."""
        ...


    def hidden_accounts(self, person: Person) -> frozenset[int]:
        """The accounts whose customers' words this person may not read; asked outside any item's transaction."""
        ...


@cache
def receiver() -> Receives:
    """The receiver that settings.CHANNELS_RECEIVER names."""
    made: Receives = import_string(settings.CHANNELS_RECEIVER)()
    return made
