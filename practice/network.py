"""What a practice network is to the rest of the program."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Protocol

from starlette.routing import Route

from practice.happenings import Happenings
from practice.html import Html
from practice.mischief import Mischief, Switch
from practice.people import People, Person
from practice.settings import Settings


@dataclass(frozen=True, kw_only=True)
class World:
    """What all networks share."""

    settings: Settings
    db: sqlite3.Connection
    people: People
    happenings: Happenings
    mischief: Mischief


@dataclass(frozen=True)
class Visit:
    """Who somebody is on the page just now, and the address's parameters."""

    person: Person
    query: Mapping[str, str]


class Network(Protocol):
    """One network. `key` is its name in addresses and requests."""

    key: ClassVar[str]
    switches: ClassVar[Sequence[Switch]]

    def __init__(self, world: World) -> None: ...

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin to listen; whatever must be closed goes on the stack. Raises OSError when a port is taken."""

    def routes(self) -> Sequence[Route]:
        """Return the web addresses of this network."""

    def facts(self) -> Mapping[str, object]:
        """Return what a script must know to use the network, for /people.json."""

    def moved(self, switch: str, *, on: bool) -> None:
        """Act on a switch that somebody moved by hand."""

    async def phone(self, visit: Visit) -> Html:
        """Return the whole of the network's phone."""

    async def desk(self, visit: Visit) -> Html:
        """Return what one must know to connect the inbox to this network."""

    async def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return the parts of the phone that change by themselves, by the id of the element they belong into."""

    async def play(self, random: Random) -> None:
        """Be a plausible customer once, for the busy hour."""
