"""What every message that comes in asks the database, with its SQL written once a process (lib/prepared.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from agents.models import Person
from channels.happenings import InboundMessage
from contactcentre.lib.by_hand import ByHand, selected
from contactcentre.lib.plans import Asked, in_turn
from contactcentre.lib.prepared import PreparedRows, columns, inserting, is_stored, read, stored, updating
from customers import resolving
from customers.models import Customer
from tickets.models import LIVE, AccountFeed, Contact, Message, Queue, State, Ticket
from tickets.targets import Targets


def _feed_of(*, account_id: int) -> QuerySet[AccountFeed]:
    return AccountFeed.objects.select_related("queue").filter(account_id=account_id)


def _contact_of(*, contact_id: int) -> QuerySet[Contact]:
    return Contact.objects.select_related("entry_queue").filter(pk=contact_id)


def _contacts_said(*, identity_id: int, surface: str, thread: str) -> QuerySet[Contact]:
    contacts = Contact.objects.select_related("entry_queue")
    return contacts.filter(identity_id=identity_id, surface=surface, thread=thread).order_by("-id")[:1]


def _contacts_of(*, ticket_id: int) -> QuerySet[Contact]:
    return Contact.objects.filter(ticket_id=ticket_id).order_by("id")


@dataclass(frozen=True, slots=True)
class Situation:
    """What a message meets once its customer's row is locked.

    `known`: the number of this very message, where somebody brought it before. `customer` and their `ticket` (see
    current()), both locked, where there are any; `queue`: by which contacts of the account enter; `targets`: those of
    the message's surface.
    """

    known: int | None
    customer: Customer | None
    ticket: Ticket | None
    queue: Queue | None
    targets: Targets


# The customer's live ticket, else the latest that is over. Only the row itself is locked.
_CURRENT = f"""
    SELECT * FROM tickets_ticket WHERE customer_id = %s AND state <> '{State.MERGED.value}'
    ORDER BY CASE WHEN state IN ({", ".join(f"'{state}'" for state in LIVE)}) THEN 0 ELSE 1 END, id DESC
    LIMIT 1 FOR NO KEY UPDATE
"""  # noqa: S608  (words of our own)
_TICKET = (
    (Ticket, columns(Ticket), "ticket"),
    (Queue, columns(Queue), "queue"),
    (Person, columns(Person), "owner"),
)
_JOINED = """LEFT JOIN tickets_queue queue ON queue.id = ticket.queue_id
LEFT JOIN agents_person owner ON owner.id = ticket.owner_id"""
_CURRENT_OF = ByHand(
    "current_of",
    f"SELECT {', '.join(selected(*part) for part in _TICKET)} FROM ({_CURRENT}) ticket {_JOINED}",  # noqa: S608
)

# Five small questions that are asked of every message, in one statement: each would cost a way to the database and
# back. No id is empty: said, because the index is on messages that have one, and a plan for any id must know it.
_MET = ((Customer, columns(Customer), "customer"), (Queue, columns(Queue), "entry"), *_TICKET)
_SITUATION = ByHand(
    "situation",
    f"""
SELECT (SELECT id FROM tickets_message
        WHERE channel_kind = %s AND scope = %s AND external_id = %s AND external_id <> '' LIMIT 1),
       (SELECT array_agg(ARRAY[queue_id, minutes]) FROM tickets_servicetarget WHERE surface = %s),
       {", ".join(selected(*part) for part in _MET)}
FROM (SELECT %s::bigint AS account, %s::bigint AS customer) asked
LEFT JOIN customers_customer customer ON customer.id = asked.customer
LEFT JOIN tickets_accountfeed feed ON feed.account_id = asked.account
LEFT JOIN tickets_queue entry ON entry.id = coalesce(feed.queue_id, (SELECT id FROM tickets_queue WHERE is_default))
LEFT JOIN LATERAL ({_CURRENT}) ticket ON true
{_JOINED}
""",  # noqa: S608  (names of our own)
)


def current(customer_id: int) -> Ticket | None:
    """The customer's live ticket, else the latest that is over, locked, with its queue and its owner; or None."""
    row = _CURRENT_OF.first(customer_id)
    return _ticket(_parted(row, _TICKET)) if row is not None else None


