"""Assign, move, solve, snooze, no reply needed, tag, block; and taking each of them back."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from agents.models import HistoryEntry, Person
from customers.models import Customer
from tests.conftest import House
from tickets import acts, settings_queues, tidying
from tickets.models import Contact, Ticket

ACTS: dict[str, Callable[[House, Ticket], acts.Done]] = {
    "assign": lambda h, t: acts.assign(person=h.anna, tickets=[t.pk], owner_id=h.ben.pk, now=h.clock.now),
    "move": lambda h, t: acts.move(person=h.anna, tickets=[t.pk], queue_id=h.billing.pk, now=h.clock.now),
    "solve": lambda h, t: acts.solve(person=h.anna, tickets=[t.pk], now=h.clock.now),
    "wait": lambda h, t: acts.wait(person=h.anna, tickets=[t.pk], now=h.clock.now),
    "snooze": lambda h, t: acts.snooze(
        person=h.anna, tickets=[t.pk], until=h.clock.now + timedelta(hours=1), now=h.clock.now
    ),
    "no reply": lambda h, t: acts.no_reply_needed(person=h.anna, tickets=[t.pk], reason="thanks", now=h.clock.now),
    "tag": lambda h, t: acts.tag(person=h.anna, tickets=[t.pk], add=["Lost parcel"], now=h.clock.now),
    "priority": lambda h, t: acts.prioritise(person=h.anna, tickets=[t.pk], priority=1, now=h.clock.now),
    "block": lambda h, t: acts.block(person=h.anna, tickets=[t.pk], now=h.clock.now),
}


def picture(ticket: Ticket) -> tuple[object, ...]:
    """All of a ticket that acts change."""
    row = Ticket.objects.get(pk=ticket.pk)
    contact = Contact.objects.get(ticket=ticket)
    customer = Customer.objects.get(pk=row.customer_id)
    return (
        row.state,
        row.queue_id,
        row.owner_id,
        row.priority,
        row.tags,
        row.snoozed_until,
        row.awaiting,
        row.due_at,
        contact.unanswered_since,
        contact.no_reply_at,
        customer.blocked_at,
    )


@pytest.mark.parametrize("name", ACTS)
def test_every_act_changes_something_writes_history_and_can_be_taken_back(house: House, name: str) -> None:
    house.mail()
    ticket = house.ticket()
    before = picture(ticket)
    done = ACTS[name](house, ticket)
    assert done.changed == [ticket.pk]
    assert picture(ticket) != before
    assert HistoryEntry.objects.filter(actor=house.anna).count() == 1
    back = acts.take_back(person=house.anna, token=done.undo, now=house.clock.now)
    assert back.changed == [ticket.pk]
    assert picture(ticket) == before
    assert HistoryEntry.objects.filter(act="ticket.taken_back").count() == 1


@pytest.mark.parametrize("name", ACTS)
def test_the_same_act_twice_does_nothing_the_second_time(house: House, name: str) -> None:
    house.mail()
    ticket = house.ticket()
    ACTS[name](house, ticket)
    if name == "move":
        house.anna.is_lead = True
        house.anna.save()
    again = ACTS[name](house, ticket)
    assert (again.changed, again.undo) == ([], "")


def test_taking_back_leaves_alone_what_somebody_changed_since(house: House) -> None:
    house.mail()
    ticket = house.ticket()
    done = ACTS["assign"](house, ticket)
    acts.solve(person=house.ben, tickets=[ticket.pk], now=house.clock.now)
    back = acts.take_back(person=house.anna, token=done.undo, now=house.clock.now)
    assert (back.changed, list(back.refused)) == ([], [ticket.pk])
    assert house.ticket().owner == house.ben


def test_nobody_takes_back_for_another(house: House) -> None:
    house.mail()
    done = ACTS["solve"](house, house.ticket())
    with pytest.raises(acts.CannotAct):
        acts.take_back(person=house.ben, token=done.undo, now=house.clock.now)
    with pytest.raises(acts.CannotAct):
        acts.take_back(person=house.anna, token=done.undo + "x", now=house.clock.now)


def test_who_moves_a_ticket_to_where_they_may_not_look_can_still_take_it_back(house: House) -> None:
    house.mail()
    Ticket.objects.update(owner=house.anna)
    Contact.objects.update(entry_queue=house.billing)
    done = ACTS["move"](house, house.ticket())
    ticket = house.ticket()
    assert (ticket.owner, ticket.reader_queue_ids) == (None, [house.billing.pk])
    acts.take_back(person=house.anna, token=done.undo, now=house.clock.now)
    assert house.ticket().owner == house.anna


def test_a_ticket_that_moves_stays_with_an_owner_who_is_a_lead(house: House) -> None:
    house.mail()
    Ticket.objects.update(owner=house.leo)
    ACTS["move"](house, house.ticket())
    assert (house.ticket().queue, house.ticket().owner) == (house.billing, house.leo)


@pytest.mark.parametrize("lost", ["is_active", "is_agent"])
def test_a_ticket_opened_again_is_nobodys_where_its_owner_cannot_work_on_it(house: House, lost: str) -> None:
    house.mail()
    Ticket.objects.update(owner=house.ben, state="solved", solved_at=house.clock.now)
    setattr(house.ben, lost, False)
    house.ben.save()
    done = acts.reopen(person=house.anna, tickets=[house.ticket().pk], now=house.clock.now)
    assert (house.ticket().state, house.ticket().owner) == ("open", None)
    acts.take_back(person=house.anna, token=done.undo, now=house.clock.now)
    assert house.ticket().owner == house.ben


def test_a_wide_act_names_what_it_could_not_do_and_does_the_rest(house: House) -> None:
    house.mail("One")
    house.mail("Two", author="tom@post.example")
    house.mail("Bill", author="eve@post.example", account=house.billing_mailbox)
    every = list(Ticket.objects.order_by("id").values_list("pk", flat=True))
    done = acts.solve(person=house.anna, tickets=every, now=house.clock.now)
    assert (done.changed, list(done.refused)) == (every[:2], [every[2]])


def test_somebody_elses_queue_is_refused(house: House) -> None:
    house.mail()
    with pytest.raises(PermissionDenied):
        acts.solve(person=house.hana, tickets=[house.ticket().pk], now=house.clock.now)


def test_no_reply_needed_counts_as_answered_until_the_customer_writes_again(house: House) -> None:
    house.mail("Thanks!")
    ACTS["no reply"](house, house.ticket())
    ticket = house.ticket()
    assert (ticket.awaiting, ticket.state, ticket.due_at) == ("customer", "open", None)
    house.clock.forward(minutes=1)
    house.mail("One more thing", references=("<mail-1@post.example>",))
    assert house.ticket().awaiting == "us"
    assert house.ticket().unanswered_since == house.clock.now


@pytest.fixture
def three(house: House) -> House:
    """A ticket in General with a waiting contact of General, one of Billing and one of Legal, each asked of its own."""
    house.mail("Where is my parcel?")
    house.mail("And the bill?", account=house.billing_mailbox)
    house.mail("My salary", account=house.legal_mailbox)
    return house


def waits_in(house: House) -> set[str]:
    """The queues by which something came in that still waits."""
    names = Contact.objects.exclude(unanswered_since=None).values_list("entry_queue__name", flat=True)
    return set(names)


@pytest.mark.parametrize(
    ("who", "queue", "left"),
    [
        # From the list of a queue: what came in by that queue.
        ("anna", "general", {"Billing", "Legal"}),
        ("anna", "billing", {"General", "Legal"}),
        ("leo", "legal", {"General", "Billing"}),
        # From elsewhere: the ticket's own queue for those who work for it, else the queues one serves.
        ("anna", None, {"Billing", "Legal"}),
        ("hana", None, {"General", "Legal"}),
        ("leo", None, {"Billing", "Legal"}),
    ],
)
def test_no_reply_needed_is_about_one_queue_and_the_others_stay_unanswered(
    three: House, who: str, queue: str | None, left: set[str]
) -> None:
    acts.no_reply_needed(
        person=getattr(three, who),
        tickets=[three.ticket().pk],
        reason="thanks",
        now=three.clock.now,
        queue_id=getattr(three, queue).pk if queue else None,
    )
    assert waits_in(three) == left
    assert three.ticket().awaiting == "us"


def test_no_reply_needed_never_marks_what_one_may_not_read(three: House) -> None:
    number, now = [three.ticket().pk], three.clock.now
    secret = Contact.objects.get(entry_queue=three.legal)
    for given in ({"contact_id": secret.pk}, {"queue_id": three.legal.pk}):
        with suppress(acts.CannotAct):
            acts.no_reply_needed(person=three.anna, tickets=number, reason="other", now=now, **given)
    assert waits_in(three) == {"General", "Billing", "Legal"}
    for queue in (three.general, three.billing):
        acts.no_reply_needed(person=three.anna, tickets=number, reason="other", now=now, queue_id=queue.pk)
    done = acts.no_reply_needed(person=three.anna, tickets=number, reason="other", now=now)
    assert (done.changed, waits_in(three)) == ([], {"Legal"})


def test_no_reply_needed_says_where_something_waits_that_is_not_of_this_list(three: House) -> None:
    number, now = [three.ticket().pk], three.clock.now
    acts.no_reply_needed(person=three.anna, tickets=number, reason="thanks", now=now)
    with pytest.raises(acts.CannotAct, match="Billing"):
        acts.no_reply_needed(person=three.anna, tickets=number, reason="thanks", now=now)
    assert waits_in(three) == {"Billing", "Legal"}


def test_one_contact_is_marked_at_its_head_on_the_ticket(
    three: House, sign_in: Callable[[Person], Client]
) -> None:
    ticket, browser = three.ticket(), sign_in(three.anna)
    bill = Contact.objects.get(entry_queue=three.billing)
    secret = Contact.objects.get(entry_queue=three.legal)

    def heads() -> list[int]:
        page = browser.get(f"/t/{ticket.pk}/").content.decode()
        return [int(n) for n in re.findall(r'data-act-url="/act/no-reply/" name="contact" value="(\d+)"', page)]

    assert set(heads()) == {bill.pk, Contact.objects.get(entry_queue=three.general).pk}
    assert browser.post("/act/no-reply/", {"ticket": ticket.pk, "contact": bill.pk}).json()["changed"] == [ticket.pk]
    assert bill.pk not in heads()
    assert waits_in(three) == {"General", "Legal"}
    assert browser.post("/act/no-reply/", {"ticket": ticket.pk, "contact": secret.pk}).json()["changed"] == []
    # The key and the bar of picked tickets send the queue whose list stands beside them.
    assert browser.post("/act/no-reply/", {"ticket": ticket.pk, "queue": three.general.pk}).status_code == 200
    assert waits_in(three) == {"Legal"}


def test_a_snoozed_ticket_wakes_when_its_time_has_come(house: House) -> None:
    house.mail()
    ACTS["snooze"](house, house.ticket())
    assert tidying.wake(now=house.clock.now) == 0
    assert tidying.wake(now=house.clock.forward(hours=1)) == 1
    assert house.ticket().state == "open"


def test_a_solved_ticket_closes_when_its_queues_window_is_over(house: House) -> None:
    house.mail()
    ACTS["solve"](house, house.ticket())
    assert tidying.close(now=house.clock.now + timedelta(days=6, hours=23)) == 0
    assert tidying.close(now=house.clock.now + timedelta(days=7)) == 1
    assert house.ticket().state == "closed"


def test_a_deactivated_persons_live_tickets_go_back_to_their_queue(house: House) -> None:
    house.mail()
    ACTS["assign"](house, house.ticket())
    assert tidying.return_work(person=house.ben, actor=house.ada, now=house.clock.now) == 1
    assert house.ticket().owner is None


def test_reopening_is_refused_where_a_newer_ticket_is_live(house: House) -> None:
    house.mail()
    old = house.ticket()
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.mail("Again")
    Ticket.objects.filter(pk=old.pk).update(state="solved", solved_at=house.clock.now)
    with pytest.raises(acts.CannotAct):
        acts.reopen(person=house.anna, tickets=[old.pk], now=house.clock.now)


def test_taken_back_a_ticket_never_goes_to_somebody_who_left_or_lost_the_role(house: House) -> None:
    house.mail()
    ticket, now = house.ticket(), timezone.now()
    for change in ({"is_active": False}, {"is_agent": False, "is_admin": True}):
        acts.assign(person=house.leo, tickets=[ticket.pk], owner_id=house.ben.pk, now=now)
        done = acts.assign(person=house.leo, tickets=[ticket.pk], owner_id=house.anna.pk, now=now)
        Person.objects.filter(pk=house.ben.pk).update(**change)
        assert acts.take_back(person=house.leo, token=done.undo, now=now).changed == [ticket.pk]
        assert house.ticket().owner is None
        Person.objects.filter(pk=house.ben.pk).update(is_active=True, is_agent=True)


def test_taken_back_a_ticket_goes_to_the_successor_of_a_queue_that_was_removed(house: House) -> None:
    house.mail(account=house.billing_mailbox)
    ticket, now = house.ticket(), timezone.now()
    done = acts.move(person=house.leo, tickets=[ticket.pk], queue_id=house.general.pk, now=now)
    settings_queues.remove(actor=house.ada, queue_id=house.billing.pk, successor_id=house.legal.pk, now=now)
    assert acts.take_back(person=house.leo, token=done.undo, now=now).changed == [ticket.pk]
    assert house.ticket().queue == house.legal


def test_who_lost_the_role_an_act_was_done_by_cannot_take_it_back(house: House) -> None:
    house.mail()
    ticket, now = house.ticket(), timezone.now()
    done = acts.move(person=house.leo, tickets=[ticket.pk], queue_id=house.legal.pk, now=now)
    Person.objects.filter(pk=house.leo.pk).update(is_lead=False, is_agent=True)
    house.leo.refresh_from_db()
    back = acts.take_back(person=house.leo, token=done.undo, now=now)
    assert (back.changed, [*back.refused]) == ([], [ticket.pk])
    assert house.ticket().queue == house.legal
    Person.objects.filter(pk=house.leo.pk).update(is_agent=False, is_admin=True)
    house.leo.refresh_from_db()
    with pytest.raises(PermissionDenied):
        acts.take_back(person=house.leo, token=done.undo, now=now)
    # An agent who moved it out of their own sight may.
    Person.objects.filter(pk=house.leo.pk).update(is_lead=True)
    house.leo.refresh_from_db()
    acts.move(person=house.leo, tickets=[ticket.pk], queue_id=house.general.pk, now=now)
    done = acts.move(person=house.anna, tickets=[ticket.pk], queue_id=house.billing.pk, now=now)
    assert acts.take_back(person=house.anna, token=done.undo, now=now).changed == [ticket.pk]
