"""What a browser's queue keeps, without any server."""

from __future__ import annotations

from contactcentre.fanout import NAMES_PER_CHANGE, QUEUE_LIMIT, Change, Subscription
from contactcentre.lib.realtime import Event, Position, Topics

EVERYTHING: Topics = {"queues": frozenset(), "person": 1, "all": True}


def at(number: int) -> Position:
    """A place in one epoch."""
    return Position("epoch", number, 0)


def all_of(subscription: Subscription) -> list[Change]:
    """Every change there is to tell."""
    changes = []
    while (change := subscription.take()) is not None:
        changes.append(change)
    return changes


def test_a_name_waits_once_and_at_its_latest_place() -> None:
    subscription = Subscription(EVERYTHING)
    subscription.place([])
    for number, name in enumerate(["a", "b", "a", "a"]):
        subscription.push(Event(name), at(number))
    assert all_of(subscription) == [Change(("b", "a"), at(3))]
    assert subscription.told_everything


def test_too_many_names_become_one_refresh_at_the_newest_place() -> None:
    subscription = Subscription(EVERYTHING)
    subscription.place([])
    for number in range(QUEUE_LIMIT * 3):
        subscription.push(Event(f"ticket-{number}"), at(number))
    assert all_of(subscription) == [Change(("refresh",), at(QUEUE_LIMIT * 3 - 1))]
    subscription.push(Event("a"), at(5000))
    assert all_of(subscription) == [Change(("a",), at(5000))]


def test_a_long_queue_is_told_in_parts_none_of_which_promises_too_much() -> None:
    subscription = Subscription(EVERYTHING)
    subscription.place([])
    for number in range(NAMES_PER_CHANGE + 10):
        subscription.push(Event(f"ticket-{number}"), at(number))
    first, second = all_of(subscription)
    assert (len(first.names), first.position) == (NAMES_PER_CHANGE, at(NAMES_PER_CHANGE - 1))
    assert second.position == at(NAMES_PER_CHANGE + 9)


def test_nothing_is_told_before_the_place_is_known_and_what_was_missed_comes_first() -> None:
    subscription = Subscription(EVERYTHING)
    for number, name in [(3, "c"), (4, "a"), (5, "e")]:
        subscription.push(Event(name), at(number))
    assert subscription.take() is None
    assert not subscription.told_everything
    # Read twice: places 3 and 4. The queue must stay in the order of places.
    subscription.place([(Event(name), at(number)) for number, name in [(1, "a"), (2, "b"), (3, "c"), (4, "a")]])
    assert all_of(subscription) == [Change(("b", "c", "a", "e"), at(5))]


def test_a_refresh_that_came_first_is_not_undone_by_what_was_read_of_another_epoch() -> None:
    subscription = Subscription(EVERYTHING)
    subscription.refresh(Position("new", 9, 0))
    subscription.place([(Event("old"), at(1))])
    assert all_of(subscription) == [Change(("refresh",), Position("new", 9, 0))]


def test_only_what_concerns_the_person_is_kept() -> None:
    subscription = Subscription({"queues": frozenset({1, 2}), "person": 7, "all": False})
    subscription.place([])
    events = [
        Event("nobody"),
        Event("other", queues=frozenset({3}), people=frozenset({8})),
        Event("queue", queues=frozenset({2, 3})),
        Event("person", people=frozenset({7})),
        Event("all", everyone=True),
    ]
    for number, event in enumerate(events):
        subscription.push(event, at(number))
    assert all_of(subscription) == [Change(("queue", "person", "all"), at(4))]


def test_a_reader_that_lags_behind_repeats_nothing() -> None:
    placed, refreshed = Subscription(EVERYTHING), Subscription(EVERYTHING)
    placed.place([(Event("a"), at(5))])
    refreshed.refresh(at(5))
    for subscription in (placed, refreshed):
        subscription.take()
        subscription.push(Event("a"), at(5))
        assert subscription.take() is None
        subscription.push(Event("b"), at(6))
        assert subscription.take() == Change(("b",), at(6))
        subscription.push(Event("c"), Position("another", 1, 0))
        assert subscription.take() == Change(("c",), Position("another", 1, 0))
