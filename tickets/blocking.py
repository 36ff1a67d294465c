"""Who is not let in any more, and again (docs/one-ticket.md, row 25).

A customer is blocked, and so is each address they write from: in somebody's Cc it is the address that tells who
writes, and on a shared address, which stands for nobody, a customer for the time being never writes again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import Http404

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from customers import resolving
from customers.models import Customer, Identity
from tickets import access
from tickets.events import ticket_changed
from tickets.merging import may_act
from tickets.models import LIVE, Contact, Ticket


def lock_addresses(customer_id: int) -> None:
    """Lock the addresses that set_blocked() will change. Before the customer's row, as everybody locks."""
    resolving.lock_identities(_addresses(customer_id, blocked=None))


def set_blocked(customer_id: int, *, blocked: bool, now: datetime) -> dict[str, Any] | None:
    """Block a customer with their addresses, or let all of them through; None where they were already.

    Returns what put_back() needs, as JSON holds it. The caller holds the customer's lock and lock_addresses().
    """
    at = now if blocked else None
    customers = Customer.objects.filter(pk=customer_id, blocked_at__isnull=blocked).update(blocked_at=at)
    addresses = _addresses(customer_id, blocked=not blocked)
    if not customers and not addresses:
        return None
    Identity.objects.filter(pk__in=addresses).update(blocked_at=at)
    return {"blocked": blocked, "customer": customer_id if customers else None, "addresses": addresses}


def put_back(done: dict[str, Any], *, now: datetime) -> None:
    """Undo what set_blocked() did; the caller has locked the addresses, then the customer."""
    at = None if done["blocked"] else now
    Customer.objects.filter(pk=done["customer"]).update(blocked_at=at)
    Identity.objects.filter(pk__in=done["addresses"]).update(blocked_at=at)


@transaction.atomic
def let_through(*, person: Person, customer_id: int, now: datetime) -> None:
    """Let a customer and their addresses through again, also where all their tickets are over: no act on a ticket
    reaches them then. Raises Http404 and PermissionDenied."""
    have = access.rights(person)
    lock_addresses(customer_id)
    if customer_id not in resolving.lock_all([customer_id]):
        raise Http404
    may_act(have, customer_id)
    if set_blocked(customer_id, blocked=False, now=now) is None:
        return
    history.record(at=now, act="customer.unblocked", actor=person, customer_id=customer_id)
    for ticket in Ticket.objects.filter(customer_id=customer_id, state__in=LIVE):
        realtime.publish(*ticket_changed(ticket))


def _addresses(customer_id: int, *, blocked: bool | None) -> list[int]:
    """The addresses that are blocked and let through with a customer; of those, where `blocked` is said, only the
    ones that are so now.

    A shared address is blocked only with somebody of whom nobody knows yet who they are, and let through with anybody
    on whose card it stands.
    """
    of_contacts = Contact.objects.filter(customer_id=customer_id, customer__is_provisional=True)
    shared = Q(is_shared=True, pk__in=of_contacts.values("identity_id"))
    found = Identity.objects.filter(Q(customer_id=customer_id) | shared)
    if blocked is not None:
        found = found.filter(blocked_at__isnull=not blocked)
    if blocked is False:
        found = found.exclude(is_shared=True, customer_id=customer_id)
    return list(found.order_by("pk").values_list("pk", flat=True))
