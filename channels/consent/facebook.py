"""Facebook Login, and the Pages it opens to us (Meta, "Manually Build a Login Flow" and "Access Tokens").

A person who runs Pages is sent to Facebook's dialog, comes back with a code, and the code becomes a token of theirs
that lives about sixty days. With it we are handed one token for each Page; those do not end, and they are all that we
keep: they die when the person changes their password, loses their role at the Page or takes a permission back.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from channels.adapters.facebook import fields, problems
from channels.adapters.facebook.graph import Graph, path, proof_of
from channels.adapters.facebook.problems import GraphProblem
from channels.adapters.facebook.trying import SCOPES, SUBSCRIBED
from channels.consent.permissions import fields_without
from channels.consent.problem import ConsentProblem
from channels.consent.registration import Registration
from contactcentre.lib.secrets import Credentials

# Who runs more Pages than these sees the first of them, and is told so.
MOST_PAGES = 200
_A_LISTING = 100
_TOKEN = "oauth/access_token"  # noqa: S105  (an address)
_EXCHANGE_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where to send the person, and the secret that proves that it was us who sent them."""

    url: str
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A Page that the person opened to us. `missing` are the permissions we lack there, as Facebook calls them."""

    id: str
    name: str
    category: str
    token: str = field(repr=False)
    missing: tuple[str, ...] = ()

    def kept(self) -> dict[str, Any]:
        """As JSON, for the minutes between the dialog and the choice. It holds the token."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Page:
        """Made again from what `kept` said."""
        return cls(**{**kept, "missing": tuple(kept["missing"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What Facebook says of a token: whose it is, what it may, and when it ends (None: never)."""

    granted: frozenset[str]
    # For which Pages only, where a permission was not given for all of them.
    only_for: Mapping[str, frozenset[str]]
    ends_at: datetime | None
    is_valid: bool

    def missing(self, page_id: str) -> tuple[str, ...]:
        """Which of our permissions do not reach this Page."""
        return tuple(
            scope
            for scope in SCOPES
            if scope not in self.granted or page_id not in self.only_for.get(scope, frozenset({page_id}))
        )


def begin(registration: Registration, *, redirect_uri: str) -> Begun:
    """A new consent: the address of Facebook's dialog, with a state that is used once."""
    state = secrets.token_urlsafe(32)
    query = {
        "client_id": registration.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        # Else a permission that was once declined is passed over in silence, and connecting again mends nothing.
        "auth_type": "rerequest",
    }
    origin = str(settings.FACEBOOK_DIALOG_ORIGIN)
    return Begun(url=f"{origin}/{settings.FACEBOOK_GRAPH_VERSION}/dialog/oauth?{urlencode(query)}", state=state)


def exchange(registration: Registration, *, code: str, redirect_uri: str) -> str:
    """The person's token for a code, of the kind that lives sixty days. Raises ConsentProblem."""
    ours = {"client_id": registration.client_id, "client_secret": registration.client_secret}
    with closing(Graph(seconds=_EXCHANGE_SECONDS)) as graph:
        try:
            short = _token_of(graph.get(_TOKEN, code=code, redirect_uri=redirect_uri, **ours))
            longer = graph.get(_TOKEN, grant_type="fb_exchange_token", fb_exchange_token=short, **ours)
        except GraphProblem as problem:
            raise _of_grant(problem) from problem
    return _token_of(longer)


def pages(registration: Registration, token: str) -> tuple[list[Page], bool]:
    """The Pages this person opened to us, and whether there are more than we take. Raises ConsentProblem."""
    told = inspect(registration, token)
    found: dict[str, Page] = {}
    most = MOST_PAGES // _A_LISTING + 1
    with closing(Graph(token, app_secret=registration.client_secret)) as graph, _plainly():
        for listing in graph.pages("me/accounts", most=most, fields="id,name,category,access_token", limit=_A_LISTING):
            for each in fields.objects(listing, "data"):
                page = _page(each, told)
                if page is not None:
                    found.setdefault(page.id, page)
            if len(found) > MOST_PAGES:
                break
    return list(found.values())[:MOST_PAGES], len(found) > MOST_PAGES


def inspect(registration: Registration, token: str) -> Token:
    """What Facebook says of a token (`debug_token`). Raises ConsentProblem."""
    with closing(Graph(_app_token(registration))) as graph, _plainly():
        told = fields.inner(graph.get("debug_token", input_token=token), "data")
    granted = told.get("scopes")
    only_for: dict[str, frozenset[str]] = {}
    for each in fields.objects(told, "granular_scopes"):
        targets = each.get("target_ids")
        if isinstance(targets, list) and targets:
            only_for[fields.line(each, "scope", 60)] = frozenset(map(str, targets))
    # 0 is never. Access to people's data ends by itself, unless the person consents again.
    ends = [fields.moment(told.get(name)) for name in ("expires_at", "data_access_expires_at") if told.get(name)]
    return Token(
        granted=frozenset(str(scope) for scope in granted) if isinstance(granted, list) else frozenset(),
        only_for=only_for,
        ends_at=min((moment for moment in ends if moment is not None), default=None),
        is_valid=told.get("is_valid") is True,
    )


def subscribe(registration: Registration, page: Page) -> None:
    """Have the Page tell our app what happens there. Raises ConsentProblem."""
    with closing(Graph(page.token, app_secret=registration.client_secret)) as graph, _plainly():
        graph.post(path(page.id, "subscribed_apps"), subscribed_fields=",".join(fields_without(page.missing)))


def register_callback(registration: Registration, *, address: str, verify_token: str) -> None:
    """Tell Facebook where our door is; it knocks there before it answers. Raises ConsentProblem."""
    with closing(Graph(_app_token(registration))) as graph, _plainly():
        graph.post(
            path(registration.client_id, "subscriptions"),
            object="page",
            callback_url=address,
            verify_token=verify_token,
            fields=",".join(SUBSCRIBED),
            include_values=True,
        )


def credentials_of(registration: Registration, page: Page) -> Credentials:
    """What an account keeps: the Page's token, and the proof that whoever shows it is our app."""
    # The proof and not the secret: with the secret anybody could sign webhooks of every Page.
    return Credentials(access_token=page.token, appsecret_proof=proof_of(registration.client_secret, page.token))


def _page(given: fields.Object, told: Token) -> Page | None:
    """A Page of the listing; None for one without a token, on which this person may do nothing."""
    number, token = fields.as_ident(given.get("id")), given.get("access_token")
    if not number or not isinstance(token, str) or not token:
        return None
    return Page(
        id=number,
        name=fields.line(given, "name", 120) or number,
        category=fields.line(given, "category", 80),
        token=token,
        missing=told.missing(number),
    )


def _app_token(registration: Registration) -> str:
    """The app's own token: its id and secret with a bar between (Meta, "Access Tokens", "App access tokens")."""
    return f"{registration.client_id}|{registration.client_secret}"


def _token_of(answer: fields.Object) -> str:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise _of(problems.unreadable(200))
    return token


def _of_grant(problem: GraphProblem) -> ConsentProblem:
    """Why a code became no token. Facebook has no code of its own for a wrong secret: it says 1, an unknown error."""
    if problem.number == 100:
        words = _("Facebook did not take what it had sent us: it is good once, and for a few minutes. Try again.")
        return ConsentProblem(words, code="code-refused", credentials=True)
    if problem.number == 101 or (problem.number == 1 and problem.status == 400):
        words = _("Facebook does not know our app by this ID and secret. An admin has to enter them anew.")
        return ConsentProblem(words, code="app-refused", credentials=True)
    return _of(problem)


def _of(problem: GraphProblem) -> ConsentProblem:
    return ConsentProblem(
        str(problem), code=problem.code, credentials=problem.credentials, retry_after=problem.retry_after
    )


@contextmanager
def _plainly() -> Iterator[None]:
    """Facebook's problems inside come out as ConsentProblem."""
    try:
        yield
    except GraphProblem as problem:
        raise _of(problem) from problem
