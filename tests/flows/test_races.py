"""Everything at once: many workers with the same customer, the same mail, the same ticket.

Real threads with database connections of their own, through the same doors that the workers and the pages use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from random import Random

import pytest
from celery import current_app
from django.db import connection, transaction

from channels import books, ledger, processing
from channels.happenings import RawItem
from channels.models import ChannelAccount, LedgerItem, Outbound
from customers.models import Customer, Identity
from tests.conftest import House
from tests.running import until
from tickets import replies
from tickets.models import Contact, Message, Sighting, Ticket
from tickets.replies import Conflict

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 20, 15, 12, tzinfo=UTC)
SECONDS = 60
CARLA, CARLA_AT_WORK = "carla.hughes@post.example", "carla@letters.example"
MAILS = 50


@pytest.fixture(autouse=True)
def _well_behaved() -> None:
    """These tests have a database of their own and need no running product."""


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else works on what is recorded here."""
    monkeypatch.setattr(current_app, "send_task", lambda *_args, **_kwargs: None)


# ---------------------------------------------------------------- what comes in


def mail(number: int, author: str = CARLA) -> RawItem:
    """A first mail: it answers nothing, and is a thread of its own."""
    written = EmailMessage()
    written["From"] = f"Carla Hughes <{author}>"
    written["To"] = "care@acme.example"
    written["Subject"] = f"Question {number}"
    written["Date"] = format_datetime(NOW)
    written["Message-ID"] = f"<question-{number}@post.example>"
    written.set_content(f"Question {number}")
    return RawItem(
        happening="message",
        external_id=f"<question-{number}@post.example>",
        body=written.as_bytes(),
        meta={"internaldate": NOW.isoformat()},
    )


