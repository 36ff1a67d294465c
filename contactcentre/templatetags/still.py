"""Pieces of a page that say the same to many: rendered once for what they depend on, and kept.

A menu of forty translated words costs more than the figures beside it, and is the same on every page.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable
from functools import lru_cache

from django import template
from django.conf import settings
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()

# Some languages, some queues, the states of a ticket: a few hundred pieces of a few kB. The least used one goes.
KEPT = 1000
# Stands in a kept piece where the form's token goes. Drawn by each process, so that no words of a stranger hold it.
_TOKEN = f"token-{secrets.token_hex(16)}"


@register.simple_tag(takes_context=True)
def still(context: Context, name: str, **given: Hashable) -> SafeString:
    """The template `name` with what is given, and with nothing else of the page.

    That it sees nothing else is what makes keeping it right: language and `given` are all it can depend on. It must
    tell no time of day (the reader's time zone is not among them). Forms in it have the page's own token.
    """
    return mark_safe(piece(name, context.get("csrf_token", ""), **given))  # noqa: S308  (rendered by a template)


def piece(name: str, token: object, /, **given: Hashable) -> str:
    """The same for HTML that is written in Python; `token` is the page's own for its forms."""
    kept = (_drawn if settings.DEBUG else _kept)(name, get_language(), tuple(given.items()))
    # The token is drawn anew for every page, and so never kept.
    return kept.replace(_TOKEN, str(token)) if _TOKEN in kept else kept


def _drawn(name: str, language: str | None, given: tuple[tuple[str, Hashable], ...]) -> str:
    return get_template(name).render({**dict(given), "csrf_token": _TOKEN})


_kept = lru_cache(maxsize=KEPT)(_drawn)
