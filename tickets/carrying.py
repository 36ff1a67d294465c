"""Contacts change tickets, tickets change customers: the row work under merging.py and moving.py.

A contact always stands with the customer of its ticket, and a message with its contact; notes stay with the ticket
they were written on. A ticket left without any contact becomes `merged` into the one its contacts went to, before
they go: a partial unique index cannot be deferred. A merged ticket stands with the customer of the ticket it
leads to. Nothing is ever deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from customers.models import Identity, Merge
from tickets import drafts, listing, urgency
from tickets.events import ticket_changed
from tickets.models import LIVE, Contact, ContactMove, Fate, MergeStep, Message, Note, Queue, State, Ticket
from tickets.queries import figures
from tickets.targets import Targets

# Messages written by one statement while they are given new numbers.
AT_ONCE = 500
# What a merge may change on a ticket, and what taking it back restores.
COLUMNS = ("state", "queue_id", "owner_id", "priority", "tags", "snoozed_until", "solved_at", "closed_at")
_TIMES = ("snoozed_until", "solved_at", "closed_at")
# Beside these in a step: the drafts that the other ticket got, and when each was saved.
DRAFTS = "drafts"


def columns(ticket: Ticket) -> dict[str, Any]:
    """The ticket's state, queue, owner and so on, as JSON holds them."""
    values = {column: getattr(ticket, column) for column in COLUMNS}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


