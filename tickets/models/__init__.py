"""The tables of tickets/, one file a subject."""

from __future__ import annotations

from tickets.models.contact import Contact, Participant
from tickets.models.merging import ContactMove, Fate, MergeStep
from tickets.models.message import Attachment, CallDetails, Message, MessageVersion, Note, Rereading, Sighting
from tickets.models.queue import AccountFeed, Queue, Recount, ServiceTarget
from tickets.models.ticket import LIVE, Draft, Priority, Reading, Relation, State, Ticket
from tickets.models.writing import ReplyTemplate

__all__ = [
    "LIVE",
    "AccountFeed",
    "Attachment",
    "CallDetails",
    "Contact",
    "ContactMove",
    "Draft",
    "Fate",
    "MergeStep",
    "Message",
    "MessageVersion",
    "Note",
    "Participant",
    "Priority",
    "Queue",
    "Reading",
    "Recount",
    "Relation",
    "ReplyTemplate",
    "Rereading",
    "ServiceTarget",
    "Sighting",
    "State",
    "Ticket",
]
