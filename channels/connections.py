"""What an adapter is told of an account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from channels.adapters.base import Connection
from channels.consent import tokens
from channels.models import ChannelAccount
from contactcentre.lib.secrets import Credentials


def connection_of(account: ChannelAccount) -> Connection:
    """The account as its adapter may see it."""
    return replace(reading_connection_of(account, own=own_addresses(account.kind)), credentials=account.credentials)


def reading_connection_of(account: ChannelAccount, *, own: frozenset[str]) -> Connection:
    """The account for reading what came from it: without its credentials, which no bytes are read with. `own` are all
    our addresses of its kind."""
    return Connection(
        account_id=account.pk,
        kind=account.kind,
        address=account.address,
        name=account.name,
        settings=account.settings,
        credentials=Credentials(),
        begins_at=account.begins_at,
        own=own,
    )


def ready_connection_of(account: ChannelAccount, *, now: datetime) -> Connection:
    """The account as its adapter may use it against the network: with a permission that is still alive.

    Never inside a transaction: the network may be asked for new tokens. Raises ConsentProblem.
    """
    return replace(connection_of(account), credentials=tokens.fresh(account, now=now))


def own_addresses(kind: str) -> frozenset[str]:
    """Every address of ours on this channel kind, paused ones too: what they write is never a customer's."""
    return frozenset(ChannelAccount.objects.filter(kind=kind).values_list("address", flat=True))


def is_own(kind: str, value: str) -> bool:
    """Whether this is an account of ours: `value` in the normal form of its kind, a mail address also with a part
    behind a plus, as our reply addresses have it."""
    local, at, domain = value.casefold().rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}" if at else value
    return not own_addresses(kind).isdisjoint({value, plain})
