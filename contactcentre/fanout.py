"""One reader of the stream for the whole process, and one small queue of names for every open browser.

A thousand browsers cost Valkey one blocking read. What a browser has not taken yet is kept by name, so a
ticket that changes twenty times waits once; beyond QUEUE_LIMIT names the queue becomes one "refresh".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from contactcentre.lib import realtime
from contactcentre.lib.realtime import Event, Position, Topics

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 256
NAMES_PER_CHANGE = 100
# A browser that missed more than this many entries fetches everything again, which costs less than the list.
REPLAY_LIMIT = 1000
REFRESH = "refresh"

# How long one blocking read waits, and how often the reader makes sure that it is still the same stream.
BLOCK_SECONDS = 5.0
# A frozen server is given up after this; it must be more than a blocking read takes.
READER_SOCKET_SECONDS = 10.0
LOOKUP_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 5.0
ENTRIES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Change:
    """Names to tell a browser, and the place in the stream up to which it then knows everything."""

    names: tuple[str, ...]
    position: Position


class Subscription:
    """One browser: what it may know, and what it has not been told yet."""

    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        # Set when there is something to do: names, a check, the end.
        self.wake = asyncio.Event()
        self.check_due = False
        self.ended = False
        # Whether nobody knows yet from where this browser must be told; the reader settles it.
        self.lost = False
        self._placed = False
        self._waiting: dict[str, Position] = {}
        self._refresh: Position | None = None
        # Up to here the browser knows everything already, though the reader may come by only now.
        self._known: Position | None = None

    @property
    def told_everything(self) -> bool:
        """Whether nothing waits, so that the reader's position is this browser's too."""
        return self._placed and not self._waiting and self._refresh is None

    def take(self) -> Change | None:
        """The next change to tell, or None while there is nothing to tell."""
        if not self._placed:
            return None
        if self._refresh is not None:
            change = Change((REFRESH,), self._refresh)
            self._refresh = None
            return change
        if not self._waiting:
            return None
        # In the order of each name's latest entry: everything before the last of these is told with it.
        names = tuple(islice(self._waiting, NAMES_PER_CHANGE))
        positions = [self._waiting.pop(name) for name in names]
        return Change(names, positions[-1])

    def push(self, event: Event, position: Position) -> None:
        """Note an event, if this browser may know of it."""
        if self._knows(position) or not event.concerns(self.topics):
            return
        if self._refresh is not None:
            # Not told yet, and when it is, the browser looks at everything: this included.
            self._refresh = position
            return
        self._waiting.pop(event.name, None)
        self._waiting[event.name] = position
        if len(self._waiting) > QUEUE_LIMIT:
            self.refresh(position)
        self.wake.set()

    def refresh(self, position: Position) -> None:
        """Tell the browser to fetch everything again; what waited is covered by that."""
        self._waiting.clear()
        self._refresh = self._known = position
        self._placed, self.lost = True, False
        self.wake.set()

    def place(self, missed: list[tuple[Event, Position]]) -> None:
        """Put what was missed before the connecting in front of what came since."""
        if self._placed:
            # The reader said "refresh" in the meantime: what was read before that may be of another epoch.
            return
        since, self._waiting = self._waiting, {}
        self._placed = True
        for event, position in missed:
            self.push(event, position)
        if missed:
            self._known = missed[-1][1]
        for name, position in since.items():
            if self._knows(position):
                # Read twice. Names stay in the order of their entries: a change's position promises that
                # nothing before it is still untold.
                continue
            if self._refresh is None:
                self._waiting.pop(name, None)
                self._waiting[name] = position
            else:
                self._refresh = position
        self.wake.set()

    def _knows(self, position: Position) -> bool:
        known = self._known
        return known is not None and known.epoch == position.epoch and position <= known

    def check(self) -> None:
        """Have this browser's session and rights looked at again."""
        self.check_due = True
        self.wake.set()

    def end(self) -> None:
        """End this browser's stream."""
        self.ended = True
        self.wake.set()


