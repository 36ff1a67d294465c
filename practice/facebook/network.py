"""The Facebook network: puts its parts together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import ClassVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from practice.facebook.accounts import AccountEndpoints
from practice.facebook.acts import Acts
from practice.facebook.app_acts import AppActs
from practice.facebook.comments import CommentEndpoints
from practice.facebook.conversations import ConversationEndpoints
from practice.facebook.customers import BusyCustomers
from practice.facebook.dialog import Dialog
from practice.facebook.feed import FeedEndpoints
from practice.facebook.grants import Grants
from practice.facebook.graph import NEWEST, Graph, Handler, refusal
from practice.facebook.limits import Limits
from practice.facebook.media import HOST as MEDIA_HOST
from practice.facebook.misbehaviour import Misbehaviour
from practice.facebook.objects import Objects
from practice.facebook.pages import ADA, APP, PAGES, commenter_id_of, psid_of
from practice.facebook.problems import Problem
from practice.facebook.screen import Screen
from practice.facebook.sending import SendingEndpoints
from practice.facebook.store import Store
from practice.facebook.switches import NETWORK, SWITCHES
from practice.facebook.tokens import TokenEndpoints
from practice.facebook.webhooks import Webhooks
from practice.html import Html
from practice.mischief import Switch
from practice.network import Visit, World
from practice.settings import HOST, SettingsError
from practice.x.wire import listen

_STATIC = Path(__file__).parent.parent / "static"


class FacebookNetwork:
    """The Graph, its dialog and its pictures on an origin of their own; the phone; webhooks; the acts for scripts."""

    key: ClassVar[str] = NETWORK
    switches: ClassVar[Sequence[Switch]] = SWITCHES

    def __init__(self, world: World) -> None:
        self._world = world
        self._port = _port_from(os.environ)
        self._origin = ""
        self._store = Store(world.db, world.people)
        self._grants = Grants(world.db)
        self._limits = Limits(world.db)
        self._webhooks = Webhooks(world, self._store)
        self._screen = Screen(world, self._store, self._webhooks)
        self._customers = BusyCustomers(world, self._store)

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen for the Graph, and begin to post."""
        port = await listen(self._api(), self._port, stack)
        self._origin = self._screen.origin = f"http://{HOST}:{port}"
        await self._webhooks.start(stack)

    def routes(self) -> Sequence[Route]:
        """Return the acts for the phone's forms and for scripts."""
        acts = Acts(self._world, self._store, self._webhooks)
        return [*acts.routes(), *AppActs(self._world, self._grants, self._limits).routes()]

    def facts(self) -> Mapping[str, object]:
        """Return where the Graph is, the app, and the Pages with what they allowed."""
        callback = self._webhooks.subscription()
        return {
            "origin": self._origin,
            "version": NEWEST,
            "media_host": MEDIA_HOST,
            "app": {"id": APP.id, "name": APP.name, "secret": APP.secret},
            "administrator": {"id": ADA.id, "name": ADA.name},
            "pages": [
                {
                    "id": page.id,
                    "name": page.name,
                    "subscribed_fields": self._store.subscribed_fields(page.id),
                    "posts": [post.id for post in self._store.feed.posts(page.id, by="page", limit=10)],
                }
                for page in PAGES
            ],
            "people": {
                person.key: {
                    page.id: {"psid": psid_of(person, page), "commenter_id": commenter_id_of(person, page)}
                    for page in PAGES
                }
                for person in self._store.profiles.everybody()
            },
            "connected": self._grants.connected(),
            "callback": callback.url if callback else "",
            "proof_required": self._grants.proof_required,
            "waiting": self._webhooks.waiting(),
        }

    def moved(self, switch: str, *, on: bool) -> None:
        """Let webhooks go that a switch held."""
        self._webhooks.moved(switch, on=on)

    async def phone(self, visit: Visit) -> Html:
        """Return Facebook on somebody's phone."""
        return self._screen.phone(visit)

    async def desk(self, visit: Visit) -> Html:
        """Return how to connect Facebook."""
        return self._screen.desk(visit)

    async def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return the phone's comments and messages."""
        return self._screen.live(visit)

    async def play(self, random: Random) -> None:
        """Write one plausible comment or message."""
        await self._customers.write_one(random)

    def _api(self) -> Starlette:
        """Return the application behind the origin."""
        misbehaviour = Misbehaviour(self._world)
        objects = Objects(self._store, misbehaviour)
        accounts = AccountEndpoints(self._store, objects, self._grants, self._webhooks)
        tokens = TokenEndpoints(self._grants)
        graph = Graph(
            world=self._world,
            grants=self._grants,
            limits=self._limits,
            misbehaviour=misbehaviour,
            handlers={
                **_accounts(accounts, tokens),
                **_feed(FeedEndpoints(self._store, objects), CommentEndpoints(self._store, objects)),
                **_messenger(ConversationEndpoints(self._store, objects), SendingEndpoints(self._store, misbehaviour)),
            },
            open_handlers={
                "GET oauth/access_token": tokens.access_token,
                "POST oauth/access_token": tokens.access_token,
            },
        )
        return Starlette(
            routes=[
                *Dialog(self._world, self._grants).routes(),
                Route("/v/t1.15752-9/{number:int}/{name}", self._file),
                Mount("/static", StaticFiles(directory=_STATIC)),
                *graph.routes(),
            ],
            exception_handlers={HTTPException: _not_there},
        )

    async def _file(self, request: Request) -> Response:
        """Give a picture's or a file's bytes."""
        number = str(request.path_params["number"])
        file, content = self._store.media.get(number), self._store.media.content(number)
        if file is None or content is None:
            return Response(status_code=404)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
        if not file.type.startswith("image/"):
            headers["Content-Disposition"] = "attachment"
        return Response(content, media_type=file.type, headers=headers)


