"""The written list of fault cases says what is played, and what is played meets every point."""

from __future__ import annotations

import re
from pathlib import Path

from contactcentre.lib import faults
from tests.faults.test_stack import CASES, DEATHS

LIST = Path(__file__).resolve().parents[2] / "docs/faults.md"
ROW = re.compile(r"^\| (\d+) \| `\[([\w-]+)\]` \| ([^|]+) \| ([^|]+) \| (\w+) \|$", re.MULTILINE)


def test_the_list_says_what_is_played() -> None:
    listed = ROW.findall(LIST.read_text(encoding="utf-8"))
    assert [int(number) for number, *_ in listed] == list(range(1, len(CASES) + 1))
    told = {case: (channel, set(re.findall(r"`([a-z]+\.\w+)`", what)), how) for _, case, channel, what, how in listed}
    assert told == {case.id: (case.channel, set(case.points), case.outcome) for case in CASES}


def test_there_are_at_most_twenty_and_no_death_is_for_nothing() -> None:
    assert len(CASES) <= 20
    assert {death for case in CASES for death in case.deaths} == set(DEATHS)


def test_every_point_is_met_by_a_case() -> None:
    assert {point for case in CASES for point in case.points} == faults.POINTS
