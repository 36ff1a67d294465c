"""Which posts are looked at again (docs/one-ticket.md, row 29)."""

from __future__ import annotations

import pytest

from channels import asides
from channels import rereading as channels_rereading
from channels.happenings import Address, InboundMessage
from channels.models import AccountState, ChannelAccount
from tests.conftest import House
from tickets import rereading
from tickets.models import AccountFeed, Ticket


@pytest.fixture(autouse=True)
def _three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "MOST", 3)


def handle(house: House, address: str) -> ChannelAccount:
    account = ChannelAccount.objects.create(
        kind="x", address=address, name=f"Acme {address}", begins_at=house.clock.now, created_at=house.clock.now
    )
    AccountFeed.objects.create(account=account, queue=house.general)
    return account


def post(house: House, account: ChannelAccount, number: int) -> None:
    said = InboundMessage(
        channel_kind="x",
        surface="x:mention",
        external_id=str(number),
        thread=str(number),
        author=Address(kind="x_user", value="333"),
        said_at=house.clock.now,
        text=f"Post {number}",
    )
    house.receive(said, account=account)


def looked(house: House) -> dict[int, list[str]]:
    return {turn.account_id: list(turn.external_ids) for turn in rereading.turns(now=house.clock.now)}


def test_each_account_looks_at_its_own_posts_and_none_takes_anothers_turn(house: House) -> None:
    busy, quiet = handle(house, "1"), handle(house, "2")
    post(house, quiet, 10)
    for number in range(11, 16):
        post(house, busy, number)
    assert looked(house) == {busy.pk: ["15", "14", "13"], quiet.pk: ["10"]}


def test_where_there_are_more_the_turns_go_round_and_leave_nothing_out(house: House) -> None:
    account = handle(house, "1")
    for number in range(11, 16):
        post(house, account, number)
    rounds = [looked(house)[account.pk] for _turn in range(3)]
    assert rounds == [["15", "14", "13"], ["12", "11", "15"], ["14", "13", "12"]]


def test_a_post_that_two_accounts_saw_is_looked_at_once_and_by_one_that_works(house: House) -> None:
    first, second = handle(house, "1"), handle(house, "2")
    for account in (first, second):
        post(house, account, 10)
    assert looked(house) == {first.pk: ["10"]}
    ChannelAccount.objects.filter(pk=first.pk).update(state=AccountState.PAUSED)
    assert looked(house) == {second.pk: ["10"]}


def test_posts_of_tickets_that_are_over_are_left_alone(house: House) -> None:
    post(house, handle(house, "1"), 10)
    Ticket.objects.update(state="solved", solved_at=house.clock.now)
    assert looked(house) == {}


def test_the_card_says_where_one_turn_does_not_look_at_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = handle(house, "1")
    monkeypatch.setattr(channels_rereading, "ready_connection_of", lambda account, now: None)
    monkeypatch.setattr(channels_rereading.XAdapter, "reread", lambda self, connection, ids, now: ())

    def card(of: int) -> str:
        numbers = ["10", "11", "12"]
        channels_rereading.reread(account_id=account.pk, external_ids=numbers, of=of, now=house.clock.now)
        account.refresh_from_db()
        return " ".join(asides.asides_of(account))

    assert card(of=5).startswith("5 posts of live tickets are looked at for edits and deletions, 3 at a time")
    assert card(of=3) == ""
