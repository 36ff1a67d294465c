"""The ticket lists: by urgency, keyset paging both ways, nothing counted and nothing joined per row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.http import Http404
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from agents.models import Person
from contactcentre.lib.ids import identifier
from contactcentre.lib.prepared import Prepared, Value, read
from customers.models import what_to_call
from tickets import rows
from tickets.access import Rights, visible
from tickets.models import LIVE, Ticket

PAGE = 50


class BadCursor(ValueError):
    """A cursor that no list of ours has given out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: the urgency and id of the row it stands on."""

    urgent_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{int(self.urgent_at.timestamp() * 1_000_000)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that was printed so. Raises BadCursor."""
        micros, _dash, number = text.partition("-")
        row = identifier(number)
        if row is None:
            raise BadCursor(f"not a place in a list: {text[:40]!r}")
        try:
            whole, rest = divmod(int(micros), 1_000_000)
            return cls(datetime.fromtimestamp(whole, UTC).replace(microsecond=rest), row)
        except (ValueError, OverflowError, OSError) as error:
            raise BadCursor(f"not a place in a list: {text[:40]!r}") from error


_VIEW_NAMES = {
    "open": gettext_noop("All open"),
    "mine": gettext_noop("Mine"),
    "unassigned": gettext_noop("Unassigned"),
    "waiting": gettext_noop("Waiting for customer"),
    "snoozed": gettext_noop("Snoozed"),
    "trouble": gettext_noop("Not sent"),
}


@cache
def view_name(key: str, language: str | None) -> str:
    """A view's name in a language, the one in force."""
    return _(_VIEW_NAMES[key])


VIEW_ICONS = {
    "open": "inbox",
    "mine": "user",
    "unassigned": "circle-dashed",
    "waiting": "hourglass",
    "snoozed": "zzz",
    # Live tickets with a reply that failed or perhaps went out (row 23).
    "trouble": "alert-triangle",
}


class Listed(NamedTuple):
    """What of a ticket its row in a list shows, in the order of COLUMNS."""

    id: int
    queue_id: int
    state: str
    awaiting: str
    priority: int
    tags: list[str]
    due_at: datetime | None
    due_reason: str
    urgent_at: datetime
    snoozed_until: datetime | None
    arrivals: int
    last_at: datetime
    last_words: str
    last_direction: str
    surfaces: list[str]
    also_queue_ids: list[int]
    reader_queue_ids: list[int]
    customer_id: int
    customer_name: str
    customer_called: str
    owner_id: int | None
    owner_name: str | None
    author_id: int | None
    author_name: str | None
    send_trouble: int
    read: int | None


_JOINED = {
    "customer_name": "customer__name",
    "customer_called": "customer__called",
    "owner_name": "owner__name",
    "author_id": "last_author_id",
    "author_name": "last_author__name",
}
COLUMNS = tuple(_JOINED.get(name, name) for name in Listed._fields)


def page(
    person: Person,
    have: Rights,
    *,
    view: str = "open",
    queue_id: int | None = None,
    after: str = "",
    before: str = "",
    limit: int = PAGE,
    stream: str = "",
) -> rows.TicketList:
    """One page of a list, most urgent first; at most two statements whatever its length.

    `after` and `before` are cursors of rows. Raises BadCursor, Http404 for a view or queue that is not
    there, PermissionDenied for a queue this person does not serve.
    """
    start = Cursor.parse(after or before) if after or before else None
    backwards = bool(before and not after)
    if queue_id is not None:
        title = have.queue_name(queue_id)
        if not title:
            raise Http404
        if not have.everything and queue_id not in have.queues:
            raise PermissionDenied
        found = _of_queue(person, queue_id, start, backwards, limit)
    else:
        if view not in VIEW_ICONS:
            raise Http404
        title = view_name(view, get_language())
        found = _of_view(person, have, view, start, backwards, limit)
    more = len(found) > limit
    found = found[:limit]
    if backwards:
        found.reverse()
    first, last = (found[0], found[-1]) if found else (None, None)
    has_older = more if not backwards else bool(start)
    has_newer = (more if backwards else bool(start)) and bool(found)
    return rows.TicketList(
        title=title,
        view=view if queue_id is None else f"queue-{queue_id}",
        rows=rows_of(person, have, found),
        older=str(Cursor(last.urgent_at, last.id)) if last and has_older else "",
        newer=str(Cursor(first.urgent_at, first.id)) if first and has_newer else "",
        stream=stream,
    )


