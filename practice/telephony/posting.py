"""Posts the events to the lines' hooks, again and again until they are taken."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from practice.happenings import Happenings
from practice.mischief import Mischief
from practice.telephony.events import DELIVERED, GIVEN_UP, MOST_ATTEMPTS, Event, Events
from practice.telephony.lines import Lines, readable
from practice.telephony.switches import NETWORK

#: How long the exchange waits for an answer, in seconds.
PATIENCE = 5.0
#: How many calls are told of at the same time. Events of one call never overtake each other by themselves.
AT_ONCE = 8
#: How much of a status line is read.
_LONGEST_LINE = 200


class HookPost:
    """One task that posts what is due and sleeps in between."""

    def __init__(self, *, lines: Lines, events: Events, mischief: Mischief, happenings: Happenings) -> None:
        self._lines = lines
        self._events = events
        self._mischief = mischief
        self._happenings = happenings
        self._something = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with what a former run left behind."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what is under way is posted again after the next start."""
        tasks = [*self._under_way.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Look whether something is due: an event was added, let go, or may go sooner."""
        self._something.set()

    async def _run(self) -> None:
        while True:
            self._something.clear()
            for event in self._events.due(AT_ONCE - len(self._under_way), busy=self._under_way.keys()):
                task = asyncio.create_task(self._post(event))
                self._under_way[event.call] = task
                task.add_done_callback(partial(self._done, event.call))
            due_at = None
            if len(self._under_way) < AT_ONCE:
                due_at = self._events.next_due_at(busy=self._under_way.keys())
            # A little later than due, so that a clock read early does not make an idle round.
            wait = None if due_at is None else max(0.0, due_at - time.time()) + 0.002
            with suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), wait)

    def _done(self, call: str, _task: asyncio.Task[None]) -> None:
        self._under_way.pop(call, None)
        self.wake()

    async def _post(self, event: Event) -> None:
        line = self._lines.find(event.line)
        if line is None or not line.hook_url:
            self._events.settle(event, GIVEN_UP, "nobody listens to the line")
            return
        body, content_type = event.body()
        status, words = await _posted(line.hook_url, body, content_type)
        if status is not None and self._mischief.take(NETWORK, "call_hook_timeout", address=line.number):
            status, words = None, f"no answer within {PATIENCE:.0f} seconds"
        if status is not None and 200 <= status < 300:
            self._events.settle(event, DELIVERED, words)
            return
        what = f"{event.name} of a call on {readable(event.line)}"
        if status is not None and status < 500 and status != 429:
            # Asking again will not change its mind: the address is wrong, or the token is another now.
            self._events.settle(event, GIVEN_UP, words)
            self._happenings.note(NETWORK, "refused", f"The hook refused {what}: {words}.")
        elif event.attempts + 1 >= MOST_ATTEMPTS:
            self._events.settle(event, GIVEN_UP, words)
            self._happenings.note(NETWORK, "given-up", f"Nobody took {what}: {words}.")
        else:
            wait = self._events.put_off(event, words)
            if event.attempts == 0:
                self._happenings.note(
                    NETWORK, "again", f"The hook did not take {what}: {words}. Again in {wait:.0f} s."
                )


async def _posted(url: str, body: bytes, content_type: str) -> tuple[int | None, str]:
    """Return the status of the answer with its words, or None with what went wrong. Redirects are not followed."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: practice-exchange\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_LINE * 10)
            try:
                writer.write(head.encode("ascii") + body)
                await writer.drain()
                answer = (await reader.readline()).decode("latin-1")
            finally:
                writer.close()
    except TimeoutError:
        return None, f"no answer within {PATIENCE:.0f} seconds"
    except (OSError, ValueError) as error:
        # StreamReader says ValueError for a line without end.
        return None, f"{error.strerror or error}" if isinstance(error, OSError) else "an answer that is no HTTP"
    version, _, rest = answer.strip()[:_LONGEST_LINE].partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdigit()):
        return None, "the line was dropped" if not answer else "an answer that is no HTTP"
    return int(status), rest
