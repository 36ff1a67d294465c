"""Messages, merges, moves and their taking back in random order, one after the other and all at once.

Afterwards everything fits: docs/one-ticket.md, rows 12, 13, 15 and 16.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, close_old_connections, connection, transaction
from django.http import Http404

from channels.happenings import Address, InboundMessage
from customers.models import Customer, Identity, Merge
from tests.conftest import House
from tests.tickets import soundness
from tickets import acts, intake, merging, moving, replies, sharing
from tickets.models import LIVE, Contact, ContactMove, Message, Ticket

PEOPLE = [f"{name}@post.example" for name in ("ann", "bob", "cleo", "dan")]
# What a loser of a race raises and the callers answer by trying again, or a person by looking again.
LOST = (IntegrityError, OperationalError)
REFUSED = (
    merging.CannotJoin,
    moving.CannotMove,
    sharing.CannotShare,
    replies.CannotReply,
    acts.CannotAct,
    PermissionDenied,
    # Gone to another ticket between looking and doing.
    Http404,
)


class Life:
    """One random act after the other. `numbers` makes every message's id; `said` counts the messages in."""

    def __init__(self, house: House, seed: int, *, numbers: count[int] | None = None, ages: bool = True) -> None:
        self.house, self.random, self.seed = house, random.Random(seed), seed
        self.numbers = numbers or count(1)
        self.said = 0
        # Those who live at once live in the same instant: what is shown last does not hang on clocks then.
        self.now, self.ages = house.clock.now, ages
        self.merges: list[int] = []
        self.moves: list[int] = []

    def act(self) -> None:
        """Do something."""
        if self.ages:
            self.now += timedelta(minutes=self.random.choice((1, 5, 60)))
        acts_: list[Callable[[], None]] = [
            self.message,
            self.message,
            self.message,
            self.join,
            self.join,
            self.take_back,
            self.move,
            self.take_back_move,
            self.reply,
            self.change,
            self.share,
        ]
        try:
            self.random.choice(acts_)()
        except REFUSED:
            return

    def message(self) -> None:
        """A new thread, or one more mail in an old one."""
        old = list(Message.objects.filter(direction="in").order_by("-id").values_list("reference", flat=True)[:20])
        references = (self.random.choice(old),) if old and self.random.random() < 0.6 else ()
        self.mail(self.random.choice(PEOPLE), references=references)

    def mail(self, author: str, *, references: tuple[str, ...] = ()) -> None:
        """One mail, received as the worker does: tried again where a race was lost."""
        name = f"<{self.seed}-{next(self.numbers)}@post.example>"
        message = InboundMessage(
            channel_kind="email",
            surface="email",
            external_id=name,
            reference=name,
            thread=name,
            references=references,
            author=Address(kind="email", value=author, display=author, name=author[:3]),
            said_at=self.now,
            text=name,
            subject="",
        )
        account = self.random.choice((self.house.mailbox, self.house.billing_mailbox, self.house.legal_mailbox))
        for attempt in range(20):
            try:
                with transaction.atomic():
                    intake.receive(message, account_id=account.pk, now=self.now)
                break
            except LOST as e:
                print("LOST-IN", type(e), str(e)[:600])
                if attempt == 19:
                    raise
        self.said += 1

    def join(self) -> None:
        identity, into = self._one(Identity), self._one(Customer)
        if identity and into:
            self.merges.append(
                merging.join(
                    person=self.house.leo,
                    identity_id=identity,
                    into_customer_id=into,
                    evidence=merging.BY_HAND,
                    now=self.now,
                ).pk
            )

    def take_back(self) -> None:
        merge = self._one(Merge)
        if merge:
            merging.take_back(person=self.house.leo, merge_id=merge, now=self.now)

    def move(self) -> None:
        contact, into = self._one(Contact), self._one(Customer)
        if contact:
            is_new = into is None or self.random.random() < 0.2
            self.moves.append(
                moving.move_contact(
                    person=self.house.leo,
                    contact_id=contact,
                    to_customer_id=None if is_new else into,
                    name="Somebody",
                    now=self.now,
                ).pk
            )

    def take_back_move(self) -> None:
        move = self._one(ContactMove)
        if move:
            moving.take_back_move(person=self.house.leo, move_id=move, now=self.now)

    def reply(self) -> None:
        live = Contact.objects.filter(ticket__state__in=LIVE)
        contact = self.random.choice([*live.order_by("id").values_list("pk", flat=True), None])
        if contact is None:
            return
        with transaction.atomic():
            replies.reply(
                person=self.house.leo,
                ticket_id=Contact.objects.get(pk=contact).ticket_id,
                contact_id=contact,
                text="Here you are",
                seen=10**6,
                anyway=True,
                now=self.now,
            )
        self.said += 1

    def change(self) -> None:
        ticket = self._one(Ticket)
        if ticket:
            do = self.random.choice((acts.solve, acts.wait, acts.reopen))
            do(person=self.house.leo, tickets=[ticket], now=self.now)

    def share(self) -> None:
        identity = self._one(Identity)
        if identity and self.random.random() < 0.3:
            sharing.mark_shared(
                person=self.house.leo, identity_id=identity, shared=self.random.random() < 0.5, now=self.now
            )

    def _one(self, model: type[Identity | Customer | Merge | Contact | ContactMove | Ticket]) -> int | None:
        rows = list(model.objects.order_by("id").values_list("pk", flat=True))
        return self.random.choice(rows) if rows else None


