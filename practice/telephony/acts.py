"""The acts of the telephone over HTTP: for scripts, and for the page's buttons."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from practice.given import Given, Refused, done, given
from practice.people import People, Person
from practice.telephony.calls import Call, Calls
from practice.telephony.events import Events
from practice.telephony.exchange import Exchange
from practice.telephony.lines import Line, LineError, Lines

_CALL_FIELDS = (
    "act", "call", "person", "from", "to", "direction", "withheld", "cause", "user", "text", "by_us",
)  # fmt: skip
_ACTS = ("call", "answer", "voicemail", "miss", "hangup", "say")

#: Calls and events that one request may list.
_MOST_LISTED = 200


class TelephonyActs:
    """The endpoints of the telephone."""

    def __init__(self, *, people: People, lines: Lines, calls: Calls, events: Events, exchange: Exchange) -> None:
        self._people = people
        self._lines = lines
        self._calls = calls
        self._events = events
        self._exchange = exchange

    def routes(self) -> Sequence[Route]:
        """Return the addresses; see docs/practice.md."""
        return [
            Route("/practice/telephony/lines", self.list_lines),
            Route("/practice/telephony/lines", self.connect_line, methods=["POST"]),
            Route("/practice/telephony/calls", self.list_calls),
            Route("/practice/telephony/calls", self.act, methods=["POST"]),
            Route("/practice/telephony/events", self.list_events),
        ]

    async def list_lines(self, request: Request) -> Response:
        """Tell which lines there are, and where each posts."""
        return JSONResponse({"lines": [told_line(line) for line in self._lines.all()]})

    async def connect_line(self, request: Request) -> Response:
        """Connect a line's hook, or disconnect it."""
        fields = await given(request)
        fields.only("number", "hook_url")
        if not fields.has("hook_url"):
            raise Refused('hook_url must say where to post; "" disconnects the line.')
        try:
            line = self._exchange.connect(fields.text("number"), fields.text("hook_url"))
        except LineError as error:
            raise Refused(str(error)) from error
        return done(request, fields, told_line(line))

    async def list_calls(self, request: Request) -> Response:
        """Tell of the last calls, newest first; those of one person with `person`."""
        calls = self._calls.newest(_limit(request), person=request.query_params.get("person", ""))
        return JSONResponse({"calls": [self._told(call) for call in calls]})

    async def list_events(self, request: Request) -> Response:
        """Tell of the last events and what became of them, newest first."""
        return JSONResponse({"events": self._events.newest(_limit(request)), "waiting": self._events.waiting()})

    async def act(self, request: Request) -> Response:
        """Do one thing: place a call, or go on with the one that is under way."""
        fields = await given(request)
        fields.only(*_CALL_FIELDS)
        act = fields.text("act") or "call"
        if act not in _ACTS:
            raise Refused(f"act must be one of {', '.join(_ACTS)}.")
        call = self._place(fields) if act == "call" else self._go_on(act, fields)
        return done(request, fields, self._told(call))

    def _place(self, fields: Given) -> Call:
        person = self._person(fields)
        direction = fields.text("direction") or "in"
        # Whoever is rung stands in `to`, whoever rings in `from`; the other field is our line.
        theirs, ours = ("from", "to") if direction == "in" else ("to", "from")
        if person is None and not fields.has(theirs) and not fields.flag("withheld"):
            raise Refused(f"Say who calls: person, or {theirs}.")
        return self._exchange.call(
            person=person,
            number="" if person else fields.text(theirs),
            line=fields.text(ours),
            direction=direction,
            withheld=fields.flag("withheld"),
            user=fields.text("user"),
        )

    def _go_on(self, act: str, fields: Given) -> Call:
        call = self._call(fields)
        match act:
            case "answer":
                return self._exchange.answer(call, user=fields.text("user"))
            case "voicemail":
                return self._exchange.voicemail(call)
            case "miss":
                return self._exchange.miss(call)
            case "say":
                return self._exchange.say(call, fields.text("text"), by_us=fields.flag("by_us"))
        return self._exchange.hang_up(call, cause=fields.text("cause"))

    def _call(self, fields: Given) -> Call:
        if fields.text("call"):
            try:
                return self._calls.by_id(fields.text("call"))
            except KeyError as error:
                raise Refused("There is no such call.", 404) from error
        person = self._person(fields)
        number = fields.text("from") or fields.text("to")
        call = self._calls.live_of(person=person.key if person else "", number=number)
        if call is None:
            raise Refused("There is no such call in progress.", 404)
        return call

    def _person(self, fields: Given) -> Person | None:
        """Return whom the request names, by key or by telephone number."""
        people = self._people
        if fields.text("person"):
            person = people.by_key(fields.text("person"))
            if person is None:
                raise Refused(f"Nobody here is {fields.text('person')!r}.", 404)
            return person
        numbers = {fields.text("from"), fields.text("to")} - {""}
        return next((each for each in people.everybody() if each.phone and each.phone in numbers), None)

    def _told(self, call: Call) -> dict[str, Any]:
        return {
            "id": call.id,
            "person": call.person,
            "number": call.number,
            "told": call.told,
            "line": call.line,
            "direction": call.direction,
            "state": call.state,
            "seconds": round(call.seconds(time.time()), 3),
            "user": call.user,
            "cause": call.cause,
            "said": [{"by_us": said.by_us, "text": said.text} for said in self._calls.said(call)],
        }


def told_line(line: Line) -> dict[str, Any]:
    """Return a line as scripts are told of it."""
    return {"number": line.number, "name": line.name, "hook_url": line.hook_url}


def _limit(request: Request) -> int:
    limit = request.query_params.get("limit", "50")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5) or not 1 <= int(limit) <= _MOST_LISTED:
        raise Refused(f"limit must be from 1 to {_MOST_LISTED}.")
    return int(limit)
