"""Where pictures lie: those of posts for everybody, those of messages for who takes part, by the API."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from practice.network import World
from practice.x.grants import Grants
from practice.x.media import Media
from practice.x.messages import Messages
from practice.x.problems import Problem, forbidden, unauthorized
from practice.x.switches import NETWORK
from practice.x.wire import Drip

_PAGE = "<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in to X</h1></body></html>"


class Pictures:
    """Gives out the bytes. On X's origin our app meets the switches here too; the phone on the page never does."""

    def __init__(self, *, world: World, media: Media, messages: Messages, grants: Grants) -> None:
        self._world = world
        self._media = media
        self._messages = messages
        self._grants = grants

    def routes(self) -> list[Route]:
        """Return the addresses on X's origin."""
        return [
            Route("/media/{number:int}.png", self.of_post),
            Route("/2/dm_conversations/media/{event:int}/{number:int}/{resource}", self.of_message),
        ]

    async def of_post(self, request: Request) -> Response:
        """Give a post's picture to whoever knows where it lies."""
        return self._spoilt() or self._given(request)

    async def of_message(self, request: Request) -> Response:
        """Give a message's picture to an app, in the name of somebody who takes part in it."""
        _, _, token = request.headers.get("authorization", "").partition(" ")
        held = self._grants.holder(token, now=time.time())
        if held is None:
            return _refusal(unauthorized())
        if "dm.read" not in held.scopes or not self._messages.shows(
            held.user_id, int(request.path_params["event"]), int(request.path_params["number"])
        ):
            return _refusal(forbidden())
        return self._spoilt() or self._given(request)

    async def on_phone(self, request: Request) -> Response:
        """Give a picture to the practice page."""
        return self._given(request)

    def _given(self, request: Request) -> Response:
        number = int(request.path_params["number"])
        content = self._media.content(number) if number < 2**63 else None
        if content is None:
            return PlainTextResponse("Not found", 404)
        return Response(content, media_type="image/png", headers={"X-Content-Type-Options": "nosniff"})

    def _spoilt(self) -> Response | None:
        for switch, answer in (
            ("x_picture_404", PlainTextResponse("Not found", 404)),
            ("x_picture_html", HTMLResponse(_PAGE)),
            ("x_picture_drip", Drip(b"\x89PNG\r\n\x1a\n" * 4, media_type="image/png")),
        ):
            if self._world.mischief.take(NETWORK, switch):
                self._world.happenings.note(NETWORK, "mischief", f"{switch}: a picture met it.")
                return answer
        return None


def _refusal(problem: Problem) -> Response:
    return JSONResponse(problem.body, status_code=problem.status, media_type="application/problem+json")
