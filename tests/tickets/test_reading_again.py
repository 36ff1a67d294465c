"""Whatever was read before a lock was had is read again under it: a merge may have ended in between.

Each act of a second connection is held at the named point "has its identities, wants its customers". Meanwhile a
merge takes the contact along, and everything fits afterwards all the same (docs/one-ticket.md, rows 13 and 15).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, transaction

from channels.happenings import Address, Deleted, DeliveryReceipt, Edited
from customers import resolving
from customers.models import Customer, Identity
from tests.conftest import House
from tests.tickets import soundness
from tickets import first, merging, moving, outside, receipts, replies, versions
from tickets.models import Contact, Message, Ticket

ANN, BOB, CLEO, DAN = (f"{name}@post.example" for name in ("ann", "bob", "cleo", "dan"))
PATIENCE = 30
Act = Callable[[], object]


@pytest.fixture
def four(transactional_db: None, house: House) -> House:
    """Four customers with a ticket each, Cleo's the oldest."""
    for author in (CLEO, ANN, BOB, DAN):
        house.mail(f"From {author}", author=author, name=author[:3], subject="")
        house.clock.forward(minutes=1)
    return house


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act, Act], None]:
    """Runs one act on a connection of its own up to its first lock of a customer, then another one, then the rest."""

    def run(held: Act, meanwhile: Act) -> None:
        reached, go_on = threading.Event(), threading.Event()

        def stop_once(lock: Callable[..., object]) -> Callable[..., object]:
            def stopping(*given: object) -> object:
                if threading.current_thread().name.startswith("held") and not reached.is_set():
                    reached.set()
                    assert go_on.wait(PATIENCE)
                return lock(*given)

            return stopping

        def alone() -> None:
            close_old_connections()
            try:
                with transaction.atomic():
                    held()
            finally:
                connection.close()

        for name in ("lock", "lock_all", "locking"):
            monkeypatch.setattr(resolving, name, stop_once(getattr(resolving, name)))
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="held") as pool:
            done = pool.submit(alone)
            try:
                assert reached.wait(PATIENCE)
                meanwhile()
            finally:
                go_on.set()
            done.result(timeout=PATIENCE)

    return run


def identity(value: str) -> Identity:
    return Identity.objects.get(value=value)


def contact(value: str) -> Contact:
    return Contact.objects.get(identity__value=value)


def until_done_or_waiting(other: Future[None]) -> None:
    """Come back once the other connection is through, or waits for a row that somebody has locked."""
    ends = time.monotonic() + PATIENCE
    while not other.done():
        with connection.cursor() as cursor:
            # Of this database only: another worker's tests have locks of their own.
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < ends
        wait([other], timeout=0.02)


def whose(value: str) -> Customer:
    return identity(value).customer


def join(house: House, value: str, into: Customer) -> None:
    merging.join(
        person=house.leo,
        identity_id=identity(value).pk,
        into_customer_id=into.pk,
        evidence=merging.BY_HAND,
        now=house.clock.now,
    )


def give(house: House, value: str, to: Customer) -> int:
    return moving.move_contact(
        person=house.leo, contact_id=contact(value).pk, to_customer_id=to.pk, now=house.clock.now
    ).pk


def test_a_move_is_taken_back_while_the_ticket_becomes_part_of_an_older_one(
    four: House, between: Callable[[Act, Act], None]
) -> None:
    move = give(four, BOB, whose(ANN))
    between(
        lambda: moving.take_back_move(person=four.leo, move_id=move, now=four.clock.now),
        lambda: join(four, CLEO, whose(ANN)),
    )
    assert contact(BOB).customer == whose(BOB)
    assert contact(BOB).ticket.state == "open"
    soundness.check(messages=4)


def test_a_contact_is_moved_while_its_ticket_becomes_part_of_an_older_one(
    four: House, between: Callable[[Act, Act], None]
) -> None:
    give(four, BOB, whose(ANN))
    between(lambda: give(four, BOB, whose(DAN)), lambda: join(four, CLEO, whose(ANN)))
    assert contact(BOB).customer == whose(DAN)
    soundness.check(messages=4)


def test_a_message_arrives_while_what_came_before_it_is_answered(
    four: House, between: Callable[[Act, Act], None]
) -> None:
    later = four.clock.forward(minutes=5)
    ours = contact(ANN)
    again = four.mail("Again", author=ANN, thread=ours.thread, receive=False, said_at=later)

    def answer() -> None:
        with transaction.atomic():
            replies.reply(
                person=four.leo, ticket_id=ours.ticket_id, contact_id=ours.pk, text="Here it is", seen=99, now=later
            )

    between(lambda: four.receive(again), answer)
    assert contact(ANN).unanswered_since == later
    soundness.check(messages=6)


