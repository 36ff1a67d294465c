"""The web side: the page, and the acts that belong to no network in particular."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from practice.busy import BusyError, BusyHour
from practice.given import Refused, done, given
from practice.mischief import MischiefError, Position
from practice.network import Network, Visit, World
from practice.page import live_parts, whole_page
from practice.people import Person, PersonError

_STATIC = Path(__file__).parent / "static"

#: Nothing from elsewhere, nothing inline, no frame around it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

#: How long a script may wait for a happening in one request, in seconds.
_LONGEST_WAIT = 60


def make_app(world: World, networks: Sequence[Network], busy: BusyHour) -> Starlette:
    """Return the application."""
    pages = _Pages(world, networks, busy)
    routes = [
        Route("/", pages.page),
        Route("/live", pages.live),
        Route("/people.json", pages.people),
        Route("/practice/people", pages.make_person, methods=["POST"]),
        Route("/practice/mischief", pages.mischief),
        Route("/practice/mischief", pages.make_mischief, methods=["POST"]),
        Route("/practice/busy", pages.busy_state),
        Route("/practice/busy", pages.make_busy, methods=["POST"]),
        Route("/practice/happenings", pages.happenings),
        *(route for network in networks for route in network.routes()),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(_Guard)],
        exception_handlers={Refused: _refused},
    )


class _Pages:
    """The endpoints. Each reads the request, makes one call, and says what came of it."""

    def __init__(self, world: World, networks: Sequence[Network], busy: BusyHour) -> None:
        self._world = world
        self._networks = networks
        self._busy = busy

    async def page(self, request: Request) -> Response:
        visit = self._visit(request)
        return HTMLResponse(await whole_page(self._world, self._networks, self._busy, visit))

    async def live(self, request: Request) -> Response:
        """Return the parts of the page that change by themselves; 304 when none did since the ETag."""
        parts = await live_parts(self._world, self._networks, self._busy, self._visit(request))
        body = json.dumps({"parts": parts}, ensure_ascii=False).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(body, media_type="application/json", headers={"ETag": tag})

    async def people(self, request: Request) -> Response:
        people = [asdict(person) for person in self._world.people.everybody()]
        facts = {network.key: network.facts() for network in self._networks}
        return JSONResponse({"people": people, "networks": facts, "inbox": self._world.settings.product_url})

    async def make_person(self, request: Request) -> Response:
        fields = await given(request)
        fields.only("name", "mail", "x_handle", "facebook", "phone")
        # The page's form has a name and a mail address, and an empty address there means "think of one".
        left_out = "" if fields.is_form else None
        wished = {name: fields.text(name) for name in ("mail", "x_handle", "phone") if fields.has(name)}
        try:
            person = self._world.people.make(
                name=fields.text("name"),
                mail=_wish(wished, "mail", left_out),
                x_handle=_wish(wished, "x_handle", left_out),
                facebook=fields.flag("facebook") if fields.has("facebook") else True,
                phone=_wish(wished, "phone", left_out),
            )
        except PersonError as error:
            raise Refused(str(error)) from error
        return done(request, fields, asdict(person), back=f"/?as={person.key}")

    async def mischief(self, request: Request) -> Response:
        switches = {
            network.key: [_told(position) for position in self._world.mischief.positions(network.key)]
            for network in self._networks
        }
        return JSONResponse({"switches": switches})

    async def make_mischief(self, request: Request) -> Response:
        fields = await given(request)
        fields.only("network", "switch", "on", "times", "address", "behave")
        network = next((network for network in self._networks if network.key == fields.text("network")), None)
        if network is None:
            raise Refused(f"network must be one of {', '.join(network.key for network in self._networks)}.")
        mischief = self._world.mischief
        if fields.flag("behave"):
            mischief.behave(network.key)
            for switch in network.switches:
                network.moved(switch.key, on=switch.normal)
            return done(request, fields, {"switches": [_told(each) for each in mischief.positions(network.key)]})
        try:
            position = mischief.move(
                network.key,
                fields.text("switch"),
                on=fields.flag("on"),
                times=fields.count("times"),
                address=fields.text("address") or None,
            )
        except MischiefError as error:
            raise Refused(str(error)) from error
        network.moved(position.switch.key, on=position.on)
        return done(request, fields, _told(position))

    async def busy_state(self, request: Request) -> Response:
        return JSONResponse(asdict(self._busy.state))

    async def make_busy(self, request: Request) -> Response:
        fields = await given(request)
        fields.only("acts", "seconds", "seed", "stop")
        if fields.flag("stop"):
            await self._busy.stop()
        else:
            acts, seconds = fields.count("acts"), fields.number("seconds")
            try:
                self._busy.start(
                    self._networks,
                    acts=60 if acts is None else acts,
                    seconds=300 if seconds is None else seconds,
                    seed=fields.count("seed"),
                )
            except BusyError as error:
                raise Refused(str(error), 409) from error
        return done(request, fields, asdict(self._busy.state))

    async def happenings(self, request: Request) -> Response:
        """Tell what happened after a known happening; with `wait`, once there is something (of this `kind`) to tell."""
        query = request.query_params
        after, wait = query.get("after", "0"), query.get("wait", "0")
        if not all(value.isascii() and value.isdigit() and len(value) < 16 for value in (after, wait)):
            raise Refused("after must be the id of a happening, wait a number of seconds.")
        lines = await self._world.happenings.wait_after(
            int(after), kind=query.get("kind", ""), seconds=min(int(wait), _LONGEST_WAIT)
        )
        return JSONResponse({"happenings": [asdict(each) for each in lines]})

    def _visit(self, request: Request) -> Visit:
        people = self._world.people
        person: Person | None = people.by_key(request.query_params.get("as", ""))
        return Visit(person or people.everybody()[0], request.query_params)


def _wish(wished: dict[str, str], name: str, left_out: str | None) -> str | None:
    value = wished.get(name)
    return None if value is None or value == left_out else value


def _told(position: Position) -> dict[str, Any]:
    return {
        "switch": position.switch.key,
        "title": position.switch.title,
        "on": position.on,
        "normal": position.switch.normal,
        "times_left": position.times_left,
        "address": position.address,
    }


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.words}, status_code=error.status)


class _Guard:
    """Puts the policy on every answer, and turns away what another site's page asks a browser to send here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        # Scripts send no such header; browsers always do.
        site = headers.get(b"sec-fetch-site", b"none")
        if scope["method"] == "POST" and site not in (b"same-origin", b"none"):
            refusal = JSONResponse({"error": "Only this page and scripts may do that."}, status_code=403)
            await refusal(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                own = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin")]
                if b"content-security-policy" not in names:
                    own.append((b"content-security-policy", _POLICY.encode()))
                if b"cache-control" not in names:
                    # Styles too: after a new version nobody should look at the new page in the old clothes.
                    own.append((b"cache-control", b"no-cache"))
                message["headers"] = [*message["headers"], *own]
            await send(message)

        await self._app(scope, receive, send_guarded)
