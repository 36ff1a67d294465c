"""Who else is here: who looks at a ticket at this moment, and who writes on it.

Kept in Valkey only, one small sorted set a ticket, with a time to live: a browser that crashed is gone
by itself after a minute, and nothing of it is ever a row. When Valkey does not answer, nobody is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis.client import Pipeline

from contactcentre.lib import valkey

logger = logging.getLogger(__name__)

# A page says every BEAT_SECONDS that it is still open; two beats may be lost before somebody is taken for gone.
# Browsers slow the timers of a hidden tab to one a minute, and who looks elsewhere should indeed go.
BEAT_SECONDS = 15
STAY_SECONDS = 45
# Somebody is shown as writing until this long after the last key.
WRITING_SECONDS = 20
TICKETS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who has the ticket open."""

    person_id: int
    writing: bool


def look(*, ticket_id: int, person_id: int, writing: bool, now: datetime) -> bool:
    """Note that the person has the ticket open, and whether they write on it.

    True when that is news to others (came, began to write, stopped writing): then the caller publishes.
    """
    looking, at_work = _keys(ticket_id)
    second = now.timestamp()

    def fill(pipeline: Pipeline) -> None:
        pipeline.zscore(looking, str(person_id))
        pipeline.zscore(at_work, str(person_id))
        pipeline.zadd(looking, {str(person_id): second + STAY_SECONDS})
        pipeline.expire(looking, STAY_SECONDS)
        if writing:
            pipeline.zadd(at_work, {str(person_id): second + WRITING_SECONDS})
            pipeline.expire(at_work, WRITING_SECONDS)
        else:
            pipeline.zrem(at_work, str(person_id))

    answers = _ask(fill)
    if answers is None:
        return False
    was_here, was_writing = (score is not None and float(score) > second for score in answers[:2])
    return not was_here or was_writing != writing


def leave(*, ticket_id: int, person_id: int) -> bool:
    """Note that the person closed the ticket; True when they had been there."""
    keys = _keys(ticket_id)
    answers = _ask(lambda pipeline: [pipeline.zrem(key, str(person_id)) for key in keys])
    return bool(answers and answers[0])


def lookers(*, ticket_ids: Sequence[int], now: datetime) -> dict[int, tuple[Looker, ...]]:
    """Who is at each of the tickets (the first 200), by person id, writers first; one round trip for all.

    A ticket that nobody looks at is left out; so is every ticket while Valkey does not answer.
    """
    wanted = list(dict.fromkeys(ticket_ids))[:TICKETS_AT_ONCE]
    if not wanted:
        return {}
    since = f"({now.timestamp()}"

    def fill(pipeline: Pipeline) -> None:
        for ticket_id in wanted:
            for key in _keys(ticket_id):
                pipeline.zrangebyscore(key, since, "+inf")

    answers = _ask(fill)
    if answers is None:
        return {}
    found: dict[int, tuple[Looker, ...]] = {}
    for ticket_id, here, at_work in zip(wanted, answers[::2], answers[1::2], strict=True):
        people = [Looker(person_id=int(member), writing=member in at_work) for member in here]
        if people:
            found[ticket_id] = tuple(sorted(people, key=lambda one: (not one.writing, one.person_id)))
    return found


def _keys(ticket_id: int) -> tuple[str, str]:
    return f"contactcentre:looking:{ticket_id}", f"contactcentre:writing:{ticket_id}"


def _ask(fill: Callable[[Pipeline], object]) -> list[Any] | None:
    try:
        return valkey.ask(fill)
    except valkey.Unreachable as error:
        logger.info("Who looks at a ticket is not known: %s", error)
        return None
