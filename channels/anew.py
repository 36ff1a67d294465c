"""Processing again what could not be read, with the network asked for it anew where that is possible.

Sometimes the stored copy itself is the fault: the network left something out of a list, and a list is never told
twice. X hands over a single post by its id. What else could not be read is whole as it was handed over (a mail, a
call), or its network has no way to hand over just that (docs/architecture.md, "The way in").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from agents import history
from agents.models import Person
from channels import processing
from channels.adapters.base import PollError
from channels.adapters.x import XAdapter, snowflakes
from channels.connections import ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.happenings import RawItem
from channels.models import AccountState, ChannelAccount, LedgerBody, LedgerItem, LedgerState
from contactcentre.lib.secrets import CannotDecrypt

# X takes so many ids in one question; an admin waits for the answer.
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Again:
    """How many items are processed again, how many of those are X's and could not be read before, and how many of
    these were handed over anew just now. `why` says in words why a network could not be asked; empty where none
    failed."""

    items: int
    unreadable: int
    anew: int
    why: str = ""


def process_again(
    *,
    actor: Person,
    now: datetime,
    item_ids: Iterable[int] = (),
    account: ChannelAccount | None = None,
    by_hand: bool = False,
) -> Again:
    """As processing.process_again(), after asking anew for posts of X that could not be read, a hundred at most.

    Not inside a transaction: the network takes its time. Where it cannot be asked, or has the post no more, the stored
    copy is processed again.
    """
    named = list(item_ids)
    rows = LedgerItem.objects.filter(state=LedgerState.QUARANTINED, account__isnull=False)
    rows = rows.filter(account=account) if account is not None else rows.filter(pk__in=named[: processing.AGAIN_LIMIT])
    unreadable = rows.filter(kind="x").count()
    anew, why = _read_anew(rows, actor=actor, now=now)
    items = processing.process_again(actor=actor, now=now, item_ids=named, account=account, by_hand=by_hand)
    return Again(items, min(unreadable, items), anew, why)


def _read_anew(rows: QuerySet[LedgerItem], *, actor: Person, now: datetime) -> tuple[int, str]:
    """Put what X hands over now in the place of what it handed over before; how many, and why not where it failed."""
    # Nothing is asked for an account that is switched off. The credentials wait for whoever asks X: a lost key shall
    # not hold up what can be processed as it is.
    x_has = rows.filter(kind="x", happening="message", account__state=AccountState.ACTIVE)
    posts = x_has.select_related("account").defer("account__credentials").order_by("-id")[: processing.AGAIN_LIMIT]
    asked = 0
    by_account: dict[int, dict[str, LedgerItem]] = defaultdict(dict)
    bodies = {body.pk: body for body in LedgerBody.objects.filter(pk__in=[row.pk for row in posts]).only("meta")}
    for row in posts:
        external_id = str(bodies[row.pk].meta.get("external_id", "")) if row.pk in bodies else ""
        if row.account_id is not None and snowflakes.is_id(external_id) and asked < AT_ONCE:
            by_account[row.account_id][external_id] = row
            asked += 1
    replaced, why = 0, ""
    for known in by_account.values():
        account = next(iter(known.values())).account
        if account is None:
            continue
        try:
            fresh = XAdapter().anew(ready_connection_of(account, now=now), known)
        except (PollError, ConsentProblem, CannotDecrypt) as error:
            why = str(error)
            continue
        replaced += _replaced(account, known, fresh, actor=actor, now=now)
    return replaced, why


def _replaced(
    account: ChannelAccount, known: dict[str, LedgerItem], fresh: Sequence[RawItem], *, actor: Person, now: datetime
) -> int:
    """Store the fresh copies of those that nobody has settled meanwhile, and write down that this was done."""
    with transaction.atomic():
        wanted = {known[item.external_id].pk: item for item in fresh}
        rows = LedgerItem.objects.filter(pk__in=list(wanted), state=LedgerState.QUARANTINED).select_for_update()
        numbers = list(rows.order_by("id").values_list("pk", flat=True))
        for number in numbers:
            LedgerBody.objects.filter(pk=number).update(body=wanted[number].body)
            LedgerItem.objects.filter(pk=number).update(size=len(wanted[number].body))
        if numbers:
            history.record(at=now, act="ledger.read_anew", actor=actor, account_id=account.pk, items=numbers)
    return len(numbers)
