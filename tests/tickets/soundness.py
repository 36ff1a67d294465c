"""What must hold of all rows at any time, whoever was merged, moved or taken back in whatever order."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db.models import F

from agents.models import HistoryEntry
from customers.models import Customer, Identity
from tickets import listing, urgency
from tickets.models import LIVE, Contact, Message, Note, Ticket
from tickets.targets import Targets

SHOWN = ("last_words", "last_direction", "last_author_id", "last_customer_at", "send_trouble")


def check(*, messages: int | None = None) -> None:
    """Fail on the first row that does not fit the others. `messages`: how many there must be."""
    assert not Message.objects.exclude(customer_id=F("contact__customer_id")).exists()
    assert not Message.objects.exclude(ticket_id=F("contact__ticket_id")).exists()
    assert not Contact.objects.exclude(customer_id=F("ticket__customer_id")).exists()
    assert not Note.objects.exclude(customer_id=F("ticket__customer_id")).exists()
    live = Counter(Ticket.objects.filter(state__in=LIVE).values_list("customer_id", flat=True))
    assert all(count == 1 for count in live.values()), live
    arrivals: dict[int, list[int]] = defaultdict(list)
    for ticket_id, arrival in Message.objects.values_list("ticket_id", "arrival"):
        arrivals[ticket_id].append(arrival)
    for ticket in Ticket.objects.all():
        numbers = arrivals[ticket.pk]
        assert len(numbers) == len(set(numbers))
        assert max(numbers, default=0) <= ticket.arrivals
        held = Contact.objects.filter(ticket=ticket)
        if ticket.state == "merged":
            assert not held.exists(), f"{ticket} is merged and holds contacts"
            assert ticket.merged_into is not None
            assert ticket.merged_into.customer_id == ticket.customer_id, f"{ticket} leads to somebody else"
            continue
        assert held.exists(), f"{ticket} holds nothing"
        _counted(ticket)
    # What somebody said on a shared address stays theirs when it is shared no longer.
    ever_shared = HistoryEntry.objects.filter(act="customer.shared").values_list("data__identity", flat=True)
    for identity in Identity.objects.exclude(pk__in=list(ever_shared)):
        strays = identity.contacts.filter(moved_by_hand_at=None).exclude(customer_id=identity.customer_id)
        assert not strays.exists(), f"{identity} stands elsewhere than its contacts"
    if messages is not None:
        assert Message.objects.count() == messages


def _counted(ticket: Ticket) -> None:
    """The columns of the lists are what counting everything anew would make them."""
    before = {name: getattr(ticket, name) for name in (*urgency.SUMMARY, *SHOWN)}
    waiting = {contact.pk: contact.unanswered_since for contact in Contact.objects.filter(ticket=ticket)}
    fresh = Ticket.objects.get(pk=ticket.pk)
    listing.rebuild(fresh)
    contacts = urgency.recount(fresh, Targets.load())
    assert {name: getattr(fresh, name) for name in before} == before
    assert {contact.pk: contact.unanswered_since for contact in contacts} == waiting


def picture() -> dict[str, object]:
    """Who has which identity, which ticket is whose in which state, and on which each message stands."""
    return {
        "identities": dict(Identity.objects.values_list("value", "customer_id")),
        "tickets": {row[0]: row[1:] for row in Ticket.objects.values_list("pk", "customer_id", "state", "owner_id")},
        "messages": dict(Message.objects.values_list("text", "ticket_id")),
        "unanswered": dict(Contact.objects.values_list("pk", "unanswered_since")),
        "customers": Customer.objects.count(),
    }
