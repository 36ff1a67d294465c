"""Work that has lost its person or its queue finds another place: what people who left held goes back to its queue,
and what stands in a removed queue goes to the one that follows it (docs/one-ticket.md, row 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from agents import history, people
from agents.models import Person
from contactcentre.lib import realtime
from customers import resolving
from tickets import tidying, urgency
from tickets.events import ticket_changed
from tickets.models import LIVE, Queue, Ticket
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


def keeps(owner: Person, queue: Queue) -> bool:
    """Whether a ticket that comes into the queue stays with its owner: they serve it, or are a lead."""
    return owner.is_lead or queue.teams.filter(people=owner).exists()


def still_there(before: dict[str, Any]) -> dict[str, int | None]:
    """A ticket's owner and queue of before, as they can be restored now, from its columns of before.

    A queue that was removed: its successor. An owner who left: nobody; only on a ticket that is over they stay, which
    says whose it was.
    """
    owner_id, queue_id = before["owner_id"], before["queue_id"]
    if before["state"] in LIVE:
        owner = Person.objects.filter(pk=owner_id, is_active=True).first()
        owner_id = owner.pk if owner is not None and owner.works_tickets else None
    successor = Queue.objects.filter(pk=queue_id).values_list("successor_id", flat=True).first()
    return {"owner_id": owner_id, "queue_id": successor or queue_id}


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
    if owner is not None and not keeps(owner, successor):
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
