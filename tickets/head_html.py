"""A ticket's head as HTML, written in Python like the rest of the page around it: see timeline_html.py.

Everything of a customer or colleague goes through escape().
"""

from __future__ import annotations

from datetime import datetime

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from django.utils.safestring import SafeString, mark_safe

from agents.models import Person
from contactcentre.lib import wording
from contactcentre.lib.wording import Wording
from contactcentre.templatetags.look import icon
from contactcentre.templatetags.still import piece
from tickets import rows
from tickets.access import QueueName
from tickets.features import Features
from tickets.templatetags.inbox import due_pill, page_url

_RESTING = {"snoozed": "zzz", "waiting": "hourglass"}


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
    """The <header>: who it is, by when, what can be done, and what stands about the ticket."""
    _ = wording.in_force()
    actions = ""
    if features.act and page.may_act:
        actions = piece(
            "inbox/_actions.html",
            token,
            state=page.state,
            awaiting=page.awaiting,
            queue_id=page.queue_id,
            is_high=page.is_high,
            is_blocked=page.is_blocked,
            tags=page.tags,
            all_queues=all_queues,
            seen_if_moved=page.seen_if_moved,
            seen_if_given=page.seen_if_given,
        )
    html = (
        '<header class="ticket-head" id="ticket-head-inner">\n<div class="pane-head">\n'
        f'<a class="button button--quiet button--icon only-phone" href="{page_url("inbox")}{escape(place)}"'
        f' aria-label="{_("Back to the tickets")}">{icon("arrow-left")}</a>\n'
        f'<h2 class="pane-head__title truncate" dir="auto">{escape(page.who)}</h2>\n'
        f"{due_pill(page.due_at, page.snoozed_until, now)}\n"
        f'<span class="toolbar push">\n{actions}\n<a class="button button--quiet button--icon only-no-card"'
        f' href="#customer" aria-label="{_("The customer")}">{icon("id")}</a>\n</span>\n</div>\n'
        f'<div class="ticket-head__facts" role="group" tabindex="0" aria-label="{_("About the ticket")}">\n'
        f"{_facts(page, _)}\n</div>\n</header>"
    )
    return mark_safe(html)  # noqa: S308  (escaped where it is put in)


def _facts(page: rows.TicketPage, _: Wording) -> str:
    also = _("also %(name)s")
    facts = [_fact(f"#{page.id}"), _fact(f"{icon('stack-2', 'sm')} {escape(page.queue_name)}")]
    facts += [f'<span class="tag">{also % {"name": escape(name)}}</span>' for name in page.also]
    facts.append(_fact(_owner(page.owner, _)))
    if page.state != "open":
        facts.append(_fact(f"{icon(_RESTING.get(page.state, 'check'), 'sm')} {escape(page.state_words)}"))
    if page.is_high:
        facts.append(_fact(f"{icon('flag', 'sm')} {_('High')}"))
    facts += [f'<span class="tag">{escape(tag)}</span>' for tag in page.tags]
    if page.is_blocked:
        facts.append(f'<span class="tag">{_("blocked")}</span>')
    return "\n".join(facts)


def _fact(html: str) -> str:
    return f'<span class="ticket-head__fact">{html}</span>'


def _owner(owner: rows.Colleague | None, _: Wording) -> str:
    if owner is None:
        return f'<span class="avatar avatar--nobody" aria-hidden="true"></span> {_("Nobody yet")}'
    ours, name = (" avatar--ours", _("You")) if owner.is_me else ("", escape(owner.name))
    return f'<span class="avatar{ours}" aria-hidden="true">{escape(owner.initials)}</span> {name}'