def test_a_first_mail_is_written_while_its_address_is_joined_to_somebody(
    four: House, between: Callable[[Act, Act], None]
) -> None:
    """Whoever is first goes first: the address is held until the mail is queued, and then takes it along."""

    def joining() -> None:
        close_old_connections()
        try:
            join(four, BOB, whose(ANN))
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = []

        def meanwhile() -> None:
            waiting.append(pool.submit(joining))
            until_done_or_waiting(waiting[0])

        between(
            lambda: first.write(
                person=four.leo,
                identity_id=identity(BOB).pk,
                account_id=four.mailbox.pk,
                subject="Your order",
                text="It is on its way",
                now=four.clock.now,
            ),
            meanwhile,
        )
        waiting[0].result(timeout=PATIENCE)
    assert set(Contact.objects.filter(identity__value=BOB).values_list("customer", flat=True)) == {whose(ANN).pk}
    soundness.check(messages=5)


def news_of(message: Message) -> list[tuple[str, str]]:
    return list(message.versions.values_list("text", "message__text"))


def test_an_edit_and_a_deletion_find_their_message_where_a_merge_has_taken_it(
    four: House, between: Callable[[Act, Act], None]
) -> None:
    told = four.message(f"From {BOB}")
    edit = Edited(
        channel_kind="email",
        external_id=told.external_id,
        text="What I meant",
        edited_at=four.clock.now + timedelta(minutes=1),
    )
    between(lambda: versions.edited(edit, now=four.clock.now), lambda: join(four, BOB, whose(ANN)))
    assert news_of(told) == [(f"From {BOB}", "What I meant")]
    gone = Deleted(channel_kind="email", external_id=told.external_id, deleted_at=four.clock.now)
    between(lambda: versions.deleted(gone, now=four.clock.now), lambda: join(four, CLEO, whose(ANN)))
    told.refresh_from_db()
    assert (told.text, told.ticket) == ("", Ticket.objects.get(customer=whose(ANN), state="open"))
    soundness.check(messages=4)


def test_news_of_a_reply_reaches_the_ticket_it_was_taken_to(four: House, between: Callable[[Act, Act], None]) -> None:
    with transaction.atomic():
        message = replies.reply(
            person=four.leo,
            ticket_id=contact(BOB).ticket_id,
            contact_id=contact(BOB).pk,
            text="Here it is",
            seen=99,
            now=four.clock.now,
        )
    failed = DeliveryReceipt(
        channel_kind="email", reference=receipts.reference(message.pk), state="failed", at=four.clock.now
    )
    between(lambda: receipts.apply(failed, now=four.clock.now), lambda: join(four, BOB, whose(ANN)))
    message.refresh_from_db()
    assert (message.customer, message.ticket.send_trouble) == (whose(ANN), 1)
    soundness.check(messages=5)


def test_our_words_from_outside_go_where_a_merge_has_taken_their_thread(
    four: House, between: Callable[[Act, Act], None]
) -> None:
    theirs = four.message(f"From {BOB}")
    ours = four.mail(
        "From my telephone",
        author="care@acme.example",
        recipient=Address(kind="email", value=BOB),
        references=(theirs.reference,),
        receive=False,
    )
    between(
        lambda: outside.ours(ours, account_id=four.mailbox.pk, now=four.clock.now),
        lambda: join(four, BOB, whose(ANN)),
    )
    assert four.message("From my telephone").customer == whose(ANN)
    soundness.check(messages=5)


def test_a_move_is_taken_back_while_the_ticket_its_home_leads_to_is_merged_on(four: House) -> None:
    """That ticket is somebody else's by now, so that nobody's lock but its own holds the other merge off."""
    bob = whose(BOB)
    give(four, DAN, bob)
    on = give(four, DAN, whose(DAN))
    join(four, BOB, whose(ANN))

    def taking_back() -> None:
        close_old_connections()
        try:
            moving.take_back_move(person=four.leo, move_id=on, now=four.clock.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        with transaction.atomic():
            join(four, CLEO, whose(ANN))
            waiting = pool.submit(taking_back)
            until_done_or_waiting(waiting)
        waiting.result(timeout=PATIENCE)
    assert contact(DAN).customer == bob
    soundness.check(messages=4)
