"""Our registration with a network: an admin enters what the network's developer console shows."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from agents import history
from agents.models import Person
from channels.adapters.facebook.graph import proof_of
from channels.models import AccountState, App, ChannelAccount
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.secrets import Credentials
from contactcentre.lib.text import clean_line

# What a poll or a send is refused with where the network does not know our app by its id and secret.
APP_CODES = ("app-refused", "app-secret")


def current_app(kind: str) -> App | None:
    """The app that new accounts of this kind are connected with: the one entered last, None before the first."""
    return App.objects.filter(kind=kind).order_by("-created_at", "-pk").first()


def enter_app(
    *, actor: Person | None, kind: str, name: str, client_id: str, client_secret: str = "", now: datetime
) -> App:
    """Store an app and return it. An empty secret keeps the stored one.

    Another client id is another app: accounts stay with the one they were connected with, because a network renews
    tokens only for the app that it gave them to. A Facebook app gets a verify token, made once: Facebook shows it when
    it asks whether our hook address is ours. Accounts of this very app that were stopped because the network did not
    know it go on: what they lacked is there now, or they are stopped again at the next poll.
    """
    with transaction.atomic():
        fresh = {"name": clean_line(name, 80), "created_at": now}
        app, made = App.objects.select_for_update().get_or_create(kind=kind, client_id=client_id, defaults=fresh)
        app.name = clean_line(name, 80)
        # Whoever enters an earlier app again means that one from now on, and not the one that came between.
        app.created_at = now
        if client_secret:
            app.secrets = Credentials({**app.secrets, "client_secret": client_secret})
        if kind == "facebook" and not app.secrets.get("verify_token"):
            app.secrets = Credentials({**app.secrets, "verify_token": secrets.token_urlsafe(24)})
        app.save()
        if client_secret and not made:
            _prove_anew(app)
            _go_on(app, actor=actor, now=now)
        act = "app.entered" if made else "app.changed"
        history.record(at=now, act=act, actor=actor, app=app.pk, kind=kind, new_secret=bool(client_secret))
        # Only a name: whoever may not see accounts is refused when their page asks for one.
        publish(Event(name="accounts", everyone=True))
    return app


def new_verify_token(*, app: App, actor: Person | None, now: datetime) -> App:
    """Give a Facebook app another verify token, for instance because somebody else has seen the old one, and return
    the app. Facebook shows it only when it is told our hook address: what it tells us already goes on."""
    with transaction.atomic():
        fresh = App.objects.select_for_update().get(pk=app.pk)
        fresh.secrets = Credentials({**fresh.secrets, "verify_token": secrets.token_urlsafe(24)})
        fresh.save(update_fields=["secrets"])
        history.record(at=now, act="app.verify_token_renewed", actor=actor, app=fresh.pk, kind=fresh.kind)
    return fresh


def _go_on(app: App, *, actor: Person | None, now: datetime) -> None:
    stopped = ChannelAccount.objects.select_for_update().filter(
        app=app, state=AccountState.REFUSED, error_code__in=APP_CODES
    )
    for account in stopped.order_by("pk"):
        account.state = AccountState.ACTIVE
        account.failures = 0
        account.error_code = account.error_text = ""
        account.error_at = None
        account.next_poll_at = now
        account.save(update_fields=["state", "failures", "error_code", "error_text", "error_at", "next_poll_at"])
        history.record(at=now, act="account.reconnected", actor=actor, account_id=account.pk, kind=app.kind, app=app.pk)


def _prove_anew(app: App) -> None:
    """Make the proofs again that accounts keep instead of the secret: Facebook takes none made with an old one."""
    app_secret = str(app.secrets.get("client_secret") or "")
    for account in ChannelAccount.objects.select_for_update().filter(app=app, kind="facebook").order_by("pk"):
        token = str(account.credentials.get("access_token") or "")
        account.credentials = Credentials({**account.credentials, "appsecret_proof": proof_of(app_secret, token)})
        account.save(update_fields=["credentials"])
