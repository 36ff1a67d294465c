"""Telling open pages that something changed: names go on one stream of Valkey, never content.

A write calls publish() with the names of what it changed and who may know; contactcentre/live.py hands
the names to browsers, and each page fetches the changed piece again with the rights of whoever looks.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypedDict

from django.db import transaction
from redis.client import Pipeline

from contactcentre.lib import valkey

logger = logging.getLogger(__name__)

STREAM = "contactcentre:live"
EPOCH = "contactcentre:live:epoch"
# A browser that was away for more than this many events is told to fetch everything again.
ENTRIES_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """That something changed, and who may know that it did.

    `name` is the thing and its id ("ticket-42", "queue-3"). `queues` and `people` are ids: whoever sees one
    of the queues or is one of the people is told; `everyone` tells all who are signed in.
    """

    name: str
    queues: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()
    everyone: bool = False

    def fields(self) -> dict[str, str]:
        """The event as a stream entry."""
        fields = {"name": self.name}
        if self.queues:
            fields["queues"] = " ".join(map(str, sorted(self.queues)))
        if self.people:
            fields["people"] = " ".join(map(str, sorted(self.people)))
        if self.everyone:
            fields["everyone"] = "1"
        return fields

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Event:
        """The event behind a stream entry. Raises ValueError for an entry that fields() did not make."""
        if not fields.get("name"):
            raise ValueError("the entry has no name")
        return cls(
            name=fields["name"],
            queues=frozenset(map(int, fields.get("queues", "").split())),
            people=frozenset(map(int, fields.get("people", "").split())),
            everyone=fields.get("everyone") == "1",
        )

    def concerns(self, topics: Topics) -> bool:
        """Whether somebody with these topics may know of it."""
        return (
            self.everyone
            or topics["all"]
            or topics["person"] in self.people
            or not self.queues.isdisjoint(topics["queues"])
        )


class Topics(TypedDict):
    """What one person is told of: the queues they see, their own id, or everything."""

    queues: frozenset[int]
    person: int
    all: bool


class Position(NamedTuple):
    """A place in the stream, written `<epoch>:<milliseconds>-<sequence>`.

    The epoch is drawn anew when Valkey starts empty: a place of another epoch says nothing about this one.
    """

    epoch: str
    milliseconds: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.id}"

    @property
    def id(self) -> str:
        """The stream id, as Valkey writes it."""
        return f"{self.milliseconds}-{self.sequence}"

    @classmethod
    def at(cls, epoch: str, id_: str) -> Position:
        """The place of a stream id. Raises ValueError when it is none."""
        milliseconds, _, sequence = id_.partition("-")
        if not (milliseconds.isdecimal() and sequence.isdecimal() and len(id_) <= 41):
            raise ValueError(f"{id_[:60]!r} is no stream id")
        return cls(epoch, int(milliseconds), int(sequence))

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """The place that a browser names, or None when that cannot be one."""
        epoch, _, id_ = text.partition(":")
        if not (epoch.isascii() and epoch.isalnum() and len(epoch) <= 40 and id_.isascii()):
            return None
        try:
            return cls.at(epoch, id_)
        except ValueError:
            return None


def publish(*events: Event) -> None:
    """Tell the open pages once the present transaction is committed, or now if there is none.

    Never fails: a page that misses an event finds out by its own look every 30 seconds.
    """
    if events:
        transaction.on_commit(partial(_send, events), robust=True)


def person_changed(person_id: int) -> None:
    """Tell on commit that a person's roles, teams, password, activity or session changed.

    Every stream of that person is then checked anew: it goes on with the new rights, or ends. To be called
    after a sign-out too, once the session is gone.
    """
    publish(Event(name=f"person-{person_id}", people=frozenset({person_id})))


def position() -> str:
    """Where the stream stands now, for the page to connect from; "" when Valkey does not answer.

    Read it before the page's queries: what changes between them and the connecting is then told again rather
    than missed. From "" the stream begins with "refresh".
    """
    try:
        # Where Valkey starts empty just between the two, a new place is told with the old epoch, which means nothing.
        epoch, newest = valkey.ask(_where, as_one=False)
        if epoch is None:
            _, epoch, newest = valkey.ask(_begin)
    except valkey.Unreachable as error:
        logger.warning("The live stream's position could not be read: %s", error)
        return ""
    return f"{epoch}:{newest[0][0] if newest else '0-0'}"


def new_epoch() -> str:
    """A name for a stream that begins now."""
    return secrets.token_hex(6)


def _where(pipeline: Pipeline) -> None:
    pipeline.get(EPOCH)
    pipeline.xrevrange(STREAM, count=1)


def _begin(pipeline: Pipeline) -> None:
    pipeline.set(EPOCH, new_epoch(), nx=True)
    _where(pipeline)


def _send(events: tuple[Event, ...]) -> None:
    def fill(pipeline: Pipeline) -> None:
        # Whoever comes first after an empty start names the epoch, so that no entry is ever without one.
        pipeline.set(EPOCH, new_epoch(), nx=True)
        for event in events:
            entry: dict[Any, Any] = dict(event.fields())
            pipeline.xadd(STREAM, entry, maxlen=ENTRIES_KEPT, approximate=True)

    try:
        valkey.ask(fill)
    except valkey.Unreachable as error:
        logger.warning("%d events were not published: %s", len(events), error)
