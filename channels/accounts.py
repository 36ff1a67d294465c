"""Connecting, mending, pausing and trying accounts. Every function here is one act of an admin.

An account's row outlives its credentials: whoever connects the same address again finds the old row with
all its history. Adding a channel kind adds a `connect_…` and an `update_…` here, both over `_connect` and
`_update`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels import held, lines, outbox, trouble
from channels.adapters import adapter
from channels.adapters.base import Connection, PollError, Tried
from channels.connections import own_addresses, ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.happenings import OUR_MAIL
from channels.models import AccountState, ChannelAccount
from contactcentre.lib.realtime import Event, publish
from contactcentre.lib.secrets import Credentials

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A mailbox as an admin describes it. An empty password means: the one we have."""

    address: str
    imap_host: str
    imap_port: int
    imap_security: str
    smtp_host: str
    smtp_port: int
    smtp_security: str
    name: str = ""
    username: str = ""
    password: str = field(default="", repr=False)

    def settings(self) -> dict[str, object]:
        """What may be read by everybody who may read the account."""
        return {
            "imap_host": self.imap_host,
            "imap_port": self.imap_port,
            "imap_security": self.imap_security,
            "smtp_host": self.smtp_host,
            "smtp_port": self.smtp_port,
            "smtp_security": self.smtp_security,
            "username": self.username or self.address,
        }

    def credentials(self) -> Credentials:
        """What nobody reads again; empty where the stored ones stay."""
        return Credentials(password=self.password) if self.password else Credentials()


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come in if the account were switched on now.

    `count` items since `since`, `at_least` where there are more; `words` says why it could not be looked up.
    """

    since: datetime
    count: int = 0
    at_least: bool = False
    words: str = ""


def connect_mailbox(
    *, actor: Person, data: Mailbox, now: datetime, begins_at: datetime | None = None
) -> ChannelAccount:
    """Store a mailbox, not switched on yet, and return its account: the old row where there was one.

    It begins now unless `begins_at` names an earlier moment; nothing older makes a ticket.
    """
    return _connect(
        kind="email",
        address=data.address.strip().lower(),
        name=data.name,
        settings=data.settings(),
        credentials=data.credentials(),
        actor=actor,
        now=now,
        begins_at=begins_at,
    )


def update_mailbox(*, account: ChannelAccount, actor: Person, data: Mailbox, now: datetime) -> ChannelAccount:
    """Change how a mailbox is reached. A refused account goes on from where it stopped; nothing is skipped."""
    return _update(
        account=account, name=data.name, settings=data.settings(), credentials=data.credentials(), actor=actor, now=now
    )


def resume(*, account: ChannelAccount, actor: Person, now: datetime) -> bool:
    """Switch a paused or new account on, from its cursor; False where it was neither."""
    # A phone line is switched on by connecting it, so whatever is paused there ran before.
    ran_before = account.polled_at or account.heard_at or account.kind == lines.KIND
    act = "account.resumed" if ran_before else "account.switched_on"
    with transaction.atomic():
        is_on = _turn(
            account,
            {AccountState.PAUSED},
            act,
            actor=actor,
            now=now,
            state=AccountState.ACTIVE,
            # An exchange tells by itself: a line that is due to be polled would look late for ever.
            next_poll_at=None if account.kind == lines.KIND else now,
            failures=0,
        )
        if is_on:
            held.let_in(account, now=now)
    return is_on


def pause(*, account: ChannelAccount, actor: Person, now: datetime) -> bool:
    """Stop fetching and sending; what waits to be sent stays queued. False where it was paused already."""
    running: set[str] = {AccountState.ACTIVE, AccountState.REFUSED}
    return _turn(account, running, "account.paused", actor=actor, now=now, state=AccountState.PAUSED)


def poll_now(*, account: ChannelAccount, actor: Person, now: datetime) -> bool:
    """Ask the network at once instead of waiting out the backoff, and let what waits for another try go out again.

    False where the account is not switched on, and for a phone line, which cannot be asked.
    """
    if account.kind == lines.KIND:
        return False
    with transaction.atomic():
        is_on = _turn(account, {AccountState.ACTIVE}, "account.poll_asked", actor=actor, now=now, next_poll_at=now)
        if is_on:
            outbox.try_soon(account_id=account.pk, now=now)
    return is_on


def try_out_mailbox(*, data: Mailbox, now: datetime, account: ChannelAccount | None = None) -> Tried:
    """Whether a mailbox could be read and written with what is in the form. Nothing is stored or changed.

    Without a password the one of `account` is used. Never raises for what the other side does.
    """
    credentials = data.credentials() or (account.credentials if account else Credentials())
    return _tried(
        Connection(
            account_id=account.pk if account else 0,
            kind="email",
            address=data.address.strip().lower(),
            name=data.name,
            settings=data.settings(),
            credentials=credentials,
            begins_at=account.begins_at if account else now,
            own=own_addresses("email"),
        )
    )


def try_out(*, account: ChannelAccount, now: datetime) -> Tried:
    """Whether a connected account works, in words. Nothing is stored but a token that had to be renewed for it.

    Never raises for what the other side does.
    """
    if account.kind == lines.KIND:
        return lines.try_out(account=account)
    try:
        told = ready_connection_of(account, now=now)
    except ConsentProblem as problem:
        return Tried(ok=False, words=(str(problem),))
    return _tried(told)


def preview(*, account: ChannelAccount, now: datetime) -> Preview:
    """Count what has come in since the account's beginning, by one look that changes nothing anywhere."""
    try:
        told = ready_connection_of(account, now=now)
        polled = adapter(account.kind).poll(told, dict(account.cursor), now=now)
    except (PollError, ConsentProblem) as error:
        return Preview(account.begins_at, words=str(error))
    except Exception as error:  # noqa: BLE001
        # Whatever an adapter meets must come out as words on the page, not as a page of its own.
        place = trouble.where(error.__traceback__)
        logger.error("looking into account %s: %s at %s", account.pk, trouble.of(error), place)
        return Preview(account.begins_at, words=_("This was not expected: %(error)s.") % {"error": trouble.of(error)})
    # What we said ourselves is read too, and is nothing that comes in.
    count = sum(item.happening != OUR_MAIL for item in polled.items)
    return Preview(account.begins_at, count, polled.more)


