"""Which queue an account feeds: decided account by account, for the contacts that begin from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from agents.people import CannotChange
from channels.models import ChannelAccount
from tickets.models import AccountFeed, Queue


@dataclass(frozen=True, slots=True)
class Choice:
    """What an admin saw for an account and what they chose; None is the default queue."""

    was: int | None
    chosen: int | None


def change(*, actor: Person, choices: Mapping[int, Choice], now: datetime) -> list[int]:
    """Let these accounts feed the chosen queues; returns the accounts that changed.

    Where the admin chose nothing else than they saw, nothing is written: two admins who save the same page do not
    undo each other. Contacts there are keep the queue they entered by. Raises CannotChange for a queue that is gone.
    """
    wanted = {account: choice.chosen for account, choice in choices.items() if choice.was != choice.chosen}
    changed = []
    with transaction.atomic():
        default = Queue.objects.values_list("pk", flat=True).get(is_default=True)
        # Held so that none of them is removed before the feeds that name it are written.
        queues = {row.pk for row in _in_use({chosen for chosen in wanted.values() if chosen is not None})}
        known = set(ChannelAccount.objects.filter(pk__in=list(wanted)).values_list("pk", flat=True))
        for account_id in sorted(known):
            chosen = wanted[account_id]
            if chosen is not None and chosen not in queues:
                raise CannotChange(_("One of these queues is gone. Please look again."))
            before = _fed(account_id)
            if before == chosen:
                continue
            _feed(account_id, chosen)
            changed.append(account_id)
            # Which one it was decides for good who may read what came in then (access.hidden_accounts).
            history.record(
                at=now, act="feed.changed", actor=actor, account_id=account_id, queue=chosen, was=before or default
            )
    return changed


def _in_use(ids: set[int]) -> list[Queue]:
    rows = Queue.objects.select_for_update(no_key=True).filter(pk__in=ids, successor=None)
    return list(rows.order_by("pk"))


def _fed(account_id: int) -> int | None:
    rows = AccountFeed.objects.select_for_update().filter(account_id=account_id)
    return rows.values_list("queue_id", flat=True).first()


def _feed(account_id: int, queue_id: int | None) -> None:
    if queue_id is None:
        AccountFeed.objects.filter(account_id=account_id).delete()
    else:
        AccountFeed.objects.update_or_create(account_id=account_id, defaults={"queue_id": queue_id})
