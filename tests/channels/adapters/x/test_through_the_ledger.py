"""A page of X becomes ledger rows, and each row what it is: processed, filtered for a reason, or quarantined."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels import ledger, processing
from channels.adapters.x import items
from channels.books import books
from channels.happenings import Edited, InboundMessage
from channels.models import ChannelAccount, LedgerItem
from tests.channels.adapters.x.conftest import ANA, NOW, US, a_dm, a_post, a_reply, page, post_id
from tests.channels.conftest import ListeningReceiver

OURS = post_id(30)


@pytest.fixture
def handle(db: None) -> ChannelAccount:
    return ChannelAccount.objects.create(
        kind="x", address=US, name="@AcmeCare", begins_at=NOW - timedelta(hours=1), created_at=NOW
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
