"""X's OAuth 2.0 with PKCE (RFC 7636; X, "OAuth 2.0 Authorization Code Flow with PKCE").

A person is sent to X's consent page, comes back with a code that is good for 30 seconds, and the code becomes a pair of
tokens: one to act with, for two hours, and one to get the next pair with, which X exchanges every time.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from channels.adapters.x import api, fields, problems
from channels.adapters.x.problems import XProblem
from channels.adapters.x.trying import SCOPES
from channels.consent.problem import ConsentProblem
from channels.consent.registration import Registration
from contactcentre.lib.http import RedirectAdapter, session
from contactcentre.lib.secrets import Credentials

AUTHORIZE_ORIGIN = "https://twitter.com"
_AUTHORIZE_PATH = "/i/oauth2/authorize"
_TOKEN_URL = f"{api.PUBLIC_ORIGIN}/2/oauth2/token"
# X says two hours; used only where an answer does not say.
_TWO_HOURS = 7200
# A code lives 30 seconds: after these it is of no use any more.
_EXCHANGE_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where to send the person, and the two secrets that prove that it was us who sent them."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """The account that consented."""

    id: str
    handle: str
    name: str


def begin(registration: Registration, *, redirect_uri: str) -> Begun:
    """A new consent: the address of X's page, with a state and a verifier that are used once."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return Begun(url=f"{_authorize_origin()}{_AUTHORIZE_PATH}?{urlencode(query)}", state=state, verifier=verifier)


def exchange(registration: Registration, *, code: str, verifier: str, redirect_uri: str, now: datetime) -> Credentials:
    """The tokens for a code. Raises ConsentProblem."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    try:
        return _granted(_asked(registration, form, now=now), scope="", now=now)
    except ConsentProblem as problem:
        if problem.code != "grant-refused":
            raise
        words = _("X did not take what it had sent us: it is good once, and for 30 seconds. Try again.")
        raise ConsentProblem(words, code="code-refused", credentials=True) from problem


def refresh(registration: Registration, credentials: Credentials, *, now: datetime) -> Credentials:
    """The next pair of tokens. The old pair is worthless from here on, so the new one must be stored at once.

    Raises ConsentProblem.
    """
    token = credentials.get("refresh_token")
    if not token:
        raise ConsentProblem(_("This account is not connected to X."), code="not-connected", credentials=True)
    form = {"grant_type": "refresh_token", "refresh_token": str(token)}
    return _granted(_asked(registration, form, now=now), scope=str(credentials.get("scope") or ""), now=now)


def who(credentials: Credentials) -> Handle:
    """The account these tokens act for. Raises ConsentProblem."""
    access = api.Api(str(credentials.get("access_token") or ""))
    try:
        me = fields.inner(access.read(api.ME).body, "data")
    except XProblem as problem:
        raise _of(problem) from problem
    finally:
        access.close()
    number, handle = fields.as_ident(me.get("id")), fields.line(me, "username", 50)
    if not number or not handle:
        raise _of(problems.unreadable(200))
    return Handle(id=number, handle=handle, name=fields.line(me, "name", 100))


def capabilities(credentials: Credentials) -> dict[str, bool]:
    """What the granted permissions allow, as the adapter and the page ask for it."""
    granted = set(str(credentials.get("scope") or "").split())
    return {
        "mention": {"tweet.read", "users.read"} <= granted,
        "reply": "tweet.write" in granted,
        "dm": {"dm.read", "dm.write"} <= granted,
    }


def _authorize_origin() -> str:
    """Where X's consent page is. The stand-in's lies at the stand-in's own origin."""
    chosen = getattr(settings, "X_AUTHORIZE_ORIGIN", "")
    if chosen:
        return str(chosen)
    return AUTHORIZE_ORIGIN if settings.X_ORIGIN == api.PUBLIC_ORIGIN else str(settings.X_ORIGIN)


def _asked(registration: Registration, form: Mapping[str, str], *, now: datetime) -> fields.Object:
    """The answer of X's token address to this form. Raises ConsentProblem."""
    # `client_id` in the form is what a public client says; beside a secret X takes it, too.
    auth = (registration.client_id, registration.client_secret) if registration.client_secret else None
    with session(api.PUBLIC_ORIGIN, RedirectAdapter(settings.X_ORIGIN, total=_EXCHANGE_SECONDS)) as asking:
        try:
            answer = asking.post(_TOKEN_URL, data={**form, "client_id": registration.client_id}, auth=auth)
        except requests.RequestException as error:
            raise _of(problems.of_failure(error)) from error
        if answer.status_code == 401:
            words = _("X does not know our app by this id and secret. An admin has to enter them anew.")
            raise ConsentProblem(words, code="app-refused", credentials=True)
        if answer.status_code == 400:
            words = _("X no longer takes this permission. The account has to be connected again.")
            raise ConsentProblem(words, code="grant-refused", credentials=True)
        if answer.status_code != 200:
            raise _of(problems.of_answer(answer, now=now))
        try:
            made = answer.json()
        except (ValueError, RecursionError) as error:
            raise _of(problems.unreadable(200)) from error
    return made if isinstance(made, dict) else {}


def _granted(answer: fields.Object, *, scope: str, now: datetime) -> Credentials:
    access, following = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise _of(problems.unreadable(200))
    if not isinstance(following, str) or not following:
        words = _("X gave no permission that lasts: the scope offline.access is missing from our app.")
        raise ConsentProblem(words, code="not-lasting", credentials=True)
    seconds = answer.get("expires_in")
    lasts = seconds if isinstance(seconds, int) and 0 < seconds < 10**8 else _TWO_HOURS
    return Credentials(
        access_token=access,
        refresh_token=following,
        expires_at=(now + timedelta(seconds=lasts)).isoformat(),
        renewed_at=now.isoformat(),
        scope=fields.line(answer, "scope", 500) or scope,
    )


def _of(problem: XProblem) -> ConsentProblem:
    return ConsentProblem(
        str(problem), code=problem.code, credentials=problem.credentials, retry_after=problem.retry_after
    )
