"""From an address to the one customer it belongs to. Same key, same customer; anything weaker joins nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from channels.happenings import Address
from contactcentre.lib.text import clean_line
from customers.addresses import Key, key, shown
from customers.models import Customer, Identity, IdentityKind


@dataclass(frozen=True, slots=True)
class Resolved:
    """An identity and its customer, whose row stays locked until the caller's transaction ends."""

    identity: Identity
    customer: Customer
    is_new: bool


def resolve(address: Address, *, now: datetime) -> Resolved:
    """The identity with this address and its customer, made if nobody had it, the customer's row locked.

    Two workers that meet the same new address: the unique constraint lets one of them through, the other
    rolls its customer back and takes the first one's, so no orphan stays. Raises addresses.NotAnAddress.
    """
    wanted = key(address)
    found = _locked(wanted)
    if found is None:
        try:
            with transaction.atomic():
                return _make(address, wanted, now=now)
        except IntegrityError:
            found = _locked(wanted)
            if found is None:
                raise
    _refresh(found, address)
    return Resolved(found, found.customer, False)


def identity_of(address: Address, *, now: datetime) -> Identity:
    """The identity with this address, made with a customer of its own if nobody had it. Locks nobody:
    for people who are named on somebody else's contact."""
    wanted = key(address)
    found = Identity.objects.filter(kind=wanted.kind, scope=wanted.scope, value=wanted.value).first()
    return found or resolve(address, now=now).identity


def lock(customer_id: int) -> Customer:
    """The customer's row, locked until the transaction ends. Everything that decides about tickets of a
    customer holds this lock."""
    return Customer.objects.select_for_update().get(pk=customer_id)


def _locked(wanted: Key) -> Identity | None:
    return (
        Identity.objects.select_related("customer")
        # Both rows: a merge that moves the identity while we wait must be seen when the lock is ours.
        .select_for_update(of=("self", "customer"))
        .filter(kind=wanted.kind, scope=wanted.scope, value=wanted.value)
        .first()
    )


def _make(address: Address, wanted: Key, *, now: datetime) -> Resolved:
    name = clean_line(address.name, 200)
    called = f"@{clean_line(address.handle, 100)}" if address.handle else shown(address)
    customer = Customer.objects.create(
        name=name, called="" if wanted.kind == IdentityKind.NAMELESS else called, created_at=now
    )
    identity = Identity.objects.create(
        customer=customer,
        kind=wanted.kind,
        scope=wanted.scope,
        value=wanted.value,
        display=shown(address),
        name=name,
        handle=clean_line(address.handle, 100),
        avatar_url=address.avatar_url[:500],
        first_seen_at=now,
    )
    return Resolved(identity, customer, True)


def _refresh(identity: Identity, address: Address) -> None:
    """Handles and names are attributes that change; the key is not touched."""
    changed = []
    for column, value in (("name", clean_line(address.name, 200)), ("handle", clean_line(address.handle, 100))):
        if value and getattr(identity, column) != value:
            setattr(identity, column, value)
            changed.append(column)
    if changed:
        identity.save(update_fields=changed)
    if identity.name and not identity.customer.name and not identity.is_shared:
        identity.customer.name = identity.name
        identity.customer.save(update_fields=["name"])
