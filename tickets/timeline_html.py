"""The timeline's entries as HTML, written in Python like a list's rows: thirty bubbles as templates cost a page six
times what it may. What is rare on a bubble (files, a failed send, a call) is a template still.

Everything of a customer or colleague goes through escape() or said().
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, ngettext

from contactcentre.lib import wording
from contactcentre.lib.wording import Wording
from contactcentre.templatetags.look import icon
from tickets import rows
from tickets.features import Features
from tickets.templatetags.inbox import (
    badge,
    day_name,
    exact_words,
    noted,
    number_url,
    page_url,
    quoted_lines,
    said,
    state_icon,
    surface_words,
)

# Of some hundred timelines. Only what is short is kept: a mail may have a hundred thousand characters.
BUBBLES_KEPT = 4096
KEPT_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Whom a bubble is written for: all that its HTML depends on besides itself."""

    language: str | None
    zone: tzinfo
    words: Wording


@lru_cache(maxsize=64)
def _reader(language: str | None, zone: tzinfo) -> Reader:
    """The one of a language (that in force) and a zone."""
    return Reader(language, zone, wording.in_force())


@dataclass(frozen=True, slots=True, eq=False)
class Frame(Reader):
    """What all entries of a timeline share besides."""

    reader: Reader
    features: Features
    now: datetime


def render(entries: Iterable[rows.Entry], *, features: Features, now: datetime) -> SafeString:
    """The <article> elements of a timeline."""
    reader = _reader(get_language(), get_current_timezone())
    frame = Frame(reader.language, reader.zone, reader.words, reader, features, now)
    return mark_safe("\n".join([_entry(entry, frame) for entry in entries]))  # noqa: S308  (escaped in each part)


def _entry(entry: rows.Entry, frame: Frame) -> str:
    _ = frame.words
    day = f'<h3 class="day">{escape(day_name(entry.at, frame.now))}</h3>\n' if entry.day else ""
    unread = f'<p class="unread-line">{_("New")}</p>\n' if entry.is_first_unread else ""
    head = _head(entry.contact, entry, frame) + "\n" if entry.contact else ""
    if entry.bubble:
        what = _call(entry.bubble, frame) if entry.bubble.call else _said(entry.bubble, frame.reader)
    elif entry.note:
        what = _note(entry.note, frame)
    elif entry.hidden:
        what = f'<p class="hidden-words">{icon("lock", "sm")} {escape(entry.hidden)}</p>'
    else:
        what = _done(entry.system, frame)
    return (
        f'<article class="entry{" entry--earlier" if entry.is_earlier else ""}" id="{entry.key}">\n'
        f"{day}{unread}{head}{what}\n</article>"
    )


def _head(head: rows.ContactHead, entry: rows.Entry, frame: Frame) -> str:
    _ = frame.words
    surface = head.surface
    if surface.is_public:
        sign = f'{icon("world", "sm")}<span class="visually-hidden">{_("public")}</span>'
    else:
        sign = f'{icon("lock", "sm")}<span class="visually-hidden">{_("private")}</span>'
    local, label = head.at.astimezone(frame.zone), surface_words(surface.name, frame.language).label
    parts = [
        f'<h4 class="contact__head">{badge(surface.name, frame.language)} '
        f'<span class="contact__surface">{label} · {escape(head.account)}</span> {sign} '
        f'<time datetime="{local.isoformat()}">{local:%H:%M}</time>'
    ]
    if entry.is_earlier:
        href = number_url("ticket", entry.ticket_id)
        parts.append(f'<span>· <a href="{href}">#{entry.ticket_id}</a></span>')
    if head.no_reply_words:
        parts.append(f"<span>· {escape(head.no_reply_words)}</span>")
    if head.is_unanswered and frame.features.act and not entry.is_earlier and not entry.hidden:
        parts.append(
            '<button type="button" class="button button--quiet button--small"'
            f' data-act-url="{page_url("act-no-reply")}" name="contact" value="{head.id}">'
            f'{icon("message-off", "sm")} {_("No reply needed")}</button>'
        )
    if frame.features.act and not entry.is_earlier and not entry.hidden:
        href, words = number_url("move-contact", head.id), _("This is somebody else…")
        parts.append(
            f'<a class="button button--quiet button--icon button--small" href="{href}" aria-label="{words}"'
            f' title="{words}">{icon("arrow-guide", "sm")}</a>'
        )
    return " ".join(parts) + "</h4>"


def _said(bubble: rows.Bubble, reader: Reader) -> str:
    """A bubble. With every new message each open page fetches the thirty before it anew, which say what they said."""
    is_short = len(bubble.text) + len(bubble.quoted) <= KEPT_CHARACTERS and not bubble.versions
    return _kept(bubble, reader) if is_short else _bubble(bubble, reader)


def _bubble(bubble: rows.Bubble, frame: Reader) -> str:
    trouble = bubble.state if bubble.state in ("failed", "unknown") else ""
    return (
        f'<div class="bubble bubble--{bubble.direction}{f" bubble--{trouble}" if trouble else ""}"'
        f' data-arrival="{bubble.arrival}">\n<div class="bubble__body" dir="auto">\n{_body(bubble, frame)}</div>\n'
        f"{_template('inbox/_failure.html', bubble=bubble) if trouble else ''}"
        f"{_beneath(bubble)}{_meta(bubble, frame)}\n</div>"
    )


_kept = lru_cache(maxsize=BUBBLES_KEPT)(_bubble)


