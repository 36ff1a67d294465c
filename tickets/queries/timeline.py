"""The customer's one timeline: all tickets, all channels, newest thirty first, older on demand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from operator import itemgetter

from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from agents.models import HistoryEntry, Person
from channels.models import OutboxState
from channels.surfaces import SURFACES
from customers.models import Identity
from tickets import call_words, instants, rows
from tickets.access import Rights
from tickets.models import Attachment, CallDetails, Contact, Note, Ticket
from tickets.queries import held_back, timeline_rows
from tickets.queries.lists import Cursor, a_person, colleague
from tickets.queries.timeline_rows import NOTHING_KNOWN, Known, Said
from tickets.words import act_words

# Bubbles of some hundred timelines, kept like their HTML (timeline_html.py). A mail may have a hundred thousand
# characters; only what is short is kept.
BUBBLES_KEPT = 4096
KEPT_CHARACTERS = 2000
INLINE_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}

# Folded when they stand together, so that reading is not interrupted by bookkeeping.
_QUIET = {"ticket.opened"}


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the timeline, oldest first. `older` is the cursor for what comes before it."""

    entries: tuple[rows.Entry, ...]
    older: str


def page(
    person: Person,
    have: Rights,
    ticket: Ticket,
    *,
    before: str = "",
    read: int = 0,
    limit: int = timeline_rows.PAGE,
    known: Known = NOTHING_KNOWN,
    now: datetime,
) -> Page:
    """The last `limit` messages and notes before the cursor, with what was done in between.

    Four statements, one more each for files, calls and earlier versions where there are any; two where the caller has
    read contacts and notes already, which are `known`. `read` is the arrival number this person has read to on this
    ticket: the line "New" goes above the first customer message after it. Raises BadCursor.
    """
    edge = _parse(before) if before else None
    people: dict[int, Person] = {}
    found = timeline_rows.messages(ticket, edge, limit + 1)
    has_older = len(found) > limit
    found = found[:limit]
    oldest = found[-1].said_at if found and has_older else None
    contacts, identities = timeline_rows.around(found, known.contacts)
    spoken = timeline_rows.calls(found)
    written = timeline_rows.notes(have, ticket, oldest, edge[0] if edge else None, limit, people, known)
    files = _files([message.id for message in found if message.has_files])
    versions = timeline_rows.versions(found)
    waits = held_back.words(found, contacts)
    tickets = {message.ticket_id for message in found} | {note.ticket_id for note in written} | {ticket.pk}
    done = timeline_rows.history(tickets, since=oldest, until=edge[0] if edge else None, people=people)
    reader, language = person.id, get_language()
    readable = {number: have.may_read_contact(contact.entry_queue_id) for number, contact in contacts.items()}
    entries: list[_Placed] = []
    for message in found:
        contact, bubble = contacts[message.contact_id], None
        if readable[message.contact_id]:
            bubble = _bubble(
                message,
                _who(message, identities),
                reader,
                language,
                files=tuple(files.get(message.id, ())),
                versions=versions.get(message.id, ()),
                call=spoken.get(message.id),
                waits=waits.get(message.id, ""),
                now=now,
            )
        entry = _message_entry(have, ticket, message, contact, bubble)
        entries.append((message.said_at, (0, *instants.place(message)), entry, contact))
    others = [_note_entry(person, ticket, note) for note in written] + _system_entries(have, ticket, done, person)
    entries += [(entry.at, _AFTER, entry, None) for entry in others]
    woven = _weave(have, entries, unread=_first_unread(found, ticket, read))
    return Page(woven, _cursor(found[-1]) if has_older else "")


# When, what decides in the same instant, and the contact of a message.
_Placed = tuple[datetime, tuple[int, int, str, int], rows.Entry, Contact | None]
# What is said stands before what was done about it in the same instant.
_AFTER = (1, 0, "", 0)


def _cursor(message: Said) -> str:
    return f"{int(message.said_at.timestamp() * 1_000_000)}-{message.id}"


def _parse(text: str) -> tuple[datetime, int]:
    cursor = Cursor.parse(text)
    return cursor.urgent_at, cursor.id


def _files(messages: list[int]) -> dict[int, list[rows.FileRow]]:
    grouped: dict[int, list[rows.FileRow]] = defaultdict(list)
    if not messages:
        return grouped
    found = (
        Attachment.objects.select_related("file")
        .filter(message__in=messages)
        .order_by("message_id", "position")
    )
    for attachment in found:
        grouped[attachment.message_id].append(file_row(attachment))
    return grouped


