"""The alarm at the admins' navigation: how many accounts are in trouble or far behind, on whatever page they are."""

from __future__ import annotations

import logging
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from channels import queries
from channels.queries import AccountsPage

logger = logging.getLogger(__name__)

KEPT_SECONDS = 10
_KEY = "accounts-in-trouble"


def in_trouble(*, now: datetime) -> int:
    """How many cards are red. Counted once in ten seconds, however many admins look at however many pages."""
    try:
        kept = cache.get(_KEY)
    except RedisError as error:
        logger.warning("the cache does not answer; counting: %s", error)
        kept = None
    return kept if isinstance(kept, int) else of(queries.accounts_page(now=now))


def of(page: AccountsPage) -> int:
    """The same of a page that is at hand, so that its cards and the figure beside them agree; kept for the others."""
    found = sum(card.level == "late" for card in page.cards)
    try:
        cache.set(_KEY, found, KEPT_SECONDS)
    except RedisError as error:
        logger.warning("the alarm could not be kept: %s", error)
    return found
