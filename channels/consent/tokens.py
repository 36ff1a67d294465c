"""Keeping an account's permission alive: its tokens are renewed before they expire, by one process at a time.

X exchanges the renewing token on every use. Two processes that renewed at once would leave one of them with a pair that
is dead; so the account's row is locked while X is asked, the one place where a call to the outside runs inside a
transaction, and the new pair is stored by the transaction that got it. A process killed between X's answer and its
commit loses the pair: then an admin has to connect the account again.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from channels.consent import x
from channels.consent.problem import ConsentProblem
from channels.consent.registration import Registration
from channels.models import App, ChannelAccount
from contactcentre.lib.secrets import Credentials

log = logging.getLogger(__name__)

# Renewed this long before the end: longer than any poll or delivery takes.
MARGIN = timedelta(minutes=5)
# A token this young that X refuses all the same is not refused for its age: renewing it again would go on for ever.
YOUNG = timedelta(minutes=2)


def fresh(account: ChannelAccount, *, now: datetime) -> Credentials:
    """The account's credentials, renewed where they are about to expire. Kinds without such tokens: as they are.

    Raises ConsentProblem. Must not be called inside a transaction that goes on: X takes its time.
    """
    if not _is_due(account, now):
        return _kept(account)
    with transaction.atomic():
        stored = _locked(account)
        # Somebody else may have been quicker while we waited for the row.
        return _renewed(stored, now) if _is_due(stored, now) else _kept(stored)


def after_refusal(*, account_id: int, refused: Credentials, now: datetime) -> bool:
    """Whether there is hope for an account whose token X has just refused: another one is in place by now.

    True too where X could not be asked for one just now, which says nothing of the permission. False where the
    permission itself is gone, or where the kind has nothing to renew.
    """
    with transaction.atomic():
        stored = ChannelAccount.objects.filter(pk=account_id).first()
        if stored is None or stored.kind != "x" or not refused.get("refresh_token"):
            return False
        stored = _locked(stored)
        if stored.credentials.get("access_token") != refused.get("access_token"):
            return True
        renewed_at = _moment(stored.credentials.get("renewed_at"))
        if renewed_at is not None and now - renewed_at < YOUNG:
            return False
        try:
            _renewed(stored, now)
        except ConsentProblem as problem:
            log.warning("account %s: its refused token was not renewed: %s", account_id, problem.code)
            return not problem.credentials
    return True


def registration(app: App | None) -> Registration:
    """An app as the network knows it. Raises ConsentProblem where the account has none."""
    if app is None:
        raise ConsentProblem(_("The app this account was connected with is gone."), code="no-app", credentials=True)
    return Registration(client_id=app.client_id, client_secret=str(app.secrets.get("client_secret") or ""))


def _locked(account: ChannelAccount) -> ChannelAccount:
    # NO KEY: rows that point at the account (ledger, outbox) may be written meanwhile.
    return ChannelAccount.objects.select_for_update(of=("self",), no_key=True).select_related("app").get(pk=account.pk)


def _renewed(account: ChannelAccount, now: datetime) -> Credentials:
    renewed = x.refresh(registration(account.app), _kept(account), now=now)
    account.credentials = renewed
    account.save(update_fields=["credentials"])
    log.info("account %s: its tokens were renewed", account.pk)
    return renewed


def _kept(account: ChannelAccount) -> Credentials:
    kept: Credentials = account.credentials
    return kept


def _is_due(account: ChannelAccount, now: datetime) -> bool:
    if account.kind != "x" or not account.credentials.get("refresh_token"):
        return False
    expires_at = _moment(account.credentials.get("expires_at"))
    return expires_at is None or expires_at - now <= MARGIN


def _moment(value: object) -> datetime | None:
    try:
        made = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return made.astimezone(UTC) if made is not None and made.tzinfo else None
