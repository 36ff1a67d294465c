"""The menu at the left of every page as HTML: pieces that are kept, put together."""

from __future__ import annotations

from collections.abc import Hashable

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from agents.models import Person
from contactcentre.templatetags.still import piece
from tickets import rows
from tickets.templatetags.inbox import page_url


def render(
    person: Person,
    *,
    section: str,
    features: Hashable,
    views: tuple[rows.QueueLink, ...],
    queues: tuple[rows.QueueLink, ...],
    place: str,
    in_trouble: int,
    token: object,
) -> str:
    """The <nav>. `in_trouble` is the admins' alarm; without `views` there are no lists, as on the settings' pages."""
    top = piece(
        "_sidebar_top.html",
        token,
        section=section,
        features=features,
        works_tickets=person.works_tickets,
        is_lead=person.is_lead,
        is_admin=person.is_admin,
        in_trouble=in_trouble,
    )
    lists = ""
    if views:
        if not any(link.is_current for link in (*views, *queues)):
            # Without a word on it the refreshed lists would mark "All open", as the inbox does, on the board as well.
            place = "?view="
        lists = (
            f'<div id="sidebar-lists" data-live-on="lists" data-live-url="{page_url("sidebar")}{escape(place)}">'
            f"{piece('inbox/_sidebar_lists.html', token, views=views, queues=queues)}</div>"
        )
    foot = piece(
        "_sidebar_foot.html",
        token,
        who=person.name,
        initials=person.initials,
        is_lead=person.is_lead,
        is_agent=person.is_agent,
    )
    return f"{top}\n    {lists}\n  </div>\n  {foot}"
