"""Which posts are worth looking at again: those of customers on live tickets (docs/one-ticket.md, row 29)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from channels.models import AccountState, ChannelAccount
from tickets.models import LIVE, Message, Rereading, Sighting

# Of one account in one turn: five questions to X, which counts every post that it tells.
MOST = 500
OLDEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one account looks at now, of how many there are."""

    account_id: int
    external_ids: tuple[str, ...]
    of: int


def turns(*, now: datetime) -> list[Turn]:
    """For each account that works, the posts whose turn it is: those that were looked at least recently.

    A post that several accounts saw is looked at by one of them. Where there are more than five hundred the turns go
    round, each from where the last one ended; nothing is left out for ever. Three statements an account, four where
    it goes round.
    """
    working = list(ChannelAccount.objects.filter(kind="x", state=AccountState.ACTIVE).order_by("id"))
    made = []
    for place, account in enumerate(working):
        turn = _turn(account, _seen_by(account, working[:place], now=now), now=now)
        if turn is not None:
            made.append(turn)
    return made


def _seen_by(account: ChannelAccount, others: Sequence[ChannelAccount], *, now: datetime) -> QuerySet[Message]:
    """The customers' posts on live tickets that this account saw, and none of those that look before it."""
    seen = Sighting.objects.filter(message=OuterRef("pk"))
    posts = Message.objects.filter(
        Exists(seen.filter(account=account)),
        channel_kind="x",
        surface="x:mention",
        direction="in",
        deleted_at=None,
        said_at__gte=now - OLDEST,
        ticket__state__in=LIVE,
    )
    return posts.filter(~Exists(seen.filter(account__in=others))) if others else posts


def _turn(account: ChannelAccount, posts: QuerySet[Message], *, now: datetime) -> Turn | None:
    count = posts.count()
    if not count:
        return None
    newest_first = posts.order_by("-id").values_list("pk", "external_id")
    if count <= MOST:
        return Turn(account.pk, tuple(number for _pk, number in newest_first[:MOST]), count)
    before = Rereading.objects.filter(account=account).first()
    chosen = list(newest_first.filter(pk__lt=before.reach)[:MOST]) if before else []
    if len(chosen) < MOST:
        # Round again, from the newest on.
        again = newest_first.filter(pk__gte=before.reach) if before else newest_first
        chosen += again[: MOST - len(chosen)]
    Rereading.objects.update_or_create(account=account, defaults={"reach": chosen[-1][0], "read_at": now})
    return Turn(account.pk, tuple(number for _pk, number in chosen), count)
