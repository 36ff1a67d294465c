"""The rows behind a timeline: messages, notes and history, each with what stands beside them, in a statement each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, Left

from agents.models import HistoryEntry, Person
from contactcentre.lib.prepared import Prepared, Value, columns, read
from customers.models import Identity
from tickets import rows
from tickets.access import Rights
from tickets.models import Attachment, CallDetails, Contact, Message, MessageVersion, Note, Ticket
from tickets.queries import contacts
from tickets.queries.lists import a_person

# Messages and notes of one stretch.
PAGE = 30
HISTORY_LIMIT = 200
# Shown of one message: X allows five edits, Facebook any number.
MOST_VERSIONS = 20


class Said(NamedTuple):
    """A message as its bubble needs it, in the order of _SAID."""

    id: int
    ticket_id: int
    contact_id: int
    channel_kind: str
    external_id: str
    surface: str
    direction: str
    identity_id: int | None
    person_id: int | None
    person_name: str | None
    is_outside: bool
    arrival: int
    said_at: datetime
    subject: str
    text: str
    quoted: str
    # Its first character: a mail's HTML may be long, and the bubble asks only whether there is any.
    html: str
    has_files: bool
    permalink: str
    automatic: str
    edited_at: datetime | None
    deleted_at: datetime | None
    state: str
    state_reason: str
    delivered_at: datetime | None
    read_at: datetime | None
    bounced_at: datetime | None
    # As text: the driver calls a function of Django's for every JSON value, only to leave it as it is.
    extra: str


class Known(NamedTuple):
    """What whoever asks for a timeline has read already: some contacts, and the customer's latest_notes()."""

    contacts: Sequence[Contact] = ()
    notes: Sequence[Sequence[Any]] | None = None


NOTHING_KNOWN = Known()
_ELSEWHERE = {"person_name": "person__name", "html": "any_html", "has_files": "any_files", "extra": "told"}
_SAID = tuple(_ELSEWHERE.get(name, name) for name in Said._fields)


def _messages_of(
    *, customer_id: int, at: datetime | None = None, number: int = 0
) -> QuerySet[Message, tuple[Any, ...]]:
    messages = Message.objects.filter(customer_id=customer_id).exclude(state="cancelled")
    if at is not None:
        messages = messages.filter(said_at__lte=at).filter(Q(said_at__lt=at) | Q(pk__lt=number))
    return (
        messages.annotate(
            any_html=Left("html", 1),
            any_files=Exists(Attachment.objects.filter(message=OuterRef("pk"))),
            told=Cast("extra", TextField()),
        )
        .order_by("-said_at", "-id")
        .values_list(*_SAID)
    )


def _notes_of(
    *,
    customer_id: int,
    since: datetime | None = None,
    until: datetime | None = None,
    hidden: list[int] | None = None,
    person_id: int = 0,
) -> QuerySet[Note, tuple[Any, ...]]:
    notes = Note.objects.filter(customer_id=customer_id)
    if hidden:
        notes = notes.filter(Q(person_id=person_id) | ~Q(ticket__queue_id__in=hidden))
    if since is not None:
        notes = notes.filter(written_at__gte=since)
    if until is not None:
        notes = notes.filter(written_at__lt=until)
    return notes.order_by("-written_at", "-id").values_list(*_NOTED, "person__name")


def latest_notes(
    *, customer_id: int, hidden: list[int] | None = None, person_id: int = 0
) -> QuerySet[Note, tuple[Any, ...]]:
    """The notes of the newest stretch, whenever it began, for a page that asks for them before it knows the messages;
    `hidden` as have.hidden."""
    return _notes_of(customer_id=customer_id, hidden=hidden, person_id=person_id)[:PAGE]


def _done_of(
    *, tickets: list[int], since: datetime | None = None, until: datetime | None = None
) -> QuerySet[HistoryEntry, tuple[Any, ...]]:
    found = HistoryEntry.objects.filter(ticket_id__in=tickets, act__startswith="ticket.")
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lt=until)
    return found.order_by("-id").values_list(*_DONE, "data", "actor__name")[:HISTORY_LIMIT]


