"""Work that has lost its person or its queue finds another place: what people who left held goes back to its queue,
and what stands in a removed queue goes to the one that follows it (docs/one-ticket.md, row 4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from agents import history, people
from agents.models import Person
from contactcentre.lib import realtime
from customers import resolving
from tickets import tidying, urgency
from tickets.events import ticket_changed
from tickets.models import LIVE, Ticket
from tickets.queries import figures
from tickets.targets import Targets

AT_ONCE = 200
# Deactivated, or no longer agent or lead: nobody would find on their list what they hold.
HOLDS_NOTHING = Q(owner__is_active=False) | Q(owner__is_agent=False, owner__is_lead=False)


def deactivate(*, actor: Person, person_id: int, now: datetime) -> int | None:
    """Let somebody in no longer and return their live tickets to the queues; None where they were deactivated already.

    Returns how many went back at once; after a kill in between, and beyond AT_ONCE, return_left() does the rest.
    Raises Http404, people.CannotChange.
    """
    if not people.deactivate(actor=actor, person_id=person_id, now=now):
        return None
    returned = tidying.return_work(person=Person.objects.get(pk=person_id), actor=actor, now=now, limit=AT_ONCE)
    figures.forget()
    return returned


def return_left(*, now: datetime) -> int:
    """Return what people hold who cannot work on it; the sweep behind deactivate() and behind a lost role."""
    left = Ticket.objects.filter(HOLDS_NOTHING, state__in=LIVE).order_by().values_list("owner_id", flat=True)
    returned = 0
    for person in Person.objects.filter(pk__in=set(left[:AT_ONCE])).order_by("pk"):
        returned += tidying.return_work(person=person, actor=None, now=now, limit=AT_ONCE)
    return returned


def held(person_id: int) -> int:
    """How many live tickets somebody holds."""
    return Ticket.objects.filter(owner_id=person_id, state__in=LIVE).count()


def move_on(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Move the live tickets of removed queues to those that follow them; returns how many.

    The owner stays where they serve the new queue. Contacts keep their entry queue: what entered by a confidential
    one stays hidden.
    """
    stranded = Ticket.objects.filter(state__in=LIVE, queue__successor__isnull=False)
    chosen = list(stranded.order_by("id").values_list("pk", "customer_id")[:limit])
    targets = Targets.load()
    for ticket_id, customer_id in chosen:
        with transaction.atomic():
            resolving.lock(customer_id)
            _move_on(ticket_id, targets, now=now)
    if chosen:
        figures.forget()
    return len(chosen)


def _move_on(ticket_id: int, targets: Targets, *, now: datetime) -> None:
    rows = Ticket.objects.select_for_update(of=("self",), no_key=True)
    ticket = rows.select_related("queue__successor", "owner").get(pk=ticket_id)
    successor = ticket.queue.successor
    if successor is None or ticket.state not in LIVE:
        return
    queues, holders = set(ticket.reader_queue_ids), {ticket.owner_id} if ticket.owner_id else set()
    before, ticket.queue = ticket.queue_id, successor
    owner = ticket.owner
    if owner is not None and not owner.is_lead and not successor.teams.filter(people=owner).exists():
        ticket.owner = None
    ticket.save(update_fields=["queue", "owner"])
    urgency.recount(ticket, targets)
    history.record(
        at=now,
        act="ticket.moved",
        ticket_id=ticket.pk,
        customer_id=ticket.customer_id,
        queue=successor.pk,
        queue_before=before,
        owner_before=owner.pk if owner else None,
    )
    realtime.publish(*ticket_changed(ticket, also_queues=queues, also_people=holders))
