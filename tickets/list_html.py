"""A list as HTML: its kept template, with the rows of row_html.py and its addresses put in."""

from __future__ import annotations

from datetime import datetime

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from contactcentre.templatetags.still import filled, piece
from tickets import row_html, rows
from tickets.templatetags.inbox import page_url, with_query


def render(listed: rows.TicketList, *, place: str, current_id: int | None, now: datetime) -> str:
    """The <section> of the list; `current_id` is the ticket that is open beside it."""
    shown = (
        row_html.render(listed.rows, place=place, current_id=current_id, now=now)
        if listed.rows
        else piece("inbox/_list_empty.html", "", view=listed.view)
    )
    here, alone = page_url("inbox"), page_url("list")
    before, after, opened = (escape(with_query(place, name)) for name in ("before", "after", "open"))
    holes = {
        "rows": shown,
        "live_url": f"{alone}{opened}{current_id or ''}",
        "newer_url": f"{here}{before}{listed.newer}",
        "older_url": f"{here}{after}{listed.older}",
        "older_rows_url": f"{alone}{after}{listed.older}",
    }
    return filled(
        "inbox/_list.html",
        holes,
        title=listed.title,
        has_newer=bool(listed.newer),
        has_older=bool(listed.older),
    )
