"""What an adapter makes of a provider's bytes, and what it is handed to send. No ORM, no provider's words.

Every id is text, every time is aware, every text has been through contactcentre.lib.text.clean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Direction = Literal["in", "out"]

# What the ledger calls a mail of ours that lies in a mailbox's folder for sent mail.
OUR_MAIL = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of somebody on one network, as the provider gives it; customers/ normalises it.

    `kind` is an identity kind (x_user, fb_psid, fb_commenter, email, phone, nameless); `region` is the
    line's country for a number that was dialled without one.
    """

    kind: str
    value: str
    scope: str = ""
    display: str = ""
    name: str = ""
    handle: str = ""
    avatar_url: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """An attachment as it came. `data` is None where it was not taken; `note` then says why, in plain words.

    `url` is where the provider keeps it, for those channels that hand over links.
    """

    name: str
    content_type: str
    data: bytes | None = None
    size: int = 0
    content_id: str = ""
    is_inline: bool = False
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One utterance on one surface, by a customer or (direction `out`) by ourselves outside this inbox.

    `external_id` is unique per (channel kind, scope). `thread` names the conversation at the provider; for
    mail it is the id of the oldest mail the reference headers name. `references` are the external
    references this one answers, nearest first, matched against `reference` of stored messages; for a comment the ids
    of what it stands below, the post last.
    `automatic` says why this is no person's message (RFC 3834 and C4 of the mail rules), empty for a person's.
    `report_on` names the reference of our message that a delivery report speaks of, with `report`
    "bounced" or "delayed", the reason in `automatic`, and in `report_to` the addresses it speaks of, in lower case;
    none where it names none.
    `recipient` is whom one of ours goes to, somebody else than ourselves where there is one; `blind` are those in Bcc,
    which stands in our own copy alone. `marker` is what only a message bears that left from here: Messenger's metadata,
    the signed part of a mail's Reply-To.
    """

    channel_kind: str
    surface: str
    external_id: str
    thread: str
    author: Address
    said_at: datetime
    scope: str = ""
    direction: Direction = "in"
    text: str = ""
    html: str = ""
    quoted: str = ""
    subject: str = ""
    reference: str = ""
    references: tuple[str, ...] = ()
    files: tuple[FilePart, ...] = ()
    automatic: str = ""
    reply_to: Address | None = None
    participants: tuple[Address, ...] = ()
    blind: tuple[Address, ...] = ()
    recipient: Address | None = None
    permalink: str = ""
    parent_id: str = ""
    marker: str = ""
    token: str = ""
    is_group: bool = False
    notes: tuple[str, ...] = ()
    report_on: str = ""
    report: Literal["", "bounced", "delayed"] = ""
    report_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The text of a known message changed. `previous_id` is set where an edit has a new id (X)."""

    channel_kind: str
    external_id: str
    scope: str = ""
    text: str
    edited_at: datetime
    revision: int = 0
    previous_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A known message is gone at the provider."""

    channel_kind: str
    external_id: str
    scope: str = ""
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One event of a call: it rings, is answered, ends. Events of one call may come in any order."""

    external_id: str
    scope: str
    event: Literal["new", "answered", "ended"]
    direction: Direction
    customer: Address
    line: str
    at: datetime
    cause: str = ""
    answered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """News of a message of ours: of the outbox row `reference`, or of `external_id` where the provider tells.

    `state`: sent, failed, unknown, cancelled, retry (from our own outbox); delivered, read, bounced, delayed
    (from the provider). `up_to` marks everything of the thread with `reader` up to a time (Messenger's watermark).
    """

    state: Literal[
        "sent", "failed", "unknown", "cancelled", "retry", "sending", "delivered", "read", "bounced", "delayed"
    ]
    at: datetime
    reference: str = ""
    channel_kind: str = ""
    scope: str = ""
    external_id: str = ""
    up_to: datetime | None = None
    reader: Address | None = None
    thread: str = ""
    reason: str = ""
    code: str = ""


Happening = InboundMessage | Edited | Deleted | Call | DeliveryReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class RawItem:
    """One happening as the provider handed it over, before anybody looked into it.

    (account, `happening`, `external_id`, `revision`) is the ledger's key: a webhook and a poll that tell of
    the same new message must give the same. `meta` holds what is not in the bytes. `bytes_told`: how large it was,
    where it is too large to be kept; then `body` is empty and the ledger keeps the row alone.
    """

    happening: str
    external_id: str
    body: bytes
    revision: str = ""
    meta: dict[str, object] = field(default_factory=dict)
    bytes_told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file to send. `path` is where its bytes lie in the attachment store."""

    name: str
    content_type: str
    size: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One provider call that sends something, complete and frozen.

    `marker` is ours: mail's Message-ID, Messenger's metadata. `references` are what this answers, oldest first.
    """

    surface: str
    recipient: Address
    marker: str
    text: str
    html: str = ""
    subject: str = ""
    thread: str = ""
    parent_id: str = ""
    references: tuple[str, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: str = ""
    files: tuple[OutgoingFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The provider took it. `external_id` is its id there, `reference` what later answers will name."""

    external_id: str
    reference: str = ""
    notes: tuple[str, ...] = ()
