"""The door of the API: who asks, whether they may, whether the request makes sense, and what becomes of the answer."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.network import World
from practice.x.grants import APP, Grants
from practice.x.limits import Limits
from practice.x.misbehaviour import Misbehaviour
from practice.x.naming import asked_in_old_words, parameter_in_new_words
from practice.x.objects import Asked
from practice.x.problems import Problem, application_only, forbidden, invalid, too_many, unauthorized
from practice.x.profiles import Profile, Profiles
from practice.x.schemas import Operation, definitions, faults, moment, operations, parameter_fault, parameters
from practice.x.switches import NETWORK

#: The version of the document that the answers keep to; X names its own in every answer.
_VERSION = {"old": "2.166", "new": "2.167"}
_LARGEST_BODY = 6 * 1024 * 1024
_FIELDS = (
    "tweet.fields",
    "user.fields",
    "media.fields",
    "dm_event.fields",
    "expansions",
    "place.fields",
    "poll.fields",
)


@dataclass(frozen=True)
class Caller:
    """Who asks. A person acts for themselves (`by_app` is false); an app acts for a user, or for itself alone."""

    user: Profile | None
    scopes: frozenset[str] | None
    by_app: bool

    @property
    def id(self) -> str:
        """Return the user's id, "" for an app by itself."""
        return self.user.id if self.user else ""

    @property
    def handle(self) -> str:
        """Return the user's handle as switches are limited to it."""
        return self.user.handle.lower() if self.user else ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that makes sense. `path` and `query` are text as it came, checked; `body` fits its shape."""

    operation: Operation
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    upload: bytes
    now: float

    @property
    def user(self) -> Profile:
        """Return the user; only operations that need one ask."""
        assert self.caller.user is not None
        return self.caller.user

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the query."""
        return int(self.query.get(name, default))

    def moment(self, name: str) -> float | None:
        """Return a moment of the query, in seconds since 1970."""
        return moment(self.query[name]) if name in self.query else None

    def asked(self) -> Asked:
        """Return the fields and expansions that were asked for."""
        lists = {
            name: frozenset(self.query[name].split(",")) if name in self.query else frozenset() for name in _FIELDS
        }
        return Asked(
            posts=lists["tweet.fields"],
            users=lists["user.fields"],
            media=lists["media.fields"],
            events=lists["dm_event.fields"],
            expansions=lists["expansions"],
        )


@dataclass(frozen=True)
class Answer:
    """What an operation answers, with headers of its own where it has some."""

    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