def situation(message: InboundMessage, *, account_id: int, customer_id: int | None, is_locked: bool) -> Situation:
    """What the message meets, once the customer's row is locked; `is_locked`: it is already, or nobody can see it.

    Lock and look go together, one behind the other: what is seen is what stands once the lock is there.
    No `customer_id`: nobody's yet. Raises Customer.DoesNotExist.
    """
    asked = _SITUATION.asked(
        message.channel_kind, message.scope, message.external_id, message.surface, account_id, customer_id, customer_id
    )
    lock = [] if customer_id is None or is_locked else [resolving.locking(customer_id)]
    ((known, targets, *rest),) = in_turn(*lock, asked)
    customer, queue, *parts = _parted(rest, _MET)
    if customer_id is not None and customer is None:
        raise Customer.DoesNotExist(f"there is no customer {customer_id}")
    return Situation(
        known=known,
        customer=customer,
        ticket=_ticket(parts),
        queue=queue,
        targets=Targets({(queue_id, message.surface): minutes for queue_id, minutes in targets or ()}),
    )


_Parts = Sequence[tuple[type[Model], tuple[str, ...], str]]


def _parted(row: Sequence[Any], parts: _Parts) -> list[Any]:
    """The models whose columns stand side by side in a row; None for one that is not there."""
    made: list[Any] = []
    place = 0
    for model, names, _called in parts:
        values, place = row[place : place + len(names)], place + len(names)
        # Every table of ours begins with its key.
        made.append(read(model, names, values) if values[0] is not None else None)
    return made


def _ticket(parts: Sequence[Any]) -> Ticket | None:
    ticket, queue, owner = parts
    if ticket is None:
        return None
    ticket.queue, ticket.owner = queue, owner
    made: Ticket = ticket
    return made


# A message and its sighting in one statement. PostgreSQL writes the rest of a message itself.
_FIELDS = [field for field in Message._meta.local_concrete_fields if not field.primary_key and not field.generated]
_PLACES = {str(field.column): "%s" for field in _FIELDS}
# The number that PostgreSQL gave to a contact just before, in this session.
_NEW_CONTACT = "currval(pg_get_serial_sequence('tickets_contact', 'id'))"


def _store(name: str, places: dict[str, str]) -> ByHand:
    return ByHand(
        name,
        f"""
WITH stored AS (
    INSERT INTO tickets_message ({", ".join(places)}) VALUES ({", ".join(places.values())}) RETURNING id, contact_id
), sighted AS (
    INSERT INTO tickets_sighting (message_id, account_id, seen_at) SELECT id, %s::bigint, %s::timestamptz FROM stored
)
SELECT id, contact_id FROM stored
""",  # noqa: S608  (names of our own)
    )


_STORE = _store("store_message", _PLACES)
_STORE_FIRST = _store("store_first_message", {**_PLACES, "contact_id": _NEW_CONTACT})


def store(
    message: Message, *, contact_columns: tuple[str, ...], ticket_columns: tuple[str, ...], now: datetime
) -> None:
    """Write a message that came in, that its account saw it, and what it changes on its contact and its ticket.

    A contact that is new is written whole. All in one way to the database and back. Raises IntegrityError where the
    message is known by now, or another worker was first to begin the contact.
    """
    contact, ticket = message.contact, message.ticket
    is_first = contact.pk is None
    values = [stored(message, field) for field in _FIELDS if not (is_first and field.column == "contact_id")]
    write: Asked = (_STORE_FIRST if is_first else _STORE).asked(*values, message.account_id, now)
    ((number, contact_id),) = in_turn(
        inserting(contact) if is_first else updating(contact, contact_columns),
        updating(ticket, ticket_columns),
        write,
    )
    if is_first:
        is_stored(contact, contact_id)
        # Said again, now that it has a number.
        message.contact = contact
    is_stored(message, number)


FEED = PreparedRows(_feed_of, AccountFeed, "queue")
CONTACT = PreparedRows(_contact_of, Contact, "entry_queue")
SAID = PreparedRows(_contacts_said, Contact, "entry_queue")
CONTACTS = PreparedRows(_contacts_of, Contact)
