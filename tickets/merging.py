"""Joining an identity to another customer, and taking that back (docs/one-ticket.md, row 15).

Joining moves the identity and its contacts, nothing else of its old customer. Taking back moves it to where the
merges still in force put it, with its contacts and messages, those that arrived since too; a contact that a person
moved by hand stays. Each ticket comes back as it was before the merge, but for what still holds since: a snooze that
is over has ended, an owner who left is gone, new unanswered words of the customer have opened it, and a column that
somebody changed after the merge on the surviving ticket keeps that change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from customers import merging as ledger
from customers import resolving
from customers.models import Customer, Identity, IdentityKind, IdentityMove, Merge
from tickets import access, returning
from tickets.access import Rights
from tickets.carrying import Carrying, columns
from tickets.models import LIVE, Contact, Fate, State, Ticket

BY_HAND = "by-hand"


class CannotJoin(Exception):
    """These two cannot be joined, or not be taken apart; the text says why in plain words."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What joining would do to one ticket of the identity's customer.

    `fate`: it goes whole (carried), becomes part of the other customer's live ticket (folded), or gives only the
    identity's contacts (parted). `other` is that live ticket, None where there is none or it stays as it is;
    `survivor` is the ticket whose number remains for these contacts, None where a new one would begin.
    """

    ticket: Ticket
    fate: Fate
    contacts: tuple[Contact, ...]
    other: Ticket | None
    survivor: Ticket | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What joining would do, before anybody does it."""

    identity: Identity
    here: Customer
    into: Customer
    planned: tuple[Planned, ...]

    @property
    def contacts(self) -> int:
        """How many contacts would go."""
        return sum(len(one.contacts) for one in self.planned)


def preview(*, person: Person, identity_id: int, into_customer_id: int) -> Preview:
    """What join() would do just now; changes and locks nothing. Raises like join()."""
    have = access.rights(person)
    identity = Identity.objects.select_related("customer").filter(pk=identity_id).first()
    into = Customer.objects.filter(pk=into_customer_id).first()
    if identity is None or into is None:
        raise Http404
    _refuse(have, identity, into)
    live = Ticket.objects.select_related("queue").filter(customer=into, state__in=LIVE).first()
    return Preview(identity, identity.customer, into, tuple(_plan(identity, identity.customer_id, live)))


@transaction.atomic
def join(*, person: Person, identity_id: int, into_customer_id: int, evidence: str, now: datetime) -> Merge:
    """Give the identity to another customer, with its contacts and messages, and return the ledger's entry.

    `evidence` is one enumerated word that says on what ground ("by-hand": a person decided). Where both have live
    tickets the older survives. Raises CannotJoin, Http404, and PermissionDenied for who may not act on the
    tickets of both.
    """
    have = access.rights(person)
    identity = resolving.lock_identities([identity_id]).get(identity_id)
    if identity is None:
        raise Http404
    source_id = identity.customer_id
    customers = resolving.lock_all([source_id, into_customer_id])
    into = customers.get(into_customer_id)
    if into is None:
        raise Http404
    _refuse(have, identity, into)
    concerned = list(_contacts(identity, source_id).values_list("ticket_id", flat=True))
    merge = ledger.join(identity=identity, into=into, person=person, evidence=evidence, now=now)
    carrying = Carrying(identity=identity, person=person, now=now, merge=merge)
    carrying.hold([source_id, into.pk], also=concerned)
    for planned in _plan(identity, source_id, carrying.live_of(into.pk)):
        _carry_out(carrying, planned, into.pk)
    if into.is_provisional:
        # Somebody has said who it is: an address of their own finds them from now on.
        into.is_provisional = False
        into.save(update_fields=["is_provisional"])
    for customer_id in (source_id, into.pk):
        history.record(
            at=now,
            act="customer.joined",
            actor=person,
            customer_id=customer_id,
            merge=merge.pk,
            identity=identity.pk,
            before=source_id,
            into=into.pk,
            evidence=evidence,
        )
    carrying.tell("ticket.joined", merge=merge.pk, identity=identity.pk)
    carrying.finish()
    return merge


@transaction.atomic
def take_back(*, person: Person, merge_id: int, now: datetime) -> Merge:
    """Undo a merge and return it; once undone, doing it again changes nothing.

    Only identities that still are where this merge put them go back. Raises Http404, and PermissionDenied for who
    may not act on the ticket that loses them; see may_take_back().
    """
    have = access.rights(person)
    moved = IdentityMove.objects.filter(merge=merge_id).values_list("identity_id", flat=True)
    identities = resolving.lock_identities(moved)
    merge = Merge.objects.select_for_update(no_key=True).filter(pk=merge_id).first()
    if merge is None:
        raise Http404
    if merge.undone_at is not None:
        return merge
    going = ledger.returns(merge, identities.values())
    resolving.lock_all([place for one in going for place in (one.here, one.back)])
    for here, back in {(one.here, one.back) for one in going} or {(merge.into_id, merge.into_id)}:
        may_take_back(have, here=here, back=back, is_theirs=merge.made_by_id == person.pk)
    ledger.take_back(merge, going, person=person, now=now)
    for one in going:
        carrying = Carrying(identity=one.identity, person=person, now=now, merge=merge)
        returning.bring_back(carrying, here=one.here, back=one.back)
        for customer_id in (one.here, one.back):
            history.record(
                at=now,
                act="customer.parted",
                actor=person,
                customer_id=customer_id,
                merge=merge.pk,
                identity=one.identity.pk,
                before=one.here,
                into=one.back,
            )
        carrying.tell("ticket.parted", merge=merge.pk, identity=one.identity.pk)
        carrying.finish()
    return merge


