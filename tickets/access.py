"""The only way from a person to a ticket: who may read, who may act (docs/one-ticket.md, row 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from agents.models import HistoryEntry, Membership, Person
from channels.models import ChannelAccount
from contactcentre.lib.gathered import Gathered
from contactcentre.lib.prepared import Prepared, PreparedRows
from customers import resolving
from tickets.models import AccountFeed, Contact, Message, Queue, Reading, Ticket


@dataclass(frozen=True, slots=True)
class QueueName:
    """A queue as pages name it."""

    id: int
    name: str
    is_confidential: bool
    is_served: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may see: everything (a lead), or what the queues their teams serve hold, and their own.

    `all_queues` are the installation's queues in their order, whoever serves them: a ticket may be moved anywhere.
    `removed` are those an admin took out of use: what went through them keeps its name and its secrets.
    """

    person_id: int
    everything: bool
    queues: frozenset[int]
    all_queues: tuple[QueueName, ...]
    removed: tuple[QueueName, ...] = ()

    def may_read(self, ticket: Ticket) -> bool:
        """Queue, entry queue of any of its contacts, or assigned to them. A lead: always."""
        return self.everything or ticket.owner_id == self.person_id or bool(self.queues & set(ticket.reader_queue_ids))

    def may_read_contact(self, entry_queue_id: int) -> bool:
        """Contacts of a confidential queue open only for those who serve it, and for leads."""
        return self.everything or entry_queue_id in self.queues or entry_queue_id not in self.confidential

    def may_read_notes(self, queue_id: int) -> bool:
        """Notes on a ticket in a confidential queue speak of its matter: they open for whom its contacts do."""
        return self.may_read_contact(queue_id)

    def something_in(self, queue_id: int) -> str:
        """What stands for words that this person may not read."""
        return _("Something in %(queue)s") % {"queue": self.queue_name(queue_id)}

    @property
    def confidential(self) -> frozenset[int]:
        """The queues whose contacts open only for those who serve them."""
        return frozenset(queue.id for queue in (*self.all_queues, *self.removed) if queue.is_confidential)

    @property
    def hidden(self) -> frozenset[int]:
        """The confidential queues whose words are not for this person."""
        return frozenset() if self.everything else self.confidential - self.queues

    @property
    def listed(self) -> tuple[QueueName, ...]:
        """The queues of this person's sidebar."""
        return tuple(queue for queue in self.all_queues if self.everything or queue.is_served)

    def queue_name(self, queue_id: int) -> str:
        """A queue's name; empty for one that is gone."""
        return next((queue.name for queue in (*self.all_queues, *self.removed) if queue.id == queue_id), "")


def _queues_for(*, person_id: int) -> QuerySet[Queue, tuple[Any, ...]]:
    teams = Membership.objects.filter(person_id=person_id).values("team")
    served = Queue.teams.through.objects.filter(queue_id=OuterRef("pk"), team__in=teams)
    queues = Queue.objects.annotate(is_served=Exists(served)).order_by("position", "name", "id")
    return queues.values_list("id", "name", "is_confidential", "is_served", "successor_id")


# Asked for by every page and every act.
_QUEUES = Prepared(_queues_for)


def rights(person: Person) -> Rights:
    """The person's rights, in one query. A mere admin gets none: PermissionDenied."""
    _ask_for_work(person)
    return _rights(person, _QUEUES.rows(person_id=person.pk))


def _ask_for_work(person: Person) -> None:
    if not (person.is_active and person.works_tickets):
        raise PermissionDenied


def _rights(person: Person, rows: Iterable[Sequence[Any]]) -> Rights:
    used, removed = (
        tuple(
            QueueName(number, name, is_confidential, is_served)
            for number, name, is_confidential, is_served, successor in rows
            if (successor is None) == in_use
        )
        for in_use in (True, False)
    )
    return Rights(
        person_id=person.pk,
        everything=person.is_lead,
        queues=frozenset(queue.id for queue in (*used, *removed) if queue.is_served),
        all_queues=used,
        removed=removed,
    )


