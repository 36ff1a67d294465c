"""The house's door: what channels/ hands up, and what became of it."""

from __future__ import annotations

from datetime import datetime

from agents.models import Person
from channels.happenings import Call, Deleted, DeliveryReceipt, Edited, InboundMessage
from channels.receiver import Answer
from tickets import access, calls, intake, outside, receipts, versions


class Receiver:
    """Named by settings.CHANNELS_RECEIVER; typed by channels.receiver.Receives."""

    def message(self, message: InboundMessage, *, account_id: int, now: datetime) -> Answer:
        """A customer's words, or our own written outside this inbox."""
        if message.report_on:
            return receipts.report(message, now=now)
        if message.direction == "out":
            return outside.ours(message, account_id=account_id, now=now)
        return intake.receive(message, account_id=account_id, now=now)

    def edited(self, edited: Edited, *, account_id: int, now: datetime) -> Answer:
        """A message's text changed."""
        return versions.edited(edited, now=now)

    def deleted(self, deleted: Deleted, *, account_id: int, now: datetime) -> Answer:
        """A message is gone."""
        return versions.deleted(deleted, now=now)

    def receipt(self, receipt: DeliveryReceipt, *, account_id: int, now: datetime) -> Answer:
        """News of a message of ours."""
        return receipts.apply(receipt, now=now)

    def call(self, call: Call, *, account_id: int, now: datetime) -> Answer:
        """Something happened to a call."""
        return calls.receive(call, account_id=account_id, now=now)

    def hidden_accounts(self, person: Person) -> frozenset[int]:
        """Those that feed a confidential queue which this person does not serve (row 7)."""
        return access.hidden_accounts(access.rights(person))
