"""Tickets and customers as programs ask for them: by filters, keyset paging, nothing counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import Http404

from agents.models import Person
from channels.models import ChannelAccount
from contactcentre.lib.ids import identifier
from customers.models import Customer, Identity
from tickets.access import Rights, visible
from tickets.models import LIVE, AccountFeed, Contact, Queue, Ticket
from tickets.queries import people
from tickets.queries.lists import BadCursor, Cursor
from tickets.queries.search import search

MOST_CONTACTS = 100
MOST_IDENTITIES = 50


@dataclass(frozen=True, slots=True)
class Selected:
    """One page of rows. `next` is what the following page begins after, empty at the end."""

    rows: Sequence[Ticket]
    next: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class SelectedCustomers:
    """One page of customers, each with `identities` read and `live_ticket` annotated."""

    rows: Sequence[Customer]
    next: int | None = None
    more: bool = False


def tickets(
    person: Person,
    have: Rights,
    *,
    limit: int,
    q: str = "",
    queue_id: int | None = None,
    status: str = "",
    customer_id: int | None = None,
    after: str = "",
) -> Selected:
    """The tickets this person may see that answer every filter.

    Open ones come most urgent first, as in the inbox; all others newest first. A search by `q` is capped and not
    paged: `more` says that a narrower one would find others. One statement, a search five more. Raises BadCursor,
    Http404 for a queue that is not there.
    """
    if queue_id is not None and not have.queue_name(queue_id):
        raise Http404
    rows = visible(have, Ticket.objects.select_related("customer", "owner"))
    if queue_id is not None:
        rows = rows.filter(queue_id=queue_id)
    if customer_id is not None:
        rows = rows.filter(customer_id=customer_id)
    if status == "live":
        rows = rows.filter(state__in=LIVE)
    elif status:
        rows = rows.filter(state=status)
    if q:
        return _searched(person, have, rows, q, limit)
    if status == "open":
        return _by_urgency(rows, after, limit)
    if after:
        start = identifier(after)
        if start is None:
            raise BadCursor(f"not a place in a list: {after[:40]!r}")
        rows = rows.filter(pk__lt=start)
    found = list(rows.order_by("-id")[: limit + 1])
    return Selected(found[:limit], str(found[limit - 1].pk) if len(found) > limit else "", len(found) > limit)


def _by_urgency(rows: QuerySet[Ticket], after: str, limit: int) -> Selected:
    if after:
        start = Cursor.parse(after)
        # The first half is what lets the index find the place; the second is exact.
        rows = rows.filter(urgent_at__gte=start.urgent_at).filter(
            Q(urgent_at__gt=start.urgent_at) | Q(pk__gt=start.id)
        )
    found = list(rows.order_by("urgent_at", "id")[: limit + 1])
    if len(found) <= limit:
        return Selected(found)
    last = found[limit - 1]
    return Selected(found[:limit], str(Cursor(last.urgent_at, last.pk)), more=True)


def _searched(person: Person, have: Rights, rows: QuerySet[Ticket], q: str, limit: int) -> Selected:
    found = search(person, have, q, limit=limit)
    kept = {ticket.pk: ticket for ticket in rows.filter(pk__in=[hit.ticket_id for hit in found.hits])}
    return Selected([kept[hit.ticket_id] for hit in found.hits if hit.ticket_id in kept], more=found.more)


def contacts(have: Rights, ticket: Ticket) -> list[Contact]:
    """The ticket's contacts this person may read, latest first."""
    rows = Contact.objects.select_related("account", "identity").filter(ticket=ticket)
    secret = have.confidential - have.queues
    if secret and not have.everything:
        rows = rows.exclude(entry_queue_id__in=sorted(secret))
    return list(rows.order_by("-last_said_at", "-id")[:MOST_CONTACTS])


def customers(have: Rights, *, limit: int, q: str = "", after: int | None = None) -> SelectedCustomers:
    """The customers of whom this person may see a ticket, newest first; a search is capped and not paged.

    Two statements, a search four more.
    """
    rows = _customers(have)
    if q:
        chosen = people.find(have, q, limit=limit)
        by_id = {row.pk: row for row in rows.filter(pk__in=[row.id for row in chosen.rows])}
        return SelectedCustomers([by_id[row.id] for row in chosen.rows if row.id in by_id], more=chosen.more)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-id")[: limit + 1])
    more = len(found) > limit
    return SelectedCustomers(found[:limit], found[limit - 1].pk if more else None, more)


def customer(have: Rights, customer_id: int) -> Customer:
    """One customer of whom this person may see a ticket. Raises Http404: who it is, is nobody else's business."""
    found = _customers(have).filter(pk=customer_id).first()
    if found is None:
        raise Http404
    return found


def _customers(have: Rights) -> QuerySet[Customer]:
    seen = visible(have, Ticket.objects.filter(customer_id=OuterRef("pk")))
    identities = Identity.objects.order_by("first_seen_at", "id")
    return (
        Customer.objects.filter(Exists(seen))
        .annotate(live_ticket=Subquery(seen.filter(state__in=LIVE).values("pk")[:1]))
        .prefetch_related(Prefetch("identities", identities))
    )


def accounts(*, limit: int, after: int | None = None) -> tuple[list[tuple[ChannelAccount, Queue | None]], int | None]:
    """The channel accounts, oldest first, each with the queue it feeds; and what the next page begins after.

    The queue is None only while there is none at all.
    """
    rows = ChannelAccount.objects.defer("credentials").order_by("id")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = list(rows[: limit + 1])
    feeds = {feed.account_id: feed.queue for feed in AccountFeed.objects.select_related("queue")}
    default = Queue.objects.filter(is_default=True).first()
    kept = [(row, feeds.get(row.pk, default)) for row in found[:limit]]
    return kept, found[limit - 1].pk if len(found) > limit else None
