"""An account whose credentials the network no longer takes: it rests until an admin connects it again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents import history
from channels import outcomes
from channels.adapters.base import Connection, DeliveryError
from channels.consent import tokens
from channels.models import AccountState, ChannelAccount


def refuse(account: Connection, error: DeliveryError, *, now: datetime) -> bool:
    """Stop the account that was refused while sending or looking; True where this call did.

    False where it was paused or connected again meanwhile, or where its tokens could be renewed: then the refusal
    speaks of credentials of the past.
    """
    if tokens.after_refusal(account_id=account.account_id, refused=account.credentials, now=now):
        return False
    with transaction.atomic():
        stored = ChannelAccount.objects.select_for_update().get(pk=account.account_id)
        if stored.state != AccountState.ACTIVE or stored.credentials != account.credentials:
            return False
        stored.state = AccountState.REFUSED
        stored.error_code, stored.error_text, stored.error_at = outcomes.code(error), outcomes.words(error), now
        stored.save(update_fields=["state", "error_code", "error_text", "error_at"])
        history.record(at=now, act="account.refused", account_id=stored.pk, code=outcomes.code(error) or "refused")
        return True
