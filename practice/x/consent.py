"""The page on which one of our handles lets the app in, and the address where codes become tokens."""

from __future__ import annotations

import binascii
import hmac
import time
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import unquote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from practice.html import Html, fill, joined, when
from practice.network import World
from practice.x.grants import APP, SCOPES, GrantError, Grants
from practice.x.profiles import OURS
from practice.x.switches import NETWORK
from practice.x.wire import Silence

#: What an app asks for, in words for people (after X's own consent page), in the order they are shown.
_SCOPES_IN_WORDS = {
    "tweet.read": "See posts, also protected ones this account may see",
    "users.read": "See accounts",
    "tweet.write": "Post, repost and delete in its name",
    "tweet.moderate.write": "Hide and show replies to its posts",
    "dm.read": "Read its direct messages",
    "dm.write": "Send direct messages in its name",
    "media.write": "Upload pictures",
    "like.write": "Like in its name",
    "offline.access": "Stay connected until it is taken back",
}
_FIELDS = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")


class Consent:
    """The OAuth endpoints."""

    def __init__(self, world: World, grants: Grants) -> None:
        self._world = world
        self._grants = grants

    def routes(self) -> list[Route]:
        """Return the addresses: the page, its form, tokens, revoking."""
        return [
            Route("/i/oauth2/authorize", self.page),
            Route("/i/oauth2/authorize", self.decide, methods=["POST"]),
            Route("/2/oauth2/token", self.token, methods=["POST"]),
            Route("/2/oauth2/revoke", self.revoke, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Show what the app asks for, or that its request makes no sense."""
        asked = {name: request.query_params.get(name, "") for name in _FIELDS}
        if wrong := self._wrong(asked):
            return _page(fill("x/consent_wrong", words=wrong), status=400)
        scopes = asked["scope"].split()
        return _page(
            fill(
                "x/consent",
                app=APP.name,
                handles=joined(
                    fill(
                        "x/consent_handle",
                        id=each.id,
                        handle=each.handle,
                        name=each.name,
                        checked=when(not n, "checked"),
                    )
                    for n, each in enumerate(OURS)
                ),
                scopes=joined(
                    fill("x/consent_scope", words=words) for scope, words in _SCOPES_IN_WORDS.items() if scope in scopes
                ),
                fields=joined(fill("x/consent_field", name=name, value=value) for name, value in asked.items()),
            ),
            back=asked["redirect_uri"],
        )

    async def decide(self, request: Request) -> Response:
        """Send the browser back with a code, or with a refusal."""
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _page(fill("x/consent_wrong", words="Only this page may do that."), status=403)
        form = {name: str(value) for name, value in (await request.form(max_fields=20)).items()}
        asked = {name: form.get(name, "") for name in _FIELDS}
        profile = next((each for each in OURS if each.id == form.get("user_id")), None)
        wrong = self._wrong(asked)
        if wrong or profile is None:
            return _page(fill("x/consent_wrong", words=wrong or "Choose an account."), status=400)
        if form.get("decision") != "allow":
            return _back(asked, {"error": "access_denied"})
        code = self._grants.code(
            user_id=profile.id,
            redirect_uri=asked["redirect_uri"],
            scope=asked["scope"],
            challenge=asked["code_challenge"],
            now=time.time(),
        )
        self._world.happenings.note(NETWORK, "consent", f"@{profile.handle} let the app in.")
        return _back(asked, {"code": code})

    async def token(self, request: Request) -> Response:
        """Exchange a code, or a refresh token, for tokens."""
        fields = {name: str(value) for name, value in (await request.form(max_fields=20)).items()}
        try:
            _check_client(request.headers.get("authorization", ""), fields)
            kind = fields.get("grant_type", "")
            if kind == "authorization_code":
                answer = self._grants.exchange(fields, now=time.time())
            elif kind == "refresh_token":
                answer = self._grants.refresh(fields.get("refresh_token", ""), now=time.time())
                if self._world.mischief.take(NETWORK, "x_token_silent"):
                    return Silence()
            else:
                raise GrantError("unsupported_grant_type", f"Value passed for the grant type was invalid: [{kind}].")
        except GrantError as error:
            self._world.happenings.note(NETWORK, "refused", f"No token: {error}")
            return _refusal(error)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        """Take a token back with everything that was granted with it (RFC 7009)."""
        fields = {name: str(value) for name, value in (await request.form(max_fields=20)).items()}
        try:
            _check_client(request.headers.get("authorization", ""), fields)
            if not fields.get("token"):
                raise GrantError("invalid_request", "Missing required parameter [token].")
        except GrantError as error:
            return _refusal(error)
        self._grants.revoke(fields["token"])
        self._world.happenings.note(NETWORK, "revoked", "The app gave a token back.")
        return JSONResponse({"revoked": True})

    def _wrong(self, asked: Mapping[str, str]) -> str:
        """Return what is wrong with a request for consent, for the developer, or ""."""
        if asked["client_id"] != APP.client_id:
            return "The client_id is not that of an app."
        if not self._is_ours(asked["redirect_uri"]):
            return "The redirect_uri is not one that was registered: it must lead to this machine, or to the inbox."
        if asked["response_type"] != "code":
            return "response_type must be code."
        if not asked["state"]:
            return "state is missing."
        if not asked["code_challenge"] or asked["code_challenge_method"] != "S256":
            return "code_challenge is missing, or its method is not S256."
        unknown = [scope for scope in asked["scope"].split() if scope not in SCOPES]
        if unknown or not asked["scope"].split():
            return f"scope is empty or unknown: {' '.join(unknown)}"
        return ""

    def _is_ours(self, address: str) -> bool:
        parts, inbox = urlsplit(address), urlsplit(self._world.settings.product_url)
        if parts.scheme not in ("http", "https") or parts.fragment:
            return False
        return parts.hostname in ("127.0.0.1", "localhost") or (bool(inbox.netloc) and parts.netloc == inbox.netloc)


def _check_client(authorization: str, fields: Mapping[str, str]) -> None:
    """Raise GrantError unless the app says who it is: by Basic, or, as a public client, by its client_id alone."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name, secret = "", ""
        right = hmac.compare_digest(
            f"{unquote(name)}:{unquote(secret)}".encode(), f"{APP.client_id}:{APP.client_secret}".encode()
        )
    else:
        right = not authorization and fields.get("client_id") == APP.client_id
    if not right:
        raise GrantError("unauthorized_client", "Missing valid authorization header", 401)


def _refusal(error: GrantError) -> Response:
    return JSONResponse({"error": error.error, "error_description": str(error)}, status_code=error.status)


def _back(asked: Mapping[str, str], more: Mapping[str, str]) -> Response:
    parts = urlsplit(asked["redirect_uri"])
    query = "&".join(each for each in (parts.query, urlencode({"state": asked["state"], **more})) if each)
    return RedirectResponse(parts._replace(query=query).geturl(), status_code=302)


def _page(body: Html, *, status: int = 200, back: str = "") -> Response:
    # A browser holds a form's redirect to form-action as well, so the place it leads back to must be named.
    parts = urlsplit(back)
    forms = f"'self' {parts.scheme}://{parts.netloc}" if back else "'self'"
    policy = f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    title = "Something went wrong" if status != 200 else "Let an app in"
    page = fill("x/consent_page", title=title, body=body)
    return HTMLResponse(page, status_code=status, headers=headers)