def visible(have: Rights, tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Only the tickets this person may read."""
    if have.everything:
        return tickets
    return tickets.filter(Q(reader_queue_ids__overlap=sorted(have.queues)) | Q(owner_id=have.person_id))


# A page names queues by its rights and shows no author; two joins less halve the planning.
_READ = ("customer", "owner")


def _ticket_of(*, ticket_id: int) -> QuerySet[Ticket]:
    return Ticket.objects.select_related(*_READ).filter(pk=ticket_id)


_TICKET = PreparedRows(_ticket_of, Ticket, *_READ)


def ticket_to_read(have: Rights, ticket_id: int) -> Ticket:
    """The ticket, if there is one and this person may read it.

    Http404 where there is none; PermissionDenied where there is, for a colleague who may not see it.
    """
    return _readable(have, _TICKET.first(ticket_id=ticket_id))


class Opened(NamedTuple):
    """A ticket that somebody looks at, with what they may. `read` is the arrival number they have read to before,
    None where they never looked."""

    rights: Rights
    ticket: Ticket
    read: int | None


def _reading_of(*, ticket_id: int, person_id: int) -> QuerySet[Reading, tuple[Any, ...]]:
    return Reading.objects.filter(ticket_id=ticket_id, person_id=person_id).values_list("arrival")


_OPENED = Gathered("opened", _queues_for, _ticket_of, _reading_of)


def opened(person: Person, ticket_id: int) -> Opened:
    """rights() and ticket_to_read() for a page, which needs both, in one statement. Raises like them."""
    _ask_for_work(person)
    queues, tickets, readings = _OPENED.rows(person_id=person.pk, ticket_id=ticket_id)
    have = _rights(person, queues)
    ticket = _readable(have, _TICKET.made(tickets[0]) if tickets else None)
    return Opened(have, ticket, readings[0][0] if readings else None)


def _readable(have: Rights, found: Ticket | None) -> Ticket:
    if found is None:
        raise Http404
    if not have.may_read(found):
        raise PermissionDenied
    return found


def ticket_to_act(have: Rights, ticket_id: int) -> Ticket:
    """The ticket, if this person may reply, note and change its state; locked until the transaction ends.

    Raises like ticket_to_read. The customer's row is locked first: everybody locks in that order.
    """

    def whose() -> int | None:
        return next((customer_id for (customer_id,) in _WHOSE.rows(ticket_id=ticket_id)), None)

    if resolving.lock_whose(whose) is None:
        raise Http404
    return _readable(have, _TO_ACT.first(ticket_id=ticket_id))


def _whose_ticket(*, ticket_id: int) -> QuerySet[Ticket, tuple[Any, ...]]:
    return Ticket.objects.filter(pk=ticket_id).values_list("customer_id")


def _ticket_to_lock(*, ticket_id: int) -> QuerySet[Ticket]:
    return Ticket.objects.select_for_update(no_key=True).filter(pk=ticket_id)


_WHOSE = Prepared(_whose_ticket)
_TO_ACT = PreparedRows(_ticket_to_lock, Ticket)


def hidden_accounts(have: Rights) -> frozenset[int]:
    """The channel accounts that feed a confidential queue which is not for this person, or have done so: what came in
    then stays what it was, and goes on in the contacts that began then."""
    hidden = have.hidden
    if not hidden:
        return frozenset()
    feeds = dict(AccountFeed.objects.values_list("account_id", "queue_id"))
    default = Queue.objects.filter(is_default=True).values_list("pk", flat=True).first()
    begun = Contact.objects.filter(entry_queue__in=hidden).values("account_id")
    fed_it = ExpressionWrapper(Q(pk__in=begun), output_field=BooleanField())
    accounts = ChannelAccount.objects.values_list("pk", fed_it)
    # Also of what nobody could read, and so made no contact.
    left = _left(sorted(hidden))
    return frozenset(
        account for account, fed in accounts if fed or account in left or feeds.get(account, default) in hidden
    )


def _left(queues: list[int]) -> set[int]:
    """The accounts that have fed one of these queues and were given another one, whichever way."""
    one_by_one = HistoryEntry.objects.filter(act="feed.changed", data__was__in=queues)
    together = HistoryEntry.objects.filter(
        Q(act="queue.removed", data__queue__in=queues) | Q(act="queue.made_default", data__was__in=queues)
    )
    left = {account for account in one_by_one.values_list("account_id", flat=True) if account is not None}
    return left.union(*together.values_list("data__accounts", flat=True))


def topics(person_id: int) -> dict[str, Any] | None:
    """What the live stream may tell this person; None ends it (deactivated, or no longer agent or lead)."""
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not (person.works_tickets or person.is_admin):
        return None
    if not person.works_tickets:
        return {"queues": frozenset(), "person": person_id, "all": False}
    have = rights(person)
    return {"queues": have.queues, "person": person_id, "all": have.everything}


def message_to_read(have: Rights, message: Message) -> None:
    """Pass where this person may read this message: who sees one ticket of a customer reads the whole timeline,
    but for contacts of confidential queues they do not serve. Raises PermissionDenied."""
    if not have.may_read_contact(message.contact.entry_queue_id):
        raise PermissionDenied
    if not have.everything and not visible(have, Ticket.objects.filter(customer_id=message.customer_id)).exists():
        raise PermissionDenied
