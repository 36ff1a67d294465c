"""From an address to the one customer it belongs to. Same key, same customer; anything weaker joins nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from channels.happenings import Address
from contactcentre.lib.by_hand import ByHand, selected
from contactcentre.lib.plans import Asked
from contactcentre.lib.prepared import PreparedRows, columns, insert, read, update
from contactcentre.lib.text import clean_line
from customers.addresses import Key, key, shown
from customers.models import Customer, Identity, IdentityKind

# Their networks tell a name only to who asks for it (tickets/naming.py).
_ASKED = frozenset({IdentityKind.FB_PSID})
# Here an identity is shown by its name, since nobody knows people by their ids.
_SHOWN_BY_NAME = frozenset({IdentityKind.FB_PSID, IdentityKind.FB_COMMENTER})


@dataclass(frozen=True, slots=True)
class Resolved:
    """An identity, locked until the caller's transaction ends, and its customer, locked too.

    The customer of a **shared** identity is locked by nobody and speaks for nobody: see speaker().
    """

    identity: Identity
    customer: Customer
    is_new: bool


def resolve(address: Address, *, now: datetime) -> Resolved:
    """The identity with this address and its customer, made if nobody had it, both rows locked.

    Two workers that meet the same new address: the unique constraint lets one of them through, the other
    rolls its customer back and takes the first one's, so no orphan stays. Raises addresses.NotAnAddress.
    """
    identity, is_new = identity_for(address, now=now)
    customer = identity.customer if identity.is_shared else customer_of(identity, is_new=is_new)
    return Resolved(identity, customer, is_new)


def identity_for(address: Address, *, now: datetime) -> tuple[Identity, bool]:
    """The identity with this address, made with a customer of its own if nobody had it, and whether it was made.

    Its row is locked, its customer's is not yet: the lock holds off whoever would give the identity, or one of its
    contacts, to somebody else, so that the caller can decide in peace whose row to lock next. Order of locks,
    here and everywhere: identities, then customers, then tickets, each in the order of their ids.
    Raises addresses.NotAnAddress.
    """
    wanted = key(address)
    found = _locked(wanted)
    if found is None:
        try:
            with transaction.atomic():
                return _make(address, wanted, now=now), True
        except IntegrityError:
            found = _locked(wanted)
            if found is None:
                raise
    _refresh(found, address)
    return found, False


def customer_of(identity: Identity, *, is_new: bool = False) -> Customer:
    """The identity's customer, locked, called by the identity's name where they had none."""
    if is_new:
        # Made in this transaction: nobody else can see it yet.
        return identity.customer
    customer = lock(identity.customer_id)
    take_name(customer, identity)
    return customer


def take_name(customer: Customer, identity: Identity) -> None:
    """Call a customer, who is locked, by the name of this identity of theirs where they had none."""
    if identity.name and not customer.name and not identity.is_shared:
        customer.name = identity.name
        update(customer, ("name",))


def name(identity: Identity, called: str) -> Customer | None:
    """Give an identity the name its network tells of it, and its customer, who was nameless, the same.

    No name: the network is not asked for one again, that is all. Returns the customer, locked; None where nothing
    changed, as on a shared identity, which has no one's name. The caller holds the identity's lock.
    """
    identity.ask_name_at = None
    known = clean_line(called, 200)
    if identity.is_shared or not known:
        identity.save(update_fields=["ask_name_at"])
        return None
    identity.name, identity.display = known, known
    identity.save(update_fields=["name", "display", "ask_name_at"])
    return customer_of(identity)


def is_blocked(author: Identity, customer: Customer | None) -> bool:
    """Whether words of this author for a contact of this customer are not let in (row 25).

    The author's own customer counts too where they write into somebody else's contact; that of a shared identity
    never, for it is only who happened to use it first.
    """
    if author.blocked_at or (customer is not None and customer.blocked_at):
        return True
    if author.is_shared or customer is None or customer.pk == author.customer_id:
        return False
    return Customer.objects.filter(pk=author.customer_id, blocked_at__isnull=False).exists()


def speaker(resolved: Resolved, address: Address, *, now: datetime) -> Customer:
    """Who begins a contact from this identity: its customer, or for a shared one somebody new (row 12)."""
    if not resolved.identity.is_shared:
        return resolved.customer
    return provisional(address, now=now)


def provisional(address: Address, *, now: datetime) -> Customer:
    """A new customer for one contact on a shared address: named as the author calls themselves, never matched."""
    return Customer.objects.create(
        name=clean_line(address.name, 200), called=shown(address), is_provisional=True, created_at=now
    )


def identity_of(address: Address, *, now: datetime) -> Identity:
    """The identity with this address, made with a customer of its own if nobody had it. Locks nobody:
    for people who are named on somebody else's contact."""
    wanted = key(address)
    found = Identity.objects.filter(kind=wanted.kind, scope=wanted.scope, value=wanted.value).first()
    return found or identity_for(address, now=now)[0]