def file_row(attachment: Attachment) -> rows.FileRow:
    """An attachment as a bubble shows it."""
    kept = attachment.file
    return rows.FileRow(
        id=attachment.pk,
        name=attachment.name,
        size=kept.size if kept else 0,
        content_type=kept.content_type if kept else "",
        url=reverse("tickets:attachment", args=[attachment.pk]) if kept else "",
        note=_file_note(attachment),
        is_image=bool(kept and kept.content_type in INLINE_IMAGES),
        is_coming=attachment.fetch_at is not None,
        may_fetch=bool(attachment.url) and attachment.fetch_at is None,
    )


def _file_note(attachment: Attachment) -> str:
    """What stands beside a file: of one that is not here why, of one that is what its sender said it shows."""
    if attachment.fetch_at is not None:
        return _("is being fetched …")
    if attachment.fetch_error:
        return _("could not be fetched: %(why)s") % {"why": attachment.fetch_error}
    return attachment.note


def _first_unread(found: list[Said], ticket: Ticket, read: int) -> int | None:
    """The message above which the line "New" goes: the first of theirs not read yet; none on a first visit."""
    if read == 0:
        return None
    unread = [m for m in found if m.ticket_id == ticket.pk and m.direction == "in" and m.arrival > read]
    return min(unread, key=lambda m: (m.said_at, instants.place(m))).id if unread else None


def _message_entry(
    have: Rights, ticket: Ticket, message: Said, contact: Contact, bubble: rows.Bubble | None
) -> rows.Entry:
    return rows.Entry(
        at=message.said_at,
        ticket_id=message.ticket_id,
        is_earlier=message.ticket_id != ticket.id,
        bubble=bubble,
        hidden="" if bubble else have.something_in(contact.entry_queue_id),
    )


def _bubble(
    message: Said,
    who: str,
    reader: int,
    language: str | None,
    *,
    files: tuple[rows.FileRow, ...],
    versions: tuple[rows.Version, ...],
    call: CallDetails | None,
    waits: str = "",
    now: datetime,
) -> rows.Bubble:
    """A message as this reader sees it; as it was made before, where nothing but its row says what it shows."""
    is_short = len(message.text) + len(message.quoted) + len(message.extra) <= KEPT_CHARACTERS
    bubble = (_kept if is_short else _plain)(message, who, reader, language)
    if message.state == OutboxState.QUEUED and message.extra != "{}":
        undo_until = json.loads(message.extra).get("undo_until")
        at = datetime.fromisoformat(undo_until) if undo_until else None
        bubble = bubble._replace(may_undo_until=at if at is not None and at > now else None)
    if waits:
        bubble = bubble._replace(state_words=_("Waits to leave"), state_reason=waits)
    if files or versions or call:
        bubble = bubble._replace(files=files, versions=versions, call=_call(message, call) if call else None)
    return bubble


def _plain(message: Said, who: str, reader: int, language: str | None) -> rows.Bubble:
    """What a bubble shows of its message's row alone, in a language, the one in force."""
    extra = json.loads(message.extra) if message.extra != "{}" else {}
    reply_to = str(extra.get("reply_to", ""))
    author = a_person(message.person_id, message.person_name or "") if message.person_id is not None else None
    return rows.Bubble(
        id=message.id,
        arrival=message.arrival,
        direction=message.direction,
        surface=SURFACES[message.surface],
        said_at=message.said_at,
        who=who,
        person=colleague(author, a_person(reader, "")) if author else None,
        is_outside=message.is_outside,
        subject=message.subject,
        text=message.text,
        quoted=message.quoted,
        has_html=bool(message.html),
        permalink=message.permalink,
        automatic=message.automatic,
        files=(),
        notes=tuple(str(note) for note in extra.get("notes", [])),
        warning=_("Answers are asked for at another address: %(address)s") % {"address": reply_to} if reply_to else "",
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
        versions=(),
        state=_state(message),
        state_words=state_words(message, language),
        state_reason=message.state_reason,
        may_undo_until=None,
        offers=_offers(message),
        sent_to=str(extra.get("to", "")),
        contact_id=message.contact_id,
    )


_kept = lru_cache(maxsize=BUBBLES_KEPT)(_plain)


def _call(message: Said, details: CallDetails) -> rows.CallCard:
    ringing = None
    # Who writes a call down by hand does not say how long it rang.
    if details.answered_at is not None and details.source == "exchange":
        ringing = max(int((details.answered_at - details.started_at).total_seconds()), 0)
    title = _("Called us") if message.direction == "in" else _("We called")
    return rows.CallCard(
        title=title,
        number=details.caller,
        line=details.line,
        duration_seconds=details.duration_seconds,
        disposition=call_words.words(details, message.direction, ""),
        answered_after_seconds=ringing,
        direction=message.direction,
        is_over=details.ended_at is not None,
        outcome=details.disposition if details.ended_at is not None else "",
    )


