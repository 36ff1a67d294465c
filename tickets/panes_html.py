"""A ticket's two panes as HTML: the ticket with its head, timeline and composer, and the customer beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from django.utils.safestring import SafeString, mark_safe

from agents.models import Person
from contactcentre.lib import wording
from contactcentre.templatetags.look import icon
from tickets import composer_html, customer_html, head_html, rows, timeline_html
from tickets.access import QueueName
from tickets.features import Features
from tickets.templatetags.inbox import number_url


def render(
    page: rows.TicketPage,
    *,
    person: Person,
    features: Features,
    all_queues: tuple[QueueName, ...],
    place: str,
    token: object,
    now: datetime,
) -> SafeString:
    """The <section> of the ticket and the <aside> of its customer."""
    _ = wording.in_force()
    head = head_html.render(
        page, person=person, features=features, all_queues=all_queues, place=place, token=token, now=now
    )
    entries = timeline(
        page.entries, older=page.older, ticket_id=page.id, arrivals=page.arrivals, features=features, now=now
    )
    foot = ""
    if page.composer is None:
        over = _("This ticket is over. A new message of the customer begins a new one.")
        foot = f'<p class="callout ticket-over">{icon("lock", "sm")} <span class="callout__body">{over}</span></p>'
    elif features.compose:
        foot = composer_html.render(page.id, page.composer, token=token)
    card = customer_html.render(page, page.customer, features=features, token=token) if page.customer else ""
    html = (
        f'<section class="pane pane--ticket" id="ticket" data-ticket="{page.id}"'
        f' aria-label="{_("Ticket %(id)s") % {"id": page.id}}">\n'
        f'<div id="ticket-head" data-live-on="ticket-{page.id}"'
        f' data-live-url="{number_url("head", page.id)}{escape(place)}">{head}</div>\n'
        f'<div class="timeline" id="timeline" role="region" tabindex="0" aria-label="{_("Timeline")}">\n{entries}\n'
        f'</div>\n{foot}\n</section>\n<aside class="pane pane--customer" id="customer"'
        f' aria-label="{_("The customer")}">{card}</aside>'
    )
    return mark_safe(html)  # noqa: S308  (escaped where it is put in)


def timeline(
    entries: Iterable[rows.Entry], *, older: str, ticket_id: int, arrivals: int, features: Features, now: datetime
) -> SafeString:
    """A stretch of the timeline with the way to what comes before it."""
    _ = wording.in_force()
    more = ""
    if older:
        before, fragment = number_url("ticket", ticket_id), number_url("timeline", ticket_id)
        more = (
            '<a class="button button--quiet button--small timeline__older" id="timeline-older"'
            f' href="{before}?before={older}" hx-get="{fragment}?before={older}" hx-select="#timeline-entries > *"'
            f' hx-target="this" hx-swap="outerHTML">{icon("history", "sm")} {_("Older messages")}</a>\n'
        )
    shown = timeline_html.render(entries, features=features, now=now) or (
        f'<p class="empty" id="timeline-empty">{icon("message")} <span>{_("Nothing was said yet.")}</span></p>'
    )
    html = (
        f'<div class="timeline__inner" id="timeline-entries" data-live-on="ticket-{ticket_id}"'
        f' data-live-url="{number_url("timeline", ticket_id)}" data-live-pick="#timeline-entries"'
        f' data-arrivals="{arrivals}">\n{more}{shown}\n</div>'
    )
    return mark_safe(html)  # noqa: S308  (escaped where it is put in)
