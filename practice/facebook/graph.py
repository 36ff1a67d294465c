"""The door of the Graph: who asks, by what right, for which node; and what becomes of the answer."""

from __future__ import annotations

import hmac
import inspect
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.facebook.calls import Call, Upload
from practice.facebook.grants import Grants, Held, proof_of
from practice.facebook.limits import Limits
from practice.facebook.misbehaviour import Misbehaviour
from practice.facebook.pages import ADA, APP, page_of
from practice.facebook.problems import Problem, bad_token, deprecated, no_object, no_token, parameter
from practice.facebook.switches import NETWORK
from practice.network import World

#: The newest version, and the ones still served. A request without one gets the newest that its app may use.
NEWEST = "v25.0"
_SERVED = tuple(f"v{number}.0" for number in range(19, 27))
#: The largest body, in bytes: a file of 25 MB and what surrounds it.
_LARGEST_BODY = 26 * 1024 * 1024
_VERSION = re.compile(r"v\d+\.\d+")
_OF_MESSENGER = ("messages", "message_attachments", "conversations")

Handler = Callable[[Call], dict[str, Any] | Awaitable[dict[str, Any]]]
#: Method, kind of node (see `_kind`), edge.
Table = Mapping[tuple[str, str, str], Handler]


class Graph:
    """All addresses of the API, all through the same checks."""

    def __init__(
        self,
        *,
        world: World,
        grants: Grants,
        limits: Limits,
        misbehaviour: Misbehaviour,
        handlers: Table,
        open_handlers: Mapping[str, Handler],
    ) -> None:
        self._world = world
        self._grants = grants
        self._limits = limits
        self._misbehaviour = misbehaviour
        self._handlers = handlers
        self._open_handlers = open_handlers

    def routes(self) -> list[Route]:
        """Return the one address behind which all nodes lie; it must come after all others."""
        return [Route("/{path:path}", self.answer, methods=["GET", "POST", "DELETE"])]

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        now, headers = time.time(), _usual_headers()
        version, node, edge = "", "", ""
        try:
            version, node, edge = _address(request.url.path)
            headers["facebook-api-version"] = version
            method, parameters, files = await _given(request)
            shown = parameters.pop("access_token", "") or _shown(request)
            proof = parameters.pop("appsecret_proof", "")
            if "ids" in parameters or not node:
                raise Problem("Unsupported request: ask for one node by its id", 2500)
            handler, caller = self._open_handlers.get(f"{method} {node}/{edge}"), Held(token="", kind="")
            if handler is None:
                caller = self._caller(shown, proof, now)
            node = _itself(node, caller) if handler is None else node
            call = Call(
                method=method,
                version=version,
                node=node,
                edge=edge,
                caller=caller,
                parameters=parameters,
                files=files,
                now=now,
            )
            return await self._done(call, handler, headers)
        except Problem as problem:
            self._world.happenings.note(
                NETWORK, "refused", f"{request.method} /{node}{'/' if edge else ''}{edge}: {problem}"
            )
            return refusal(problem, headers)

    async def _done(self, call: Call, handler: Handler | None, headers: dict[str, str]) -> Response:
        """Return the answer of a request whose caller is known; raise Problem."""
        page = call.caller.page_id or (page.id if (page := page_of(call.node)) else "")
        sends = call.edge == "messages" and "message" in call.parameters
        spoilt = self._misbehaviour.before(page, headers, method=call.method, message=sends)
        if spoilt is not None:
            return spoilt
        kind = _kind(call.node)
        if handler is None:
            heeded = not self._misbehaviour.unlimited(page)
            about, who = "app", APP.id
            if call.caller.kind == "PAGE":
                messenger = call.edge in _OF_MESSENGER or kind in ("conversation", "message", "person")
                about, who = ("messenger" if messenger else "pages"), page
            headers.update(self._limits.count(about, who, now=call.now, heeded=heeded))
            handler = self._handlers.get((call.method, kind, call.edge))
        if handler is None:
            raise self._nowhere(call, kind)
        answer = handler(call)
        body = await answer if inspect.isawaitable(answer) else answer
        return self._misbehaviour.after(call.method, page, body, headers)

    def _nowhere(self, call: Call, kind: str) -> Problem:
        """Return the answer for a node or an edge that is not there."""
        node = {"page": "Page", "post": "PagePost", "comment": "Comment", "conversation": "UnifiedThread"}.get(kind)
        if call.edge and node and call.method == "GET":
            return parameter(f"Tried accessing nonexisting field ({call.edge}) on node type ({node})")
        return no_object(call.node, call.method)

    def _caller(self, token: str, proof: str, now: float) -> Held:
        """Return who asks; raise Problem."""
        if not token:
            raise no_token()
        if not token.isascii():
            raise bad_token()
        held = self._grants.known(token, now=now)
        if proof and not hmac.compare_digest(proof.encode(), proof_of(token).encode()):
            raise Problem(
                "Invalid appsecret_proof provided in the API argument", 100, kind="GraphMethodException"
            )
        if not proof and self._grants.proof_required and held.kind != "APP":
            raise Problem(
                "API calls from the server require an appsecret_proof argument", 100, kind="GraphMethodException"
            )
        return held


