"""Names of people on Messenger: asked for once their words are stored, and shown where they are listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from agents.models import Person
from channels.happenings import Address, InboundMessage
from channels.models import AccountState, ChannelAccount
from contactcentre.lib.secrets import Credentials
from customers.models import Customer, Identity
from tests.channels.adapters.facebook.conftest import PAGE, PSID, VERSION, error
from tests.channels.adapters.x.conftest import TinyX, tiny
from tests.conftest import NOW, House
from tickets import naming
from tickets.models import AccountFeed

__all__ = ["tiny"]

ANA = (200, {"first_name": "Ana", "last_name": "Baker"})


@pytest.fixture
def graph(tiny: TinyX, settings: Any) -> TinyX:
    settings.FACEBOOK_GRAPH_ORIGIN, settings.FACEBOOK_GRAPH_VERSION = tiny.origin, VERSION
    return tiny


@pytest.fixture
def page(house: House) -> ChannelAccount:
    account = ChannelAccount.objects.create(
        kind="facebook",
        address=PAGE,
        name="Acme Care",
        begins_at=NOW,
        created_at=NOW,
        credentials=Credentials(access_token="practice-page-token", appsecret_proof="5c0ffee"),
    )
    AccountFeed.objects.create(account=account, queue=house.general)
    return account


def says(house: House, page: ChannelAccount, psid: str = PSID, **person: str) -> None:
    them = Address(kind="fb_psid", value=psid, scope=PAGE, **{"display": "somebody on Messenger", **person})
    house.receive(
        InboundMessage(
            channel_kind="facebook",
            surface="facebook:messenger",
            external_id=f"m_{next(house.numbers)}",
            scope=PAGE,
            thread=psid,
            author=them,
            said_at=house.clock.now,
            text="hello",
        ),
        account=page,
    )


def asked(house: House) -> int:
    return naming.ask(now=house.clock.now, clock=lambda: house.clock.now)


def who(psid: str = PSID) -> str:
    return f"GET /{VERSION}/{psid}"


def test_a_name_is_asked_for_once_and_shown(
    house: House,
    page: ChannelAccount,
    graph: TinyX,
    sign_in: Callable[[Person], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph.on(who(), ANA)
    told: list[str] = []
    monkeypatch.setattr("contactcentre.lib.realtime.publish", lambda *events: told.extend(each.name for each in events))
    says(house, page)
    assert "omebody on Messenger" in sign_in(house.anna).get(f"/t/{house.ticket().pk}/").content.decode()
    told.clear()
    assert asked(house) == 1
    identity = Identity.objects.select_related("customer").get()
    assert (identity.name, identity.label, identity.customer.name) == ("Ana Baker",) * 3
    assert {f"ticket-{house.ticket().pk}", "lists"} <= set(told)
    shown = sign_in(house.anna).get(f"/t/{house.ticket().pk}/").content.decode()
    assert "Ana Baker" in shown
    assert "omebody on Messenger" not in shown
    says(house, page)
    assert asked(house) == 0


def test_who_is_refused_is_not_asked_for_again(house: House, page: ChannelAccount, graph: TinyX) -> None:
    graph.on(who(), error(100, 2018218))
    says(house, page)
    assert asked(house) == 1
    house.clock.forward(days=2)
    says(house, page)
    assert asked(house) == 0
    assert (Identity.objects.get().label, Customer.objects.get().name) == ("somebody on Messenger", "")


def test_a_name_that_a_person_wrote_stays(house: House, page: ChannelAccount, graph: TinyX) -> None:
    graph.on(who(), ANA)
    says(house, page)
    Customer.objects.update(name="Mrs Baker")
    asked(house)
    assert (Customer.objects.get().name, Identity.objects.get().name) == ("Mrs Baker", "Ana Baker")


def test_a_name_that_came_with_a_message_is_not_asked_for(house: House, page: ChannelAccount) -> None:
    says(house, page)
    says(house, page, name="Ana Baker", display="Ana Baker")
    assert asked(house) == 0
    assert Identity.objects.get().label == "Ana Baker"


def test_a_page_that_does_not_answer_is_asked_later_and_not_for_ever(
    house: House, page: ChannelAccount, graph: TinyX
) -> None:
    graph.on(who(), error(4))
    says(house, page)
    says(house, page, "5000000000000456")
    # One refusal spares the Page the question for its other people.
    assert asked(house) == 1
    assert asked(house) == 0
    graph.on(who("5000000000000456"), ANA)
    # Who is refused once more waits longer than the others, so that nobody stands in their way for ever.
    for _minute in range(2):
        house.clock.forward(seconds=61)
        assert asked(house) == 1
    assert Identity.objects.exclude(name="").count() == 1
    for _turn in range(8):
        house.clock.forward(days=2)
        asked(house)
    assert not Identity.objects.filter(ask_name_at__isnull=False).exists()
    assert Identity.objects.exclude(name="").count() == 1


def test_a_paused_page_is_not_asked(house: House, page: ChannelAccount) -> None:
    says(house, page)
    ChannelAccount.objects.filter(pk=page.pk).update(state=AccountState.PAUSED)
    assert asked(house) == 1
    assert Identity.objects.get().ask_name_at == house.clock.now + timedelta(minutes=1)


def test_a_turn_asks_for_few_people_and_a_killed_try_is_followed(
    house: House, page: ChannelAccount, graph: TinyX, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(naming.AT_ONCE + 1):
        psid = f"500000000000000{number}"
        graph.on(who(psid), ANA)
        says(house, page, psid)

    def killed(**_given: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("channels.profiles.name_of", killed)
        with pytest.raises(KeyboardInterrupt):
            asked(house)
    assert asked(house) == naming.AT_ONCE
    assert asked(house) == 0
    house.clock.forward(seconds=naming.LEASE.total_seconds())
    assert asked(house) == 1
    assert not Identity.objects.filter(name="").exists()
