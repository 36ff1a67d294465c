"""How the inbox writes times, dues and customers' words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, get_format, time_format
from django.utils.html import escape, format_html, format_html_join, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from channels.surfaces import SURFACES, Surface
from contactcentre.templatetags.look import icon

register = template.Library()

SOON = timedelta(minutes=30)
CAP = 1000
# Whatever urlize() could make a link of has one of these; it looks at every word, which most mails can be spared.
_LINKED = re.compile(r"https?:|www\.|@|\.(?:com|edu|gov|int|mil|net|org)", re.IGNORECASE)
# Each of these has a sign in it that does not end a word. Looked for first: it takes a tenth of the time.
_PERHAPS_LINKED = re.compile(r"[.:@]\S")
_GAP = re.compile(r"\n{2,}")
_MENTION = re.compile(r"(?<![\w@])@(\w+)")

# Surface → the badge's class and icon.
BADGES = {
    "x:mention": ("x", "brand-x"),
    "x:dm": ("x", "brand-x"),
    "facebook:comment": ("facebook", "brand-facebook"),
    "facebook:messenger": ("messenger", "brand-messenger"),
    "email": ("email", "mail"),
    "phone": ("phone", "phone"),
}
_STATE_ICONS = {
    "queued": "clock",
    "sending": "send",
    "retry": "refresh",
    "sent": "check",
    "delivered": "circle-check",
    "read": "eye",
    "failed": "alert-circle",
    "unknown": "help-circle",
}


@register.simple_tag
def number_url(name: str, number: int) -> str:
    """The address `tickets:<name>` of a number. A page has some twenty; each is looked up once a process."""
    before, after = _around_number(name)
    return f"{before}{number}{after}"


@cache
def _around_number(name: str) -> tuple[str, str]:
    # A number that no path has in it.
    before, _number, after = reverse(f"tickets:{name}", args=[987654321]).partition("987654321")
    return before, after


@register.simple_tag
def page_url(name: str) -> str:
    """The address `tickets:<name>` of a page without a number, looked up once a process."""
    return _page_url(name)


@cache
def _page_url(name: str) -> str:
    return reverse(f"tickets:{name}")


@register.simple_tag
def badge_of(name: str) -> SafeString:
    """The sign of a surface given by its name."""
    return badge(name, get_language())


@cache
def badge(name: str, language: str | None) -> SafeString:
    """The sign of a surface in a language, the one in force."""
    kind, sign = BADGES[name]
    label = str(SURFACES[name].label)
    return format_html(
        '<span class="channel channel--{}" title="{}"><span class="visually-hidden">{}</span>{}</span>',
        kind,
        label,
        label,
        icon(sign),
    )


@dataclass(frozen=True, slots=True)
class SurfaceWords:
    """What a surface is called, escaped."""

    label: str
    short: str


@cache
def surface_words(name: str, language: str | None) -> SurfaceWords:
    """A surface's names in a language, the one in force."""
    surface = SURFACES[name]
    return SurfaceWords(html.escape(str(surface.label)), html.escape(str(surface.short)))


@register.filter
def one_a_channel(surfaces: Iterable[Surface]) -> list[Surface]:
    """One surface for each badge: a row has room for a customer's channels, not for what is public on each."""
    return list({BADGES[surface.name]: surface for surface in surfaces}.values())


@register.simple_tag
def due_pill(due_at: datetime | None, snoozed_until: datetime | None, now: datetime) -> SafeString:
    """By when somebody must act: words in a pill, amber within half an hour, red when overdue."""
    return pill(due_at, snoozed_until, now, get_current_timezone(), get_language())


