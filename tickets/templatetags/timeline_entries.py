"""The entries of a timeline, as a tag."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from tickets import rows, timeline_html
from tickets.features import Features

register = template.Library()


@register.simple_tag
def timeline_entries(entries: Iterable[rows.Entry], features: Features, now: datetime) -> SafeString:
    """See timeline_html.render."""
    return timeline_html.render(entries, features=features, now=now)
