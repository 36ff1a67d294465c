"""The Pages an admin chose at Facebook become accounts, and Facebook is told where to tell us of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.adapters.facebook.trying import SCOPES
from channels.consent import connecting, facebook, registering, tokens
from channels.consent.facebook import Page
from channels.consent.problem import ConsentProblem
from channels.models import App, ChannelAccount

log = logging.getLogger(__name__)

# Each Page takes two calls, and the admin waits for them.
MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one chosen Page: its account, or the words why there is none."""

    page: Page
    account: ChannelAccount | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What became of a choice. `deaf` says why Facebook does not know our door, empty where it does."""

    outcomes: tuple[Outcome, ...]
    deaf: str = ""


def connect_pages(*, actor: Person, app: App, pages: Sequence[Page], hook: str, now: datetime) -> Chosen:
    """Connect these Pages, each by itself: what fails for one leaves the others connected, and is said in its outcome.

    `hook` is our door for this app. A Page that will not tell us is connected all the same: it is asked for what is
    new, only later. Must not run in a transaction: Facebook takes its time, and asks us back in between.
    """
    deaf = register(app=app, actor=actor, hook=hook, now=now)
    return Chosen(
        outcomes=tuple(
            _connected(actor=actor, app=app, page=page, is_hooked=not deaf, now=now) for page in pages[:MOST_AT_ONCE]
        ),
        deaf=deaf,
    )


def register(*, app: App, actor: Person, hook: str, now: datetime) -> str:
    """Tell Facebook where our door is; empty where that went well, else why not, in words."""
    registration = tokens.registration(app)
    try:
        verify_token = str(app.secrets.get("verify_token") or "")
        facebook.register_callback(registration, address=hook, verify_token=verify_token)
    except ConsentProblem as problem:
        log.warning("app %s: its callback was not registered: %s", app.pk, problem.code)
        return str(problem)
    with transaction.atomic():
        for account in ChannelAccount.objects.select_for_update().filter(app=app).order_by("pk"):
            account.settings = {**account.settings, "hooked": True}
            account.save(update_fields=["settings"])
        history.record(at=now, act="app.hook_registered", actor=actor, app=app.pk, kind=app.kind)
    return ""


def renew_verify_token(*, app: App, actor: Person, hook: str, now: datetime) -> str:
    """Make the app's verify token anew and tell Facebook our door with it; empty where that went well, else why not,
    in words. The old token opens nothing from here on, whatever Facebook says. Must not run in a transaction."""
    return register(app=registering.new_verify_token(app=app, actor=actor, now=now), actor=actor, hook=hook, now=now)


def _connected(*, actor: Person, app: App, page: Page, is_hooked: bool, now: datetime) -> Outcome:
    registration = tokens.registration(app)
    try:
        told = facebook.inspect(registration, page.token)
    except ConsentProblem as problem:
        return Outcome(page=page, words=str(problem))
    if not told.is_valid:
        words = _("Facebook no longer accepts what it gave us for this Page. Go there once more.")
        return Outcome(page=page, words=words)
    is_subscribed = True
    try:
        facebook.subscribe(registration, page)
    except ConsentProblem as problem:
        log.warning("page %s: not subscribed: %s", page.id, problem.code)
        is_subscribed = False
    account = connecting.connect(
        actor=actor,
        app=app,
        address=page.id,
        name=page.name,
        settings={
            "category": page.category,
            "permissions": [scope for scope in SCOPES if scope not in page.missing],
            "missing": list(page.missing),
            "subscribed": is_subscribed,
            "hooked": is_hooked,
        },
        credentials=facebook.credentials_of(registration, page),
        token_expires_at=told.ends_at,
        now=now,
    )
    return Outcome(page=page, account=account)
