"""What the switches do to a request of our app, before it is looked at and after it was done."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from practice.network import World
from practice.x.grants import APP
from practice.x.naming import told_in_new_words, without_field
from practice.x.problems import (
    Problem,
    credits_depleted,
    forbidden,
    not_enrolled,
    too_many,
    unauthorized,
    usage_cap,
)
from practice.x.schemas import Operation
from practice.x.switches import HUGE, NETWORK
from practice.x.tuning import Tuning
from practice.x.wire import Drip, Half, Reset, Silence

_GATEWAY = (
    "<html><head><title>503</title></head><body><h1>503 Service Unavailable</h1><p>Over capacity</p></body></html>"
)

#: The first half of an emoji.
_ODD = "\ud83e"


class Misbehaviour:
    """Asks the switches. Each that is on and limited by `times` is used up by being met."""

    def __init__(self, world: World, tuning: Tuning) -> None:
        self._world = world
        self._tuning = tuning

    def before(self, handle: str, headers: Mapping[str, str]) -> Response | None:
        """Return what is answered in place of everything else, or None. Nothing is done in that case."""
        if self._take("x_silent", handle):
            return Silence()
        if self._take("x_503", handle):
            return HTMLResponse(_GATEWAY, 503)
        problem = self._problem(handle)
        if problem is None:
            return None
        return Response(
            json.dumps(problem.body),
            status_code=problem.status,
            headers={**headers, **problem.headers, "content-type": "application/problem+json"},
        )

    def _problem(self, handle: str) -> Problem | None:
        if self._take("x_401", handle):
            return unauthorized()
        if self._take("x_402", handle):
            return credits_depleted(APP.id)
        if self._take("x_403", handle):
            return forbidden()
        if self._take("x_403_suspended", handle):
            return forbidden("Your account is suspended and is not permitted to access this feature.")
        if self._take("x_403_app", handle):
            return not_enrolled(APP.id)
        if self._take("x_usage_cap", handle):
            problem = usage_cap(APP.id)
            problem.headers.update(self._limit_headers(remaining=299))
            return problem
        if self._take("x_429_no_reset", handle):
            return too_many()
        return too_many(self._limit_headers(remaining=0)) if self._take("x_429", handle) else None

    def after(self, operation: Operation, handle: str, body: dict[str, Any], headers: Mapping[str, str]) -> Response:
        """Return the answer to something that was done, spoilt as the switches say."""
        if operation.method != "GET":
            if self._take("x_silent_after", handle):
                return Silence()
            if self._take("x_drop_after", handle):
                return Reset()
            if self._take("x_503_after", handle):
                return HTMLResponse(_GATEWAY, 503)
        told: Any = self._spoilt(operation, handle, body)
        if self._take("x_array", handle):
            told = [told]
        content = _written(told)
        if self._take("x_not_json", handle):
            content = content[: len(content) * 2 // 3]
        kind: type[Response] = Response
        if self._take("x_drop", handle):
            kind = Half
        elif self._take("x_drip", handle):
            kind = Drip
        return kind(content, operation.status, headers={**headers, "content-type": "application/json; charset=utf-8"})

    def asks_in_new_words(self) -> bool:
        """Return whether parameters must have the names of 2.167."""
        return self._world.mischief.position(NETWORK, "x_new_names").on

    def answers_in_new_words(self) -> bool:
        """Return whether answers have the names of 2.167."""
        return self.asks_in_new_words() or self._world.mischief.position(NETWORK, "x_new_answers").on

    def heeds_since(self, handle: str) -> bool:
        """Return whether since_id is heeded this time."""
        return not self._take("x_again", handle)

    def _spoilt(self, operation: Operation, handle: str, body: dict[str, Any]) -> dict[str, Any]:
        data = body.get("data")
        if operation.method == "GET" and isinstance(data, list) and "meta" in body:
            if self._take("x_duplicate", handle):
                data = [each for each in data for _ in range(2)]
            if self._take("x_shuffled", handle):
                data = data[::-1]
            body = {**body, "data": data}
        if self._take("x_huge", handle):
            body = _with_text(body, "x" * HUGE)
        if self._take("x_odd_text", handle):
            body = _with_text(body, f"a\0b{_ODD}")
        if self._take("x_unknown_kind", handle):
            body = _of_unknown_kind(body)
        for switch, renamed in (("x_drop_field", False), ("x_rename_field", True)):
            position = self._world.mischief.position(NETWORK, switch)
            # These two are limited to a field where the others are limited to a handle.
            if position.on and self._take(switch, position.address or ""):
                body = without_field(body, position.address or "author_id", renamed=renamed)
        return told_in_new_words(body) if self.answers_in_new_words() else body

    def _limit_headers(self, *, remaining: int) -> dict[str, str]:
        return {
            "x-rate-limit-limit": "300",
            "x-rate-limit-remaining": str(remaining),
            "x-rate-limit-reset": str(int(time.time() + self._tuning.seconds("reset_seconds"))),
        }

    def _take(self, switch: str, handle: str) -> bool:
        taken = self._world.mischief.take(NETWORK, switch, address=handle)
        if taken:
            self._world.happenings.note(NETWORK, "mischief", f"{switch}: @{handle or 'app'} met it.")
        return taken


def _written(told: Any) -> bytes:
    """Return an answer's JSON: letters as they are, as X writes them, unless there is half an emoji among them."""
    try:
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(told, separators=(",", ":")).encode()


def _with_text(body: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the answer with another text in its first item, or beside the rest when it has no items."""
    data = body.get("data")
    if isinstance(data, list) and data:
        return {**body, "data": [{**data[0], "text": text}, *data[1:]]}
    return {**body, "filler": text}


def _of_unknown_kind(value: Any) -> Any:
    """Return an answer whose events and references are of a kind that came with some later version."""
    if isinstance(value, list):
        return [_of_unknown_kind(each) for each in value]
    if not isinstance(value, dict):
        return value
    kinds = {"event_type": "ReactionCreate", "type": "remixed"}
    return {name: kinds[name] if name in kinds else _of_unknown_kind(each) for name, each in value.items()}
