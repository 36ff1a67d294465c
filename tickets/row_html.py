"""A list's rows as HTML, written in Python: fifty rows as templates cost five times what their page may.

Everything of a customer or colleague goes through escape(). A row is kept with all it was made from, and so is made
once, however many people look at the list and however often it is fetched anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

# The same five replacements as Django's escape(), without its look for lazy and for safe strings: all that comes
# here is plain text.
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language

from contactcentre.lib import wording
from contactcentre.templatetags.look import icon
from tickets import rows
from tickets.templatetags.inbox import badge, date_words, number_url, one_a_channel, pill

# Of some hundred lists, a kilobyte each. The least used one goes.
ROWS_KEPT = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What all rows of a list share: the house's words in the reader's language, their zone and their day."""

    unread: str
    high: str
    trouble: str
    nobody: str
    also: str
    language: str | None
    zone: tzinfo
    today: date


@lru_cache(maxsize=64)
def _frame(language: str | None, zone: tzinfo, today: date) -> Frame:
    """The one of a language (that in force), a zone and a day."""
    _ = wording.in_force()
    nobody, high, trouble = _("Nobody yet"), _("High priority"), _("A reply was not sent")
    return Frame(
        unread=f'<span class="ticket-row__unread"><span class="visually-hidden">{_("Unread")}</span></span>',
        high=f'<span class="ticket-row__high" title="{high}">{icon("flag", "sm")}'
        f'<span class="visually-hidden">{high}</span></span>',
        trouble=f'<span class="ticket-row__high" title="{trouble}">{icon("alert-triangle", "sm")}'
        f'<span class="visually-hidden">{trouble}</span></span>',
        nobody=f'<span class="avatar avatar--nobody" title="{nobody}">'
        f'<span class="visually-hidden">{nobody}</span></span>',
        also=_("also %(name)s"),
        language=language,
        zone=zone,
        today=today,
    )


def render(listed: Iterable[rows.TicketRow], *, place: str, current_id: int | None, now: datetime) -> SafeString:
    """The <li> elements of a list."""
    language, zone = get_language(), get_current_timezone()
    frame, kept = _frame(language, zone, now.astimezone(zone).date()), escape(place)
    parts = [
        _row(row, kept, row.id == current_id, pill(row.due_at, row.snoozed_until, now, zone, language), frame)
        for row in listed
    ]
    return mark_safe("".join(parts))  # noqa: S308  (every stranger's word is escaped in _row)


@lru_cache(maxsize=ROWS_KEPT)
def _row(row: rows.TicketRow, place: str, is_current: bool, due: str, frame: Frame) -> str:
    """One row. The time is told by `due` and the frame's day alone: a row that is kept must not know it."""
    href = f"{number_url('ticket', row.id)}{place}"
    chosen = ' aria-current="true"' if is_current else ""
    said_by = f"{escape(row.words_by)}: " if row.words_by else ""
    surfaces = row.surfaces if len(row.surfaces) == 1 else one_a_channel(row.surfaces)
    badges = "".join([badge(surface.name, frame.language) for surface in surfaces])
    tags = "".join([f'<span class="tag">{frame.also % {"name": escape(name)}}</span>' for name in row.also])
    tags += "".join([f'<span class="tag">{escape(tag)}</span>' for tag in row.tags[:3]])
    return (
        f'<li id="ticket-row-{row.id}" data-ticket="{row.id}"><a class="ticket-row'
        f'{" ticket-row--unread" if row.is_unread else ""}" href="{href}" hx-get="{href}" hx-target="#ticket-panes"'
        f' hx-swap="innerHTML" hx-push-url="true"{chosen}>{frame.unread if row.is_unread else ""}'
        f'<span class="ticket-row__who">{frame.trouble if row.has_trouble else ""}{frame.high if row.is_high else ""}'
        f'<span class="truncate" dir="auto">{escape(row.who)}</span></span>{due}'
        f'<span class="ticket-row__words truncate" dir="auto">{said_by}{escape(row.words)}</span>'
        f'<span class="ticket-row__meta">{badges}<span class="ticket-row__tags">{tags}</span>'
        f'<span class="ticket-row__owner">{_time(row.last_at, frame)} {_owner(row.owner, frame)}</span></span></a></li>'
    )


def _owner(owner: rows.Colleague | None, frame: Frame) -> str:
    if owner is None:
        return frame.nobody
    name = escape(owner.name)
    return (
        f'<span class="avatar{" avatar--ours" if owner.is_me else ""}" title="{name}">'
        f'<span aria-hidden="true">{escape(owner.initials)}</span><span class="visually-hidden">{name}</span></span>'
    )


def _time(at: datetime, frame: Frame) -> str:
    """When the last words were said: the hour today, the day this week, the date before that."""
    local, today = at.astimezone(frame.zone), frame.today
    day, clock = local.date(), f"{local:%H:%M}"
    if day == today:
        short = clock
    elif abs(day - today) < timedelta(days=7):
        short = f"{date_words(day, 'D', frame.language)} {clock}"
    else:
        short = date_words(day, "j M" if day.year == today.year else "j M Y", frame.language)
    # Numbers alone on hover: the same in every language, and a tenth of the work of a formatted date.
    return f'<time datetime="{local.isoformat()}" title="{day.isoformat()} {clock}">{escape(short)}</time>'
