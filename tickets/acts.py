"""What people do with tickets: assign, move, solve, snooze, tag … Every act can be taken back for ten minutes.

Each takes several tickets at once; each ticket is locked, changed, written to history and published on its
own, in the order of the ids, so that two wide acts never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from contactcentre.lib.text import clean_line
from customers import resolving
from tickets import access, blocking, finishing, leaving, no_reply, urgency
from tickets.access import Rights
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, Priority, Queue, State, Ticket
from tickets.queries import figures
from tickets.targets import Targets

MOST = 200
TAKE_BACK = timedelta(minutes=10)
LONGEST_SNOOZE = timedelta(days=365)
MOST_TAGS = 12
NO_REPLY_REASONS = ("thanks", "like", "spam", "other")
_SALT = "tickets.acts"

# What an act changes, and what taking it back restores.
COLUMNS = ("state", "queue_id", "owner_id", "priority", "tags", "snoozed_until", "solved_at", "closed_at")


class CannotAct(Exception):
    """This act is not possible; the text says why in plain words."""


@dataclass(slots=True)
class Done:
    """What an act did: the tickets it changed, those it left alone and why, and the token that takes it back."""

    changed: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    person_id: int = 0

    @property
    def undo(self) -> str:
        """The signed token for take_back, empty where nothing was changed."""
        return signing.dumps({"p": self.person_id, "s": self.steps}, salt=_SALT, compress=True) if self.steps else ""


Change = Callable[[Ticket], dict[str, Any] | None]


def assign(*, person: Person, tickets: Sequence[int], owner_id: int | None, now: datetime) -> Done:
    """Give the tickets to a colleague, or back into their queue (`owner_id` None)."""
    owner = None
    if owner_id is not None:
        owner = Person.objects.filter(pk=owner_id, is_active=True).first()
        if owner is None or not owner.works_tickets:
            raise CannotAct(_("Tickets go to agents and leads only."))

    def change(ticket: Ticket) -> dict[str, Any] | None:
        if ticket.owner_id == owner_id:
            return None
        before, ticket.owner = ticket.owner_id, owner
        return {"act": "ticket.assigned", "owner": owner_id, "owner_before": before}

    return _each(person, tickets, change, now=now, live_only=True)


def move(*, person: Person, tickets: Sequence[int], queue_id: int, now: datetime) -> Done:
    """Move the tickets to another queue; the owner lets go, unless they work there too."""
    queue = Queue.objects.filter(pk=queue_id, successor=None).first()
    if queue is None:
        raise Http404

    def change(ticket: Ticket) -> dict[str, Any] | None:
        if ticket.queue_id == queue.pk:
            return None
        before, owner_before = ticket.queue_id, ticket.owner_id
        ticket.queue = queue
        if ticket.owner is not None and not leaving.keeps(ticket.owner, queue):
            ticket.owner = None
        return {"act": "ticket.moved", "queue": queue.pk, "queue_before": before, "owner_before": owner_before}

    return _each(person, tickets, change, now=now, live_only=True)


def solve(*, person: Person, tickets: Sequence[int], now: datetime) -> Done:
    """The matter is settled."""

    def change(ticket: Ticket) -> dict[str, Any] | None:
        return _to_state(ticket, State.SOLVED, "ticket.solved", solved_at=now)

    return _each(person, tickets, change, now=now)


def wait(*, person: Person, tickets: Sequence[int], now: datetime) -> Done:
    """It is the customer's turn; their next words open it again."""

    def change(ticket: Ticket) -> dict[str, Any] | None:
        return _to_state(ticket, State.WAITING, "ticket.waiting")

    return _each(person, tickets, change, now=now, live_only=True)


