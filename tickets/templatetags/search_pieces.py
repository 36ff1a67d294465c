"""What a search found, in a template."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from tickets import search_html
from tickets.queries.search import Hit

register = template.Library()


@register.simple_tag
def search_hits(hits: Iterable[Hit], now: datetime) -> SafeString:
    """See search_html.render."""
    return search_html.render(hits, now=now)