@pytest.mark.parametrize("seed", range(200, 225))
def test_after_any_order_of_acts_everything_fits(house: House, seed: int) -> None:
    life = Life(house, seed)
    for turn in range(40):
        life.act()
        if turn % 4 == 0:
            soundness.check(messages=life.said)
    _all_back(life)
    soundness.check(messages=life.said)


def _all_back(life: Life) -> None:
    """Take everything back in random order; every identity is then with the customer it began with."""
    first = {
        identity.pk: (move.from_customer_id if move else identity.customer_id)
        for identity in Identity.objects.all()
        for move in [identity.moves.order_by("id").first()]
    }
    merges = list(Merge.objects.values_list("pk", flat=True))
    life.random.shuffle(merges)
    for merge in merges:
        merging.take_back(person=life.house.leo, merge_id=merge, now=life.now)
    assert dict(Identity.objects.values_list("pk", "customer_id")) == first


def _at_once(*work: Callable[[], None]) -> None:
    """Each piece of work on a thread and a connection of its own; what one raises fails the test."""

    def alone(piece: Callable[[], None]) -> None:
        close_old_connections()
        try:
            piece()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        for done in [pool.submit(alone, piece) for piece in work]:
            done.result(timeout=100)


@pytest.mark.django_db(transaction=True)
def test_fifty_first_messages_at_once_make_one_ticket_and_leave_no_orphan(house: House) -> None:
    numbers = count(1)
    lives = [Life(house, seed, numbers=numbers) for seed in range(50)]
    _at_once(*(lambda life=life: life.mail(PEOPLE[0]) for life in lives))  # type: ignore[misc]
    assert (Customer.objects.count(), Identity.objects.count(), Ticket.objects.count()) == (1, 1, 1)
    soundness.check(messages=50)


@pytest.mark.django_db(transaction=True)
def test_fifty_first_messages_in_one_thread_of_a_shared_address_are_one_contact(house: House) -> None:
    first = Life(house, 1000)
    first.mail(PEOPLE[0])
    identity = Identity.objects.get()
    sharing.mark_shared(person=house.leo, identity_id=identity.pk, shared=True, now=house.clock.now)

    def said(number: int) -> Callable[[], None]:
        message = InboundMessage(
            channel_kind="email",
            surface="email",
            external_id=f"<{number}@post.example>",
            reference=f"<{number}@post.example>",
            thread="<one@post.example>",
            author=Address(kind="email", value=PEOPLE[0], display=PEOPLE[0], name="Ann"),
            said_at=house.clock.now,
            text=f"{number}",
            subject="",
        )

        def receive() -> None:
            with transaction.atomic():
                intake.receive(message, account_id=house.mailbox.pk, now=house.clock.now)

        return receive

    _at_once(*(said(number) for number in range(20)))
    assert Customer.objects.filter(is_provisional=True).count() == 1
    assert Contact.objects.count() == 2
    soundness.check(messages=21)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(20, 34))
def test_while_people_join_and_move_messages_arrive_and_everything_fits(house: House, seed: int) -> None:
    start = Life(house, 5000 + seed)
    for author in PEOPLE:
        start.mail(author)
    lives = [Life(house, 10_000 * (seed + 1) + number, ages=False) for number in range(6)]

    def live(life: Life) -> Callable[[], None]:
        def on() -> None:
            for _turn in range(12):
                try:
                    life.act()
                except LOST:
                    # A person's act that lost a race changed nothing, and is not tried again here.
                    continue

        return on

    _at_once(*(live(life) for life in lives))
    soundness.check(messages=start.said + sum(life.said for life in lives))
    _all_back(start)
    soundness.check()
