"""What Facebook tells our app without being asked: who hears of what, in which words, and how it goes wrong.

Shapes from Meta's documents ("Webhooks, Getting Started", "Webhooks Reference: Page", "Messenger Platform Webhooks")
and from recorded ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

from practice.facebook.callbacks import FIELDS, Callback, Callbacks
from practice.facebook.calling import address_fault, call
from practice.facebook.events import Event, Events
from practice.facebook.misbehaviour import ODD, meets, name_of
from practice.facebook.pages import APP
from practice.facebook.posting import HookPost
from practice.facebook.signing import written
from practice.facebook.spoiling import in_old_shape, of_unknown_kind, with_texts, without_field
from practice.facebook.store import Happened, Store
from practice.facebook.switches import NETWORK
from practice.network import World

#: The version of the Graph API that subscriptions are told in.
_VERSION = "v25.0"
#: More letters than this nobody puts into a query.
_LONGEST_TOKEN = 200


class Webhooks:
    """Subscriptions of the app, and the way of every happening from a Page to it."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store
        self._callbacks = Callbacks(world.db)
        self._events = Events(world.db)
        self._post = HookPost(
            world, callbacks=self._callbacks, events=self._events, secret=APP.secret, write=self._written
        )
        store.on_happened(self._happened)

    # Subscribing

    async def subscribe(
        self,
        *,
        object: str,  # noqa: A002 (the parameter is called so by Meta)
        callback_url: str,
        verify_token: str,
        fields: Sequence[str],
    ) -> str:
        """Subscribe once the callback has answered the challenge; return "", or Meta's words for why not.

        Words that begin with (#2200) say that the callback did not answer as it should, all others that the request
        makes no sense. Nothing is changed then: an earlier callback goes on being told.
        """
        if object != "page":
            return "(#100) Param object must be one of {page}: nothing else is played here"
        if fault := address_fault(callback_url):
            return f"(#100) Param callback_url: {fault}"
        if not verify_token or len(verify_token) > _LONGEST_TOKEN:
            return "(#100) The parameter verify_token is required"
        if unknown := [name for name in fields if name not in FIELDS]:
            return f"(#100) Param fields: {unknown[0]} must be one of {{{', '.join(FIELDS)}}}"
        if not fields:
            return "(#100) The parameter fields is required"
        if words := await self._challenge(callback_url, verify_token):
            return f"(#2200) Callback verification failed with the following errors: {words}"
        self._callbacks.keep(Callback(object, callback_url, verify_token, tuple(dict.fromkeys(fields))))
        self._events.hurry()
        self._post.wake()
        self._world.happenings.note(NETWORK, "subscribed", f"Our app is told of Pages at {callback_url}.")
        return ""

    def unsubscribe(self) -> None:
        """Take the app's subscription back."""
        self._callbacks.forget()
        self._world.happenings.note(NETWORK, "unsubscribed", "Our app took its subscription back.")

    def subscription(self) -> Callback | None:
        """Return the app's subscription, if it has one."""
        return self._callbacks.find()

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return the app's subscriptions as `GET /{app-id}/subscriptions` lists them."""
        callback = self._callbacks.find()
        return [callback.told(_VERSION)] if callback else []

    async def _challenge(self, url: str, verify_token: str) -> str:
        """Return what was wrong with the answer to a challenge, "" when nothing was."""
        challenge = str(secrets.randbelow(10**10))
        asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        heard = await call(f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}")
        if heard.status == 200 and heard.body.decode("latin-1").strip() == challenge:
            return ""
        if heard.status is None:
            what = heard.words
        elif heard.status != 200:
            what = f"HTTP Status Code = {heard.status}; HTTP Message = {heard.words}"
        else:
            what = "The response did not match the challenge"
        self._world.happenings.note(NETWORK, "unverified", f"The callback did not answer the challenge: {what}.")
        return what

    # Telling

    def _happened(self, happened: Happened) -> None:
        """Tell the app of something that happened on a Page, if it wants to hear of it."""
        page, field = happened.page_id, happened.field
        callback = self._callbacks.find()
        if callback is None or field not in callback.fields or field not in self._store.subscribed_fields(page):
            return
        if self._take("fb_hook_lost", page) or (field == "message_echoes" and self._take("fb_echo_lost", page)):
            self._world.happenings.note(NETWORK, "lost", f"Nobody was told of {field} on Page {page}.")
            return
        held = ""
        if self._take("fb_hook_late", page):
            held = "fb_hook_late"
        elif not self._events.holds(page, "fb_hook_disorder") and self._take("fb_hook_disorder", page):
            held = "fb_hook_disorder"
        self._events.add(page=page, field=field, value=happened.value, at=happened.at, held=held)
        self._post.wake()

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Tell of the last posts and what became of them, newest first."""
        return self._events.newest(limit)

    def waiting(self) -> int:
        """Return how many events and posts nobody has taken yet."""
        return self._events.waiting()

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin to post, with what a former run left behind."""
        self._post.start()
        stack.push_async_callback(self._post.stop)

    def moved(self, switch: str, *, on: bool) -> None:
        """Let held events go once their switch goes off."""
        if not on and self._events.release(switch):
            self._post.wake()

    # Writing

    def _written(self, events: Sequence[Event]) -> bytes:
        """Return the body of one post: an entry for each Page and kind, in the order in which they came up."""
        grouped: dict[tuple[str, bool], list[Event]] = {}
        for event in events:
            grouped.setdefault((event.page, event.field == "feed"), []).append(event)
        entries = [self._entry(page, feed, group) for (page, feed), group in grouped.items()]
        envelope: dict[str, Any] = {"object": "page", "entry": entries}
        mischief = self._world.mischief
        for switch, renamed in (("fb_hook_drop_field", False), ("fb_hook_rename_field", True)):
            address = mischief.position(NETWORK, switch).address
            # These two are limited to a field where the others are limited to a Page.
            if mischief.take(NETWORK, switch, address=address):
                for path in [address] if address else ["mid", "comment_id"]:
                    envelope = without_field(envelope, path, renamed=renamed)
        return written(envelope)

    def _entry(self, page: str, feed: bool, events: Sequence[Event]) -> dict[str, Any]:
        values = [event.value for event in events]
        if self._take("fb_hook_odd_text", page):
            values = [with_texts(value, ODD) for value in values]
        if self._take("fb_hook_unknown", page):
            values = [of_unknown_kind(value) for value in values]
        if self._take("fb_hook_old_shape", page):
            values = [in_old_shape(value) for value in values]
        newest = max(event.at for event in events)
        if self._nameless(page):
            own = {"id": page}
            values = [
                value if value.get("from", own).get("id") == page else without_field(value, "from") for value in values
            ]
        if feed:
            changes = [{"field": "feed", "value": value} for value in values]
            return {"id": page, "time": int(newest), "changes": changes}
        return {"id": page, "time": int(newest * 1000), "messaging": values}

    def _nameless(self, page: str) -> bool:
        position = self._world.mischief.position(NETWORK, "fb_nameless")
        return position.on and position.address in (None, page, name_of(page))

    def _take(self, switch: str, page: str) -> bool:
        taken = meets(self._world.mischief, switch, page)
        if taken:
            self._world.happenings.note(NETWORK, "mischief", f"{switch}: what our app is told met it.")
        return taken
