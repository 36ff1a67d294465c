"""A page of X becomes ledger rows, and each row what it is: processed, filtered for a reason, or quarantined."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import HistoryEntry, Person
from channels import anew, ledger, processing
from channels.adapters.x import items
from channels.books import books
from channels.happenings import Edited, InboundMessage
from channels.models import ChannelAccount, LedgerBody, LedgerItem
from contactcentre.lib.secrets import Credentials
from tests.channels.adapters.x.conftest import (
    ANA,
    NOW,
    TOKEN,
    US,
    TinyX,
    a_dm,
    a_post,
    a_reply,
    html,
    page,
    post_id,
)
from tests.channels.conftest import ListeningReceiver

OURS = post_id(30)


@pytest.fixture
def handle(db: None) -> ChannelAccount:
    return ChannelAccount.objects.create(
        kind="x",
        address=US,
        name="@AcmeCare",
        begins_at=NOW - timedelta(hours=1),
        created_at=NOW,
        credentials=Credentials(access_token=TOKEN),
    )


def through(handle: ChannelAccount, page_: dict[str, Any], name: str = items.POST) -> list[tuple[str, str]]:
    """Record a page, process it, and return every row's state and reason in order."""
    ledger.record(handle, "x", [item.raw for item in items.of_page(page_, name)], source="poll", now=NOW)
    processing.process(now=NOW, clock=lambda: NOW)
    return list(LedgerItem.objects.order_by("pk").values_list("state", "reason"))


def test_each_entry_of_a_page_has_its_own_fate(
    handle: ChannelAccount, listening: ListeningReceiver, hinted: list[str]
) -> None:
    entries = page(
        a_post(post_id(9)),
        a_post(post_id(8), referenced_tweets=[{"type": "retweeted", "id": OURS}]),
        a_post(post_id(7), author_id=None),
        a_post(post_id(6), author_id=US),
        a_post(post_id(90), created_at="2026-11-21T08:00:00Z"),
    )
    assert through(handle, entries) == [
        ("filtered", "before the account began"),
        ("processed", ""),
        ("filtered", "repost"),
        ("quarantined", "X handed this over without a usable author_id."),
        ("filtered", "our own post, answering nobody"),
    ]
    assert [type(each) for each in listening.heard] == [InboundMessage]
    assert books(handle.pk).balanced


def test_the_same_page_twice_is_one_row_each(
    handle: ChannelAccount, listening: ListeningReceiver, hinted: list[str]
) -> None:
    first, second = post_id(30), post_id(5)
    whole = page(a_post(second, conversation_id=first, edit_history_tweet_ids=[first, second]), a_post(first))
    assert through(handle, whole) == [("processed", ""), ("processed", "")]
    assert len(through(handle, whole)) == 2
    assert [type(each) for each in listening.heard] == [InboundMessage, InboundMessage, Edited]
    assert {each.external_id for each in listening.heard if isinstance(each, InboundMessage)} == {first}


def test_posts_and_messages_of_one_number_are_two(
    handle: ChannelAccount, listening: ListeningReceiver, hinted: list[str]
) -> None:
    through(handle, page(a_reply(post_id(5), OURS)))
    assert through(handle, page(a_dm(post_id(5))), items.DM) == [("processed", ""), ("processed", "")]
    assert {each.author.value for each in listening.heard if isinstance(each, InboundMessage)} == {ANA}


POSTS = "GET /2/tweets"
LACKS = ("quarantined", "X handed this over without a usable author_id.")