class Fanout:
    """All browsers of this process. Everything happens on the one event loop that first calls join()."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lookups: Redis | None = None
        self._reader: asyncio.Task[None] | None = None
        self._following = asyncio.Event()
        self.position: Position | None = None
        self.subscriptions: set[Subscription] = set()

    def join(self, topics: Topics) -> Subscription:
        """A subscription that gathers from now on; it tells nothing before replay() or the reader placed it."""
        subscription = Subscription(topics)
        self.subscriptions.add(subscription)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._follow())
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a browser."""
        self.subscriptions.discard(subscription)

    def end_all(self) -> None:
        """End every stream, so that the process can stop at once."""
        for subscription in self.subscriptions:
            subscription.end()

    async def stop(self) -> None:
        """End every stream and the reader."""
        self.end_all()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._lookups is not None:
            await self._lookups.aclose()

    async def replay(self, subscription: Subscription, start: Position | None) -> None:
        """Place a new subscription at `start`: tell what came after it, or "refresh" where that is not known.

        The subscription gathers already, and the stream is only read once the reader has a place in it; so
        what is read here and what the reader hands over overlap, and nothing lies between them.
        """
        missed: list[tuple[Event, Position]] | Position | None = None
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                await self._following.wait()
                if start is not None:
                    missed = await self._missed(start)
        except (TimeoutError, RedisError, OSError) as error:
            logger.warning("What a browser missed could not be read, it will fetch everything: %s", error)
        if isinstance(missed, Position):
            subscription.refresh(missed)
        elif missed is not None:
            subscription.place(missed)
        elif self._following.is_set() and self.position is not None:
            subscription.refresh(self.position)
        else:
            # The reader itself has lost the server; it says "refresh" as soon as it is back.
            subscription.lost = True

    async def _missed(self, start: Position) -> list[tuple[Event, Position]] | Position:
        """What came after `start`; where the stream cannot tell, the place up to which "refresh" makes up for it."""
        if self._lookups is None:
            pool = BlockingConnectionPool.from_url(
                self._url, max_connections=8, timeout=LOOKUP_SECONDS, **_options(LOOKUP_SECONDS)
            )
            self._lookups = Redis.from_pool(pool)
        async with self._lookups.pipeline(transaction=True) as pipeline:
            pipeline.get(realtime.EPOCH)
            pipeline.xinfo_stream(realtime.STREAM)
            pipeline.xrange(realtime.STREAM, min=f"({start.id}", count=REPLAY_LIMIT + 1)
            epoch, about, entries = await pipeline.execute(raise_on_error=False)
        for answer in (epoch, entries):
            if isinstance(answer, Exception):
                raise answer
        standing = _standing(epoch, about)
        if not standing.continues(start) or len(entries) > REPLAY_LIMIT:
            return standing.newest
        return list(_events(start.epoch, entries))

    async def _follow(self) -> None:
        """Read the stream for ever; when the server goes away, come back to it with growing pauses."""
        failures = 0
        while True:
            try:
                async with self._connected() as server:
                    await self._take_place(server)
                    if failures:
                        logger.info("The live stream is read again.")
                    failures = 0
                    self._following.set()
                    await self._read(server)
            except (RedisError, OSError) as error:
                if not failures:
                    logger.warning("The live stream cannot be read, trying again: %s", error)
            except Exception:
                # A reader that died of anything unforeseen would leave every page of this process silently stale.
                logger.exception("The live stream's reader failed and begins again.")
            self._following.clear()
            pause = min(LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(failures, 10))
            failures += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Redis]:
        """A client with exactly one connection and no tries of its own.

        A library that connects again by itself would go on reading at the old place of a server that was
        restarted empty, and nobody would learn that the epoch is another.
        """
        server = Redis.from_url(self._url, single_connection_client=True, **_options(READER_SOCKET_SECONDS))
        try:
            await server.initialize()
            yield server
        finally:
            await server.aclose()

    async def _take_place(self, server: Redis) -> None:
        """Go on where this reader was, or, where that place is gone, begin at the end and say "refresh"."""
        await server.set(realtime.EPOCH, realtime.new_epoch(), nx=True)
        epoch: Any = await server.get(realtime.EPOCH)
        about: Any
        try:
            about = await server.xinfo_stream(realtime.STREAM)
        except ResponseError as error:
            about = error
        standing = _standing(epoch, about)
        if self.position is None or not standing.continues(self.position):
            if self.position is not None:
                logger.warning("The live stream begins anew; every open page fetches everything.")
                for subscription in self.subscriptions:
                    subscription.refresh(standing.newest)
            self.position = standing.newest
        for subscription in self.subscriptions:
            if subscription.lost:
                subscription.refresh(self.position)

    async def _read(self, server: Redis) -> None:
        """Hand over entries as they come, until the connection breaks."""
        clock = asyncio.get_running_loop()
        look_again_at = clock.time() + BLOCK_SECONDS
        while self.position is not None:
            answer: Any = await server.xread(
                {realtime.STREAM: self.position.id}, count=ENTRIES_AT_ONCE, block=int(BLOCK_SECONDS * 1000)
            )
            for _stream, entries in answer or []:
                for event, position in _events(self.position.epoch, entries):
                    self._hand_over(event, position)
                # Also past entries that could not be understood: they are passed over, not read for ever.
                self.position = Position.at(self.position.epoch, entries[-1][0])
            if clock.time() >= look_again_at:
                await self._take_place(server)
                look_again_at = clock.time() + BLOCK_SECONDS

    def _hand_over(self, event: Event, position: Position) -> None:
        kind, _, id_ = event.name.partition("-")
        changed = int(id_) if kind == "person" and id_.isdecimal() else None
        for subscription in self.subscriptions:
            subscription.push(event, position)
            if subscription.topics["person"] == changed:
                subscription.check()


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the stream's ends look like."""

    oldest: Position
    newest: Position
    trimmed: bool

    def continues(self, place: Position) -> bool:
        """Whether everything after `place` is still in the stream."""
        return place.epoch == self.newest.epoch and place <= self.newest and (not self.trimmed or place >= self.oldest)


def _standing(epoch: str | None, about: Any) -> _Standing:
    """From the answers to GET and XINFO STREAM. Raises the latter's error, except that there is no stream yet."""
    epoch = epoch or ""
    if isinstance(about, ResponseError) and "no such key" in str(about):
        empty = Position(epoch, 0, 0)
        return _Standing(oldest=empty, newest=empty, trimmed=False)
    if isinstance(about, Exception):
        raise about
    newest = Position.at(epoch, about["last-generated-id"])
    first = about["first-entry"]
    return _Standing(
        oldest=Position.at(epoch, first[0]) if first else newest,
        newest=newest,
        trimmed=about.get("entries-added", about["length"] + 1) != about["length"],
    )


def _events(epoch: str, entries: list[tuple[str, dict[str, str]]]) -> list[tuple[Event, Position]]:
    """The events of stream entries; an entry that is none of ours is passed over."""
    events = []
    for id_, fields in entries:
        try:
            events.append((Event.of(fields), Position.at(epoch, id_)))
        except ValueError as error:
            logger.warning("Entry %s of the live stream was passed over: %s", id_, error)
    return events


def _options(socket_seconds: float) -> dict[str, Any]:
    return {
        "decode_responses": True,
        # The shape of stream answers differs between versions 2 and 3 of the protocol; one is enough.
        "protocol": 2,
        "socket_timeout": socket_seconds,
        "socket_connect_timeout": LOOKUP_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