def _body(bubble: rows.Bubble, frame: Reader) -> str:
    _ = frame.words
    parts = []
    if bubble.automatic:
        why = _("Automatic mail (%(why)s): starts no clock") % {"why": escape(bubble.automatic)}
        parts.append(f'<p class="bubble__automatic">{icon("repeat", "sm")} {why}</p>\n')
    if bubble.subject and bubble.direction == "in":
        parts.append(f'<p class="bubble__subject">{escape(bubble.subject)}</p>\n')
    if bubble.deleted_at:
        parts.append(f'<p class="quiet" data-deleted>{_("Deleted by the author")}</p>\n')
    if bubble.text:
        parts.append(f'<div class="bubble__text">{said(bubble.text)}</div>\n')
    if bubble.versions:
        parts.append(_template("inbox/_versions.html", bubble=bubble))
    if bubble.quoted:
        parts.append(
            f'<details class="bubble__quote"><summary>{icon("dots", "sm")} {escape(quoted_lines(bubble.quoted))}'
            f"</summary><blockquote>{said(bubble.quoted)}</blockquote></details>\n"
        )
    if bubble.has_html:
        href = number_url("mail-html", bubble.id)
        parts.append(
            f'<details class="bubble__quote" data-mail-html="{href}"><summary>{icon("eye", "sm")} '
            f'{_("The mail as it was sent")}</summary><p><a href="{href}" target="_blank" rel="noopener">'
            f'{_("Open it in a new tab")}</a></p></details>\n'
        )
    if bubble.files:
        parts.append(_template("inbox/_files.html", files=bubble.files))
    for note in bubble.notes:
        parts.append(f'<p class="bubble__automatic">{icon("alert-triangle", "sm")} {escape(note)}</p>\n')
    return "".join(parts)


def _beneath(bubble: rows.Bubble) -> str:
    """What is said about the message between it and its last line."""
    told = []
    if bubble.state in ("queued", "retry") and bubble.state_reason:
        told.append(f'{icon(state_icon(bubble.state), "sm")} {escape(bubble.state_reason)}')
    if bubble.warning:
        told.append(f'{icon("alert-triangle", "sm")} {escape(bubble.warning)}')
    return "".join([f'<p class="bubble__meta"><span class="repeat">{one}</span></p>\n' for one in told])


def _meta(bubble: rows.Bubble, frame: Reader) -> str:
    _ = frame.words
    parts = []
    if bubble.direction == "out" or bubble.who:
        strong = ' class="strong"' if bubble.direction == "in" else ""
        parts.append(f'<span{strong} dir="auto">{escape(bubble.who)}</span>')
    parts.append(_time(bubble.said_at, frame))
    if bubble.edited_at:
        parts.append(f"<span>{_('edited')}</span>")
    # What was deleted is no longer there to be opened.
    if bubble.permalink and not bubble.deleted_at:
        there = _("Open there")
        parts.append(f'<a href="{escape(bubble.permalink)}" target="_blank" rel="noopener noreferrer">{there}</a>')
    if bubble.state_words:
        parts.append(
            f'<span class="bubble__state" data-state="{bubble.state}">{icon(state_icon(bubble.state), "sm")} '
            f"{escape(bubble.state_words)}</span>"
        )
    if bubble.may_undo_until:
        until = bubble.may_undo_until.astimezone(frame.zone).isoformat()
        parts.append(
            '<button type="button" class="button button--quiet button--small" data-act="undo"'
            f' data-message="{bubble.id}" data-until="{until}">{_("Undo")}</button>'
        )
    return f'<p class="bubble__meta">{" ".join(parts)}</p>'


def _call(bubble: rows.Bubble, frame: Frame) -> str:
    return _template("inbox/_call.html", bubble=bubble, call=bubble.call, features=frame.features)


def _note(note: rows.NoteRow, frame: Frame) -> str:
    _ = frame.words
    return (
        f'<div class="note">\n<p class="note__head">{icon("lock", "sm")} {_("Internal note")} '
        f"<span>· {escape(note.person.name)} · {_time(note.written_at, frame)}</span> "
        f'<span>· {_("never leaves the house")}</span></p>\n<div dir="auto">{noted(note.text)}</div>\n</div>'
    )


def _done(lines: tuple[rows.SystemLine, ...], frame: Frame) -> str:
    first, rest = lines[0], lines[1:]
    more, folded = "", ""
    if rest:
        more = " · " + escape(ngettext("%(n)s more", "%(n)s more", len(rest)) % {"n": len(rest)})
        folded = "".join([f"<li>{_clock(line.at, frame)} {escape(line.words)}</li>" for line in rest])
        folded = f"<ul>{folded}</ul>\n"
    return (
        f'<details class="system-line"><summary>{icon(first.icon, "sm")} '
        f"<span>{escape(first.words)} · {_time(first.at, frame)}{more}</span></summary>\n{folded}</details>"
    )


def _time(at: datetime, frame: Reader) -> str:
    """The hour, and the whole of it on hover."""
    local = at.astimezone(frame.zone)
    exact = exact_words(local.replace(second=0, microsecond=0, tzinfo=None), frame.language)
    # strftime() takes as long as all else of a bubble's last line.
    return f'<time datetime="{local.isoformat()}" title="{exact}">{local.hour:02}:{local.minute:02}</time>'


def _clock(at: datetime, frame: Frame) -> str:
    local = at.astimezone(frame.zone)
    return f'<time datetime="{local.isoformat()}">{local:%H:%M}</time>'


def _template(name: str, **context: object) -> str:
    return str(get_template(name).render(context))
