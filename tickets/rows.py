"""Plain values that pages are made of. queries.py fills them, templates and the API only read them.

What a page has dozens of is a NamedTuple: made in a fifth of the time, and quickly found again among what is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from channels.surfaces import SURFACES, Surface


class Colleague(NamedTuple):
    """A person of ours, as shown on an avatar."""

    id: int
    name: str
    initials: str
    is_me: bool = False


class QueueLink(NamedTuple):
    """One line of the sidebar: a queue or a view with its figures. `open` and `overdue` stop at 1,000."""

    key: str
    name: str
    url: str
    open: int = 0
    overdue: int = 0
    is_current: bool = False
    icon: str = "stack-2"


class TicketRow(NamedTuple):
    """One ticket in a list."""

    id: int
    who: str
    words: str
    words_by: str
    state: str
    awaiting: str
    due_at: datetime | None
    due_reason: str
    last_at: datetime
    surfaces: tuple[Surface, ...]
    tags: tuple[str, ...]
    also: tuple[str, ...]
    owner: Colleague | None
    is_unread: bool
    is_high: bool
    queue_name: str
    snoozed_until: datetime | None
    # A reply of ours failed or perhaps went out.
    has_trouble: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketList:
    """One page of a list. `older` and `newer` are keyset cursors for the next pages, empty at the ends."""

    title: str
    view: str
    rows: tuple[TicketRow, ...]
    older: str
    newer: str
    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """An attachment on a bubble. Without `url` it is not here, and `note` says why.

    `is_coming`: it is being fetched from the network just now. `may_fetch`: fetching it was given up, and it can be
    tried again.
    """

    id: int
    name: str
    size: int
    content_type: str
    url: str
    note: str
    is_image: bool
    is_coming: bool = False
    may_fetch: bool = False


class Version(NamedTuple):
    """What a message said before it was edited or deleted, and until when."""

    text: str
    until: datetime


class Bubble(NamedTuple):
    """One message of the timeline, theirs (`in`) or ours (`out`)."""

    id: int
    arrival: int
    direction: str
    surface: Surface
    said_at: datetime
    who: str
    person: Colleague | None
    is_outside: bool
    subject: str
    text: str
    quoted: str
    has_html: bool
    permalink: str
    automatic: str
    files: tuple[FileRow, ...]
    notes: tuple[str, ...]
    warning: str
    edited_at: datetime | None
    deleted_at: datetime | None
    # What it said before, latest first.
    versions: tuple[Version, ...]
    state: str
    state_words: str
    state_reason: str
    may_undo_until: datetime | None
    offers: tuple[str, ...] = ()
    call: CallCard | None = None
    sent_to: str = ""
    contact_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCard:
    """A call, as its card shows it."""

    title: str
    number: str
    line: str
    duration_seconds: int | None
    disposition: str
    answered_after_seconds: int | None
    direction: str
    is_over: bool
    # How it ended in a program's word (calls.DISPOSITIONS), where `disposition` is for people; empty while it goes on.
    outcome: str = ""


class NoteRow(NamedTuple):
    """An internal note."""

    id: int
    arrival: int
    person: Colleague
    text: str
    written_at: datetime


class SystemLine(NamedTuple):
    """What was done, in words, one line an act."""

    at: datetime
    words: str
    icon: str


class Entry(NamedTuple):
    """One thing in the timeline, with what stands above it.

    `day` is set on the first entry of a day; `contact` where a contact begins or is come back to;
    `is_first_unread` where the line "New" goes. Exactly one of bubble, note, hidden and system is set.
    `ticket_id` names the ticket it belongs to; `is_earlier` marks entries of other tickets of the customer.
    """

    at: datetime
    ticket_id: int
    is_earlier: bool = False
    day: bool = False
    contact: ContactHead | None = None
    is_first_unread: bool = False
    bubble: Bubble | None = None
    note: NoteRow | None = None
    hidden: str = ""
    system: tuple[SystemLine, ...] = ()

    @property
    def key(self) -> str:
        """The element's id on the page, the same for as long as the thing exists."""
        if self.bubble:
            return f"message-{self.bubble.id}"
        if self.note:
            return f"note-{self.note.id}"
        return f"line-{int(self.at.timestamp() * 1000)}"


class ContactHead(NamedTuple):
    """The gentle divider: which surface, which account, since when, answered or not."""

    id: int
    surface: Surface
    account: str
    subject: str
    at: datetime
    is_unanswered: bool
    queue_name: str
    no_reply_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """Something that came to the customer from another, by whom and when: a merge or a moved contact."""

    id: int
    label: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow:
    """One address of the customer. `joined` is the merge that brought it and can be taken back."""

    id: int
    kind: str
    label: str
    detail: str
    surface: str
    is_shared: bool
    is_blocked: bool
    joined: TakenIn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTicket:
    """Another ticket of the same customer, or a related one. `id` is 0 for one that may not be opened, nor told of."""

    id: int
    subject: str
    state: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCard:
    """Who this is."""

    id: int
    name: str
    initials: str
    since: datetime
    ticket_number: int
    identities: tuple[IdentityRow, ...]
    earlier: tuple[EarlierTicket, ...]
    related: tuple[EarlierTicket, ...]
    is_blocked: bool
    is_organisation: bool = False
    is_provisional: bool = False
    # Contacts that somebody gave to this customer by hand, on this ticket.
    moved: tuple[TakenIn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One way to answer: a surface, through an account of ours, to an identity.

    `key` is what the form sends back ("<contact id>"); `closed` says why it cannot be used just now;
    `window_until` is when the network stops taking answers. `apart` tells it from the other ways on its surface
    (a thread's subject, our account, when it began); empty where it is the only one.
    """

    key: str
    surface: Surface
    account: str
    to: str
    closed: str = ""
    window_until: datetime | None = None
    participants: tuple[str, ...] = ()
    reply_to: str = ""
    subject: str = ""
    is_unanswered: bool = False
    apart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerState:
    """What the composer needs: the ways to answer, which is chosen, and the drafts."""

    recipients: tuple[Recipient, ...]
    chosen: str
    draft: str
    draft_note: str
    draft_files: tuple[FileRow, ...]
    saved_at: datetime | None
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    """Everything of the ticket pane and the customer pane."""

    id: int
    who: str
    state: str
    state_words: str
    queue_id: int
    queue_name: str
    also: tuple[str, ...]
    owner: Colleague | None
    is_high: bool
    tags: tuple[str, ...]
    awaiting: str
    due_at: datetime | None
    due_reason: str
    snoozed_until: datetime | None
    subject: str
    merged_into: int | None
    may_act: bool
    is_blocked: bool
    arrivals: int
    # Whether the reader still sees it in a queue they do not serve, and once it is somebody else's.
    seen_if_moved: bool = True
    seen_if_given: bool = True
    # The head alone (live refreshing) has none of what follows.
    entries: tuple[Entry, ...] = ()
    older: str = ""
    customer: CustomerCard | None = None
    composer: ComposerState | None = None
    stream: str = ""


@cache
def surfaces(names: tuple[str, ...]) -> tuple[Surface, ...]:
    """The surfaces of these names, those of unknown channels left out."""
    return tuple(SURFACES[name] for name in names if name in SURFACES)
