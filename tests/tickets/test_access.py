"""Who may read and who may act (docs/one-ticket.md, row 7)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.test import Client
from django.urls import reverse

from agents.models import Membership, Person
from channels.models import ChannelAccount, LedgerBody, LedgerItem
from customers.models import Identity
from tests.conftest import NOW, House
from tickets import access, acts, merging, notes, settings_feeds, settings_queues
from tickets.models import AccountFeed, Queue, Ticket
from tickets.queries import lists, search


def listed(person: Person, **which: object) -> list[int]:
    """The tickets on a person's list."""
    have = access.rights(person)
    return [row.id for row in lists.page(person, have, **which).rows]  # type: ignore[arg-type]


def test_an_agent_sees_the_queues_of_their_teams(house: House) -> None:
    house.mail()
    assert listed(house.anna) == [house.ticket().pk]
    assert listed(house.hana) == []
    assert listed(house.leo) == [house.ticket().pk]


def test_an_agent_sees_a_ticket_with_a_contact_that_entered_by_their_queue_and_what_is_assigned_to_them(
    house: House,
) -> None:
    house.mail("Parcel")
    house.mail("Bill", account=house.billing_mailbox)
    assert listed(house.hana) == [house.ticket().pk]
    assert listed(house.hana, queue_id=house.billing.pk) == [house.ticket().pk]
    house.mail("Other", author="tom@post.example")
    other = Ticket.objects.latest("id")
    Ticket.objects.filter(pk=other.pk).update(owner=house.hana)
    assert other.pk in listed(house.hana, view="mine")


def test_a_queue_somebody_does_not_serve_is_forbidden_and_one_that_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(PermissionDenied):
        listed(house.anna, queue_id=house.billing.pk)
    with pytest.raises(Http404):
        listed(house.leo, queue_id=999_999)


def test_a_mere_admin_has_no_tickets(house: House) -> None:
    with pytest.raises(PermissionDenied):
        access.rights(house.ada)


def test_a_ticket_is_404_for_what_is_not_there_and_403_for_colleagues(house: House) -> None:
    house.mail()
    with pytest.raises(PermissionDenied):
        access.ticket_to_read(access.rights(house.hana), house.ticket().pk)
    with pytest.raises(Http404):
        access.ticket_to_read(access.rights(house.hana), 999_999)


