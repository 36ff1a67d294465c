"""What a search found as HTML, written in Python: it is drawn anew with every letter somebody types."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

# The same five replacements as Django's escape(): all that comes here is plain text.
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone

from tickets.queries.search import Hit
from tickets.templatetags.inbox import moment, number_url


def render(hits: Iterable[Hit], *, now: datetime) -> SafeString:
    """The <li> elements of the hits."""
    zone = get_current_timezone()
    # Every stranger's word is escaped here.
    return mark_safe(  # noqa: S308
        "".join(
            [
                f'<li><a class="hit" href="{number_url("ticket", hit.ticket_id)}">'
                f'<span class="hit__who truncate" dir="auto">{escape(hit.who)}</span>'
                f'<span class="quiet">#{hit.ticket_id} · <time datetime="{hit.at.astimezone(zone).isoformat()}">'
                f"{escape(moment(hit.at, now))}</time></span>"
                f'<span class="hit__words truncate" dir="auto">{escape(hit.words)}</span></a></li>'
                for hit in hits
            ]
        )
    )