def _kind(node: str) -> str:
    """Return what kind of node an id is of."""
    if node == APP.id:
        return "app"
    if node == ADA.id:
        return "user"
    if node == "debug_token":
        return node
    if page_of(node):
        return "page"
    if node.startswith("t_"):
        return "conversation"
    if node.startswith("m_"):
        return "message"
    first, joined, _ = node.partition("_")
    if joined:
        return "post" if page_of(first) else "comment"
    return "person"


def _itself(node: str, caller: Held) -> str:
    """Return an id in the place of "me", which is whoever the token is of."""
    if node != "me":
        return node
    return {"PAGE": caller.page_id, "USER": caller.user_id, "APP": APP.id}[caller.kind]


def _address(path: str) -> tuple[str, str, str]:
    """Return version, node and edge of an address; raise Problem."""
    parts = [part for part in path.split("/") if part]
    version = NEWEST
    if parts and _VERSION.fullmatch(parts[0]):
        version = parts.pop(0)
        if version not in _SERVED:
            raise deprecated(NEWEST)
    if len(parts) > 2:
        raise Problem(f"Unknown path components: /{'/'.join(parts[2:])}", 2500)
    node, edge = (*parts, "", "")[:2]
    return version, node, edge


def _shown(request: Request) -> str:
    """Return the token of the header, which Meta takes as well as a parameter."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


async def _given(request: Request) -> tuple[str, dict[str, str], dict[str, Upload]]:
    """Return the method, the parameters of query and body, and the files; raise Problem."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST_BODY:
        raise Problem("(#100) The request is too large", 100, status=413)
    parameters = dict(request.query_params)
    files: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "GET" and kind == "application/json":
        try:
            told = json.loads(await request.body() or b"{}")
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise parameter("The request body is not valid JSON")
        parameters |= {name: each if isinstance(each, str) else json.dumps(each) for name, each in told.items()}
    elif request.method != "GET" and kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            async with request.form(max_files=4, max_fields=60) as form:
                for name, value in form.multi_items():
                    if isinstance(value, UploadFile):
                        content = await value.read()
                        files[name] = Upload(value.filename or "", value.content_type or "", content)
                    else:
                        parameters[name] = value
        except HTTPException as error:
            raise parameter(f"The form cannot be read: {error.detail}") from error
    method = parameters.pop("method", "").upper() or request.method
    if method not in ("GET", "POST", "DELETE"):
        raise Problem(f"Unsupported method: {method[:20]}", 2500)
    return method, parameters, files


def _usual_headers() -> dict[str, str]:
    return {
        "x-fb-request-id": "A" + secrets.token_urlsafe(16),
        "x-fb-trace-id": secrets.token_urlsafe(8),
        "x-fb-rev": "1029384756",
        "cache-control": "private, no-cache, no-store, must-revalidate",
        "pragma": "no-cache",
        "access-control-allow-origin": "*",
    }


def refusal(problem: Problem, headers: Mapping[str, str]) -> Response:
    """Return an error in Meta's shape and spelling: ASCII, with escaped slashes."""
    content = json.dumps(problem.body(), separators=(",", ":")).replace("/", "\\/")
    return Response(
        content,
        status_code=problem.status,
        headers={**headers, **problem.headers, "content-type": "application/json; charset=UTF-8"},
    )
