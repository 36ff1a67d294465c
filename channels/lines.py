"""Our telephone lines: connecting them, and the token in the address that an exchange posts to.

Whoever knows a line's token can ring it, so it is shown once, when it is made. The row is found by the token's
SHA-256: a token of 256 random bits needs neither salt nor slowness, and a copy of the table opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace
from datetime import datetime

import phonenumbers
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.adapters import adapter
from channels.adapters.base import Tried
from channels.adapters.phone import NotANumber, e164
from channels.connections import connection_of
from channels.models import AccountState, ChannelAccount
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.secrets import Credentials
from contactcentre.lib.text import clean_line

KIND = "phone"


class NotALine(ValueError):
    """This cannot be a line of ours. The text says why, in words an admin can use."""


def connect_line(
    *, actor: Person | None, number: str, name: str = "", region: str = "", now: datetime
) -> tuple[ChannelAccount, str]:
    """Connect a line and return its account with the new token, which nobody is shown again.

    `region` is the line's country (ISO 3166, such as GB), by which numbers told without one are read; empty: the
    number's own. The same number finds its old row with all its history; its old token is no longer answered.
    Like every account it begins now: older calls make no ticket. Raises NotALine.
    """
    number, region = _line(number, region)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        fresh = {"begins_at": now, "created_at": now, "state": AccountState.ACTIVE}
        account, made = ChannelAccount.objects.select_for_update().get_or_create(
            kind=KIND, address=number, defaults=fresh
        )
        account.name = clean_line(name, 120) or account.name
        account.settings = {**account.settings, "region": region}
        account.state = AccountState.ACTIVE
        account.begins_at = now
        # An exchange tells by itself: there is nothing to poll, and no poll to be late.
        account.next_poll_at = None
        account.failures = 0
        account.error_code = account.error_text = ""
        account.error_at = None
        # What came through the old token says nothing of the new one.
        account.heard_at = None
        _give(account, token)
        account.save()
        act = "account.connected" if made else "account.connected_again"
        history.record(at=now, act=act, actor=actor, account_id=account.pk, kind=KIND, begins_at=now.isoformat())
        _publish()
    return account, token


def update_line(
    *, account: ChannelAccount, actor: Person | None, name: str, region: str, now: datetime
) -> ChannelAccount:
    """Change a line's name and the country its numbers are read by; its number and its hook address stay.

    An empty `region` is the number's own country. Raises NotALine, also for an account of another kind.
    """
    if account.kind != KIND:
        raise NotALine(_("This account is no phone line."))
    _number, region = _line(account.address, region)
    with transaction.atomic():
        kept = ChannelAccount.objects.select_for_update().get(pk=account.pk)
        kept.name = clean_line(name, 120)
        kept.settings = {**kept.settings, "region": region}
        kept.save(update_fields=["name", "settings"])
        history.record(at=now, act="account.changed", actor=actor, account_id=kept.pk, new_credentials=False)
        _publish()
    return kept


def new_token(*, account: ChannelAccount, actor: Person | None, now: datetime) -> str:
    """Give the line another token and return it; the old one is no longer answered from this moment on.

    Raises NotALine for an account of another kind.
    """
    if account.kind != KIND:
        raise NotALine(_("Only a phone line has a hook address."))
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        kept = ChannelAccount.objects.select_for_update().get(pk=account.pk)
        _give(kept, token)
        kept.save(update_fields=["credentials", "hook_digest"])
        history.record(at=now, act="account.token_renewed", actor=actor, account_id=kept.pk)
        _publish()
    return token


def hook_address(token: str) -> str:
    """The whole address an exchange must post to. It holds the token: show it once, and never log it."""
    return f"{settings.BASE_URL}/hooks/phone/{token}/"


def line_of(token: str) -> ChannelAccount | None:
    """The account whose hook address holds this token, or None; as quick for a wrong token as for a right one."""
    told = _digest(token)
    # Without the credentials: a lost encryption key must not lose a call.
    account = ChannelAccount.objects.defer("credentials").filter(kind=KIND, hook_digest=told).first()
    # The index narrows it down, by a digest that a stranger cannot steer; the decision takes constant time.
    known = account.hook_digest if account else _digest("")
    return account if hmac.compare_digest(known, told) else None


def try_out(*, account: ChannelAccount) -> Tried:
    """Where the exchange must post, and when it last did."""
    told = connection_of(account)
    heard_at = account.heard_at.isoformat() if account.heard_at else ""
    return adapter(KIND).try_out(replace(told, settings={**told.settings, "heard_at": heard_at}))


def _line(number: str, region: str) -> tuple[str, str]:
    region = region.strip().upper()
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        raise NotALine(_("%(region)s is no country's two letters.") % {"region": clean_line(region, 20)})
    try:
        address = e164(number, region=region)
    except NotANumber as error:
        words = _("%(number)s is no telephone number. Write it with its country, such as +44 20 7946 0100.")
        raise NotALine(words % {"number": clean_line(number, 60) or "“”"}) from error
    parsed = phonenumbers.parse(address)
    # Numbers of a country kept for drama or for services belong to no region in the tables; the code still does.
    own = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return address, region or own


def _give(account: ChannelAccount, token: str) -> None:
    account.credentials = Credentials({**account.credentials, "hook_token": token})
    account.hook_digest = _digest(token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _publish() -> None:
    # Only a name: whoever may not see accounts is refused when their page asks for one.
    publish(Event(name="accounts", everyone=True))