def _tried(told: Connection) -> Tried:
    try:
        return adapter(told.kind).try_out(told)
    except Exception as error:  # noqa: BLE001
        # As above: the test button answers in words, whatever the other side does.
        logger.error("trying %s out: %s at %s", told.kind, trouble.of(error), trouble.where(error.__traceback__))
        return Tried(ok=False, words=(_("This was not expected: %(error)s.") % {"error": trouble.of(error)},))


def _connect(
    *,
    kind: str,
    address: str,
    name: str,
    settings: Mapping[str, object],
    credentials: Credentials,
    actor: Person,
    now: datetime,
    begins_at: datetime | None,
) -> ChannelAccount:
    begins_at = min(begins_at or now, now)
    with transaction.atomic():
        fresh = {"name": name, "begins_at": begins_at, "created_at": now, "state": AccountState.PAUSED}
        rows = ChannelAccount.objects.select_for_update()
        account, made = rows.get_or_create(kind=kind, address=address, defaults=fresh)
        account.name = name
        account.settings = {**account.settings, **settings}
        account.credentials = credentials or account.credentials
        account.state = AccountState.PAUSED
        account.begins_at = begins_at
        # Read anew from the chosen beginning; what the ledger has seen before stays known to it. A poll that is
        # still under way loses its lease, so that it cannot put the old cursor back.
        account.cursor = {}
        _forget(account)
        account.next_poll_at = now
        account.polled_at = account.caught_up_at = None
        account.save()
        act = "account.connected" if made else "account.connected_again"
        history.record(at=now, act=act, actor=actor, account_id=account.pk, kind=kind, begins_at=begins_at.isoformat())
        _publish()
    return account


def _update(
    *,
    account: ChannelAccount,
    name: str,
    settings: Mapping[str, object],
    credentials: Credentials,
    actor: Person,
    now: datetime,
) -> ChannelAccount:
    with transaction.atomic():
        account = ChannelAccount.objects.select_for_update().get(pk=account.pk)
        was_refused = account.state == AccountState.REFUSED
        account.name = name
        account.settings = {**account.settings, **settings}
        account.credentials = credentials or account.credentials
        if was_refused:
            account.state = AccountState.ACTIVE
        _forget(account)
        account.next_poll_at = now
        account.save()
        act = "account.reconnected" if was_refused else "account.changed"
        history.record(at=now, act=act, actor=actor, account_id=account.pk, new_credentials=bool(credentials))
        _publish()
    return account


def _forget(account: ChannelAccount) -> None:
    """What is known of the old connection says nothing of the new one; a poll under way loses its lease."""
    account.lease_token = account.lease_until = None
    account.failures = 0
    account.error_code = account.error_text = ""
    account.error_at = None


def _turn(
    account: ChannelAccount, states: set[str], act: str, *, actor: Person, now: datetime, **columns: object
) -> bool:
    with transaction.atomic():
        if not ChannelAccount.objects.filter(pk=account.pk, state__in=states).update(**columns):
            return False
        history.record(at=now, act=act, actor=actor, account_id=account.pk)
        _publish()
    return True


def _publish() -> None:
    # Only a name: whoever may not see accounts is refused when their page asks for one.
    publish(Event(name="accounts", everyone=True))
