"""We write first (docs/one-ticket.md, row 26)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client

from agents.models import HistoryEntry, Person
from channels.models import Outbound
from customers.models import Identity
from tests.conftest import House
from tickets import acts, first, sends
from tickets.models import Contact, Message, Ticket
from tickets.outgoing import CannotReply


def write(house: House, *, person: Person | None = None, **changes: object) -> Message:
    values: dict[str, object] = {
        "person": person or house.anna,
        "identity_id": Identity.objects.earliest("id").pk,
        "account_id": house.mailbox.pk,
        "subject": "Your delivery",
        "text": "Your parcel comes on Friday.",
        "now": house.clock.now,
    }
    with transaction.atomic():
        return first.write(**{**values, **changes})  # type: ignore[arg-type]


def test_a_first_mail_goes_on_the_live_ticket_as_an_outbound_contact(house: House) -> None:
    house.mail("Hello")
    message = write(house)
    contact = message.contact
    assert message.ticket == house.ticket()
    assert (contact.is_outbound, contact.unanswered_since, contact.thread) == (True, None, message.reference)
    row = Outbound.objects.get()
    assert (row.payload["subject"], row.payload["text"], row.recipient["value"]) == (
        "Your delivery",
        "Your parcel comes on Friday.",
        "carla.hughes@post.example",
    )


def test_without_a_live_ticket_a_new_one_begins(house: House) -> None:
    house.mail("Hello")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    message = write(house)
    assert message.ticket.previous == Ticket.objects.earliest("id")
    assert (message.ticket.state, message.ticket.awaiting) == ("open", "customer")


def test_the_customers_answer_stays_in_that_contact(house: House) -> None:
    house.mail("Hello")
    message = write(house)
    house.mail("Friday is fine", references=(message.reference,), thread=message.reference)
    assert Contact.objects.count() == 2
    assert message.contact.messages.count() == 2
    assert house.ticket().awaiting == "us"


def test_it_can_be_undone(house: House) -> None:
    house.mail("Hello")
    message = write(house)
    with transaction.atomic():
        sends.undo(person=house.anna, message_id=message.pk, now=house.clock.now)
    assert Outbound.objects.get().state == "cancelled"


@pytest.mark.parametrize("what", [{"subject": " "}, {"text": "\n"}])
def test_a_first_mail_without_subject_or_words_is_refused(house: House, what: dict[str, str]) -> None:
    house.mail("Hello")
    with pytest.raises(CannotReply):
        write(house, **what)


def test_who_knows_an_old_ticket_does_not_come_to_the_live_one_by_writing_first(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Old matter")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.mail("Legal matter", account=house.legal_mailbox)
    live = Ticket.objects.get(state="open")
    with pytest.raises(PermissionDenied):
        write(house)
    live.refresh_from_db()
    assert (live.owner, live.arrivals, Outbound.objects.exists()) == (None, 1, False)
    assert sign_in(house.anna).get(f"/write/{Identity.objects.get().pk}/").status_code == 403
    assert write(house, person=house.leo).ticket == live


def test_only_who_may_see_a_ticket_of_theirs_writes_to_a_customer(house: House) -> None:
    house.mail("Hello")
    with pytest.raises(PermissionDenied):
        write(house, person=house.hana)


def test_what_is_solved_stays_solved_and_a_new_ticket_begins(house: House) -> None:
    house.mail("Hello")
    solved = house.ticket()
    acts.solve(person=house.anna, tickets=[solved.pk], now=house.clock.now)
    house.clock.forward(days=1)
    message = write(house)
    solved.refresh_from_db()
    assert (solved.state, message.ticket.previous, message.contact.is_outbound) == ("solved", solved, True)
    assert not HistoryEntry.objects.filter(act="ticket.reopened").exists()


def test_two_presses_of_the_button_write_one_first_mail(house: House, sign_in: Callable[[Person], Client]) -> None:
    house.mail("Hello")
    browser, address = sign_in(house.anna), f"/write/{Identity.objects.get().pk}/"
    key = browser.get(address).context["key"]
    fields = {"account": house.mailbox.pk, "subject": "Your delivery", "text": "It comes on Friday.", "key": key}
    ticket = browser.post(address, fields)["Location"]
    assert browser.post(address, fields)["Location"] == ticket
    assert Outbound.objects.count() == 1
    # The browser's way back may show the old form again: what is written there then is another mail.
    browser.post(address, {**fields, "text": "On Saturday, after all."})
    browser.post(address, {**fields, "subject": "Your other delivery"})
    assert Outbound.objects.count() == 3


def test_a_first_mail_that_was_undone_leaves_when_it_is_sent_after_all(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Hello")
    browser, address = sign_in(house.anna), f"/write/{Identity.objects.get().pk}/"
    fields = {"account": house.mailbox.pk, "subject": "Your delivery", "text": "It comes on Friday."}
    fields["key"] = browser.get(address).context["key"]
    for states in (["queued"], ["cancelled", "queued"]):
        browser.post(address, fields)
        browser.post(address, fields)
        assert sorted(Outbound.objects.values_list("state", flat=True)) == states
        if states == ["queued"]:
            browser.post(f"/messages/{Message.objects.get(direction='out').pk}/undo/")