def pill(
    due_at: datetime | None, snoozed_until: datetime | None, now: datetime, zone: tzinfo, language: str | None
) -> SafeString:
    """See due_pill(); the zone and the language are those in force, asked for once a list."""
    if snoozed_until is not None:
        words = _("until %(time)s") % {"time": moment(snoozed_until, now)}
        return format_html('<span class="due due--none">{}</span>', words)
    if due_at is None:
        return mark_safe("<span></span>")
    left = due_at - now
    kind = " due--late" if left < timedelta(0) else " due--soon" if left <= SOON else ""
    return _due(due_at, int(abs(left).total_seconds() // 60), kind, zone, language)


@lru_cache(maxsize=4096)
def _due(due_at: datetime, minutes: int, kind: str, zone: tzinfo, language: str | None) -> SafeString:
    """How long is left until then; a list has fifty of these, and the next list nearly the same."""
    exact = f"{due_at.astimezone(zone):%Y-%m-%d %H:%M}"
    words = html.escape(_due_words(minutes, kind == " due--late"))
    # Escaped, or digits. mark_safe() looks for lazy texts first, which costs more than the pill.
    return SafeString(f'<span class="due{kind}" data-due="{due_at.isoformat()}" title="{exact}">{words}</span>')


def _due_words(minutes: int, is_late: bool) -> str:
    """In the shortest words: 8 min, 1 h 20, 3 d, overdue 3 min."""
    words = span(timedelta(minutes=minutes))
    return _("overdue %(span)s") % {"span": words} if is_late else words


def span(length: timedelta) -> str:
    """A length of time: 8 min, 1 h 20, 3 h, 2 d."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return _("%(h)s h %(m)02d") % {"h": hours, "m": rest} if rest and hours < 10 else _("%(h)s h") % {"h": hours}
    return _("%(n)s d") % {"n": hours // 24}


@register.filter
def talk_time(seconds: int) -> str:
    """How long a call lasted: 4 min 12 s."""
    minutes, rest = divmod(seconds, 60)
    return _("%(m)s min %(s)s s") % {"m": minutes, "s": rest} if minutes else _("%(s)s s") % {"s": rest}


@register.filter
def as_span(length: timedelta | None) -> str:
    """A length of time in words, a dash where there is none."""
    return span(length) if length is not None else "–"


def moment(at: datetime, now: datetime) -> str:
    """A time as short as it can be told: 14:02 today, Mon 9:30 this week, 3 Sept before that."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    if local.date() == today.date():
        return date_format(local, "H:i")
    if abs(local.date() - today.date()) < timedelta(days=7):
        return date_format(local, "D H:i")
    return date_words(local.date(), "j M" if local.year == today.year else "j M Y", get_language())


@lru_cache(maxsize=4096)
def date_words(day: date, form: str, language: str | None) -> str:
    """A day in a language, the one in force; kept, because a page says the same few days many times."""
    return date_format(day, form)


@register.filter
def short_time(at: datetime, now: datetime) -> str:
    """See moment()."""
    return moment(at, now)


@register.filter
def day_name(at: datetime, now: datetime | None) -> str:
    """The day separator's words."""
    day, today = timezone.localtime(at).date(), timezone.localtime(now or timezone.now()).date()
    words = date_words(day, "l j F" if day.year == today.year else "l j F Y", get_language())
    if day == today:
        return _("Today, %(day)s") % {"day": words}
    if day == today - timedelta(days=1):
        return _("Yesterday, %(day)s") % {"day": words}
    return words


def exact_words(local: datetime, language: str | None) -> str:
    """A time to the minute, written out in a language, the one in force, and escaped.

    Nearly every bubble has a minute of its own, but few days, and few minutes of a day: each half is kept.
    """
    halves = _halves(language)
    if halves is None:
        return html.escape(date_format(local, "DATETIME_FORMAT"))
    day, hour = halves
    return html.escape(date_words(local.date(), day, language) + _hour_words(local.hour, local.minute, hour, language))


@cache
def _halves(language: str | None) -> tuple[str, str] | None:
    """The forms of the day and of the hour in a language, the one in force, which put together are that of a whole
    time; None for the few languages whose hour does not stand last."""
    whole, hour = get_format("DATETIME_FORMAT"), get_format("TIME_FORMAT")
    return (whole.removesuffix(hour), hour) if whole.endswith(hour) else None


# As many as a day has minutes, in two languages.
@lru_cache(maxsize=2880)
def _hour_words(hour: int, minute: int, form: str, language: str | None) -> str:
    return time_format(time(hour, minute), form)


@register.filter
def said(text: str) -> SafeString:
    """What somebody wrote, escaped, in paragraphs, with its web addresses as links that tell nobody where from."""
    linked = [_links(paragraph).replace("\n", "<br>") for paragraph in _GAP.split(text.strip("\n"))]
    return SafeString("".join([f"<p>{paragraph}</p>" for paragraph in linked]))  # escaped in _links


def _links(paragraph: str) -> str:
    if not (_PERHAPS_LINKED.search(paragraph) and _LINKED.search(paragraph)):
        return html.escape(paragraph)
    # urlize escapes everything it does not make a link of.
    linked = urlize(paragraph, nofollow=True, autoescape=True)
    return linked.replace('rel="nofollow"', 'rel="nofollow noopener noreferrer" target="_blank"')


@register.filter
def noted(text: str) -> SafeString:
    """A note's words, with @mentions marked."""
    paragraphs = []
    for paragraph in _GAP.split(text.strip("\n")):
        words = _MENTION.sub(r'<span class="mention">@\1</span>', str(escape(paragraph)))
        paragraphs.append((mark_safe(words.replace("\n", "<br>")),))  # noqa: S308  (escaped above)
    return format_html_join("", "<p>{}</p>", paragraphs)


@register.filter
def quoted_lines(text: str) -> str:
    """What the fold over quoted words says."""
    count = len(text.splitlines())
    return ngettext("Quoted mail, %(n)s line", "Quoted mail, %(n)s lines", count) % {"n": count}


@register.filter
def state_icon(state: str) -> str:
    """The sign of a bubble's state."""
    return _STATE_ICONS.get(state, "check")


@register.filter
def capped(count: int) -> str:
    """A count for the sidebar: from a thousand on "1000+"."""
    return str(count) if count < CAP else f"{CAP}+"


@register.filter
def with_query(place: str, name: str) -> str:
    """The list's address part made ready for one more value: "?view=mine&after=" or "?after="."""
    return f"{place}&{name}=" if place else f"?{name}="