def record(account: ChannelAccount, items: Sequence[RawItem]) -> None:
    with transaction.atomic():
        ledger.record(account, "email", items, source="poll", now=NOW)


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """What the acts came to, begun at the same moment, each in a thread with a connection of its own."""
    begin = threading.Barrier(len(acts), timeout=SECONDS)

    def one(act: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            begin.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [each.result(SECONDS) for each in [threads.submit(one, act) for act in acts]]


def process_one() -> processing.Done:
    return processing.process(now=NOW, limit=1, clock=lambda: NOW)


def process_at_once(workers: int) -> None:
    """So many workers take one item each; nothing is put off, and the books are even."""
    done = at_once([process_one] * workers)
    assert [one for one in done if isinstance(one, processing.Done) and one.put_off] == []
    everything = books.books()
    assert everything.balanced
    assert everything == books.Books(seen=LedgerItem.objects.count(), processed=LedgerItem.objects.count())


def is_one_ticket(count: int) -> Ticket:
    """Everything is on one live ticket of one customer, one arrival each, and nobody was left over."""
    customer = Customer.objects.get()
    ticket = Ticket.objects.get()
    assert (ticket.customer_id, ticket.state, ticket.arrivals) == (customer.pk, "open", count)
    arrivals = Message.objects.filter(ticket=ticket, customer=customer).order_by("arrival")
    assert list(arrivals.values_list("arrival", flat=True)) == list(range(1, count + 1))
    assert Message.objects.count() == Message.objects.values("external_id").distinct().count() == count
    assert Contact.objects.count() == Contact.objects.filter(ticket=ticket, customer=customer).count() == count
    return ticket


def test_fifty_first_mails_of_one_address_at_once_make_one_ticket(house: House) -> None:
    record(house.mailbox, [mail(number) for number in range(MAILS)])
    process_at_once(MAILS)
    is_one_ticket(MAILS)
    assert Identity.objects.get().value == CARLA


def test_fifty_first_mails_of_one_customer_by_two_addresses_at_once_make_one_ticket(house: House) -> None:
    customer = Customer.objects.create(name="Carla Hughes", created_at=NOW)
    for address in (CARLA, CARLA_AT_WORK):
        Identity.objects.create(customer=customer, kind="email", value=address, display=address, first_seen_at=NOW)
    record(house.mailbox, [mail(number, (CARLA, CARLA_AT_WORK)[number % 2]) for number in range(MAILS)])
    process_at_once(MAILS)
    is_one_ticket(MAILS)
    assert Identity.objects.count() == 2


@pytest.mark.parametrize("seed", range(3))
def test_everything_told_three_times_in_any_order_by_two_accounts_is_there_once(house: House, seed: int) -> None:
    random = Random(seed)
    items = [mail(number) for number in range(10)]
    tellings = [(account, item) for account in (house.mailbox, house.billing_mailbox) for item in items]
    # Each account hears of everything, and one of the two hears of it twice.
    tellings += [(random.choice((house.mailbox, house.billing_mailbox)), item) for item in items]
    random.shuffle(tellings)
    acts: list[Callable[[], object]] = [
        lambda account=account, item=item: record(account, [item]) for account, item in tellings
    ]
    # Processing begins while things are still being told.
    acts += [process_one] * len(tellings)
    random.shuffle(acts)
    at_once(acts)
    process_at_once(len(items) * 2)
    is_one_ticket(len(items))
    assert LedgerItem.objects.count() == len(items) * 2
    sightings = list(Sighting.objects.values_list("message_id", "account_id"))
    both = (house.mailbox.pk, house.billing_mailbox.pk)
    assert sorted(sightings) == sorted((one.pk, account) for one in Message.objects.all() for account in both)


# ---------------------------------------------------------------- what goes out


@pytest.fixture
def asked(house: House) -> Contact:
    """A customer's first mail, on a ticket."""
    record(house.mailbox, [mail(0)])
    process_at_once(1)
    return house.contact()


def press(house: House, contact: Contact, text: str, *, seen: int = 1, by: str = "anna") -> Message | Conflict:
    """An agent presses Send; the message, or what came in between."""
    try:
        with transaction.atomic():
            return replies.reply(
                person=getattr(house, by),
                ticket_id=contact.ticket_id,
                contact_id=contact.pk,
                text=text,
                seen=seen,
                undo=timedelta(seconds=10),
                now=NOW,
            )
    except Conflict as conflict:
        return conflict


def test_of_two_agents_who_press_send_at_once_one_is_told_of_the_other(house: House, asked: Contact) -> None:
    both = at_once([lambda by=by: press(house, asked, f"{by} answers", by=by) for by in ("anna", "ben")])
    sent = [one for one in both if isinstance(one, Message)]
    refused = [one for one in both if isinstance(one, Conflict)]
    assert (len(sent), len(refused)) == (1, 1)
    assert refused[0].arrived == (sent[0].text,)
    assert Outbound.objects.get().reference == f"message:{sent[0].pk}"
    assert Message.objects.filter(direction="out").count() == 1
    assert house.ticket().owner_id == sent[0].person_id


def test_one_press_told_many_times_at_once_is_one_message(house: House, asked: Contact) -> None:
    def again() -> int:
        with transaction.atomic():
            return replies.reply(
                person=house.anna, ticket_id=asked.ticket_id, contact_id=asked.pk, text="Once", seen=1,
                pressed="one-press", now=NOW,
            ).pk  # fmt: skip

    assert len(set(at_once([again] * 8))) == 1
    assert Message.objects.filter(direction="out").count() == Outbound.objects.count() == 1


def test_a_mail_that_is_being_written_down_stops_the_reply_that_has_not_seen_it(house: House, asked: Contact) -> None:
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            house.receive(house.mail("And one more thing", author=CARLA, receive=False))
            pressed = threads.submit(in_its_own_connection, lambda: press(house, asked, "Here it is"))
            until(somebody_waits, what="the reply waits for the ticket")
        refused = pressed.result(SECONDS)
    assert isinstance(refused, Conflict)
    assert refused.arrived == ("And one more thing",)
    assert not Outbound.objects.exists()
    assert arrivals() == [(1, "in"), (2, "in")]


def test_a_mail_that_comes_while_a_reply_is_being_queued_waits_and_is_after_it(house: House, asked: Contact) -> None:
    record(house.mailbox, [mail(1)])
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            assert isinstance(press(house, asked, "Here it is"), Message)
            processed = threads.submit(in_its_own_connection, process_one)
            until(somebody_waits, what="the mail waits for the ticket")
        assert processed.result(SECONDS) == processing.Done(settled=1, more=True)
    assert arrivals() == [(1, "in"), (2, "out"), (3, "in")]
    ticket = house.ticket()
    assert (ticket.awaiting, ticket.arrivals) == ("us", 3)
    assert Outbound.objects.count() == 1


@pytest.mark.parametrize("seed", range(5))
def test_replies_and_mails_at_once_are_all_numbered_and_nothing_is_sent_unseen(
    house: House, asked: Contact, seed: int
) -> None:
    random = Random(seed)
    record(house.mailbox, [mail(number) for number in range(1, 6)])
    acts: list[Callable[[], object]] = [process_one] * 5
    acts += [lambda by=by: press(house, asked, f"{by} answers", by=by) for by in ("anna", "ben")]
    random.shuffle(acts)
    sent = [one for one in at_once(acts) if isinstance(one, Message)]
    # Whoever was first had seen everything; whoever came later was told of what came in between.
    assert [one.arrival for one in sent] in ([], [2])
    numbers = [number for number, _direction in arrivals()]
    assert numbers == list(range(1, 7 + len(sent)))
    assert Outbound.objects.count() == len(sent)
    assert house.ticket().awaiting == "us"


def in_its_own_connection(act: Callable[[], object]) -> object:
    """What the act came to, in a thread; its connection is closed after it."""
    try:
        return act()
    finally:
        connection.close()


def somebody_waits() -> bool:
    """Whether another connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        # What it shows is kept for the length of a transaction, and this is asked inside one.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone() is not None


def arrivals() -> list[tuple[int, str]]:
    return list(Message.objects.order_by("arrival").values_list("arrival", "direction"))
