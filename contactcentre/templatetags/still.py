"""Pieces of a page that say the same to many: rendered once for what they depend on, and kept.

A menu of forty translated words costs more than the figures beside it, and is the same on every page.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Hashable, Mapping
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
# Stands in a kept piece where its holes are. Drawn by each process, so that no words of a stranger hold it.
_MARK = f"hole-{secrets.token_hex(16)}"
_HOLE = re.compile(rf"{_MARK}-(\w+)\.")


@register.simple_tag(takes_context=True)
def still(context: Context, name: str, **given: Hashable) -> SafeString:
    """The template `name` with what is given, and with nothing else of the page.

    That it sees nothing else is what makes keeping it right: language and `given` are all it can depend on. It must
    tell no time of day (the reader's time zone is not among them). Forms in it have the page's own token.
    """
    return mark_safe(piece(name, context.get("csrf_token", ""), **given))  # noqa: S308  (rendered by a template)


def piece(name: str, token: object, /, **given: Hashable) -> str:
    """The same for HTML that is written in Python; `token` is the page's own for its forms, drawn for each page."""
    return filled(name, {"csrf_token": token}, **given)


def filled(name: str, holes: Mapping[str, object], /, **given: Hashable) -> str:
    """The same for a template with `holes`: HTML that is another at every call and is put in where the template says
    {{ its name }}. Only there: no tag can ask what is in a hole. Whoever makes that HTML escapes it."""
    draw = _drawn if settings.DEBUG else _kept
    kept = draw(name, get_language(), tuple(holes), tuple(given.items()))
    if len(kept) == 1:
        return kept[0]
    # Texts, and between them the names of the holes.
    parts = list(kept)
    parts[1::2] = [str(holes[hole]) for hole in kept[1::2]]
    return "".join(parts)


def _drawn(
    name: str, language: str | None, holes: tuple[str, ...], given: tuple[tuple[str, Hashable], ...]
) -> tuple[str, ...]:
    marks = {hole: f"{_MARK}-{hole}." for hole in holes}
    return tuple(_HOLE.split(get_template(name).render({**dict(given), **marks})))


_kept = lru_cache(maxsize=KEPT)(_drawn)
