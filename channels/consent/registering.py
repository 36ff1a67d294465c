"""Our registration with a network: an admin enters what the network's developer console shows."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents import history
from agents.models import Person
from channels.models import App
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
    tokens only for the app that it gave them to.
    """
    with transaction.atomic():
        fresh = {"name": clean_line(name, 80), "created_at": now}
        app, made = App.objects.select_for_update().get_or_create(kind=kind, client_id=client_id, defaults=fresh)
        app.name = clean_line(name, 80)
        if client_secret:
            app.secrets = Credentials({**app.secrets, "client_secret": client_secret})
        app.save()
        act = "app.entered" if made else "app.changed"
        history.record(at=now, act=act, actor=actor, app=app.pk, kind=kind, new_secret=bool(client_secret))
        # Only a name: whoever may not see accounts is refused when their page asks for one.
        publish(Event(name="accounts", everyone=True))
    return app
