"""Posts to the app's callback, again and again until it is taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from practice.facebook.callbacks import Callbacks
from practice.facebook.calling import PATIENCE, call
from practice.facebook.events import DELIVERED, GIVEN_UP, MOST_ATTEMPTS, Event, Events, Post
from practice.facebook.misbehaviour import meets
from practice.facebook.signing import signatures
from practice.facebook.switches import NETWORK
from practice.network import World

#: How many posts are under way at the same time: Meta promises no order.
AT_ONCE = 4


class HookPost:
    """One task that posts what is due and sleeps in between."""

    def __init__(
        self,
        world: World,
        *,
        callbacks: Callbacks,
        events: Events,
        secret: str,
        write: Callable[[Sequence[Event]], bytes],
    ) -> None:
        self._world = world
        self._callbacks = callbacks
        self._events = events
        self._secret = secret
        self._write = write
        self._something = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        # Second copies of posts: each would otherwise have a second copy of its own, and so on for ever.
        self._copies: set[int] = set()
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
        """Look whether something is due: an event was added or let go, or may go sooner."""
        self._something.set()

    async def _run(self) -> None:
        while True:
            self._something.clear()
            while self._events.gather(self._write):
                pass
            for post in self._events.due(AT_ONCE - len(self._under_way), busy=self._under_way.keys()):
                task = asyncio.create_task(self._make(post))
                self._under_way[post.id] = task
                task.add_done_callback(partial(self._done, post.id))
            due_at = None
            if len(self._under_way) < AT_ONCE:
                due_at = self._events.next_due_at(busy=self._under_way.keys())
            # A little later than due, so that a clock read early does not make an idle round.
            wait = None if due_at is None else max(0.0, due_at - time.time()) + 0.002
            with suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), wait)

    def _done(self, post: int, _task: asyncio.Task[None]) -> None:
        self._under_way.pop(post, None)
        self.wake()

    async def _make(self, post: Post) -> None:
        callback = self._callbacks.find()
        if callback is None:
            self._events.settle(post, GIVEN_UP, "our app has no callback any more")
            return
        if post.attempts == 0 and post.id not in self._copies and self._take("fb_hook_twice", post):
            self._copies.add(self._events.again(post))
        secret = self._secret + ("?" if self._take("fb_hook_forged", post) else "")
        headers = {"Content-Type": "application/json", **signatures(secret, post.body)}
        heard = await call(callback.url, method="POST", body=post.body, headers=headers)
        status, words = heard.status, heard.words
        if status is not None and self._take("fb_hook_timeout", post):
            status, words = None, f"no answer within {PATIENCE:.0f} seconds"
        if status == 200:
            self._events.settle(post, DELIVERED, words)
            return
        what = words if status is None else f"{status} {words}"
        if post.attempts + 1 >= MOST_ATTEMPTS:
            self._events.settle(post, GIVEN_UP, what)
            self._world.happenings.note(NETWORK, "given-up", f"The callback never took a post: {what}.")
            return
        self._events.put_off(post, what)
        if post.attempts == 0:
            self._world.happenings.note(NETWORK, "again", f"The callback did not take a post: {what}. Again soon.")

    def _take(self, switch: str, post: Post) -> bool:
        """Return whether a post meets a switch: one of its Pages is enough."""
        if any(meets(self._world.mischief, switch, page) for page in post.pages):
            self._world.happenings.note(NETWORK, "mischief", f"{switch}: what our app is told met it.")
            return True
        return False