def _these_of(*, person_id: int, ids: list[int]) -> QuerySet[Ticket, tuple[object, ...]]:
    return _base(person_id).filter(pk__in=ids).order_by("urgent_at", "id").values_list(*COLUMNS)


_THESE = Prepared(_these_of)


def of_tickets(person: Person, ids: list[int]) -> list[Listed]:
    """These tickets as lists show them, most urgent first."""
    return [Listed(*row) for row in (_THESE.rows(person_id=person.pk, ids=ids) if ids else ())]


def _base(person_id: int) -> QuerySet[Ticket]:
    """Tickets, and how far this person has read each: a join by key, a row each."""
    mine = FilteredRelation("readings", condition=Q(readings__person_id=person_id))
    return Ticket.objects.annotate(mine=mine, read=F("mine__arrival"))


def _view_of(
    view: str,
    everything: bool,
    queues: frozenset[int],
    backwards: bool,
    limit: int,
    *,
    person_id: int,
    start_at: datetime | None = None,
    start_id: int = 0,
) -> QuerySet[Ticket, tuple[object, ...]]:
    have = Rights(person_id=person_id, everything=everything, queues=queues, all_queues=())
    if view == "trouble":
        tickets = _base(person_id).filter(send_trouble__gt=0, state__in=LIVE)
    else:
        tickets = _base(person_id).filter(state=view if view in ("waiting", "snoozed") else "open")
    tickets = tickets.filter(owner_id=person_id) if view == "mine" else visible(have, tickets)
    if view == "unassigned":
        tickets = tickets.filter(owner=None)
    return _slice(tickets, start_at, start_id, backwards)[: limit + 1].values_list(*COLUMNS)


def _queue_of(
    which: str,
    backwards: bool,
    limit: int,
    *,
    person_id: int,
    queue_id: int = 0,
    also: list[int] | None = None,
    start_at: datetime | None = None,
    start_id: int = 0,
) -> QuerySet[Ticket, tuple[object, ...]]:
    tickets = _base(person_id).filter(state="open")
    if which == "own":
        tickets = tickets.filter(queue_id=queue_id)
    else:
        tickets = tickets.filter(also_queue_ids__contains=also).exclude(also_queue_ids=[])
    return _slice(tickets, start_at, start_id, backwards)[: limit + 1].values_list(*COLUMNS)


_VIEWS = Prepared(_view_of)
_QUEUES = Prepared(_queue_of)


def _of_view(
    person: Person, have: Rights, view: str, start: Cursor | None, backwards: bool, limit: int
) -> list[Listed]:
    # The queues belong to the statement: there are few sets of them, and PostgreSQL, which cannot tell how many
    # tickets lie in queues it does not know, would plan this longest statement of the inbox for every page.
    queues = frozenset() if view == "mine" or have.everything else have.queues
    found = _VIEWS.rows(view, have.everything, queues, backwards, limit, person_id=person.pk, **_from(start))
    return [Listed(*row) for row in found]


def _of_queue(person: Person, queue_id: int, start: Cursor | None, backwards: bool, limit: int) -> list[Listed]:
    """The queue's own tickets, and those of other queues with an unanswered contact that entered here (row 6).

    Two index scans merged: an OR over both would walk the whole list of the installation.
    """
    place = _from(start)
    own = _QUEUES.rows("own", backwards, limit, person_id=person.pk, queue_id=queue_id, **place)
    also = _QUEUES.rows("also", backwards, limit, person_id=person.pk, also=[queue_id], **place)
    found = [Listed(*row) for row in (*own, *also)]
    found.sort(key=lambda ticket: (ticket.urgent_at, ticket.id), reverse=backwards)
    return list(islice(found, limit + 1))


