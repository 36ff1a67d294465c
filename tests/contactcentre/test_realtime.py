"""Publishing, positions, and who is here."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from contactcentre.lib import presence, realtime
from contactcentre.lib.presence import Looker
from contactcentre.lib.realtime import Event, Position
from tests.contactcentre.conftest import ValkeyServer

NOON = datetime(2025, 11, 22, 12, tzinfo=UTC)


def published(server: ValkeyServer) -> list[Event]:
    """What stands in the stream."""
    with server.client() as client:
        entries: Any = client.xrange(realtime.STREAM)
        return [Event.of(fields) for _, fields in entries]


def test_an_event_is_told_after_the_commit_and_not_after_a_rollback(
    transactional_db: None, own_valkey: ValkeyServer
) -> None:
    kept = Event("ticket-1", queues=frozenset({3, 1}), people=frozenset({7}), everyone=True)
    with transaction.atomic():
        realtime.publish(kept, Event("queue-1", queues=frozenset({1})))
        assert published(own_valkey) == []
    with transaction.atomic():
        realtime.publish(Event("ticket-2"))
        transaction.set_rollback(True)
    realtime.person_changed(9)
    realtime.publish()
    assert published(own_valkey) == [
        kept,
        Event("queue-1", queues=frozenset({1})),
        Event("person-9", people=frozenset({9})),
    ]


def test_a_write_never_fails_or_waits_long_because_of_valkey(transactional_db: None, own_valkey: ValkeyServer) -> None:
    own_valkey.freeze()
    began = time.monotonic()
    with transaction.atomic():
        for number in range(20):
            realtime.publish(Event(f"ticket-{number}"))
    assert realtime.position() == ""
    assert presence.lookers(ticket_ids=[1], now=NOON) == {}
    assert time.monotonic() - began < 2.5, "one time-out for all of them"
    own_valkey.thaw()
    own_valkey.kill()
    realtime.valkey._silent_until = 0.0
    began = time.monotonic()
    realtime.publish(Event("ticket-1"))
    assert realtime.position() == ""
    assert presence.look(ticket_id=1, person_id=1, writing=False, now=NOON) is False
    assert time.monotonic() - began < 1
    own_valkey.start()
    realtime.publish(Event("ticket-again"))
    assert published(own_valkey)[-1].name == "ticket-again", "the stale connection is replaced at once"


def test_the_position_is_the_newest_entry_of_this_epoch(transactional_db: None, own_valkey: ValkeyServer) -> None:
    empty = Position.parse(realtime.position())
    assert empty is not None
    assert empty.id == "0-0"
    realtime.publish(Event("ticket-1"))
    first = Position.parse(realtime.position())
    realtime.publish(Event("ticket-2"))
    second = Position.parse(realtime.position())
    assert first is not None
    assert second is not None
    assert empty.epoch == first.epoch == second.epoch
    assert empty < first < second
    assert Position.parse(str(second)) == second


@pytest.mark.parametrize(
    "text",
    ["", ":", "a:", ":1-1", "a:1", "a:1-", "a:-1-1", "a:1-1-1", "ä:1-1", "a:²-1", "a:" + "9" * 5000 + "-1", "a b:1-1"],
)
def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.parse(text) is None


def test_who_looks_and_who_writes(own_valkey: ValkeyServer) -> None:
    def look(person_id: int, writing: bool, seconds: float, ticket_id: int = 42) -> bool:
        return presence.look(
            ticket_id=ticket_id, person_id=person_id, writing=writing, now=NOON + timedelta(seconds=seconds)
        )

    def here(seconds: float) -> dict[int, tuple[Looker, ...]]:
        return presence.lookers(ticket_ids=[42, 43, 44], now=NOON + timedelta(seconds=seconds))

    assert look(1, False, 0) is True, "somebody came"
    assert look(1, False, 15) is False, "still here"
    assert look(2, True, 16) is True
    assert look(2, True, 17) is False
    assert look(3, False, 17, ticket_id=43) is True
    assert here(20) == {42: (Looker(2, True), Looker(1, False)), 43: (Looker(3, False),)}
    assert here(40) == {42: (Looker(1, False), Looker(2, False)), 43: (Looker(3, False),)}, "no key for a while"
    assert look(2, True, 41) is True, "began again"
    assert look(2, False, 42) is True, "stopped"
    assert here(61) == {42: (Looker(2, False),), 43: (Looker(3, False),)}, "one who stopped beating is gone"
    assert presence.leave(ticket_id=42, person_id=2) is True
    assert presence.leave(ticket_id=42, person_id=2) is False
    assert 42 not in here(61)
    with own_valkey.client() as client:
        assert all(0 < int(client.ttl(key)) <= presence.STAY_SECONDS for key in client.scan_iter("contactcentre:*"))
