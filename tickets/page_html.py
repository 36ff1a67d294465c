"""The inbox's page as HTML: what is around it is kept, a ticket's page costs no more than its list and its panes."""

from __future__ import annotations

from datetime import datetime

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from django.http import HttpRequest
from django.middleware.csrf import get_token

from agents.models import Person
from channels import alarm
from contactcentre.templatetags.still import filled, piece
from tickets import list_html, panes_html, rows, sidebar_html
from tickets.access import QueueName
from tickets.features import Features
from tickets.templatetags.sidebar import told


def render(
    request: HttpRequest,
    *,
    listed: rows.TicketList,
    page: rows.TicketPage | None,
    place: str,
    person: Person,
    views: tuple[rows.QueueLink, ...],
    queues: tuple[rows.QueueLink, ...],
    all_queues: tuple[QueueName, ...],
    features: Features,
    stream: str,
    now: datetime,
) -> str:
    """The whole page, with one ticket open or none."""
    token = get_token(request)
    if page is None:
        panes = piece("inbox/_no_ticket.html", token, has_rows=bool(listed.rows))
    else:
        panes = panes_html.render(
            page, person=person, features=features, all_queues=all_queues, place=place, token=token, now=now
        )
    holes = {
        "csrf_token": token,
        "title": escape(page.who if page else listed.title),
        "stream": escape(stream),
        "person_id": person.pk,
        "sidebar": sidebar_html.render(
            person,
            section="",
            features=features,
            views=views,
            queues=queues,
            place=place,
            in_trouble=alarm.in_trouble(now=now) if person.is_admin else 0,
            token=token,
        ),
        "list": list_html.render(listed, place=place, current_id=page.id if page else None, now=now),
        "panes": panes,
        "toasts": told(request),
    }
    return filled(
        "inbox/page.html",
        holes,
        shows_ticket=page is not None,
        features=features,
        all_queues=all_queues,
        is_lead=person.is_lead,
    )
