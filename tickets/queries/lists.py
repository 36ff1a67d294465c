"""The ticket lists: by urgency, keyset paging both ways, nothing counted and nothing joined per row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from django.core.exceptions import PermissionDenied
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from agents.models import Person
from tickets import rows
from tickets.access import Rights, visible
from tickets.models import Ticket

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
        try:
            whole, rest = divmod(int(micros), 1_000_000)
            return cls(datetime.fromtimestamp(whole, UTC).replace(microsecond=rest), int(number))
        except (ValueError, OverflowError, OSError) as error:
            raise BadCursor(f"not a place in a list: {text[:40]!r}") from error


def view_name(key: str) -> str:
    """A view's name in the reader's language."""
    return {
        "open": _("All open"),
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "waiting": _("Waiting for customer"),
        "snoozed": _("Snoozed"),
    }[key]


VIEW_ICONS = {"open": "inbox", "mine": "user", "unassigned": "circle-dashed", "waiting": "hourglass", "snoozed": "zzz"}


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
        title = view_name(view)
        found = list(_slice(_of_view(person, have, view), start, backwards)[: limit + 1])
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
        older=str(Cursor(last.urgent_at, last.pk)) if last and has_older else "",
        newer=str(Cursor(first.urgent_at, first.pk)) if first and has_newer else "",
        stream=stream,
    )


def base(person: Person) -> QuerySet[Ticket]:
    """Tickets with all that a row shows, and how far this person has read each: joins by key, a row each."""
    mine = FilteredRelation("readings", condition=Q(readings__person=person))
    return Ticket.objects.select_related("customer", "owner", "last_author").annotate(
        mine=mine, read=F("mine__arrival")
    )


def _of_view(person: Person, have: Rights, view: str) -> QuerySet[Ticket]:
    if view == "mine":
        return base(person).filter(state="open", owner=person)
    if view in ("waiting", "snoozed"):
        return visible(have, base(person).filter(state=view))
    tickets = visible(have, base(person).filter(state="open"))
    return tickets.filter(owner=None) if view == "unassigned" else tickets


def _of_queue(person: Person, queue_id: int, start: Cursor | None, backwards: bool, limit: int) -> list[Ticket]:
    """The queue's own tickets, and those of other queues with an unanswered contact that entered here (row 6).

    Two index scans merged: an OR over both would walk the whole list of the installation.
    """
    own = _slice(base(person).filter(state="open", queue_id=queue_id), start, backwards)[: limit + 1]
    also = _slice(
        base(person).filter(state="open", also_queue_ids__contains=[queue_id]).exclude(also_queue_ids=[]),
        start,
        backwards,
    )[: limit + 1]
    merged = sorted([*own, *also], key=lambda ticket: (ticket.urgent_at, ticket.pk), reverse=backwards)
    return list(islice(merged, limit + 1))


def _slice(tickets: QuerySet[Ticket], start: Cursor | None, backwards: bool) -> QuerySet[Ticket]:
    if backwards:
        tickets = tickets.order_by("-urgent_at", "-id")
        if start:
            # The first half is what lets the index find the place; the second is exact.
            return tickets.filter(urgent_at__lte=start.urgent_at).filter(
                Q(urgent_at__lt=start.urgent_at) | Q(pk__lt=start.id)
            )
        return tickets
    tickets = tickets.order_by("urgent_at", "id")
    if start:
        return tickets.filter(urgent_at__gte=start.urgent_at).filter(
            Q(urgent_at__gt=start.urgent_at) | Q(pk__gt=start.id)
        )
    return tickets


def rows_of(person: Person, have: Rights, tickets: list[Ticket]) -> tuple[rows.TicketRow, ...]:
    """The tickets of base() as a list shows them, in the order they came."""
    return tuple(_row(person, have, ticket, getattr(ticket, "read", None) or 0) for ticket in tickets)


def _row(person: Person, have: Rights, ticket: Ticket, read: int) -> rows.TicketRow:
    author = ticket.last_author
    words_by = ""
    if ticket.last_direction == "out":
        words_by = (
            _("You") if author is not None and author.pk == person.pk else (author.first_name if author else _("We"))
        )
    return rows.TicketRow(
        id=ticket.pk,
        who=who(ticket),
        initials=ticket.customer.initials,
        words=ticket.last_words or _something(have, ticket),
        words_by=words_by,
        state=ticket.state,
        awaiting=ticket.awaiting,
        due_at=ticket.due_at,
        due_reason=ticket.due_reason,
        last_at=ticket.last_at,
        surfaces=rows.surfaces(ticket.surfaces),
        tags=tuple(ticket.tags),
        also=tuple(have.queue_name(queue) for queue in ticket.also_queue_ids),
        owner=colleague(ticket.owner, person) if ticket.owner else None,
        is_unread=ticket.arrivals > read and ticket.last_direction != "out",
        is_high=ticket.priority > 0,
        queue_name=have.queue_name(ticket.queue_id),
        snoozed_until=ticket.snoozed_until,
        cursor=str(Cursor(ticket.urgent_at, ticket.pk)),
    )


def who(ticket: Ticket) -> str:
    """What the customer is called: their name, else a word and a number."""
    return str(ticket.customer)


def _something(have: Rights, ticket: Ticket) -> str:
    """What stands instead of words that are confidential."""
    secret = [queue for queue in ticket.reader_queue_ids if queue in have.confidential]
    return _("Something in %(queue)s") % {"queue": have.queue_name(secret[0])} if secret else ""


def colleague(person: Person, me: Person) -> rows.Colleague:
    """A person as an avatar shows them."""
    return rows.Colleague(id=person.pk, name=person.name, initials=person.initials, is_me=person.pk == me.pk)