def snooze(*, person: Person, tickets: Sequence[int], until: datetime, now: datetime) -> Done:
    """Out of the list until a time, or until the customer writes."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise CannotAct(_("Choose a time within the next year."))

    def change(ticket: Ticket) -> dict[str, Any] | None:
        if ticket.state == State.SNOOZED and ticket.snoozed_until == until:
            return None
        was, ticket.state, ticket.snoozed_until = ticket.state, State.SNOOZED, until
        return {"act": "ticket.snoozed", "was": was, "until": until.isoformat()}

    return _each(person, tickets, change, now=now, live_only=True)


def reopen(*, person: Person, tickets: Sequence[int], now: datetime) -> Done:
    """Back into the list of open ones, where the customer has no other live ticket."""

    def change(ticket: Ticket) -> dict[str, Any] | None:
        if ticket.state == State.SOLVED and not finishing.may_open(ticket):
            raise CannotAct(_("The customer has a newer live ticket already."))
        owner = ticket.owner
        if owner is not None and not (owner.is_active and owner.works_tickets):
            # They left, or lost the role, while it was solved: nobody would find it with them (row 4).
            ticket.owner = None
        return _to_state(ticket, State.OPEN, "ticket.reopened", by="person")

    return _each(person, tickets, change, now=now)


def no_reply_needed(
    *,
    person: Person,
    tickets: Sequence[int],
    reason: str,
    now: datetime,
    contact_id: int | None = None,
    queue_id: int | None = None,
) -> Done:
    """Mark what is unanswered as needing no answer: answered without one, counted apart, not solved (row 5).

    `contact_id` marks that contact, `queue_id` what came in by the queue whose list the person looks at; without
    either see no_reply.chosen(). Never what this person may not read.
    """
    if reason not in NO_REPLY_REASONS:
        raise CannotAct(_("Choose a reason."))
    have = access.rights(person)

    def change(ticket: Ticket) -> dict[str, Any] | None:
        marked, elsewhere = no_reply.chosen(have, ticket, contact_id=contact_id, queue_id=queue_id)
        if not marked:
            if elsewhere:
                queues = sorted({have.queue_name(contact.entry_queue_id) for contact in elsewhere})
                raise CannotAct(
                    _("What waits for an answer came in by %(queues)s: mark it there, or at its head on the ticket.")
                    % {"queues": ", ".join(queues)}
                )
            return None
        before = {contact.pk: contact.no_reply_arrival for contact in marked}
        for contact in marked:
            contact.no_reply_at, contact.no_reply_by, contact.no_reply_reason = now, person, reason
            contact.no_reply_arrival = ticket.arrivals
        Contact.objects.bulk_update(marked, ["no_reply_at", "no_reply_by", "no_reply_reason", "no_reply_arrival"])
        return {
            "act": "ticket.no_reply",
            "reason": reason,
            "contacts": [contact.pk for contact in marked],
            "_restore": {"no_reply": before, "arrival": ticket.arrivals},
        }

    return _each(person, tickets, change, now=now)


def tag(
    *, person: Person, tickets: Sequence[int], now: datetime, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> Done:
    """Add and remove tags; a tag is a short word in lower case."""
    adding = [clean_line(word, 40).lower() for word in add if clean_line(word)]
    removing = {clean_line(word, 40).lower() for word in remove}

    def change(ticket: Ticket) -> dict[str, Any] | None:
        tags = [word for word in ticket.tags if word not in removing]
        tags += [word for word in adding if word not in tags]
        if tags == ticket.tags:
            return None
        # A merge unites the tags of both tickets, however many: those can still be exchanged and removed.
        if len(tags) > max(MOST_TAGS, len(ticket.tags)):
            raise CannotAct(_("A ticket holds at most %(count)s tags.") % {"count": MOST_TAGS})
        ticket.tags = tags
        return {"act": "ticket.tagged", "count": len(tags)}

    return _each(person, tickets, change, now=now)


def prioritise(*, person: Person, tickets: Sequence[int], priority: int, now: datetime) -> Done:
    """Set the priority by hand."""
    if priority not in Priority.values:
        raise CannotAct(_("There is no such priority."))

    def change(ticket: Ticket) -> dict[str, Any] | None:
        if ticket.priority == priority:
            return None
        before, ticket.priority = ticket.priority, priority
        return {"act": "ticket.prioritised", "priority": priority, "priority_before": before}

    return _each(person, tickets, change, now=now)


def block(*, person: Person, tickets: Sequence[int], now: datetime, blocked: bool = True) -> Done:
    """Block the customer as spam and solve the ticket, or let them through again (row 25). Later items are filtered.

    Where all tickets are over, blocking.let_through() does the latter.
    """

    def change(ticket: Ticket) -> dict[str, Any] | None:
        done = blocking.set_blocked(ticket.customer_id, blocked=blocked, now=now)
        if done is None:
            return None
        if blocked and ticket.state in LIVE:
            _to_state(ticket, State.SOLVED, "", solved_at=now)
        act = "ticket.blocked" if blocked else "ticket.unblocked"
        return {"act": act, "_restore": {"blocking": done}}

    return _each(person, tickets, change, now=now, first=_lock_addresses)


def _lock_addresses(ticket_id: int) -> None:
    for customer_id in Ticket.objects.filter(pk=ticket_id).values_list("customer_id", flat=True):
        blocking.lock_addresses(customer_id)


def take_back(*, person: Person, token: str, now: datetime) -> Done:
    """Restore what an act changed, where nobody has changed it since. Ten minutes long, by who did it.

    Raises CannotAct where the token is not this person's or too old, PermissionDenied where they work no tickets any
    more.
    """
    try:
        held = signing.loads(token, salt=_SALT, max_age=TAKE_BACK)
    except signing.SignatureExpired as error:
        raise CannotAct(_("It is too late to take this back.")) from error
    except signing.BadSignature as error:
        raise CannotAct(_("There is nothing to take back.")) from error
    if held["p"] != person.pk:
        raise CannotAct(_("Only who did it takes it back."))
    have, done = access.rights(person), Done(person_id=person.pk)
    for step in sorted(held["s"], key=lambda one: int(one["t"])):
        with transaction.atomic():
            reason = _restore(person, have, step, now=now)
        if reason:
            done.refused[step["t"]] = reason
        else:
            done.changed.append(step["t"])
    figures.forget()
    return done


def _each(
    person: Person,
    tickets: Sequence[int],
    change: Change,
    *,
    now: datetime,
    live_only: bool = False,
    first: Callable[[int], None] | None = None,
) -> Done:
    """Do it to every ticket the person may act on; one that cannot be is named with its reason, the others go on.

    A single ticket's refusal is raised, as it is what the person is looking at. `first` locks what comes before the
    customer in everybody's order.
    """
    if len(tickets) > MOST:
        raise CannotAct(_("At most %(count)s tickets at once.") % {"count": MOST})
    have, targets, done = access.rights(person), Targets.load(), Done(person_id=person.pk)
    single = len(tickets) == 1
    for ticket_id in sorted(set(tickets)):
        try:
            with transaction.atomic():
                if first is not None:
                    first(ticket_id)
                step = _one(person, have, ticket_id, change, targets, now=now, live_only=live_only)
        except (CannotAct, Http404, PermissionDenied) as error:
            if single:
                raise
            done.refused[ticket_id] = str(error) or _("You may not see this ticket.")
            continue
        if step:
            done.changed.append(ticket_id)
            done.steps.append(step)
    figures.forget()
    return done


def _one(
    person: Person,
    have: Rights,
    ticket_id: int,
    change: Change,
    targets: Targets,
    *,
    now: datetime,
    live_only: bool,
) -> dict[str, Any] | None:
    ticket = access.ticket_to_act(have, ticket_id)
    if ticket.state in (State.MERGED, State.CLOSED) or (live_only and ticket.state not in LIVE):
        raise CannotAct(_("Ticket %(ticket)s is over.") % {"ticket": ticket})
    before = _columns(ticket)
    queues, people = set(ticket.reader_queue_ids), {ticket.owner_id} if ticket.owner_id else set()
    entry = change(ticket)
    if entry is None:
        return None
    restore = entry.pop("_restore", {})
    act = entry.pop("act")
    ticket.save(update_fields=[column.removesuffix("_id") for column in COLUMNS])
    urgency.recount(ticket, targets)
    history.record(at=now, act=act, actor=person, ticket_id=ticket.pk, customer_id=ticket.customer_id, **entry)
    realtime.publish(*ticket_changed(ticket, also_queues=queues, also_people=people))
    return {"t": ticket.pk, "b": before, "a": _columns(ticket), "r": restore}


def _restore(person: Person, have: Rights, step: dict[str, Any], *, now: datetime) -> str:
    """Put one ticket back; the reason where somebody has changed it since."""
    if "blocking" in step["r"]:
        resolving.lock_identities(step["r"]["blocking"]["addresses"])
    whose = Ticket.objects.filter(pk=step["t"]).values_list("customer_id", flat=True)
    if resolving.lock_whose(lambda: whose.first()) is None:
        return _("The ticket is gone.")
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=step["t"])
    if _columns(ticket) != step["a"]:
        return _("Somebody has changed it since.")
    restored = step["b"]
    # Who moved a ticket to where they may not look may still take that back; but not on the strength of a role, or a
    # team, that they have lost since.
    saw_it = restored["queue_id"] in have.queues or restored["owner_id"] == person.pk
    if not (saw_it or have.may_read(ticket)):
        return _("You may not see this ticket.")
    restored = {**restored, **leaving.still_there(restored)}
    if restored["state"] in LIVE and ticket.state not in LIVE and not finishing.may_open(ticket):
        return _("The customer has a newer live ticket already.")
    queues, people = set(ticket.reader_queue_ids), {ticket.owner_id} if ticket.owner_id else set()
    for column in COLUMNS:
        value = restored[column]
        if column in ("snoozed_until", "solved_at", "closed_at") and value:
            value = parse_datetime(value)
        setattr(ticket, column, value)
    more = step["r"]
    if "no_reply" in more:
        for contact_id, arrival in more["no_reply"].items():
            Contact.objects.filter(pk=int(contact_id), no_reply_arrival=more["arrival"]).update(
                no_reply_arrival=arrival, no_reply_at=None, no_reply_by=None, no_reply_reason=""
            )
    if "blocking" in more:
        blocking.put_back(more["blocking"], now=now)
    ticket.save(update_fields=[column.removesuffix("_id") for column in COLUMNS])
    urgency.recount(ticket, Targets.load())
    history.record(at=now, act="ticket.taken_back", actor=person, ticket_id=ticket.pk, customer_id=ticket.customer_id)
    realtime.publish(*ticket_changed(ticket, also_queues=queues, also_people=people))
    return ""


def _columns(ticket: Ticket) -> dict[str, Any]:
    """The columns an act changes, as JSON holds them."""
    values: dict[str, Any] = {}
    for column in COLUMNS:
        value = getattr(ticket, column)
        values[column] = value.isoformat() if isinstance(value, datetime) else value
    return values


def _to_state(
    ticket: Ticket, state: State, act: str, *, solved_at: datetime | None = None, **data: Any
) -> dict[str, Any] | None:
    if ticket.state == state:
        return None
    if state not in Ticket.MOVES[ticket.state]:
        raise CannotAct(_("Ticket %(ticket)s is over.") % {"ticket": ticket})
    was, ticket.state = ticket.state, state
    ticket.snoozed_until, ticket.solved_at = None, solved_at
    return {"act": act, "was": was, **data}
