"""The telephone network: puts its parts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import ClassVar

from starlette.routing import Route

from practice.html import Html
from practice.mischief import Switch
from practice.network import Visit, World
from practice.telephony.acts import TelephonyActs, told_line
from practice.telephony.calls import Calls
from practice.telephony.customers import BusyCallers
from practice.telephony.events import Events
from practice.telephony.exchange import DESKS, Exchange
from practice.telephony.lines import Lines
from practice.telephony.posting import HookPost
from practice.telephony.screen import PhoneScreen
from practice.telephony.switches import NETWORK, SWITCHES


class TelephonyNetwork:
    """Our lines, everybody's telephones, and the exchange between them that tells the inbox of every call."""

    key: ClassVar[str] = NETWORK
    switches: ClassVar[Sequence[Switch]] = SWITCHES

    def __init__(self, world: World) -> None:
        self._lines = Lines(world.db)
        self._calls = Calls(world.db)
        self._events = Events(world.db)
        self._post = HookPost(
            lines=self._lines, events=self._events, mischief=world.mischief, happenings=world.happenings
        )
        exchange = Exchange(
            db=world.db,
            people=world.people,
            lines=self._lines,
            calls=self._calls,
            events=self._events,
            post=self._post,
            mischief=world.mischief,
            happenings=world.happenings,
        )
        self._acts = TelephonyActs(
            people=world.people, lines=self._lines, calls=self._calls, events=self._events, exchange=exchange
        )
        self._screen = PhoneScreen(people=world.people, lines=self._lines, calls=self._calls)
        self._callers = BusyCallers(world.people, self._calls, exchange)

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin to post events, those of a former run first."""
        self._post.start()
        stack.push_async_callback(self._post.stop)

    def routes(self) -> Sequence[Route]:
        """Return the acts for scripts and for the page's buttons."""
        return self._acts.routes()

    def facts(self) -> Mapping[str, object]:
        """Return our lines, who sits at our desks, and how many events are not posted yet."""
        return {
            "lines": [told_line(line) for line in self._lines.all()],
            "desks": [{"name": name, "extension": extension} for name, extension in DESKS.items()],
            "waiting": self._events.waiting(),
        }

    def moved(self, switch: str, *, on: bool) -> None:
        """Let held events go once their switch goes off."""
        if not on:
            self._events.release(switch)
            self._post.wake()

    async def phone(self, visit: Visit) -> Html:
        """Return the telephone."""
        return self._screen.phone(visit)

    async def desk(self, visit: Visit) -> Html:
        """Return our lines, and the exchange's side of the calls."""
        return self._screen.desk(visit)

    async def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return the parts of the telephone and of the exchange that change by themselves."""
        return self._screen.live(visit)

    async def play(self, random: Random) -> None:
        """Ring once, or go on with a call."""
        await self._callers.do_one(random)
