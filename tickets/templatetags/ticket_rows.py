"""The rows of a ticket list, as a tag."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from tickets import row_html, rows

register = template.Library()


@register.simple_tag
def ticket_rows(listed: Iterable[rows.TicketRow], place: str, current_id: int | None, now: datetime) -> SafeString:
    """See row_html.render."""
    return row_html.render(listed, place=place or "", current_id=current_id or None, now=now)
