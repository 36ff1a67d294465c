"""An address that several people use, and a customer that is a company (docs/one-ticket.md, row 12)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from customers import resolving
from customers.models import CustomerKind, Identity, IdentityKind
from tickets import access
from tickets.events import ticket_changed
from tickets.merging import may_act
from tickets.models import LIVE, Ticket


class CannotShare(Exception):
    """This cannot be said of that address or customer; the text says why in plain words."""


@transaction.atomic
def mark_shared(*, person: Person, identity_id: int, shared: bool, now: datetime) -> Identity:
    """Say that several people use an address, or that it is one person's after all, and return it.

    A shared address resolves to nobody by itself: each new contact begins with a provisional customer, and one that
    has begun goes on with its own. What was said before stays where it is. Raises CannotShare, Http404 and
    PermissionDenied.
    """
    have = access.rights(person)
    identity = resolving.lock_identities([identity_id]).get(identity_id)
    if identity is None:
        raise Http404
    resolving.lock(identity.customer_id)
    may_act(have, identity.customer_id)
    if identity.kind == IdentityKind.NAMELESS:
        raise CannotShare(_("Nobody is to be seen behind this address."))
    if identity.is_shared == shared:
        return identity
    identity.is_shared = shared
    if shared:
        # The name of whoever wrote last would stand above everybody's words.
        identity.name = ""
    identity.save(update_fields=["is_shared", "name"])
    act = "customer.shared" if shared else "customer.unshared"
    history.record(at=now, act=act, actor=person, customer_id=identity.customer_id, identity=identity.pk)
    _publish(identity.customer_id)
    return identity


@transaction.atomic
def set_kind(*, person: Person, customer_id: int, kind: str, now: datetime) -> None:
    """Say whether a customer is a person or an organisation. Raises CannotShare, Http404 and PermissionDenied."""
    have = access.rights(person)
    customer = resolving.lock_all([customer_id]).get(customer_id)
    if customer is None:
        raise Http404
    may_act(have, customer.pk)
    if kind not in CustomerKind.values:
        raise CannotShare(_("A customer is a person or an organisation."))
    if customer.kind == kind:
        return
    customer.kind = kind
    customer.save(update_fields=["kind"])
    history.record(at=now, act="customer.kind_set", actor=person, customer_id=customer.pk, kind=kind)
    _publish(customer.pk)


def _publish(customer_id: int) -> None:
    """Tell those who have the customer's live ticket open."""
    for ticket in Ticket.objects.filter(customer_id=customer_id, state__in=LIVE):
        realtime.publish(*ticket_changed(ticket))
