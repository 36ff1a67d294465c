"""Finding a customer to choose: by name, handle, address or number, never one whose tickets one may not see."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from contactcentre.lib import lookups as _lookups  # noqa: F401  (registers has_text)
from contactcentre.lib.text import clean_line
from customers.addresses import digits_to_find
from customers.models import Customer, Identity, IdentityKind
from tickets.access import Rights, visible
from tickets.models import Ticket
from tickets.queries.ticket import BADGES

LIMIT = 20
# So many rows of an index are looked at; beyond it a narrower search is asked for.
CANDIDATES = 400
SHORTEST = 2
SHOWN_ADDRESSES = 4


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer to choose from. `ticket_id` is their latest ticket the person may see.

    `addresses` have the name of a surface each, whose sign tells a comment's author from a writer on Messenger: both
    are called by the same name. It is "" where there is no sign.
    """

    id: int
    name: str
    initials: str
    addresses: tuple[tuple[str, str], ...]
    ticket_id: int
    ticket_state: str
    is_provisional: bool
    is_organisation: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a search for customers found. `more` says that there is more than is shown."""

    query: str
    rows: tuple[CustomerRow, ...]
    more: bool = False
    too_short: bool = False


def find(have: Rights, text: str, *, without: int = 0, limit: int = LIMIT) -> Choice:
    """The customers that a text finds, those whose name begins with it first; at most four statements.

    `without` leaves out the customer one is choosing for. What the person may not see is left out before anything
    is counted.
    """
    query = clean_line(text, 100)
    needle = query.lstrip("@")
    if len(needle) < SHORTEST:
        return Choice(query, (), too_short=True)
    found = _candidates(have, needle) - {without}
    if not found:
        return Choice(query, ())
    tickets = (
        visible(have, Ticket.objects.select_related("customer").filter(customer_id__in=sorted(found)[:CANDIDATES]))
        .exclude(state="merged")
        .order_by("customer_id", "-id")
        .distinct("customer_id")
    )
    latest = sorted(tickets, key=lambda ticket: _rank(ticket.customer, needle))
    chosen = latest[:limit]
    addresses = _addresses([ticket.customer_id for ticket in chosen])
    rows = tuple(
        CustomerRow(
            id=ticket.customer_id,
            name=str(ticket.customer),
            initials=ticket.customer.initials,
            addresses=tuple(addresses[ticket.customer_id][:SHOWN_ADDRESSES]),
            ticket_id=ticket.pk,
            ticket_state=ticket.get_state_display(),
            is_provisional=ticket.customer.is_provisional,
            is_organisation=ticket.customer.kind == "organisation",
        )
        for ticket in chosen
    )
    return Choice(query, rows, more=len(latest) > limit)


def _candidates(have: Rights, needle: str) -> set[int]:
    wanted = Q(display__has_text=needle) | Q(name__has_text=needle) | Q(handle__has_text=needle)
    digits = digits_to_find(needle)
    if len(digits) >= 4:
        wanted |= Q(value__contains=digits)
    identities, people = Identity.objects.filter(wanted), Customer.objects.filter(name__has_text=needle)
    if not have.everything:
        # Before the newest are taken: those whose tickets one may not see would leave no room for the others.
        identities = identities.filter(_has_visible(have, "customer_id"))
        people = people.filter(_has_visible(have, "pk"))
    by_identity = identities.order_by("-id").values_list("customer_id", flat=True)
    by_name = people.order_by("-id").values_list("pk", flat=True)
    return {*by_identity[:CANDIDATES], *by_name[:CANDIDATES]}


def _has_visible(have: Rights, customer: str) -> Exists:
    return Exists(visible(have, Ticket.objects.filter(customer_id=OuterRef(customer))))


def _rank(customer: Customer, needle: str) -> tuple[bool, str, int]:
    name = customer.name.casefold()
    return (not name.startswith(needle.casefold()), name, customer.pk)


def _addresses(customers: list[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = Identity.objects.filter(customer_id__in=customers).exclude(kind="nameless").order_by("first_seen_at", "id")
    for identity in rows[: LIMIT * 10]:
        found[identity.customer_id].append((BADGES.get(IdentityKind(identity.kind), ""), identity.label))
    return found