_NOTED = columns(Note, "id", "ticket_id", "person_id", "text", "arrival", "written_at")
_DONE = columns(HistoryEntry, "id", "at", "act", "actor_id", "ticket_id")
_MESSAGES = Prepared(_messages_of)
_NOTES = Prepared(_notes_of)
_HISTORY = Prepared(_done_of)


def messages(ticket: Ticket, edge: tuple[datetime, int] | None, limit: int) -> list[Said]:
    """The customer's latest messages with all that a bubble shows."""
    values: dict[str, Value] = {"customer_id": ticket.customer_id}
    if edge:
        values |= {"at": edge[0], "number": edge[1]}
    return [Said(*row) for row in _MESSAGES.top(limit, **values)]


def _person(number: int | None, name: str, people: dict[int, Person]) -> Person | None:
    """The colleague as pages name them, one object each."""
    if number is None:
        return None
    if number not in people:
        people[number] = a_person(number, name)
    return people[number]


def around(found: list[Said], known: Iterable[Contact]) -> tuple[dict[int, Contact], dict[int, Identity]]:
    """The contacts and the identities of messages by their ids; a statement each for those not known yet, mostly
    none."""
    have = {contact.pk: contact for contact in known}
    have |= contacts.by_id({message.contact_id for message in found} - have.keys())
    identities = {contact.identity_id: contact.identity for contact in have.values()}
    missing = {message.identity_id for message in found if message.identity_id is not None} - identities.keys()
    if missing:
        # Somebody in copy of a mail, who writes into another's contact.
        identities |= Identity.objects.in_bulk(missing)
    return have, identities


def calls(found: Iterable[Said]) -> dict[int, CallDetails]:
    """What is known of calls, by their messages' ids; a statement only where any of these is one."""
    spoken = [message.id for message in found if message.surface == "phone"]
    return {one.message_id: one for one in CallDetails.objects.filter(message__in=spoken)} if spoken else {}


def versions(found: Iterable[Said]) -> dict[int, tuple[rows.Version, ...]]:
    """What messages said before they were edited or deleted, latest first; a statement only where any of them was."""
    changed = [message.id for message in found if message.edited_at is not None or message.deleted_at is not None]
    if not changed:
        return {}
    latest = MessageVersion.objects.filter(message=OuterRef("message")).order_by("-id").values("pk")[:MOST_VERSIONS]
    kept = MessageVersion.objects.filter(message__in=changed, pk__in=latest).order_by("-id")
    earlier: dict[int, list[rows.Version]] = defaultdict(list)
    for message_id, text, until in kept.values_list("message_id", "text", "replaced_at"):
        earlier[message_id].append(rows.Version(text, until))
    return {message_id: tuple(each) for message_id, each in earlier.items()}


def notes(
    have: Rights,
    ticket: Ticket,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    people: dict[int, Person],
    known: Known,
) -> list[Note]:
    """The notes on all tickets of the customer, but for those of tickets in a confidential queue that is not theirs:
    the words of its contacts are hidden from them, and a note says the same (row 7). What one wrote oneself stays."""
    values: dict[str, Value] = {"customer_id": ticket.customer_id, **_span(since, until)}
    hidden = have.hidden
    if hidden:
        values |= {"hidden": sorted(hidden), "person_id": have.person_id}
    asked = _NOTES.top(limit, **values) if known.notes is None else _since(known.notes, since)
    found = []
    for *shown, name in asked:
        note = read(Note, _NOTED, shown)
        author = _person(note.person_id, name, people)
        if author is not None:
            note.person = author
        found.append(note)
    return found


def _since(noted: Sequence[Sequence[Any]], since: datetime | None) -> Sequence[Sequence[Any]]:
    written_at = _NOTED.index("written_at")
    return noted if since is None else [row for row in noted if row[written_at] >= since]


def _span(since: datetime | None, until: datetime | None) -> Mapping[str, datetime]:
    return {name: at for name, at in (("since", since), ("until", until)) if at is not None}


def history(
    tickets: set[int], *, since: datetime | None, until: datetime | None, people: dict[int, Person]
) -> list[HistoryEntry]:
    found = []
    for *shown, data, name in _HISTORY.rows(tickets=sorted(tickets), **_span(since, until)):
        entry = read(HistoryEntry, _DONE, shown)
        entry.data, entry.actor = json.loads(data), _person(entry.actor_id, name, people)
        found.append(entry)
    return found
