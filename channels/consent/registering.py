"""Our registration with a network: an admin enters what the network's developer console shows."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from agents import history
from agents.models import Person
from channels.adapters.facebook.graph import proof_of
from channels.models import App, ChannelAccount
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.secrets import Credentials
from contactcentre.lib.text import clean_line


def current_app(kind: str) -> App | None:
    """The app that new accounts of this kind are connected with: the one entered last, None before the first."""
    return App.objects.filter(kind=kind).order_by("-pk").first()


def enter_app(
    *, actor: Person | None, kind: str, name: str, client_id: str, client_secret: str = "", now: datetime
) -> App:
    """Store an app and return it. An empty secret keeps the stored one.

    Another client id is another app: accounts stay with the one they were connected with, because a network renews
    tokens only for the app that it gave them to. A Facebook app gets a verify token, made once: Facebook shows it when
    it asks whether our hook address is ours.
    """
    with transaction.atomic():
        fresh = {"name": clean_line(name, 80), "created_at": now}
        app, made = App.objects.select_for_update().get_or_create(kind=kind, client_id=client_id, defaults=fresh)
        app.name = clean_line(name, 80)
        if client_secret:
            app.secrets = Credentials({**app.secrets, "client_secret": client_secret})
        if kind == "facebook" and not app.secrets.get("verify_token"):
            app.secrets = Credentials({**app.secrets, "verify_token": secrets.token_urlsafe(24)})
        app.save()
        if client_secret and not made:
            _prove_anew(app)
        act = "app.entered" if made else "app.changed"
        history.record(at=now, act=act, actor=actor, app=app.pk, kind=kind, new_secret=bool(client_secret))
        # Only a name: whoever may not see accounts is refused when their page asks for one.
        publish(Event(name="accounts", everyone=True))
    return app


def _prove_anew(app: App) -> None:
    """Make the proofs again that accounts keep instead of the secret: Facebook takes none made with an old one."""
    app_secret = str(app.secrets.get("client_secret") or "")
    for account in ChannelAccount.objects.select_for_update().filter(app=app, kind="facebook").order_by("pk"):
        token = str(account.credentials.get("access_token") or "")
        account.credentials = Credentials({**account.credentials, "appsecret_proof": proof_of(app_secret, token)})
        account.save(update_fields=["credentials"])
