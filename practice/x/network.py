"""The X network: puts its parts together."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import ClassVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from practice.html import Html
from practice.mischief import Switch
from practice.network import Visit, World
from practice.settings import HOST, SettingsError
from practice.x.acts import Acts
from practice.x.consent import Consent
from practice.x.customers import BusyCustomers
from practice.x.door import Door
from practice.x.grants import APP, Grants
from practice.x.handset import Handset
from practice.x.limits import Limits
from practice.x.media import Media
from practice.x.message_endpoints import MessageEndpoints
from practice.x.messages import Messages
from practice.x.misbehaviour import Misbehaviour
from practice.x.objects import Objects
from practice.x.pictures import Pictures
from practice.x.post_endpoints import PostEndpoints
from practice.x.posts import Posts
from practice.x.problems import not_found_address, plain
from practice.x.profiles import OURS, Profiles
from practice.x.publishing import Publishing
from practice.x.screen import Screen
from practice.x.snowflake import Snowflakes
from practice.x.switches import NETWORK, SWITCHES
from practice.x.tuning import Tuning
from practice.x.user_endpoints import UserEndpoints
from practice.x.wire import listen

_STATIC = Path(__file__).parent.parent / "static"


class XNetwork:
    """The API on an origin of its own, the X phone, and the knobs for scripts."""

    key: ClassVar[str] = NETWORK
    switches: ClassVar[Sequence[Switch]] = SWITCHES

    def __init__(self, world: World) -> None:
        db = world.db
        self._world = world
        self._port = _port_from(os.environ)
        self._profiles = Profiles(db, world.people)
        self._numbers = Snowflakes(db)
        self._tuning = Tuning(db)
        self._media = Media(db, self._numbers)
        self._posts = Posts(db)
        self._publishing = Publishing(
            world=world,
            profiles=self._profiles,
            posts=self._posts,
            media=self._media,
            numbers=self._numbers,
            tuning=self._tuning,
        )
        self._messages = Messages(
            world=world, profiles=self._profiles, media=self._media, numbers=self._numbers, tuning=self._tuning
        )
        self._grants = Grants(db, self._tuning)
        self._limits = Limits(db, self._tuning)
        self._pictures = Pictures(world=world, media=self._media, messages=self._messages, grants=self._grants)
        self._handset = Handset()
        self._screen = Screen(
            profiles=self._profiles,
            posts=self._posts,
            messages=self._messages,
            grants=self._grants,
            handset=self._handset,
        )
        self._customers = BusyCustomers(world=world, profiles=self._profiles, posts=self._posts, handset=self._handset)

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen for the API."""
        port = await listen(self._api(), self._port, stack)
        self._handset.origin = f"http://{HOST}:{port}"

    def routes(self) -> Sequence[Route]:
        """Return the acts for the phone's forms and for scripts, and the pictures for the phone."""
        acts = Acts(
            world=self._world,
            profiles=self._profiles,
            handset=self._handset,
            grants=self._grants,
            limits=self._limits,
            tuning=self._tuning,
        )
        return [*acts.routes(), Route("/practice/x/media/{number:int}.png", self._pictures.on_phone)]

    def facts(self) -> Mapping[str, object]:
        """Return where the API is, the app, and our handles with what they allowed."""
        return {
            "origin": self._handset.origin,
            "app": {
                "id": APP.id,
                "name": APP.name,
                "client_id": APP.client_id,
                "client_secret": APP.client_secret,
                "bearer_token": APP.bearer_token,
            },
            "handles": [{"id": each.id, "handle": each.handle, "name": each.name} for each in OURS],
            "connected": [self._profiles.known(user_id).handle for user_id in self._grants.users()],
            "times": self._tuning.all(),
            "held": self._posts.held() + self._messages.held(),
        }

    def moved(self, switch: str, *, on: bool) -> None:
        """List what was held back once the switch that held it goes off."""
        if switch == "x_late" and not on:
            now = time.time()
            count = self._posts.release(now) + self._messages.release(now)
            if count:
                self._world.happenings.note(NETWORK, "released", f"{count} late posts and messages are listed now.")

    async def phone(self, visit: Visit) -> Html:
        """Return the X phone."""
        return self._screen.phone(visit)

    async def desk(self, visit: Visit) -> Html:
        """Return how to connect X."""
        return self._screen.desk()

    async def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return the phone's posts and messages."""
        return self._screen.live(visit)

    async def play(self, random: Random) -> None:
        """Write one plausible post or message."""
        await self._customers.write_one(random)

    def _api(self) -> Starlette:
        """Return the application behind the origin."""
        objects = Objects(profiles=self._profiles, posts=self._posts, media=self._media)
        misbehaviour = Misbehaviour(self._world, self._tuning)
        posts = PostEndpoints(
            profiles=self._profiles,
            posts=self._posts,
            publishing=self._publishing,
            media=self._media,
            objects=objects,
            misbehaviour=misbehaviour,
        )
        messages = MessageEndpoints(profiles=self._profiles, messages=self._messages, objects=objects)
        users = UserEndpoints(profiles=self._profiles, objects=objects)
        door = Door(
            world=self._world,
            profiles=self._profiles,
            grants=self._grants,
            limits=self._limits,
            misbehaviour=misbehaviour,
            handlers={**posts.handlers(), **messages.handlers(), **users.handlers()},
        )
        return Starlette(
            routes=[
                *Consent(self._world, self._grants).routes(),
                *door.routes(),
                *self._pictures.routes(),
                Mount("/static", StaticFiles(directory=_STATIC)),
            ],
            exception_handlers={HTTPException: _not_there},
        )


async def _not_there(request: Request, error: Exception) -> Response:
    """Answer for an address or a method that does not exist, as X words it."""
    assert isinstance(error, HTTPException)
    problem = not_found_address() if error.status_code == 404 else plain(error.status_code, error.detail, error.detail)
    return JSONResponse(problem.body, status_code=problem.status, media_type="application/problem+json")


def _port_from(environ: Mapping[str, str]) -> int:
    """Return the port to listen on, 0 for any free one; raise SettingsError for what is none."""
    given = environ.get("PRACTICE_X_PORT", "0")
    if not given.isascii() or not given.isdigit() or int(given) > 65535:
        raise SettingsError(f"PRACTICE_X_PORT must be a port number from 0 to 65535, not {given!r}.")
    return int(given)
