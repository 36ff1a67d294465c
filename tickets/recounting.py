"""Long work over many tickets after an admin's change: asked for in one row, done in small steps, seen by its figures.

A step takes the newest tickets first, each in a transaction of its own, and notes how far it came; a kill costs one
step, which is done again and comes to the same. Ask and step are started by a hint, and by the sweep of tasks.tidy.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from agents.models import Person
from contactcentre.lib import realtime
from customers import resolving
from tickets import listing, urgency
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, Queue, Recount, Ticket
from tickets.queries import figures
from tickets.targets import Targets

STEP = 50
# One run of the task; what is left is found by the next tick, so that intake is never held up for long.
STEPS_AT_ONCE = 20
LEASE = timedelta(seconds=60)


def ask(*, kind: str, queue: Queue | None, actor: Person | None, now: datetime) -> Recount:
    """Have tickets worked through, inside the caller's transaction; one that is under way begins again."""
    total = _tickets(kind, queue.pk if queue else None).count()
    begun, _made = Recount.objects.update_or_create(
        kind=kind,
        queue=queue,
        finished_at=None,
        defaults={"reach": None, "total": total, "done": 0, "asked_by": actor, "asked_at": now, "leased_until": now},
    )
    transaction.on_commit(_hint, robust=True)
    return begun


def _hint() -> None:
    current_app.send_task("tickets.tasks.recount", kwargs={}, retry=False)


def run(*, clock: Callable[[], datetime]) -> int:
    """Go on with whatever was asked for and nobody works at; returns how many tickets were done."""
    done = 0
    for _step in range(STEPS_AT_ONCE):
        now = clock()
        work = _claim(now)
        if work is None:
            break
        done += _do(work, now=now)
    return done


def _claim(now: datetime) -> Recount | None:
    with transaction.atomic():
        work = (
            Recount.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("queue")
            .filter(finished_at=None, leased_until__lte=now)
            .order_by("id")
            .first()
        )
        if work is not None:
            work.leased_until = now + LEASE
            work.save(update_fields=["leased_until"])
    return work


def _do(work: Recount, *, now: datetime) -> int:
    """One step. A change that came meanwhile has set the row back, and then the step's own mark is not kept."""
    tickets = _tickets(work.kind, work.queue_id)
    if work.reach is not None:
        tickets = tickets.filter(pk__lt=work.reach)
    chosen = list(tickets.order_by("-id").values_list("pk", "customer_id")[:STEP])
    targets = Targets.load()
    mend = partial(_words, queue_id=work.queue_id) if work.kind == Recount.Kind.WORDS else partial(_due, targets)
    for ticket_id, customer_id in chosen:
        with transaction.atomic():
            # Customer before ticket, as everybody locks.
            resolving.lock(customer_id)
            ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket_id)
            mend(ticket)
    same = Recount.objects.filter(pk=work.pk, asked_at=work.asked_at, reach=work.reach, finished_at=None)
    if len(chosen) < STEP:
        same.update(done=work.done + len(chosen), finished_at=now, leased_until=now)
    else:
        same.update(done=work.done + len(chosen), reach=chosen[-1][0], leased_until=now)
    figures.forget()
    return len(chosen)


def _tickets(kind: str, queue_id: int | None) -> QuerySet[Ticket]:
    """The tickets a recount goes through: what awaits us, or whatever has a contact that entered by the queue."""
    if kind == Recount.Kind.DUE:
        tickets = Ticket.objects.filter(state__in=LIVE, unanswered_since__isnull=False)
        if queue_id is None:
            return tickets
        waiting = Contact.objects.filter(
            ticket=OuterRef("pk"), entry_queue_id=queue_id, unanswered_since__isnull=False
        )
        return tickets.filter(Exists(waiting))
    return Ticket.objects.filter(Exists(Contact.objects.filter(ticket=OuterRef("pk"), entry_queue_id=queue_id)))


def _due(targets: Targets, ticket: Ticket) -> None:
    before = (ticket.due_at, ticket.due_reason, ticket.urgent_at)
    urgency.recount(ticket, targets)
    if before != (ticket.due_at, ticket.due_reason, ticket.urgent_at):
        realtime.publish(*ticket_changed(ticket))


def _words(ticket: Ticket, *, queue_id: int | None) -> None:
    shown = ("subject", "last_words", "last_direction", "last_author_id")
    before = [getattr(ticket, column) for column in shown]
    # Worked out anew from what is not confidential now; the old one may hold what is.
    ticket.subject = ""
    listing.rebuild(ticket)
    if before != [getattr(ticket, column) for column in shown]:
        ticket.save(update_fields=["subject", "last_words", "last_direction", "last_author"])
        realtime.publish(*ticket_changed(ticket))