def lock(customer_id: int) -> Customer:
    """The customer's row, locked until the transaction ends. Everything that decides about tickets of a
    customer holds this lock. Raises Customer.DoesNotExist."""
    row = _LOCK.first(customer_id)
    if row is None:
        raise Customer.DoesNotExist(f"there is no customer {customer_id}")
    return read(Customer, _CUSTOMER, row)


def locking(customer_id: int) -> Asked:
    """What lock() tells the database, for plans.in_turn() with what is asked under the lock."""
    return _LOCK.asked(customer_id)


def lock_whose(whose: Callable[[], int | None]) -> Customer | None:
    """Lock the customer whose something is, as `whose` reads it; None where it reads None.

    It is read again once the row is locked: somebody may have given it to another customer just before. That
    customer's row is let go then, so that two are never locked in another order than everybody's. For callers who
    hold no identity's lock; the caller holds a transaction.
    """
    while True:
        customer_id = whose()
        if customer_id is None:
            return None
        before = transaction.savepoint()
        customer = lock(customer_id)
        if whose() == customer_id:
            transaction.savepoint_commit(before)
            return customer
        transaction.savepoint_rollback(before)


def lock_all(customers: Iterable[int]) -> dict[int, Customer]:
    """The rows of these customers by their ids, locked in the order of the ids; those that are gone are left out."""
    rows = Customer.objects.select_for_update(no_key=True).filter(pk__in=set(customers)).order_by("pk")
    return {row.pk: row for row in rows}


def lock_identities(identities: Iterable[int]) -> dict[int, Identity]:
    """The rows of these identities by their ids, locked in the order of the ids, before any customer's."""
    rows = Identity.objects.select_for_update(no_key=True).filter(pk__in=set(identities)).order_by("pk")
    return {row.pk: row for row in rows}


def _locked(wanted: Key) -> Identity | None:
    return _IDENTITY.first(kind=wanted.kind, scope=wanted.scope, value=wanted.value)


def _identity_to_lock(*, kind: str, scope: str, value: str) -> QuerySet[Identity]:
    # Without "of key": rows that only point here (a message of a participant) need not wait, and so cannot
    # meet us in a circle.
    return Identity.objects.select_for_update(no_key=True).filter(kind=kind, scope=scope, value=value)


# Every message that comes in begins with these two.
_IDENTITY = PreparedRows(_identity_to_lock, Identity)
_CUSTOMER = columns(Customer)
_LOCK = ByHand(
    "lock_customer",
    f"SELECT {selected(Customer, _CUSTOMER, 'customer')} FROM customers_customer customer"  # noqa: S608
    " WHERE id = %s FOR NO KEY UPDATE",
)


def _make(address: Address, wanted: Key, *, now: datetime) -> Identity:
    name = clean_line(address.name, 200)
    called = f"@{clean_line(address.handle, 100)}" if address.handle else shown(address)
    customer = Customer(name=name, called="" if wanted.kind == IdentityKind.NAMELESS else called, created_at=now)
    insert(customer)
    identity = Identity(
        customer=customer,
        kind=wanted.kind,
        scope=wanted.scope,
        value=wanted.value,
        display=shown(address),
        name=name,
        handle=clean_line(address.handle, 100),
        avatar_url=address.avatar_url[:500],
        first_seen_at=now,
        ask_name_at=now if wanted.kind in _ASKED and not name else None,
    )
    insert(identity)
    return identity


def _refresh(identity: Identity, address: Address) -> None:
    """Handles and names are attributes that change; the key is not touched. A shared address has no one's name."""
    columns = [("handle", clean_line(address.handle, 100))]
    if not identity.is_shared:
        columns.append(("name", clean_line(address.name, 200)))
        if address.name and identity.kind in _SHOWN_BY_NAME:
            columns.append(("display", shown(address)))
    changed = []
    for column, value in columns:
        if value and getattr(identity, column) != value:
            setattr(identity, column, value)
            changed.append(column)
    if identity.name and identity.ask_name_at is not None:
        identity.ask_name_at = None
        changed.append("ask_name_at")
    if changed:
        update(identity, tuple(changed))
