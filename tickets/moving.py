"""One contact goes to another customer by hand: "I'm Carla" (docs/one-ticket.md, row 13).

The contact moves, its identity does not: that number becomes Carla's only by joining it to her (merging.py). What a
person decided about a contact outlives merges and their taking back.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from contactcentre.lib.text import clean_line
from customers import resolving
from customers.models import Customer
from tickets import access, returning
from tickets.carrying import Carrying, columns
from tickets.merging import may_act, may_take_back
from tickets.models import Contact, ContactMove, Fate, State, Ticket

LONGEST_NAME = 200
MOST_SHOWN = 20


class CannotMove(Exception):
    """This contact cannot go there, or not come back; the text says why in plain words."""


@transaction.atomic
def move_contact(
    *, person: Person, contact_id: int, now: datetime, to_customer_id: int | None = None, name: str = ""
) -> ContactMove:
    """Give a contact to another customer, or to a new one called `name`, and return what was done.

    It goes to that customer's live ticket, or to a new one in the queue it stood in; a ticket left empty becomes
    merged into that one. Raises CannotMove, Http404 and PermissionDenied.
    """
    have = access.rights(person)
    contact = _locked(contact_id)
    called = clean_line(name, LONGEST_NAME)
    if to_customer_id is None and not called:
        raise CannotMove(_("Choose somebody, or type a name."))
    here = contact.customer_id
    customers = resolving.lock_all([here, *([to_customer_id] if to_customer_id else [])])
    contact = _again(contact)
    if not have.may_read_contact(contact.entry_queue_id):
        raise PermissionDenied
    source = access.ticket_to_read(have, contact.ticket_id)
    if to_customer_id is None:
        goal = Customer.objects.create(name=called, created_at=now)
    elif to_customer_id not in customers:
        raise Http404
    else:
        goal = customers[to_customer_id]
        may_act(have, goal.pk)
    if goal.pk == here:
        raise CannotMove(_("This contact is theirs already."))
    carrying = Carrying(identity=contact.identity, person=person, now=now)
    carrying.hold([here, goal.pk], also=[source.pk])
    source = carrying.tickets[source.pk]
    into = carrying.live_of(goal.pk)
    before, into_before = columns(source), columns(into) if into else {}
    if into is None:
        into = carrying.equal(source, goal.pk)
    elif source.state == State.OPEN:
        carrying.wake(into, [contact])
    move = ContactMove.objects.create(
        contact=contact,
        from_ticket=source,
        to_ticket=into,
        from_customer_id=here,
        to_customer=goal,
        followed_identity=contact.customer_id == contact.identity.customer_id,
        by_hand_before=contact.moved_by_hand_at,
        made_at=now,
        made_by=person,
    )
    carrying.move = move
    is_emptied = carrying.part([contact], into)
    carrying.step(
        Fate.FOLDED if is_emptied else Fate.PARTED,
        source,
        into=into,
        contacts=[contact],
        from_customer=here,
        before=before,
        into_before=into_before,
        into_after=columns(into) if into_before else {},
    )
    Contact.objects.filter(pk=contact.pk).update(moved_by_hand_at=now)
    if goal.is_provisional and not contact.identity.is_shared:
        Customer.objects.filter(pk=goal.pk).update(is_provisional=False)
    _remember(carrying, move, "contact_moved", here=here, there=goal.pk)
    return move


@transaction.atomic
def take_back_move(*, person: Person, move_id: int, now: datetime) -> ContactMove:
    """Let a moved contact return and give back the move; done twice, it changes nothing the second time.

    It goes back to its ticket, which comes back to life if the move emptied it; where its identity was joined to
    somebody else meanwhile, it goes to them. What went on from it on later tickets of whom it was given to returns
    with it. Raises CannotMove where somebody has moved it on since, Http404, and
    PermissionDenied for who may not act on the ticket it is on now.
    """
    have = access.rights(person)
    row = ContactMove.objects.filter(pk=move_id).values_list("contact_id", flat=True).first()
    if row is None:
        raise Http404
    contact = _locked(row)
    move = (
        ContactMove.objects.select_for_update(of=("self",), no_key=True).select_related("from_ticket").get(pk=move_id)
    )
    if move.undone_at is not None:
        return move
    later = ContactMove.objects.filter(contact=contact, pk__gt=move.pk, undone_at=None)
    if later.exists() or contact.customer_id != move.to_customer_id:
        raise CannotMove(_("Somebody has moved it on since."))
    here = contact.customer_id
    back = contact.identity.customer_id if move.followed_identity else move.from_customer_id
    resolving.lock_all([here, back])
    contact = _again(contact)
    may_take_back(have, here=here, back=back, is_theirs=move.made_by_id == person.pk)
    move.undone_at, move.undone_by = now, person
    move.save(update_fields=["undone_at", "undone_by"])
    carrying = Carrying(identity=contact.identity, person=person, now=now, move=move)
    followed = _continuations(contact)
    if back != here:
        returning.go_home(carrying, contact, move.from_ticket, followed, back=back)
    going = [contact.pk, *(one.pk for one in followed)]
    Contact.objects.filter(pk__in=going).update(moved_by_hand_at=move.by_hand_before)
    _remember(carrying, move, "contact_returned", here=here, there=back)
    return move


def in_force(ticket: Ticket) -> list[ContactMove]:
    """The moves by hand that brought contacts to this ticket and can be taken back, newest first, one query."""
    return list(
        ContactMove.objects.select_related("made_by", "contact__identity")
        .filter(to_ticket=ticket, undone_at=None, contact__ticket=ticket)
        .order_by("-id")[:MOST_SHOWN]
    )


def _locked(contact_id: int) -> Contact:
    """The contact as it is once nobody else can move it: its identity's row is locked. Raises Http404.

    Only its customer stands still by that: on which of their tickets it is, is known under their lock (_again()).
    """
    identity_id = Contact.objects.filter(pk=contact_id).values_list("identity_id", flat=True).first()
    if identity_id is None:
        raise Http404
    resolving.lock_identities([identity_id])
    return Contact.objects.select_related("identity", "entry_queue").get(pk=contact_id)


def _again(contact: Contact) -> Contact:
    """The contact as it is now that its customer's row is locked too: a merge of another identity of theirs may have
    taken it to another ticket until then. Moved from the ticket it was on, it would be left where it is."""
    return Contact.objects.select_related("identity", "entry_queue").get(pk=contact.pk)


def _continuations(contact: Contact) -> list[Contact]:
    """The contacts in which a moved one goes on, on later tickets of whom it was given to: they keep its time."""
    alike = Contact.objects.filter(
        identity=contact.identity, surface=contact.surface, thread=contact.thread, customer_id=contact.customer_id
    )
    return list(alike.filter(moved_by_hand_at=contact.moved_by_hand_at, pk__gt=contact.pk).order_by("id"))


def _remember(carrying: Carrying, move: ContactMove, what: str, *, here: int, there: int) -> None:
    for customer_id in sorted({here, there}):
        history.record(
            at=carrying.now,
            act=f"customer.{what}",
            actor=carrying.person,
            customer_id=customer_id,
            contact=move.contact_id,
            move=move.pk,
            before=here,
            into=there,
        )
    carrying.tell(f"ticket.{what}", contact=move.contact_id, move=move.pk)
    carrying.finish()
