"""Places are pure: where a round goes on, and what a finished one leaves behind."""

from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from channels.adapters.facebook.places import MOST_SEEN, OVERLAP, Place
from tests.channels.adapters.facebook.conftest import NOW

BEGAN = NOW - timedelta(hours=1)
MINUTES = st.integers(0, 60)


def test_a_place_survives_its_keeping() -> None:
    place = Place(since=BEGAN, seen=("a", "b"), after="c", waiting=(("1", ""), ("2", "x")), top=NOW, gap_at=NOW)
    assert Place.read(json.loads(json.dumps(place.cursor())), begins_at=BEGAN, now=NOW) == place
    late = place.put_off(words="No.", wait=None, now=NOW)
    assert Place.read(json.loads(json.dumps(late.cursor())), begins_at=BEGAN, now=NOW) == late
    assert (late.is_due(now=NOW), late.is_due(now=NOW + timedelta(minutes=1))) == (False, True)


@given(minutes=st.lists(MINUTES, max_size=6))
def test_only_a_finished_round_moves_the_place_and_never_past_the_overlap(minutes: list[int]) -> None:
    changes = [NOW - timedelta(minutes=each) for each in minutes]
    place = Place(since=BEGAN).met(changes, now=NOW)
    assert place.since == BEGAN
    after = place.round_over()
    assert after.since == max([BEGAN, *(each - OVERLAP for each in changes)])
    assert not after.is_under_way


def test_a_later_beginning_counts() -> None:
    kept = Place(since=BEGAN).cursor()
    assert Place.read(kept, begins_at=NOW, now=NOW).since == NOW


def test_the_oldest_known_ids_are_forgotten_first() -> None:
    place = Place(since=BEGAN)
    for number in range(MOST_SEEN + 5):
        place = place.handed_up([str(number)])
    assert (len(place.seen), place.seen[0], "0" in place.seen) == (MOST_SEEN, str(MOST_SEEN + 4), False)