def test_contacts_of_a_confidential_queue_show_elsewhere_only_as_something_in_it(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("A public matter")
    house.mail("My lawyer says so", account=house.legal_mailbox, subject="Court")
    address = f"/t/{house.ticket().pk}/"
    seen = sign_in(house.anna).get(address).content.decode()
    assert "A public matter" in seen
    assert "My lawyer says so" not in seen
    assert "Court" not in seen
    assert "Something in Legal" in seen
    assert "My lawyer says so" in sign_in(house.leo).get(address).content.decode()
    house.legal.teams.add(house.care)
    assert "My lawyer says so" in sign_in(house.anna).get(address).content.decode()


def test_notes_on_a_ticket_in_a_confidential_queue_are_read_by_those_who_serve_it_alone(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Legal matter", account=house.legal_mailbox)
    old = house.ticket()
    note(house, house.leo, old, "A dismissal is planned")
    Ticket.objects.update(state="closed", closed_at=house.clock.now)
    house.mail("Where is my order?")
    live = Ticket.objects.get(state="open")
    note(house, house.leo, live, "She has called, too")
    Ticket.objects.filter(pk=old.pk).update(owner=house.anna)
    note(house, house.anna, live, "I have told Legal")
    Ticket.objects.filter(pk=live.pk).update(queue=house.legal)
    assert notes_seen(sign_in(house.anna), live) == ["I have told Legal"]
    assert len(notes_seen(sign_in(house.leo), live)) == 3
    Ticket.objects.filter(pk=live.pk).update(queue=house.general)
    assert notes_seen(sign_in(house.anna), live) == ["She has called, too", "I have told Legal"]
    house.legal.teams.add(house.care)
    assert len(notes_seen(sign_in(house.anna), live)) == 3


def note(house: House, person: Person, ticket: Ticket, text: str) -> None:
    house.clock.forward(seconds=1)
    with transaction.atomic():
        notes.write(person=person, ticket_id=ticket.pk, text=text, now=house.clock.now)


def notes_seen(browser: Client, ticket: Ticket) -> list[str]:
    """The notes on a ticket's page, oldest first."""
    page = browser.get(f"/t/{ticket.pk}/").content.decode()
    return re.findall(r'<div dir="auto">(?:<p>)?(.*?)(?:</p>)?</div>\n</div>', page, re.DOTALL)


def test_what_came_in_for_a_confidential_queue_opens_from_the_ledger_for_those_who_serve_it_alone(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.ada.is_agent = True
    house.ada.save()
    for mailbox in (house.mailbox, house.legal_mailbox, None):
        kept = LedgerItem.objects.create(
            account=mailbox, kind="email", happening="message", digest=str(mailbox).encode(), source="poll",
            state="quarantined", reason="Not understood.", size=1, received_at=NOW, due_at=NOW,
        )  # fmt: skip
        LedgerBody.objects.create(item_id=kept.pk, body=b"Words", received_at=NOW)
    plain, secret, unknown = LedgerItem.objects.order_by("id")
    browser = sign_in(house.ada)

    def opened() -> list[int]:
        """The items that she may open; the list offers these and no others."""
        offered = browser.get(reverse("channels:ledger", args=["quarantined"])).content.decode()
        answers = {}
        for item in (plain, secret, unknown):
            address = reverse("channels:content", args=[item.pk])
            answers[item.pk] = browser.post(address).status_code
            assert (address in offered) == (answers[item.pk] == 200)
        return [pk for pk, status in answers.items() if status == 200]

    assert opened() == [plain.pk]
    house.legal.teams.add(house.care)
    Membership.objects.create(team=house.care, person=house.ada)
    assert opened() == [plain.pk, secret.pk, unknown.pk]
    Membership.objects.all().delete()
    assert opened() == [plain.pk]
    house.ada.is_lead = True
    house.ada.save()
    assert opened() == [plain.pk, secret.pk, unknown.pk]


@pytest.mark.parametrize("fed", ["with a contact", "unread", "after a removed queue", "as the default queue"])
def test_an_account_that_fed_a_confidential_queue_once_opens_none_of_what_came_in(
    house: House, sign_in: Callable[[Person], Client], fed: str
) -> None:
    house.ada.is_agent = True
    house.ada.save()

    def feed(account: ChannelAccount, was: Queue, chosen: Queue) -> None:
        choice = {account.pk: settings_feeds.Choice(was.pk, chosen.pk)}
        assert settings_feeds.change(actor=house.ada, choices=choice, now=NOW) == [account.pk]

    if fed == "with a contact":
        account = house.legal_mailbox
        house.mail("My salary", account=account)
        feed(account, house.legal, house.general)
    elif fed == "unread":
        account = house.billing_mailbox
        feed(account, house.billing, house.legal)
        feed(account, house.legal, house.billing)
    elif fed == "after a removed queue":
        account = house.billing_mailbox
        settings_queues.remove(actor=house.ada, queue_id=house.billing.pk, successor_id=house.legal.pk, now=NOW)
        feed(account, house.legal, house.general)
    else:
        account = house.mailbox
        AccountFeed.objects.filter(account=account).delete()
        for queue in (house.legal, house.general):
            assert settings_queues.make_default(actor=house.ada, queue_id=queue.pk, now=NOW)
    kept = LedgerItem.objects.create(
        account=account, kind="email", happening="message", digest=b"1", source="poll",
        state="quarantined", reason="Not understood.", size=1, received_at=NOW, due_at=NOW,
    )  # fmt: skip
    LedgerBody.objects.create(item_id=kept.pk, body=b"Words", received_at=NOW)
    address = reverse("channels:content", args=[kept.pk])
    browser = sign_in(house.ada)
    assert browser.post(address).status_code == 403
    Queue.objects.update(is_confidential=False)
    assert browser.post(address).status_code == 200


WARNING = "you will no longer see it"


def test_moving_warns_where_one_will_no_longer_see_the_ticket_and_only_there(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail()
    ticket, browser = house.ticket(), sign_in(house.anna)
    head, act = f"/t/{ticket.pk}/head/", {"ticket": ticket.pk, "queue": house.billing.pk}
    assert WARNING not in browser.get(head).content.decode()
    assert WARNING not in browser.get(f"/t/{ticket.pk}/").content.decode()
    assert browser.get("/lost/", act).content == b""
    assert browser.post("/act/move/", act).json()["gone"] == []
    house.mail("Bill", author="tom@post.example", account=house.billing_mailbox)
    other = Ticket.objects.latest("id")
    acts.move(person=house.leo, tickets=[other.pk], queue_id=house.general.pk, now=house.clock.now)
    head, act = f"/t/{other.pk}/head/", {"ticket": other.pk, "queue": house.legal.pk}
    assert browser.get(head).content.decode().count(WARNING) == 2
    assert browser.get(f"/t/{other.pk}/").content.decode().count(WARNING) == 2
    assert WARNING not in sign_in(house.leo).get(head).content.decode()
    lost = browser.get("/lost/", {**act, "ticket": [ticket.pk, other.pk]}).content
    assert b"you will no longer see 1 of them" in lost
    assert browser.post("/act/move/", act).json()["gone"] == [other.pk]


def test_giving_away_warns_where_one_sees_the_ticket_as_its_owner_alone(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Bill", account=house.billing_mailbox)
    ticket, browser = house.ticket(), sign_in(house.anna)
    acts.assign(person=house.leo, tickets=[ticket.pk], owner_id=house.anna.pk, now=house.clock.now)
    menu = browser.get(f"/t/{ticket.pk}/head/").content.decode().split('id="assign-menu"')[1].split("</form>")[0]
    assert menu.count(WARNING) == 2
    assert b"as their owner alone" in browser.get("/lost/", {"ticket": ticket.pk}).content
    assert browser.get("/lost/", {"ticket": "x"}).status_code == 400
    assert browser.post("/act/assign/", {"ticket": ticket.pk, "owner": ""}).json()["gone"] == [ticket.pk]
    house.mail("Parcel")
    acts.assign(person=house.leo, tickets=[ticket.pk], owner_id=house.anna.pk, now=house.clock.now)
    assert WARNING not in browser.get(f"/t/{ticket.pk}/head/").content.decode()
    assert browser.get("/lost/", {"ticket": ticket.pk}).content == b""


def test_of_a_related_ticket_that_one_may_not_read_only_shows_that_there_is_one(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    eve = {"author": "eve@post.example", "name": "Eve Sund"}
    first = house.mail("About the bill", subject="Eve and her bill", account=house.billing_mailbox, **eve)
    about = house.ticket().pk
    zed = {"author": "zed@post.example", "name": "Zed Lind", "subject": "What I heard"}
    house.mail("I was told of this", references=(first.reference,), **zed)
    path = reverse("tickets:ticket", args=[Ticket.objects.latest("id").pk])
    page = sign_in(house.anna).get(path).content.decode()
    assert "A ticket you may not see" in page
    assert "Eve and her bill" not in page
    assert f"/t/{about}/" not in page
    assert "Eve and her bill" in sign_in(house.leo).get(path).content.decode()
    Ticket.objects.filter(pk=about).update(owner=house.anna)
    assert "Eve and her bill" in sign_in(house.anna).get(path).content.decode()


def test_an_address_belongs_to_the_customer_and_only_the_words_written_from_it_are_confidential(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("Parcel")
    house.mail("Lawsuit", account=house.legal_mailbox, author="carla.alias@post.example", subject="Suing you")
    alias = Identity.objects.get(value="carla.alias@post.example")
    carla = Ticket.objects.earliest("id").customer_id
    merging.join(person=house.leo, identity_id=alias.pk, into_customer_id=carla, evidence="by-hand", now=NOW)
    ticket = Ticket.objects.exclude(state="merged").get(customer_id=carla)
    browser = sign_in(house.anna)
    page = browser.get(reverse("tickets:ticket", args=[ticket.pk])).content.decode()
    assert "carla.alias@post.example" in page
    assert "Lawsuit" not in page
    assert "Suing you" not in page
    have = access.rights(house.anna)
    assert [hit.ticket_id for hit in search.search(house.anna, have, "carla.alias").hits] == [ticket.pk]
    assert search.search(house.anna, have, "Lawsuit").hits == ()


def test_the_live_stream_knows_the_same_queues(house: House) -> None:
    assert access.topics(house.anna.pk) == {
        "queues": frozenset({house.general.pk}),
        "person": house.anna.pk,
        "all": False,
    }
    assert access.topics(house.leo.pk)["all"] is True  # type: ignore[index]
    house.anna.is_active = False
    house.anna.save()
    assert access.topics(house.anna.pk) is None
