"""X's ids tell the time: the upper bits count milliseconds since X's own epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH_MS = 1_288_834_974_657
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"[0-9]{1,19}")


def is_id(value: object) -> bool:
    """Whether this is an id as X writes it: up to 19 digits (OpenAPI document, `TweetId`, `DmEventId`)."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def said_at(number: int) -> datetime:
    """When the post or message with this id was written, to the millisecond. Raises ValueError beyond the calendar."""
    try:
        return _UNIX + timedelta(milliseconds=(number >> 22) + _EPOCH_MS)
    except OverflowError as error:
        raise ValueError("an id of a time that does not exist") from error


def id_at(moment: datetime) -> int:
    """The lowest id a post of this millisecond can have; 0 for times before X's epoch."""
    elapsed = (moment - _UNIX) // timedelta(milliseconds=1) - _EPOCH_MS
    return max(0, elapsed) << 22


def earlier(number: int, by: timedelta) -> int:
    """The id that was given out so much earlier; never below 0."""
    return max(0, number - ((by // timedelta(milliseconds=1)) << 22))