class Carrying:
    """One merge, move or taking back at work on the tickets it holds locked.

    The caller holds the locks of the identities and customers and an open transaction. finish() must be the last
    call: it counts anew, rebuilds the lists' columns and tells the old and the new viewers.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        person: Person | None,
        now: datetime,
        merge: Merge | None = None,
        move: ContactMove | None = None,
    ) -> None:
        self.identity, self.person, self.now = identity, person, now
        self.merge, self.move = merge, move
        self.tickets: dict[int, Ticket] = {}
        self._viewers: dict[int, tuple[set[int], set[int]]] = {}
        self._changed: set[int] = set()
        self._steps: dict[int, MergeStep] = {}
        self._drafts: dict[int, dict[str, str]] = {}

    def hold(self, customers: Iterable[int], also: Iterable[int | None] = ()) -> None:
        """Lock the customers' live tickets and those of the given ids, with all they were merged into, in the order
        of their ids.

        A ticket of somebody else may be merged on while we wait for it: then all are let go and found anew.
        """
        chosen = {ticket_id for ticket_id in also if ticket_id}
        chosen |= set(
            Ticket.objects.filter(customer_id__in=set(customers), state__in=LIVE).values_list("pk", flat=True)
        )
        # Rows that only point at a ticket (a relation made by intake) need not wait for us.
        locked = Ticket.objects.select_for_update(of=("self",), no_key=True).select_related("queue").order_by("pk")
        while True:
            wanted = _with_ends(chosen)
            before = transaction.savepoint()
            rows = list(locked.filter(pk__in=wanted))
            if {row.merged_into_id for row in rows} <= {*wanted, None}:
                transaction.savepoint_commit(before)
                break
            transaction.savepoint_rollback(before)
        for row in rows:
            self._add(row)

    def _add(self, ticket: Ticket) -> None:
        self.tickets[ticket.pk] = ticket
        people = {ticket.owner_id} if ticket.owner_id else set()
        self._viewers[ticket.pk] = (set(ticket.reader_queue_ids), people)

    def live_of(self, customer_id: int) -> Ticket | None:
        """The customer's live ticket, as things stand within this change."""
        mine = (one for one in self.tickets.values() if one.customer_id == customer_id and one.state in LIVE)
        return next(mine, None)

    def end_of(self, ticket: Ticket) -> Ticket:
        """Where a merged ticket leads to; a ticket that is not merged leads to itself."""
        while ticket.state == State.MERGED and ticket.merged_into_id is not None:
            ticket = self.tickets[ticket.merged_into_id]
        return ticket

    def contacts_on(self, ticket: Ticket) -> list[Contact]:
        """The ticket's contacts, by id."""
        return list(Contact.objects.filter(ticket=ticket).order_by("id"))

    def carry(self, ticket: Ticket, customer_id: int) -> None:
        """Let the whole ticket, with contacts, messages, notes and what was merged into it, go to another customer.

        The customer must have no other live ticket if this one is live.
        """
        self._changed.add(ticket.pk)
        ticket.customer_id = customer_id
        ticket.save(update_fields=["customer"])
        Contact.objects.filter(ticket=ticket).update(customer_id=customer_id)
        Message.objects.filter(ticket=ticket).update(customer_id=customer_id)
        self._take_along(ticket)

    def fold(self, ticket: Ticket, into: Ticket) -> None:
        """Make the ticket `merged` into the other: it leads there for ever, or until it is taken back."""
        self._changed |= {ticket.pk, into.pk}
        ticket.state, ticket.merged_into = State.MERGED, into
        ticket.snoozed_until = ticket.solved_at = ticket.closed_at = None
        ticket.customer_id = into.customer_id
        ticket.save(update_fields=["state", "merged_into", "snoozed_until", "solved_at", "closed_at", "customer"])
        self._take_along(ticket)
        went = drafts.go_along(ticket, into)
        if went:
            self._drafts[ticket.pk] = went
        self._record(ticket, "ticket.merged", into=into.pk)

    def give_drafts(self, step: MergeStep, goal: Ticket) -> None:
        """Let the drafts that went along with a ticket return with it. Only from where they went: what another taking
        back has led home since is on a ticket that this one has nothing to do with."""
        saved = step.into_after.get(DRAFTS, {})
        if saved and step.into_id is not None:
            drafts.return_to(goal, saved, among=_with_ends({step.into_id}))

    def lead(self, ticket: Ticket, into: Ticket) -> None:
        """Let a merged ticket lead to another one from now on."""
        self._changed.add(ticket.pk)
        ticket.merged_into, ticket.customer_id = into, into.customer_id
        ticket.save(update_fields=["merged_into", "customer"])
        self._take_along(ticket)

    def _take_along(self, ticket: Ticket) -> None:
        """Notes stay with their ticket, and merged tickets with the one they lead to."""
        Note.objects.filter(ticket=ticket).update(customer_id=ticket.customer_id)
        leads = [ticket.pk]
        while leads:
            leads = list(
                Ticket.objects.filter(merged_into_id__in=leads, state=State.MERGED)
                .exclude(customer_id=ticket.customer_id)
                .values_list("pk", flat=True)
            )
            Ticket.objects.filter(pk__in=leads).update(customer_id=ticket.customer_id)
            Note.objects.filter(ticket_id__in=leads).update(customer_id=ticket.customer_id)
            for one in leads:
                if one in self.tickets:
                    self.tickets[one].customer_id = ticket.customer_id

    def unite(self, ticket: Ticket, into: Ticket) -> None:
        """Give the survivor what the younger one has more: an owner, tags, priority, and that it is open."""
        into.owner_id = into.owner_id or ticket.owner_id
        into.tags = list(dict.fromkeys([*into.tags, *ticket.tags]))
        into.priority = max(into.priority, ticket.priority)
        if ticket.state == State.OPEN and into.state in LIVE:
            into.state, into.snoozed_until = State.OPEN, None

    def wake(self, ticket: Ticket, contacts: Sequence[Contact]) -> None:
        """Open a ticket that rests or is solved where unanswered words come to it."""
        if self._rests(ticket) and any(contact.unanswered_since for contact in contacts):
            ticket.state, ticket.snoozed_until, ticket.solved_at = State.OPEN, None, None

    def _rests(self, ticket: Ticket) -> bool:
        """Whether new words may open it: it waits, or it is solved and its customer has no live ticket."""
        if ticket.state == State.SOLVED:
            others = Ticket.objects.filter(customer_id=ticket.customer_id, state__in=LIVE)
            return self.live_of(ticket.customer_id) is None and not others.exclude(pk__in=self.tickets).exists()
        return ticket.state in (State.WAITING, State.SNOOZED)

    def part(self, contacts: Sequence[Contact], into: Ticket) -> bool:
        """Move contacts of one ticket, with their messages, to another; true where the first was left empty.

        An emptied ticket becomes merged into the other before its contacts go.
        """
        source = self.tickets[contacts[0].ticket_id]
        going = {contact.pk for contact in contacts}
        everything = self.contacts_on(source)
        is_emptied = {contact.pk for contact in everything} == going
        self._part_answers(source, everything, going)
        moved = [contact for contact in everything if contact.pk in going]
        if is_emptied and source.state != State.MERGED:
            self.fold(source, into)
        self._number(moved, into)
        self._changed |= {source.pk, into.pk}
        return is_emptied

    def _part_answers(self, source: Ticket, everything: list[Contact], going: set[int]) -> None:
        """Keep answered what a reply to a sibling had answered, now that the two part."""
        given = urgency.answers(source)
        for contact in everything:
            for row in given:
                siblings = row.contact_id != contact.pk and (row.contact_id in going or contact.pk in going)
                if siblings and row.queue_id == contact.entry_queue_id and not row.own_only:
                    contact.answered_arrival = max(contact.answered_arrival, row.arrival)
        Contact.objects.bulk_update(everything, ["answered_arrival"])

    def _number(self, contacts: list[Contact], into: Ticket) -> None:
        """Give the contacts' messages the next arrival numbers there, in the order they came."""
        messages: dict[int, list[tuple[int, int]]] = defaultdict(list)
        moving = list(
            Message.objects.filter(contact__in=[contact.pk for contact in contacts])
            .order_by("arrival")
            .only(
                "pk",
                "contact_id",
                "arrival",
                "changed_arrival",
                "direction",
                "answers_own_only",
                "ticket_id",
                "customer_id",
            )
        )
        # The room above the last number is taken first: the contacts' own numbers follow from it.
        for message in moving:
            into.arrivals += 1
            messages[message.contact_id].append((message.arrival, into.arrivals))
            message.arrival, message.ticket, message.customer_id = into.arrivals, into, into.customer_id
            message.answers_own_only = message.direction == "out"
            # It is newer there than whatever anybody has seen.
            message.changed_arrival = None
        taken = defaultdict(set)
        keys = Contact.objects.filter(ticket=into).values_list("identity_id", "surface", "thread", "session")
        for *key, session in keys:
            taken[tuple(key)].add(session)
        for contact in contacts:
            numbers = messages[contact.pk]
            contact.no_reply_arrival = _translated(contact.no_reply_arrival, numbers)
            contact.answered_arrival = _translated(contact.answered_arrival, numbers)
            contact.ticket, contact.customer_id = into, into.customer_id
            sessions = taken[(contact.identity_id, contact.surface, contact.thread)]
            if contact.session in sessions:
                # The same thread begun on both tickets: two contacts for ever, told apart by this number.
                contact.session = max(sessions) + 1
            sessions.add(contact.session)
        Contact.objects.bulk_update(
            contacts, ["ticket", "customer", "no_reply_arrival", "answered_arrival", "session"], batch_size=AT_ONCE
        )
        Message.objects.bulk_update(
            moving,
            ["ticket", "customer", "arrival", "changed_arrival", "answers_own_only"],
            batch_size=AT_ONCE,
        )

    def equal(self, ticket: Ticket, customer_id: int) -> Ticket:
        """A new ticket for another customer: same queue, same owner, same state as this one."""
        made = Ticket.objects.create(
            customer_id=customer_id,
            queue=ticket.queue,
            owner_id=ticket.owner_id,
            state=ticket.state,
            priority=ticket.priority,
            tags=ticket.tags,
            opened_at=self.now,
            snoozed_until=ticket.snoozed_until,
            solved_at=ticket.solved_at,
            closed_at=ticket.closed_at,
            last_at=ticket.last_at,
            urgent_at=ticket.urgent_at,
            reader_queue_ids=[ticket.queue_id],
        )
        self._add(made)
        self._changed.add(made.pk)
        self._record(made, "ticket.opened", queue=made.queue_id)
        return made

    def restore(self, ticket: Ticket, customer_id: int, before: dict[str, Any]) -> None:
        """Bring a merged ticket back to life as it was; its customer must have no other live ticket if it was live.

        A snooze that is over has ended; an owner who left, or a queue that is gone, is not restored.
        """
        self._changed.add(ticket.pk)
        self.set_columns(ticket, before)
        ticket.customer_id, ticket.merged_into = customer_id, None
        ticket.save()
        self._take_along(ticket)
        self._record(ticket, "ticket.unmerged")

    def set_columns(self, ticket: Ticket, values: dict[str, Any]) -> None:
        """Set the given columns as JSON holds them, where they still make sense."""
        for column, value in values.items():
            setattr(ticket, column, parse_datetime(value) if column in _TIMES and value else value)
        if ticket.state == State.SNOOZED and (ticket.snoozed_until is None or ticket.snoozed_until <= self.now):
            ticket.state, ticket.snoozed_until = State.OPEN, None
        if ticket.owner_id and not Person.objects.filter(pk=ticket.owner_id, is_active=True).exists():
            ticket.owner_id = None
        ticket.queue = Queue.objects.get(pk=ticket.queue_id)

    def open_for_new_words(self, ticket: Ticket, since: datetime) -> None:
        """Open a resting or solved ticket whose customer said something after `since` that nobody has answered."""
        if not self._rests(ticket):
            return
        waiting = urgency.recount(ticket, Targets.load())
        wanted = Q()
        for contact in waiting:
            if contact.unanswered_since:
                wanted |= Q(contact_id=contact.pk)
        if not wanted:
            return
        news = Message.objects.filter(wanted, direction="in", asked_at__isnull=False, received_at__gt=since)
        if news.exists():
            ticket.state, ticket.snoozed_until, ticket.solved_at = State.OPEN, None, None

    def step(
        self,
        fate: Fate,
        ticket: Ticket,
        *,
        contacts: Iterable[Contact],
        from_customer: int,
        into: Ticket | None = None,
        **before: dict[str, Any],
    ) -> None:
        """Write down what was done to a ticket, for the day it is taken back."""
        self._steps[ticket.pk] = MergeStep.objects.create(
            merge=self.merge,
            move=self.move,
            identity=self.identity,
            fate=fate,
            ticket=ticket,
            into=into,
            from_customer_id=from_customer,
            contacts=[contact.pk for contact in contacts],
            **before,
        )

    def tell(self, act: str, **data: Any) -> None:
        """One line of history on every ticket this changed; finish() comes after it."""
        for ticket_id in sorted(self._changed):
            self._record(self.tickets[ticket_id], act, **data)

    def _record(self, ticket: Ticket, act: str, **data: Any) -> None:
        history.record(
            at=self.now, act=act, actor=self.person, ticket_id=ticket.pk, customer_id=ticket.customer_id, **data
        )

    def finish(self) -> None:
        """Count anew, rebuild what lists show, and tell those who saw the tickets and those who see them now."""
        for ticket_id in self._drafts.keys() & self._steps.keys():
            step = self._steps[ticket_id]
            step.into_after = {**step.into_after, DRAFTS: self._drafts[ticket_id]}
            step.save(update_fields=["into_after"])
        targets = Targets.load()
        for ticket_id in sorted(self._changed):
            ticket = self.tickets[ticket_id]
            listing.rebuild(ticket)
            ticket.save()
            readers = ticket.reader_queue_ids
            urgency.recount(ticket, targets)
            if ticket.state == State.MERGED:
                # Whoever could read it is still led to where it went.
                ticket.reader_queue_ids = sorted({*readers, ticket.queue_id})
                ticket.save(update_fields=["reader_queue_ids"])
            queues, people = self._viewers[ticket_id]
            realtime.publish(*ticket_changed(ticket, also_queues=queues, also_people=people))
        figures.forget()


def _with_ends(tickets: Iterable[int]) -> set[int]:
    """These tickets and all they were merged into, as things stand."""
    found = set(tickets)
    leads: Iterable[int] = found
    while leads:
        into = Ticket.objects.filter(pk__in=leads, merged_into__isnull=False).values_list("merged_into_id", flat=True)
        leads = set(into) - found
        found |= leads
    return found


def _translated(arrival: int, numbers: list[tuple[int, int]]) -> int:
    """The new number of a contact's last message at or before an old arrival number; 0 where there is none."""
    return max((new for old, new in numbers if old <= arrival), default=0)
