"""An account is connected by consent: found again by the network's own id for it, with all its history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from agents import history
from agents.models import Person
from channels.consent.registering import APP_CODES
from channels.models import AccountState, App, ChannelAccount
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.secrets import Credentials
from contactcentre.lib.text import clean_line

# More names than these would make a message nobody reads.
NAMES = 5


def still_stopped(kind: str) -> str:
    """The names of accounts of this kind that wait to be connected again, for whoever has just come back from the
    network with another one; empty where there are none. Not those whose app the network does not know: their cards
    lead to where it is entered."""
    refused = ChannelAccount.objects.filter(kind=kind, state=AccountState.REFUSED)
    stopped = refused.exclude(error_code__in=APP_CODES).order_by("name", "pk")
    return ", ".join(stopped.values_list("name", flat=True)[:NAMES])


def connect(
    *,
    actor: Person,
    app: App,
    address: str,
    name: str,
    settings: Mapping[str, object],
    credentials: Credentials,
    now: datetime,
    token_expires_at: datetime | None = None,
) -> ChannelAccount:
    """Store what the app's network granted, and return the account: the old row where this address had one.

    An account that is running, or was stopped because the network refused its old access, goes on from where it was:
    nothing is skipped. A new or paused one begins now and is not switched on yet, so that somebody may look first
    (docs/one-ticket.md, row 21). `token_expires_at`: None where the access has no end.
    """
    name = clean_line(name, 120)
    with transaction.atomic():
        fresh = {"name": name, "begins_at": now, "created_at": now, "state": AccountState.PAUSED}
        account, made = ChannelAccount.objects.select_for_update().get_or_create(
            kind=app.kind, address=address, defaults=fresh
        )
        goes_on = account.state != AccountState.PAUSED
        account.app = app
        account.name = name
        account.settings = {**account.settings, **settings}
        account.credentials = credentials
        account.token_expires_at = token_expires_at
        if goes_on:
            act = "account.reconnected" if account.state == AccountState.REFUSED else "account.changed"
            account.state = AccountState.ACTIVE
        else:
            act = "account.connected" if made else "account.connected_again"
            account.begins_at = now
            account.cursor = {}
            account.polled_at = account.caught_up_at = account.heard_at = None
        # A poll under way loses its lease: what it learns of the old access says nothing of the new one.
        account.lease_token = account.lease_until = None
        account.failures = 0
        account.error_code = account.error_text = ""
        account.error_at = None
        account.next_poll_at = now
        account.save()
        history.record(at=now, act=act, actor=actor, account_id=account.pk, kind=app.kind, app=app.pk)
        publish(Event(name="accounts", everyone=True))
    return account
