"""An X account is connected: by whoever signed in at X and consented, found again by its numeric id."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents import history
from agents.models import Person
from channels.consent.x import Handle
from channels.models import AccountState, App, ChannelAccount
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.secrets import Credentials


def connect(*, actor: Person, app: App, handle: Handle, credentials: Credentials, now: datetime) -> ChannelAccount:
    """Store what X granted, and return the account: the old row where this handle was connected before.

    An account that is running, or was stopped because X refused its old access, goes on from where it was: nothing is
    skipped. A new or paused one begins now and is not switched on yet, so that somebody may look first
    (docs/one-ticket.md, row 21).
    """
    with transaction.atomic():
        fresh = {"name": f"@{handle.handle}", "begins_at": now, "created_at": now, "state": AccountState.PAUSED}
        account, made = ChannelAccount.objects.select_for_update().get_or_create(
            kind="x", address=handle.id, defaults=fresh
        )
        goes_on = account.state != AccountState.PAUSED
        account.app = app
        account.name = f"@{handle.handle}"
        account.settings = {**account.settings, "handle": handle.handle, "capabilities": capabilities(credentials)}
        account.credentials = credentials
        if goes_on:
            act = "account.reconnected" if account.state == AccountState.REFUSED else "account.changed"
            account.state = AccountState.ACTIVE
        else:
            act = "account.connected" if made else "account.connected_again"
            account.begins_at = now
            account.cursor = {}
            account.polled_at = account.caught_up_at = None
        # A poll under way loses its lease: what it learns of the old access says nothing of the new one.
        account.lease_token = account.lease_until = None
        account.failures = 0
        account.error_code = account.error_text = ""
        account.error_at = None
        account.next_poll_at = now
        account.save()
        history.record(at=now, act=act, actor=actor, account_id=account.pk, kind="x", app=app.pk)
        publish(Event(name="accounts", everyone=True))
    return account


def capabilities(credentials: Credentials) -> dict[str, bool]:
    """What the granted permissions allow, as the adapter and the page ask for it."""
    granted = set(str(credentials.get("scope") or "").split())
    return {
        "mention": {"tweet.read", "users.read"} <= granted,
        "reply": "tweet.write" in granted,
        "dm": {"dm.read", "dm.write"} <= granted,
    }