def may_act(have: Rights, customer_id: int) -> None:
    """Pass where the person may act on the customer's live ticket, else on their latest. Raises PermissionDenied.

    A customer without any ticket has nothing that could be seen, and is left to leads.
    """
    tickets = Ticket.objects.filter(customer_id=customer_id).exclude(state=State.MERGED)
    current = tickets.filter(state__in=LIVE).first() or tickets.order_by("-id").first()
    if current is None:
        if not have.everything:
            raise PermissionDenied
    elif not have.may_read(current):
        raise PermissionDenied


def may_take_back(have: Rights, *, here: int, back: int, is_theirs: bool) -> None:
    """Pass where the person may act on the customer something returns from. Who did it themselves may also where they
    see only whom it returns to; but not on the strength of a team that they have left. Raises PermissionDenied."""
    try:
        may_act(have, here)
    except PermissionDenied:
        if not is_theirs:
            raise
        may_act(have, back)


def _refuse(have: Rights, identity: Identity, into: Customer) -> None:
    """Everything that makes a joining impossible, each with its own sentence."""
    may_act(have, identity.customer_id)
    may_act(have, into.pk)
    if identity.customer_id == into.pk:
        raise CannotJoin(_("This address is theirs already."))
    if identity.kind == IdentityKind.NAMELESS:
        raise CannotJoin(_("Nobody is to be seen behind this address. Give the contact to somebody instead."))
    if identity.is_shared:
        raise CannotJoin(_("Several people use this address. Give single contacts to them instead."))


def _contacts(identity: Identity, customer_id: int) -> QuerySet[Contact]:
    """The contacts that go with the identity: a contact given to somebody by hand stays with them (row 13)."""
    return Contact.objects.filter(identity=identity, customer_id=customer_id, moved_by_hand_at=None)


def _plan(identity: Identity, source_id: int, live: Ticket | None) -> list[Planned]:
    """What becomes of each ticket that holds contacts of the identity. `live` is the other customer's live one."""
    going: dict[int, list[Contact]] = defaultdict(list)
    for contact in _contacts(identity, source_id).order_by("id"):
        going[contact.ticket_id].append(contact)
    sizes = dict(
        Contact.objects.filter(ticket__in=list(going)).values_list("ticket_id").annotate(Count("id")).order_by()
    )
    planned = []
    for ticket in Ticket.objects.select_related("queue").filter(pk__in=list(going)).order_by("id"):
        contacts = tuple(going[ticket.pk])
        is_whole = sizes[ticket.pk] == len(contacts)
        if not is_whole:
            other = live if ticket.is_live else None
            planned.append(Planned(ticket, Fate.PARTED, contacts, other, other))
        elif ticket.is_live and live is not None:
            older, _younger = sorted((ticket, live), key=lambda one: (one.opened_at, one.pk))
            planned.append(Planned(ticket, Fate.FOLDED, contacts, live, older))
        else:
            planned.append(Planned(ticket, Fate.CARRIED, contacts, None, ticket))
    return planned


def _carry_out(carrying: Carrying, planned: Planned, into_id: int) -> None:
    """Do to one ticket what was planned."""
    ticket = carrying.tickets[planned.ticket.pk]
    other = carrying.tickets[planned.other.pk] if planned.other else None
    source_id = ticket.customer_id
    if planned.fate == Fate.CARRIED or (planned.survivor == ticket and other is not None):
        if other is not None:
            _fold(carrying, other, ticket, carrying.contacts_on(other))
        carrying.step(Fate.CARRIED, ticket, contacts=planned.contacts, from_customer=source_id, before=columns(ticket))
        carrying.carry(ticket, into_id)
    elif planned.fate == Fate.FOLDED and other is not None:
        _fold(carrying, ticket, other, planned.contacts)
    else:
        goal = other or carrying.equal(ticket, into_id)
        into_before = columns(goal)
        if ticket.state == State.OPEN:
            carrying.wake(goal, planned.contacts)
        carrying.step(
            Fate.PARTED,
            ticket,
            into=goal,
            contacts=planned.contacts,
            from_customer=source_id,
            before=columns(ticket),
            into_before=into_before,
            into_after=columns(goal),
        )
        carrying.part(planned.contacts, goal)


def _fold(carrying: Carrying, younger: Ticket, older: Ticket, contacts: Sequence[Contact]) -> None:
    """The younger ticket becomes merged into the older one, then its contacts go there."""
    before, into_before = columns(younger), columns(older)
    carrying.unite(younger, older)
    carrying.step(
        Fate.FOLDED,
        younger,
        into=older,
        contacts=contacts,
        from_customer=younger.customer_id,
        before=before,
        into_before=into_before,
        into_after=columns(older),
    )
    if contacts:
        carrying.part(contacts, older)
    else:
        carrying.fold(younger, older)