class Door:
    """One address per operation, all through the same checks."""

    def __init__(
        self,
        *,
        world: World,
        profiles: Profiles,
        grants: Grants,
        limits: Limits,
        misbehaviour: Misbehaviour,
        handlers: Mapping[str, Handler],
    ) -> None:
        self._world = world
        self._profiles = profiles
        self._grants = grants
        self._limits = limits
        self._misbehaviour = misbehaviour
        self._handlers = handlers

    def routes(self) -> list[Route]:
        """Return the addresses. Fixed words come before ids: /2/users/me is nobody's id."""
        fixed_first = sorted(operations().values(), key=lambda each: each.path.count("{"))
        return [Route(each.path, self._endpoint(each), methods=[each.method]) for each in fixed_first]

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await self._answer(request, operation)

        return endpoint

    async def _answer(self, request: Request, operation: Operation) -> Response:
        now, headers = time.time(), _usual_headers(new=self._misbehaviour.answers_in_new_words())
        try:
            caller = self._caller(request, now)
        except Problem as problem:
            return _refusal(problem, headers)
        if caller.by_app and (spoilt := self._misbehaviour.before(caller.handle, headers)):
            return spoilt
        try:
            answer = await self._checked(request, operation, caller, headers, now)
        except Problem as problem:
            self._world.happenings.note(
                NETWORK, "refused", f"@{caller.handle or 'app'} {operation.method} {request.url.path}: {problem}"
            )
            return _refusal(problem, headers)
        headers.update(answer.headers)
        if not caller.by_app:
            return _json(answer.body, operation.status, headers)
        return self._misbehaviour.after(operation, caller.handle, answer.body, headers)

    async def _checked(
        self, request: Request, operation: Operation, caller: Caller, headers: dict[str, str], now: float
    ) -> Answer:
        """Return the answer of a request that may be made and makes sense; raise Problem."""
        if caller.user is None and not operation.app_only:
            raise application_only()
        if caller.scopes is not None and not caller.scopes.issuperset(operation.scopes):
            raise forbidden()
        if caller.by_app and not self._world.mischief.take(NETWORK, "x_unlimited", address=caller.handle):
            count = self._limits.count(operation.key, caller.id, now=now)
            headers.update(count.headers)
            if not count.allowed:
                raise too_many()
        body, upload = await _body(request, operation)
        call = Call(
            operation=operation,
            caller=caller,
            path=_checked_path(request, operation),
            query=self._query(request, operation, caller),
            body=body,
            upload=upload,
            now=now,
        )
        return self._handlers[operation.key](call)

    def _caller(self, request: Request, now: float) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized()
        if token == APP.bearer_token:
            return Caller(None, None, by_app=True)
        person = self._profiles.by_token(token)
        if person:
            return Caller(person, None, by_app=False)
        held = self._grants.holder(token, now=now)
        if held is None:
            raise unauthorized()
        return Caller(self._profiles.known(held.user_id), held.scopes, by_app=True)

    def _query(self, request: Request, operation: Operation, caller: Caller) -> dict[str, str]:
        """Return the query with the names that are used inside; raise Problem for what X does not know."""
        new = caller.by_app and self._misbehaviour.asks_in_new_words()
        names = {parameter_in_new_words(name) if new else name: name for name in operation.parameters}
        checked: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in names:
                listed = ",".join([*operation.path_parameters, *names])
                raise invalid(f"The query parameter [{name}] is not one of [{listed}]", {name: [value]})
            inside = names[name]
            value = asked_in_old_words(inside, value) if new and inside in _FIELDS else value
            if words := parameter_fault(name, value, parameters()[operation.parameters[inside]]):
                raise invalid(words, {name: [value]})
            checked[inside] = value
        for needed in ("ids", "query"):
            if needed in operation.parameters and needed not in checked:
                raise invalid(f"The `{needed}` query parameter can not be empty", {needed: []})
        return checked


def _checked_path(request: Request, operation: Operation) -> dict[str, str]:
    for name, shape in operation.path_parameters.items():
        value = request.path_params[name]
        if words := parameter_fault(name, value, parameters()[shape]):
            raise invalid(words, {name: [value]})
    return dict(request.path_params)


async def _body(request: Request, operation: Operation) -> tuple[dict[str, Any], bytes]:
    """Return the checked JSON of a body, and an uploaded file's bytes."""
    if int(request.headers.get("content-length") or 0) > _LARGEST_BODY:
        raise invalid("The body is too large.", {})
    if operation.key == "upload":
        form = await request.form(max_files=1, max_fields=10)
        part = form.get("media")
        if part is None or isinstance(part, str) or form.get("media_category") not in ("tweet_image", "dm_image"):
            raise invalid("`media` and `media_category` (tweet_image or dm_image) are needed.", {"media": []})
        return {}, await part.read()
    if not operation.body:
        return {}, b""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise invalid("Requests with bodies must have content-type of application/json.", {})
    try:
        value = json.loads(await request.body())
        # Half an emoji is valid JSON and no text; it could not be kept.
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        raise invalid("Request body is not valid JSON.", {}) from None
    for fault in faults(value, definitions()[operation.body]):
        raise invalid(fault.words, {fault.place: [json.dumps(fault.value)[:200]]})
    return value, b""


def _usual_headers(*, new: bool) -> dict[str, str]:
    return {
        "api-version": _VERSION["new" if new else "old"],
        "x-access-level": "read-write-directmessages",
        "x-transaction-id": secrets.token_hex(8),
        "x-response-time": "3",
    }


def _json(
    body: object, status: int, headers: Mapping[str, str], kind: str = "application/json; charset=utf-8"
) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status_code=status, headers={**headers, "content-type": kind})


def _refusal(problem: Problem, headers: Mapping[str, str]) -> Response:
    return _json(problem.body, problem.status, {**headers, **problem.headers}, "application/problem+json")
