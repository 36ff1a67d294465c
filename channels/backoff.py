"""How long to wait: between attempts to send, and between looks at a row nobody knows the fate of. Pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from django.conf import settings

# After the first failure, doubled with every further one up to the longest wait.
FIRST_WAIT = timedelta(seconds=settings.RETRY_SECONDS)
LONGEST_WAIT = timedelta(minutes=30)

# When it is a person's turn. With the waits above the last attempt is some eleven hours after the first.
MAX_ATTEMPTS = 30

# Looks after a row became unknown. The networks index late, so one early look proves nothing.
LOOKS = tuple(timedelta(seconds=seconds) for seconds in settings.LOOK_SECONDS)

# So long at most an unknown row holds back the later ones of its lane: until the last look has had its time to answer.
HOLDS = LOOKS[-1] + timedelta(seconds=40)


def wait(*, row_id: int, attempts: int, retry_after: timedelta | None = None) -> timedelta:
    """The time until the next attempt, after `attempts` that did not come through (at least one).

    The provider's own wish counts where it is longer. Up to a fifth is added, the same for the same row and attempt:
    a thousand rows refused in the same second must not all come back in the same second.
    """
    doublings = min(max(attempts - 1, 0), 20)
    doubled = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    spread = 1 + crc32(f"{row_id}:{attempts}".encode()) / 2**32 / 5
    return max(doubled, retry_after or timedelta(0)) * spread


def next_look(*, unknown_at: datetime, looks: int) -> datetime | None:
    """When to look after `looks` looks since the row became unknown; None where that was the last."""
    return unknown_at + LOOKS[looks] if looks < len(LOOKS) else None