def _accounts(accounts: AccountEndpoints, tokens: TokenEndpoints) -> dict[tuple[str, str, str], Handler]:
    return {
        ("GET", "user", ""): accounts.user,
        ("GET", "user", "accounts"): accounts.accounts,
        ("GET", "user", "permissions"): accounts.permissions,
        ("DELETE", "user", "permissions"): accounts.leave,
        ("GET", "page", ""): accounts.page,
        ("GET", "page", "subscribed_apps"): accounts.subscribed,
        ("POST", "page", "subscribed_apps"): accounts.subscribe,
        ("DELETE", "page", "subscribed_apps"): accounts.unsubscribe,
        ("GET", "app", "subscriptions"): accounts.callbacks,
        ("POST", "app", "subscriptions"): accounts.call_back,
        ("DELETE", "app", "subscriptions"): accounts.call_no_more,
        ("GET", "debug_token", ""): tokens.debug,
    }


def _feed(feed: FeedEndpoints, comments: CommentEndpoints) -> dict[tuple[str, str, str], Handler]:
    return {
        ("GET", "page", "feed"): feed.listed,
        ("GET", "page", "posts"): feed.listed,
        ("GET", "page", "published_posts"): feed.listed,
        ("GET", "page", "visitor_posts"): feed.listed,
        ("POST", "page", "feed"): feed.add,
        ("GET", "post", ""): feed.read,
        ("POST", "post", ""): feed.change,
        ("DELETE", "post", ""): feed.delete,
        ("GET", "post", "comments"): comments.listed,
        ("POST", "post", "comments"): comments.add,
        ("GET", "comment", "comments"): comments.listed,
        ("POST", "comment", "comments"): comments.add,
        ("GET", "comment", ""): comments.read,
        ("POST", "comment", ""): comments.change,
        ("DELETE", "comment", ""): comments.delete,
    }


def _messenger(
    conversations: ConversationEndpoints, sending: SendingEndpoints
) -> dict[tuple[str, str, str], Handler]:
    return {
        ("GET", "page", "conversations"): conversations.listed,
        ("GET", "conversation", ""): conversations.read,
        ("GET", "conversation", "messages"): conversations.messages,
        ("GET", "message", ""): conversations.message,
        ("GET", "person", ""): conversations.profile,
        ("POST", "page", "messages"): sending.send,
        ("POST", "page", "message_attachments"): sending.upload,
    }


async def _not_there(request: Request, error: Exception) -> Response:
    """Answer for a method that no address has, in Meta's shape."""
    assert isinstance(error, HTTPException)
    return refusal(Problem(f"Unsupported {request.method.lower()} request.", 100, kind="GraphMethodException"), {})


def _port_from(environ: Mapping[str, str]) -> int:
    """Return the port to listen on, 0 for any free one; raise SettingsError for what is none."""
    given = environ.get("PRACTICE_FACEBOOK_PORT", "0")
    if not given.isascii() or not given.isdigit() or int(given) > 65535:
        raise SettingsError(f"PRACTICE_FACEBOOK_PORT must be a port number from 0 to 65535, not {given!r}.")
    return int(given)