def _from(start: Cursor | None) -> dict[str, Value]:
    return {} if start is None else {"start_at": start.urgent_at, "start_id": start.id}


def _slice(tickets: QuerySet[Ticket], at: datetime | None, number: int, backwards: bool) -> QuerySet[Ticket]:
    if backwards:
        tickets = tickets.order_by("-urgent_at", "-id")
        if at is not None:
            # The first half is what lets the index find the place; the second is exact.
            return tickets.filter(urgent_at__lte=at).filter(Q(urgent_at__lt=at) | Q(pk__lt=number))
        return tickets
    tickets = tickets.order_by("urgent_at", "id")
    if at is not None:
        return tickets.filter(urgent_at__gte=at).filter(Q(urgent_at__gt=at) | Q(pk__gt=number))
    return tickets


def rows_of(person: Person, have: Rights, tickets: Iterable[Listed]) -> tuple[rows.TicketRow, ...]:
    """The tickets as a list shows them, in the order they came."""
    named = cache(have.queue_name)
    you, we = _("You"), _("We")
    secret = have.confidential
    tickets = list(tickets)
    people = _people(tickets)
    colleagues = {number: colleague(one, person) for number, one in people.items()}
    found = []
    for ticket in tickets:
        words_by = ""
        if ticket.last_direction == "out":
            author = people.get(ticket.author_id)
            words_by = we if author is None else you if author.pk == person.pk else author.first_name
        found.append(
            rows.TicketRow(
                id=ticket.id,
                who=what_to_call(ticket.customer_name, ticket.customer_called, ticket.customer_id),
                words=ticket.last_words or _something(ticket, secret, named),
                words_by=words_by,
                state=ticket.state,
                awaiting=ticket.awaiting,
                # What is solved is nobody's turn, although its contacts may still be unanswered when it opens again.
                due_at=ticket.due_at if ticket.state in LIVE else None,
                due_reason=ticket.due_reason if ticket.state in LIVE else "",
                last_at=ticket.last_at,
                surfaces=rows.surfaces(tuple(ticket.surfaces)),
                tags=tuple(ticket.tags),
                also=tuple([named(queue) for queue in ticket.also_queue_ids]),
                owner=colleagues.get(ticket.owner_id),
                is_unread=ticket.arrivals > (ticket.read or 0) and ticket.last_direction != "out",
                is_high=ticket.priority > 0,
                queue_name=named(ticket.queue_id),
                snoozed_until=ticket.snoozed_until,
                has_trouble=ticket.send_trouble > 0,
            )
        )
    return tuple(found)


def _people(tickets: Iterable[Listed]) -> dict[int | None, Person]:
    """Who owns these tickets or spoke last on them."""
    names = {ticket.owner_id: ticket.owner_name for ticket in tickets}
    names |= {ticket.author_id: ticket.author_name for ticket in tickets}
    return {number: a_person(number, name or "") for number, name in names.items() if number is not None}


_NAMED = ("id", "name")


def a_person(number: int, name: str) -> Person:
    """Somebody of ours of whom no more is known, or asked, than what pages name them by."""
    return read(Person, _NAMED, (number, name))


def who(ticket: Ticket) -> str:
    """What the customer is called: their name, else a word and a number."""
    return str(ticket.customer)


def _something(ticket: Listed, confidential: frozenset[int], named: Callable[[int], str]) -> str:
    """What stands instead of words that are confidential."""
    secret = [queue for queue in ticket.reader_queue_ids if queue in confidential]
    return _("Something in %(queue)s") % {"queue": named(secret[0])} if secret else ""


def colleague(person: Person, me: Person) -> rows.Colleague:
    """A person as an avatar shows them."""
    return rows.Colleague(id=person.pk, name=person.name, initials=person.initials, is_me=person.pk == me.pk)