def _who(message: Said, identities: Mapping[int, Identity]) -> str:
    if message.direction == "out":
        if message.person_name is not None:
            return message.person_name.split(" ", 1)[0]
        return _("Written outside the inbox") if message.is_outside else _("We")
    identity = identities.get(message.identity_id) if message.identity_id is not None else None
    return (identity.name or identity.label) if identity else ""


def _state(message: Said) -> str:
    if message.state == OutboxState.SENT:
        if message.read_at:
            return "read"
        if message.delivered_at:
            return "delivered"
    return message.state


_STATES = {
    "queued": gettext_noop("Leaving in a moment"),
    "sending": gettext_noop("Sending"),
    "retry": gettext_noop("Trying again"),
    "sent": gettext_noop("Sent"),
    "delivered": gettext_noop("Delivered"),
    "read": gettext_noop("Read"),
    "failed": gettext_noop("Not sent"),
    "unknown": gettext_noop("Perhaps sent"),
    "cancelled": gettext_noop("Taken back before it left"),
}


def state_words(message: Said, language: str | None) -> str:
    """The bubble's state in a word or two; empty for theirs."""
    if message.bounced_at:
        return _("Came back")
    state = _state(message)
    return _words_of_state(state, language) if state else ""


@cache
def _words_of_state(state: str, language: str | None) -> str:
    """In a language, the one in force: a page says the same few many times."""
    words = _STATES.get(state, "")
    return _(words) if words else ""


def _offers(message: Said) -> tuple[str, ...]:
    """What can be done about a bubble in trouble."""
    if message.state == "failed" and not message.bounced_at:
        return ("retry",)
    if message.state == "unknown":
        return ("is_there", "send_again")
    return ()


def _note_entry(person: Person, ticket: Ticket, note: Note) -> rows.Entry:
    return rows.Entry(
        at=note.written_at,
        ticket_id=note.ticket_id,
        is_earlier=note.ticket_id != ticket.pk,
        note=rows.NoteRow(
            id=note.pk,
            arrival=note.arrival,
            person=colleague(note.person, person),
            text=note.text,
            written_at=note.written_at,
        ),
    )


def _system_entries(have: Rights, ticket: Ticket, done: list[HistoryEntry], person: Person) -> list[rows.Entry]:
    entries = []
    for entry in done:
        words, icon = act_words(entry, have=have, me=person)
        if words and entry.act not in _QUIET:
            entries.append(
                rows.Entry(
                    at=entry.at,
                    ticket_id=entry.ticket_id or ticket.pk,
                    is_earlier=entry.ticket_id != ticket.pk,
                    system=(rows.SystemLine(at=entry.at, words=words, icon=icon),),
                )
            )
    return entries


def _weave(have: Rights, entries: list[_Placed], *, unread: int | None) -> tuple[rows.Entry, ...]:
    """All entries by time, with day marks, contact heads where the contact changes, and system lines folded."""
    entries.sort(key=itemgetter(0, 1))
    zone = get_current_timezone()
    woven: list[rows.Entry] = []
    day: date | None = None
    current: int | None = None
    for at, _place, entry, contact in entries:
        head = None
        if contact is not None and contact.id != current:
            head, current = _head(have, contact, at), contact.id
        before, day = day, at.astimezone(zone).date()
        begins = day != before
        previous = woven[-1] if woven else None
        if entry.system and previous is not None and previous.system and not begins:
            woven[-1] = previous._replace(system=(*previous.system, *entry.system))
            continue
        is_unread = unread is not None and entry.bubble is not None and entry.bubble.id == unread
        marked = begins or head is not None or is_unread
        woven.append(entry._replace(day=begins, contact=head, is_first_unread=is_unread) if marked else entry)
    return tuple(woven)


def _head(have: Rights, contact: Contact, at: datetime) -> rows.ContactHead:
    readable = have.may_read_contact(contact.entry_queue_id)
    no_reply = ""
    if contact.no_reply_at and contact.unanswered_since is None:
        reasons = {"thanks": _("a thank-you"), "like": _("a like"), "spam": _("spam"), "other": _("nothing asked")}
        reason = reasons.get(contact.no_reply_reason, contact.no_reply_reason)
        no_reply = _("No reply needed: %(reason)s") % {"reason": reason}
    return rows.ContactHead(
        id=contact.pk,
        surface=SURFACES[contact.surface],
        account=contact.account.name or contact.account.address,
        subject=contact.subject if readable else "",
        at=at,
        is_unanswered=contact.unanswered_since is not None,
        queue_name=have.queue_name(contact.entry_queue_id),
        no_reply_words=no_reply,
    )
