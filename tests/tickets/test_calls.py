"""Calls on the one ticket: events in any order, the missed call that waits, and the call that is written down."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from agents.models import Person
from channels.adapters.base import Connection
from channels.adapters.phone import PhoneAdapter
from channels.happenings import Address, Call, RawItem
from channels.models import ChannelAccount
from contactcentre.lib.secrets import Credentials
from customers.models import Customer, Identity
from tests.conftest import NOW, House
from tickets import access, calls
from tickets.models import AccountFeed, CallDetails, Contact, Message, Ticket
from tickets.queries import callers

NUMBER = "+442079460142"


@pytest.fixture
def line(house: House) -> ChannelAccount:
    """Our support line, feeding General."""
    account = ChannelAccount.objects.create(
        kind="phone",
        address="+442079460100",
        name="Support line",
        settings={"region": "GB"},
        begins_at=NOW,
        created_at=NOW,
    )
    AccountFeed.objects.create(account=account, queue=house.general)
    return account


def event(
    house: House, line: ChannelAccount, what: str, *, at: datetime | None = None, call: str = "c1", **changes: object
) -> None:
    values: dict[str, object] = {
        "external_id": call,
        "scope": line.address,
        "event": what,
        "direction": "in",
        "customer": Address(kind="phone", value="020 7946 0142", region="GB"),
        "line": line.address,
        "at": at or house.clock.now,
    }
    with transaction.atomic():
        calls.receive(Call(**{**values, **changes}), account_id=line.pk, now=house.clock.now)  # type: ignore[arg-type]


def logged(**changes: object) -> calls.Logged:
    values: dict[str, object] = {
        "number": "020 7946 0142",
        "direction": "in",
        "disposition": "answered",
        "summary": "Wants a replacement",
        "started_at": NOW,
        "duration_seconds": 252,
    }
    return calls.Logged(**{**values, **changes})  # type: ignore[arg-type]


def write_down(house: House, line: ChannelAccount, what: calls.Logged, **changes: object) -> Message:
    with transaction.atomic():
        return calls.log(person=house.anna, account=line, logged=what, now=house.clock.now, **changes)  # type: ignore[arg-type]


def test_a_ringing_call_makes_its_ticket_at_once_and_starts_no_clock(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    ticket = house.ticket()
    assert str(ticket.customer) == "+44 20 7946 0142"
    assert (ticket.state, ticket.awaiting, ticket.due_at) == ("open", "customer", None)
    assert ticket.surfaces == ["phone"]


def test_a_missed_call_waits_for_a_call_back_from_its_end_on(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    ended = house.clock.forward(seconds=70)
    event(house, line, "ended", cause="noAnswer")
    ticket = house.ticket()
    assert (ticket.awaiting, ticket.unanswered_since) == ("us", ended)
    assert ticket.due_at == ended + timedelta(minutes=15)
    assert CallDetails.objects.get().disposition == "missed"


def test_an_answered_call_asks_for_nothing_and_counts_as_answered_at_the_pick_up(
    house: House, line: ChannelAccount
) -> None:
    event(house, line, "new")
    picked_up = house.clock.forward(seconds=18)
    event(house, line, "answered")
    house.clock.forward(seconds=252)
    event(house, line, "ended", cause="normalClearing")
    details, contact = CallDetails.objects.get(), house.contact()
    assert (details.disposition, details.duration_seconds) == ("answered", 252)
    assert (contact.unanswered_since, contact.first_answered_at) == (None, picked_up)


@pytest.mark.parametrize("order", list(itertools.permutations(["new", "answered", "ended"])))
def test_events_in_any_order_and_twice_come_to_the_same(
    house: House, line: ChannelAccount, order: tuple[str, ...]
) -> None:
    times = {"new": NOW, "answered": NOW + timedelta(seconds=10), "ended": NOW + timedelta(seconds=100)}
    house.clock.forward(minutes=5)
    for what in (*order, *order):
        event(house, line, what, at=times[what])
    details = CallDetails.objects.get()
    assert (details.started_at, details.answered_at, details.ended_at) == tuple(times.values())
    assert (details.disposition, details.duration_seconds) == ("answered", 90)
    assert (house.ticket().awaiting, Message.objects.count()) == ("customer", 1)


def test_every_call_is_a_contact_of_its_own_on_the_one_ticket(house: House, line: ChannelAccount) -> None:
    for call in ("c1", "c2"):
        event(house, line, "new", call=call)
        event(house, line, "ended", call=call)
        house.clock.forward(minutes=1)
    assert (Ticket.objects.count(), Contact.objects.count()) == (1, 2)


def test_a_withheld_number_is_nameless_and_matches_nobody(house: House, line: ChannelAccount) -> None:
    for call in ("c1", "c2"):
        event(house, line, "new", call=call, customer=Address(kind="phone", value="anonymous", region="GB"))
    assert Customer.objects.count() == 2
    assert Ticket.objects.count() == 2


def test_calling_back_answers_the_missed_call(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    event(house, line, "ended")
    house.clock.forward(minutes=3)
    event(house, line, "new", call="c2", direction="out")
    assert house.ticket().awaiting == "us"
    picked_up = house.clock.forward(seconds=5)
    event(house, line, "answered", call="c2", direction="out")
    assert house.ticket().awaiting == "customer"
    assert Contact.objects.get(thread="c1").first_answered_at == picked_up


def test_a_call_back_that_nobody_takes_answers_nothing(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    event(house, line, "ended")
    house.clock.forward(minutes=3)
    event(house, line, "new", call="c2", direction="out")
    event(house, line, "ended", call="c2", direction="out", cause="busy")
    assert house.ticket().awaiting == "us"
    assert CallDetails.objects.get(message__external_id="c2").disposition == "busy"


def test_a_call_reopens_a_waiting_ticket_and_one_of_ours_does_not(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    Ticket.objects.update(state="waiting")
    event(house, line, "new", call="c2", direction="out")
    assert house.ticket().state == "waiting"
    event(house, line, "new", call="c3")
    assert house.ticket().state == "open"


def test_logging_offers_the_recent_call_of_the_number_and_writes_on_it(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    event(house, line, "answered")
    event(house, line, "ended")
    offered = callers.recent(number="020 7946 0142", region="GB", now=house.clock.now)
    assert offered is not None
    write_down(house, line, logged(), call_id=offered.pk)
    message = Message.objects.get()
    assert (message.text, message.person) == ("Wants a replacement", house.anna)
    assert house.ticket().owner == house.anna
    assert house.ticket().last_words == "Wants a replacement"
    assert callers.recent(number="020 7946 0142", region="GB", now=house.clock.now) is None


def test_a_call_logged_by_hand_of_an_unknown_number_makes_a_named_customer(house: House, line: ChannelAccount) -> None:
    message = write_down(house, line, logged(then="solve"), name="Carla Hughes")
    assert str(message.ticket.customer) == "Carla Hughes"
    ticket = house.ticket()
    assert (ticket.state, ticket.awaiting, ticket.owner) == ("solved", "customer", house.anna)
    assert CallDetails.objects.get().duration_seconds == 252


def test_a_missed_call_logged_by_hand_waits_for_its_call_back(house: House, line: ChannelAccount) -> None:
    write_down(house, line, logged(disposition="missed", duration_seconds=0, summary=""))
    assert house.ticket().awaiting == "us"


def test_a_caller_who_says_who_they_are_goes_on_that_customers_ticket_and_the_number_stays_where_it_was(
    house: House, line: ChannelAccount
) -> None:
    house.mail("Where is it?")
    carla = house.ticket().customer
    message = write_down(house, line, logged(), customer_id=carla.pk)
    assert message.ticket == house.ticket()
    assert message.contact.moved_by_hand_at is not None
    assert message.contact.identity.customer != carla
    have = access.rights(house.anna)
    assert callers.lookup("020 7946 0142", region="GB", have=have) == ([], [])


def test_a_number_of_somebody_elses_ticket_is_written_down_there_without_taking_or_deciding_it(
    house: House, line: ChannelAccount, sign_in: Callable[[Person], Client]
) -> None:
    AccountFeed.objects.filter(account=line).update(queue=house.legal)
    event(house, line, "new")
    event(house, line, "ended")
    ticket = house.ticket()
    with pytest.raises(calls.NotTheirs):
        write_down(house, line, logged(then="solve"))
    assert Message.objects.count() == 1
    AccountFeed.objects.filter(account=line).update(queue=house.general)
    message = write_down(house, line, logged())
    ticket.refresh_from_db()
    assert (message.ticket, ticket.state, ticket.owner, ticket.arrivals) == (ticket, "open", None, 2)
    AccountFeed.objects.filter(account=line).update(queue=house.billing)
    form = {"number": "020 7946 0142", "direction": "in", "disposition": "answered", "summary": "Called again"}
    browser = sign_in(house.hana)
    refused = browser.post("/calls/new/", {**form, "then": "solve"})
    assert (refused.status_code, b"Called again" in refused.content) == (403, True)
    assert browser.post("/calls/new/", form).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.state, ticket.owner, ticket.arrivals) == ("open", None, 3)
    # The call itself gives no right to the ticket either.
    assert browser.get(f"/t/{ticket.pk}/").status_code == 403
    assert browser.post("/act/solve/", {"ticket": ticket.pk}).status_code == 403
    # Nor does it open one again that others solved: a new one begins.
    Ticket.objects.filter(pk=ticket.pk).update(state="solved", solved_at=house.clock.now)
    assert browser.post("/calls/new/", form).status_code == 302
    ticket.refresh_from_db()
    assert ticket.state == "solved"
    assert Ticket.objects.get(state="open").queue == house.billing


def test_the_number_is_known_maybe_or_new(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    have = access.rights(house.anna)
    known, maybe = callers.lookup("+44 20 7946 0142", region="GB", have=have)
    assert [str(one) for one in known] == ["+44 20 7946 0142"]
    known, maybe = callers.lookup("0049 20 7946 0142", region="GB", have=have)
    assert (known, [str(one) for one in maybe]) == ([], ["+44 20 7946 0142"])
    assert callers.lookup("+44 7700 900142", region="GB", have=have) == ([], [])
    assert callers.lookup("+44 20 7946 0142", region="GB", have=access.rights(house.hana)) == ([], [])


@pytest.mark.parametrize(
    "what", [{"disposition": "lovely"}, {"direction": "up"}, {"duration_seconds": -1}, {"duration_seconds": 90000}]
)
def test_nonsense_is_refused_with_a_sentence(house: House, line: ChannelAccount, what: dict[str, object]) -> None:
    with pytest.raises(calls.CannotLog):
        write_down(house, line, logged(**what))
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "told", ["447700900317", "44 7700 900317", "07700 900317", "sip:+447700900317@pbx.acme.example"]
)
def test_a_number_logged_by_hand_is_the_number_the_exchange_tells_however_it_is_written(
    house: House, line: ChannelAccount, told: str
) -> None:
    connection = Connection(
        account_id=line.pk,
        kind="phone",
        address=line.address,
        name=line.name,
        settings=line.settings,
        credentials=Credentials(),
        begins_at=NOW,
    )
    meta = {"content_type": "", "received_at": NOW.isoformat()}
    body = f"event=newCall&callId=c1&direction=in&from={quote(told)}&to=442079460100".encode()
    item = RawItem(happening="call-new", external_id="c1", body=body, meta=meta)
    [ring] = PhoneAdapter().parse(item, connection)
    assert isinstance(ring, Call)
    with transaction.atomic():
        calls.receive(ring, account_id=line.pk, now=house.clock.now)
    write_down(house, line, logged(number=told))
    assert list(Identity.objects.values_list("kind", "value")) == [("phone", "+447700900317")]
    assert (Customer.objects.count(), Ticket.objects.count()) == (1, 1)


@pytest.mark.parametrize("number", ["112", "201", "20145", "116117"])
@pytest.mark.parametrize("region", ["DE", "AT", "GB"])
def test_an_emergency_number_or_an_extension_makes_nobody_known(
    house: House, line: ChannelAccount, number: str, region: str
) -> None:
    line.settings = {"region": region}
    for name in ("Carla", "Tom"):
        write_down(house, line, logged(number=number), name=name)
    assert set(Identity.objects.values_list("kind", flat=True)) == {"nameless"}
    assert (Customer.objects.count(), Ticket.objects.count()) == (2, 2)
    assert callers.recent(number=number, region=region, now=NOW) is None


def test_a_call_between_our_own_lines_is_logged_on_nobody(house: House, line: ChannelAccount) -> None:
    with pytest.raises(calls.CannotLog, match="our own"):
        write_down(house, line, logged(number="020 7946 0100"))
    assert not Customer.objects.exists()


def test_the_form_reads_a_number_by_the_country_of_the_chosen_line(
    house: House, line: ChannelAccount, sign_in: Callable[[Person], Client]
) -> None:
    berlin = ChannelAccount.objects.create(
        kind="phone", address="+493055571600", settings={"region": "DE"}, begins_at=NOW, created_at=NOW
    )
    AccountFeed.objects.create(account=berlin, queue=house.general)
    write_down(house, berlin, logged(number="030 55571699"), name="Carla Hughes")
    browser = sign_in(house.anna)
    asked = {"number": "030 55571699"}
    assert "this number is theirs" in browser.get("/calls/who/", {**asked, "line": berlin.pk}).content.decode()
    assert "this number is theirs" not in browser.get("/calls/who/", {**asked, "line": line.pk}).content.decode()


def test_a_call_of_ours_begins_a_new_ticket_where_the_last_one_is_solved(house: House, line: ChannelAccount) -> None:
    event(house, line, "new")
    event(house, line, "answered")
    Ticket.objects.update(state="solved", solved_at=house.clock.now)
    house.clock.forward(hours=1)
    event(house, line, "new", call="c2", direction="out")
    assert list(Ticket.objects.order_by("id").values_list("state", flat=True)) == ["solved", "open"]


@pytest.mark.parametrize("ended_first", [False, True])
@pytest.mark.parametrize("disposition", ["answered", "call-back-promised", "wrong-number"])
def test_who_writes_down_that_they_talked_is_believed_where_the_exchange_tells_of_no_pick_up(
    house: House, line: ChannelAccount, disposition: str, ended_first: bool
) -> None:
    event(house, line, "new")
    ended = house.clock.forward(minutes=3)
    if ended_first:
        event(house, line, "ended", cause="normalClearing")
    told = logged(disposition=disposition, duration_seconds=60, started_at=house.clock.now)
    write_down(house, line, told, call_id=Message.objects.get().pk)
    if not ended_first:
        event(house, line, "ended", cause="normalClearing")
    ticket, details = house.ticket(), CallDetails.objects.get()
    assert (ticket.awaiting, ticket.due_at) == ("customer", None)
    assert (details.disposition, details.answered_at, details.duration_seconds) == (
        disposition,
        ended - timedelta(minutes=1),
        60,
    )
    assert house.contact().first_answered_at == details.answered_at


def test_a_call_written_down_as_missed_waits_for_its_call_back_after_the_hang_up(
    house: House, line: ChannelAccount
) -> None:
    event(house, line, "new")
    told = logged(disposition="missed", duration_seconds=0, summary="")
    write_down(house, line, told, call_id=Message.objects.get().pk)
    event(house, line, "ended", at=house.clock.forward(minutes=1))
    assert house.ticket().awaiting == "us"


def test_two_presses_of_the_button_write_one_call_down(
    house: House, line: ChannelAccount, sign_in: Callable[[Person], Client]
) -> None:
    browser = sign_in(house.anna)
    fields = {"number": "", "direction": "in", "disposition": "answered", "summary": "Wants it in blue"}
    fields["key"] = browser.get("/calls/new/").context["key"]
    assert browser.post("/calls/new/", fields)["Location"] == browser.post("/calls/new/", fields)["Location"]
    assert CallDetails.objects.count() == 1
    # The same form again by the browser's way back, for somebody else of whom there is nothing to tell either.
    for number in (NUMBER, "+44 20 7946 0199"):
        browser.post("/calls/new/", {**fields, "summary": "", "number": number})
    assert CallDetails.objects.count() == 3


def test_who_calls_back_is_not_offered_the_call_that_was_missed(
    house: House, line: ChannelAccount, sign_in: Callable[[Person], Client]
) -> None:
    event(house, line, "new")
    event(house, line, "ended")
    missed, browser = Message.objects.get(), sign_in(house.anna)
    CallDetails.objects.update(started_at=timezone.now())
    Message.objects.update(said_at=timezone.now())
    asked = {"number": NUMBER, "line": line.pk}
    assert "Write on that call" in browser.get("/calls/who/", asked).content.decode()
    assert "Write on that call" not in browser.get("/calls/who/", {**asked, "direction": "out"}).content.decode()
    # And a note on the missed one does not make it answered.
    assert browser.get("/calls/new/", {"call": missed.pk}).context["form"]["disposition"].value() == "missed"


def test_a_call_written_down_by_hand_says_only_what_is_known(
    house: House, line: ChannelAccount, sign_in: Callable[[Person], Client]
) -> None:
    write_down(house, line, logged(duration_seconds=0))
    page = sign_in(house.anna).get(f"/t/{house.ticket().pk}/").content.decode()
    assert "+44 20 7946 0142 · We talked · " in page
    assert "picked up after" not in page
    assert "0 s<" not in page
    event(house, line, "new", call="c2", customer=Address(kind="phone", value="anonymous", region="GB"))
    withheld = Message.objects.latest("id")
    assert "number withheld" in sign_in(house.anna).get(f"/calls/{withheld.pk}/ringing/").content.decode()


def test_whoever_hung_up_is_not_calling_any_more(
    house: House, line: ChannelAccount, sign_in: Callable[[Person], Client]
) -> None:
    event(house, line, "new")
    browser, address = sign_in(house.anna), f"/calls/{Message.objects.get().pk}/ringing/"
    assert "is calling" in browser.get(address).content.decode()
    event(house, line, "ended")
    assert browser.get(address).status_code == 204
