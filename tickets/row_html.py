"""A list's rows as HTML, written in Python: fifty rows as templates cost five times what their page may.

Everything of a customer or colleague goes through escape(); the words of the house are looked up once a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from contactcentre.templatetags.look import icon
from tickets import rows
from tickets.templatetags.inbox import channel_badge, due_pill, one_a_channel


@dataclass(frozen=True, slots=True)
class Words:
    """The house's words on a row, in the reader's language."""

    unread: str
    high: str
    nobody: str
    also: str

    @classmethod
    def now(cls) -> Words:
        """Looked up once for all rows of a list."""
        return cls(
            unread=escape(_("Unread")),
            high=escape(_("High priority")),
            nobody=escape(_("Nobody yet")),
            also=escape(_("also %(name)s")),
        )


def render(listed: Iterable[rows.TicketRow], *, place: str, current_id: int | None, now: datetime) -> SafeString:
    """The <li> elements of a list."""
    words, today, kept = Words.now(), timezone.localtime(now), escape(place)
    # One look-up of the address; the number is put into it row by row.
    before, _zero, after = reverse("tickets:ticket", args=[0]).rpartition("0")
    parts = [
        _row(row, f"{before}{row.id}{after}{kept}", words, current=row.id == current_id, today=today, now=now)
        for row in listed
    ]
    return mark_safe("".join(parts))  # noqa: S308  (every stranger's word is escaped in _row)


def _row(row: rows.TicketRow, href: str, words: Words, *, current: bool, today: datetime, now: datetime) -> str:
    unread = (
        f'<span class="ticket-row__unread"><span class="visually-hidden">{words.unread}</span></span>'
        if row.is_unread
        else ""
    )
    high = (
        f'<span class="ticket-row__high" title="{words.high}">{icon("flag", "sm")}'
        f'<span class="visually-hidden">{words.high}</span></span>'
        if row.is_high
        else ""
    )
    chosen = ' aria-current="true"' if current else ""
    said_by = f"{escape(row.words_by)}: " if row.words_by else ""
    badges = "".join(channel_badge(surface) for surface in one_a_channel(row.surfaces))
    tags = "".join(f'<span class="tag">{words.also % {"name": escape(name)}}</span>' for name in row.also)
    tags += "".join(f'<span class="tag">{escape(tag)}</span>' for tag in row.tags[:3])
    return (
        f'<li id="ticket-row-{row.id}" data-ticket="{row.id}"><a class="ticket-row'
        f'{" ticket-row--unread" if row.is_unread else ""}" href="{href}" hx-get="{href}" hx-target="#ticket-panes"'
        f' hx-swap="innerHTML" hx-push-url="true"{chosen}>{unread}'
        f'<span class="ticket-row__who">{high}<span class="truncate" dir="auto">{escape(row.who)}</span></span>'
        f"{due_pill(row.due_at, row.snoozed_until, now)}"
        f'<span class="ticket-row__words truncate" dir="auto">{said_by}{escape(row.words)}</span>'
        f'<span class="ticket-row__meta">{badges}<span class="ticket-row__tags">{tags}</span>'
        f'<span class="ticket-row__owner">{_time(row.last_at, today)} {_owner(row.owner, words)}</span></span></a></li>'
    )


def _owner(owner: rows.Colleague | None, words: Words) -> str:
    if owner is None:
        return (
            f'<span class="avatar avatar--nobody" title="{words.nobody}">'
            f'<span class="visually-hidden">{words.nobody}</span></span>'
        )
    name = escape(owner.name)
    return (
        f'<span class="avatar{" avatar--ours" if owner.is_me else ""}" title="{name}">'
        f'<span aria-hidden="true">{escape(owner.initials)}</span><span class="visually-hidden">{name}</span></span>'
    )


def _time(at: datetime, today: datetime) -> str:
    """When the last words were said: the hour today, the day this week, the date before that."""
    local = timezone.localtime(at)
    if local.date() == today.date():
        short = f"{local:%H:%M}"
    elif abs(local.date() - today.date()) < timedelta(days=7):
        short = date_format(local, "D H:i")
    else:
        short = date_format(local, "j M" if local.year == today.year else "j M Y")
    # Numbers alone on hover: the same in every language, and a tenth of the work of a formatted date.
    return f'<time datetime="{local.isoformat()}" title="{local:%Y-%m-%d %H:%M}">{escape(short)}</time>'
