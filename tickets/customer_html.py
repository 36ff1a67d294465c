"""The customer's card as HTML, written in Python like the ticket beside it: see timeline_html.py.

Everything of a customer or colleague goes through escape().
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape
from urllib.parse import quote

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language

from contactcentre.lib import wording
from contactcentre.lib.wording import Wording
from contactcentre.templatetags.look import icon
from tickets import rows
from tickets.features import Features
from tickets.templatetags.inbox import badge, date_words, number_url, page_url

_SMALL = "button button--quiet button--icon button--small"


@dataclass(slots=True)
class Frame:
    """What all parts of a card share."""

    ticket_id: int
    may_act: bool
    features: Features
    token: str
    words: Wording
    language: str | None
    zone: tzinfo


def render(page: rows.TicketPage, card: rows.CustomerCard, *, features: Features, token: object) -> SafeString:
    """What the customer pane holds."""
    _ = wording.in_force()
    frame = Frame(page.id, page.may_act, features, str(token), _, get_language(), get_current_timezone())
    identities = "".join([_identity(identity, frame) for identity in card.identities])
    moved = "".join([_moved(one, frame) for one in card.moved]) if page.may_act else ""
    kind = _kind(card, frame) + _let_through(card, frame) if page.may_act and features.act else ""
    earlier = _tickets(card.earlier, frame) or f'<p class="quiet">{_("None before this one.")}</p>'
    related = (
        f'<section class="section">\n<h3 class="section__title">{_("Related")}</h3>\n'
        f'<div class="facts">{_tickets(card.related, frame)}</div>\n</section>'
        if card.related
        else ""
    )
    html = (
        '<header class="pane-head only-no-card">\n<a class="button button--quiet button--icon" href="#ticket"'
        f' aria-label="{_("Back to the ticket")}">{icon("arrow-left")}</a>\n'
        f'<h2 class="pane-head__title">{_("Customer")}</h2>\n</header>\n{_who(card, frame)}\n'
        f'<div class="pane__scroll" role="region" tabindex="0" aria-label="{_("About the customer")}">\n'
        '<div class="customer-card">\n<section class="section">\n'
        f'<h3 class="section__title">{_("Reachable as")}</h3>\n<ul>{identities}</ul>\n{moved}\n{kind}\n</section>\n'
        f'<section class="section">\n<h3 class="section__title">{_("Earlier tickets")}</h3>\n'
        f'<div class="facts">{earlier}</div>\n</section>\n{related}\n</div>\n</div>'
    )
    return mark_safe(html)  # noqa: S308  (escaped where it is put in)


def _who(card: rows.CustomerCard, frame: Frame) -> str:
    _ = frame.words
    known = (
        f"{_('Not known yet')} · " if card.is_provisional else f"{_('Organisation')} · " if card.is_organisation else ""
    )
    number = _("First ticket") if card.ticket_number == 1 else _("Ticket number %(n)s") % {"n": card.ticket_number}
    since = escape(date_words(card.since.astimezone(frame.zone).date(), "F Y", frame.language))
    return (
        '<div class="customer-card__who">\n<span class="avatar avatar--large" aria-hidden="true">'
        f'{escape(card.initials)}</span>\n<div class="customer-card__names">\n'
        f'<h2 class="customer-card__name" dir="auto" title="{escape(card.name)}">{escape(card.name)}</h2>\n'
        f'<p class="quiet">{known}{number} · {_("since %(when)s") % {"when": since}}</p>\n</div>\n</div>'
    )


def _identity(identity: rows.IdentityRow, frame: Frame) -> str:
    _, label = frame.words, escape(identity.label)
    nobody = f'<span class="channel">{icon("user")}</span>'
    sign = badge(identity.surface, frame.language) if identity.surface else nobody
    mark = _("blocked") if identity.is_blocked else _("shared") if identity.is_shared else ""
    parts = [f'<li class="identity">{sign} <span class="truncate" title="{label}">{label}</span>']
    if mark:
        parts.append(f' <span class="tag push">{mark}</span>')
    if frame.may_act and frame.features.compose and identity.kind == "email":
        href, words = number_url("write-first", identity.id), _("Write first to %(to)s") % {"to": label}
        parts.append(
            f'<a class="{_SMALL} push" href="{href}" aria-label="{words}" title="{_("Write first")}">'
            f'{icon("send", "sm")}</a>'
        )
    elif frame.may_act and frame.features.call and identity.kind == "phone":
        href = f"{page_url('call')}?direction=out&amp;number={quote(identity.label)}"
        words = _("Log a call with %(to)s") % {"to": label}
        parts.append(
            f'<a class="{_SMALL} push" href="{href}" aria-label="{words}" title="{_("Log a call")}">'
            f'{icon("phone", "sm")}</a>'
        )
    if frame.may_act and frame.features.act and identity.kind != "nameless":
        parts.append(_menu(identity, label, frame))
    parts.append("</li>")
    if identity.joined and frame.may_act:
        words = _("Joined by %(by)s,") % {"by": escape(identity.joined.by)}
        parts.append(f"<li>{_taken_in('take-back-join', identity.joined, words, frame)}</li>")
    return "".join(parts)


def _menu(identity: rows.IdentityRow, label: str, frame: Frame) -> str:
    """What can be done about an address; none of it for somebody nameless."""
    _, number = frame.words, identity.id
    join = (
        f'<a class="menu__item" href="{number_url("choose-for-identity", number)}">{icon("users")} '
        f"{_('This is also somebody else’s address…')}</a>\n"
        if not identity.is_shared
        else ""
    )
    shared, words = ("0", _("Used by one person only")) if identity.is_shared else ("1", _("Shared by several people"))
    return (
        f'<button type="button" class="{_SMALL}" popovertarget="identity-menu-{number}"'
        f' aria-label="{_("More about %(address)s") % {"address": label}}" title="{_("More")}">'
        f'{icon("dots", "sm")}</button>\n<div class="menu menu--popover" id="identity-menu-{number}" popover>\n{join}'
        f'<form method="post" action="{number_url("share", number)}">{_fields(frame)}<button class="menu__item"'
        f' name="shared" value="{shared}">{icon("users-group")} {words}</button></form>\n</div>'
    )


def _kind(card: rows.CustomerCard, frame: Frame) -> str:
    _ = frame.words
    kind, words = (
        ("person", _("Mark as a person"))
        if card.is_organisation
        else ("organisation", _("Mark as an organisation"))
    )
    return (
        f'<form method="post" action="{number_url("customer-kind", card.id)}">{_fields(frame)}'
        f'<button class="button button--quiet button--small" name="kind" value="{kind}">{words}</button></form>'
    )


def _let_through(card: rows.CustomerCard, frame: Frame) -> str:
    """Also where all tickets are over, whose menus offer nothing any more; nothing for whom nobody has blocked."""
    if not (card.is_blocked or any(identity.is_blocked for identity in card.identities)):
        return ""
    return (
        f'<form method="post" action="{number_url("let-through", card.id)}">{_fields(frame)}'
        f'<button class="button button--quiet button--small">{icon("check", "sm")} '
        f"{frame.words('Let this sender through again')}</button></form>"
    )


def _fields(frame: Frame) -> str:
    """What every form here sends along: that it is ours, and the ticket to come back to."""
    return (
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{frame.token}">'
        f'<input type="hidden" name="ticket" value="{frame.ticket_id}">'
    )


def _moved(one: rows.TakenIn, frame: Frame) -> str:
    told = {"by": escape(one.by), "address": escape(one.label)}
    words = frame.words("A contact of %(address)s, moved here by %(by)s,") % told
    return _taken_in("take-back-move", one, words, frame)


def _taken_in(name: str, one: rows.TakenIn, words: str, frame: Frame) -> str:
    context = {
        "url": number_url(name, one.id),
        "words": mark_safe(words),  # noqa: S308  (escaped by who made them)
        "at": one.at,
        "ticket_id": frame.ticket_id,
        "csrf_token": frame.token,
    }
    return str(get_template("inbox/_taken_in.html").render(context))


def _tickets(others: Iterable[rows.EarlierTicket], frame: Frame) -> str:
    return "".join([_ticket(other, frame) for other in others])


def _ticket(other: rows.EarlierTicket, frame: Frame) -> str:
    if not other.id:
        return f'<p class="quiet">{escape(other.subject)}</p>'
    local: datetime = other.at.astimezone(frame.zone)
    return (
        f'<a class="row-link" href="{number_url("ticket", other.id)}"><span class="truncate" dir="auto">'
        f'{escape(other.subject)}</span> <time class="quiet" datetime="{local.isoformat()}">'
        f'{escape(date_words(local.date(), "j M Y", frame.language))}</time>'
        f'<span class="fact__detail">#{other.id} · {escape(other.words)}</span></a>'
    )