def test_what_x_left_out_of_a_list_is_asked_for_anew_when_it_is_processed_again(
    handle: ChannelAccount, listening: ListeningReceiver, hinted: list[str], x: TinyX, ada: Person, client: Client
) -> None:
    lacking, message = post_id(7), a_dm(post_id(6), sender_id=None)
    assert through(handle, page(a_post(lacking, author_id=None))) == [LACKS]
    through(handle, page(message), items.DM)
    x.on(POSTS, (200, page(a_post(lacking))))
    client.force_login(ada)
    shown = client.post(f"/settings/accounts/{handle.pk}/ledger/again/", follow=True).content.decode()
    assert "2 items are processed again. Handed over anew by X: 1." in shown
    # Messages have no such door at X.
    assert "What X did not hand over anew is processed as it is kept." in shown
    assert [asked.query["ids"] for asked in x.asked_for(POSTS)] == [lacking]
    # The page goes by the clock on the wall.
    later = timezone.now() + timedelta(minutes=1)
    processing.process(now=later, clock=lambda: later)
    assert list(LedgerItem.objects.order_by("pk").values_list("state", flat=True)) == ["processed", "quarantined"]
    assert [each.external_id for each in listening.heard if isinstance(each, InboundMessage)] == [lacking]
    first = LedgerItem.objects.order_by("pk")[0]
    assert HistoryEntry.objects.get(act="ledger.read_anew").data == {"items": [first.pk]}
    assert first.size == len(LedgerBody.objects.get(pk=first.pk).body)
    assert books(handle.pk).balanced


@pytest.mark.parametrize("state", ["paused", "refused"])
def test_x_is_not_asked_for_an_account_that_is_switched_off(
    handle: ChannelAccount, listening: ListeningReceiver, hinted: list[str], x: TinyX, ada: Person, state: str
) -> None:
    through(handle, page(a_post(post_id(7), author_id=None)))
    ChannelAccount.objects.update(state=state)
    x.on(POSTS, (200, page(a_post(post_id(7)))))
    assert anew.process_again(account=handle, actor=ada, now=NOW).items == 1
    assert x.asked_for(POSTS) == []


def test_what_x_cannot_hand_over_again_keeps_nothing_from_being_asked_for(
    handle: ChannelAccount,
    listening: ListeningReceiver,
    hinted: list[str],
    x: TinyX,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(anew, "AT_ONCE", 1)
    through(handle, page(a_post(post_id(7), author_id=None)))
    through(handle, page(a_dm(post_id(6), sender_id=None), a_dm(post_id(5), sender_id=None)), items.DM)
    x.on(POSTS, (200, page(a_post(post_id(7)))))
    assert anew.process_again(account=handle, actor=ada, now=NOW).anew == 1


def test_an_account_whose_credentials_nobody_can_read_is_shown_and_processed_again(
    handle: ChannelAccount, listening: ListeningReceiver, hinted: list[str], ada: Person, client: Client
) -> None:
    through(handle, page(a_post(post_id(7), author_id=None)))
    ChannelAccount.objects.filter(pk=handle.pk).update(credentials=b"of another key")
    client.force_login(ada)
    assert client.get(f"/settings/accounts/{handle.pk}/").status_code == 200
    assert client.get(f"/settings/accounts/{handle.pk}/ledger/quarantined/").status_code == 200
    item = LedgerItem.objects.get()
    for address in (f"ledger/item/{item.pk}/again/", f"{handle.pk}/ledger/again/"):
        LedgerItem.objects.update(state="quarantined", reason="lacks its author")
        answer = client.post(f"/settings/accounts/{address}", follow=True)
        assert "1 item is processed again." in answer.content.decode()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (html(503), "X had a failure of its own"),
        ((200, {"errors": [{"resource_id": post_id(7), "type": "https://api.x.com/problems/resource-not-found"}]}), ""),
    ],
    ids=["X fails", "gone at X"],
)
def test_where_x_hands_nothing_over_the_kept_copy_is_processed_again(
    handle: ChannelAccount,
    listening: ListeningReceiver,
    hinted: list[str],
    x: TinyX,
    ada: Person,
    answer: Any,
    why: str,
) -> None:
    through(handle, page(a_post(post_id(7), author_id=None)))
    kept = LedgerBody.objects.get().body
    x.on(POSTS, answer)
    again = anew.process_again(account=handle, actor=ada, now=NOW)
    assert (again.items, again.unreadable, again.anew) == (1, 1, 0)
    assert again.why.startswith(why)
    assert bool(again.why) == bool(why)
    assert LedgerBody.objects.get().body == kept
    processing.process(now=NOW, clock=lambda: NOW)
    assert list(LedgerItem.objects.values_list("state", "reason")) == [LACKS]
