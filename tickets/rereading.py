"""Which posts are worth looking at again: those of customers on live tickets."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from tickets.models import LIVE, Message

MOST = 500
OLDEST = timedelta(days=30)


def posts(*, now: datetime) -> dict[int, list[str]]:
    """The newest posts of customers on live tickets, by the account that saw them; at most five hundred in all."""
    rows = (
        Message.objects.filter(
            channel_kind="x",
            surface="x:mention",
            direction="in",
            deleted_at=None,
            said_at__gte=now - OLDEST,
            ticket__state__in=LIVE,
        )
        .order_by("-id")
        .values_list("account_id", "external_id")[:MOST]
    )
    found: dict[int, list[str]] = defaultdict(list)
    for account_id, external_id in rows:
        found[account_id].append(external_id)
    return dict(found)
