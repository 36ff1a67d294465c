"""The composer as HTML, written in Python like the ticket above it: see timeline_html.py. What is the same on every
ticket (its foot, the note's tab and hint) are templates.

Everything of a customer or colleague goes through escape().
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

# Django's escape() without its look for lazy and for safe strings: all that comes here is plain text.
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language

from contactcentre.lib import wording
from contactcentre.lib.wording import Wording
from contactcentre.templatetags.look import icon
from contactcentre.templatetags.still import piece
from tickets import rows
from tickets.templatetags.inbox import badge, number_url, page_url, surface_words

# As many characters of a thread's subject as a menu has room for.
MENU_CHARACTERS = 60


@dataclass(slots=True)
class Frame:
    """What all parts of a composer share."""

    words: Wording
    language: str | None
    zone: tzinfo


def render(ticket_id: int, composer: rows.ComposerState, *, token: object) -> SafeString:
    """The <form> in which a reply or a note is written."""
    _ = wording.in_force()
    frame = Frame(_, get_language(), get_current_timezone())
    ways = composer.recipients
    where = "".join([_where(way, frame) for way in ways]) or (
        f'<p class="composer__where">{icon("message-off", "sm")} '
        f"<span>{_('There is no way to answer this customer in writing yet. A note can be kept.')}</span></p>"
    )
    is_note = composer.chosen == "note"
    html = (
        f"{_begin(ticket_id, composer, frame)}\n"
        f'{piece("inbox/_composer_noscript.html", token)}'
        '  <p class="composer__others" id="others" aria-live="polite"></p>\n<div data-callouts></div>\n'
        '<div class="composer__box">\n<div class="composer__surfaces hide-phone" role="tablist"'
        f' aria-label="{_("Where it goes")}">\n{"".join([_tab(way, frame) for way in ways])}'
        f'{piece("inbox/_composer_note_tab.html", token)}\n</div>\n'
        f'<p class="composer__switch only-phone"><select class="input" data-way-menu aria-label="{_("Where it goes")}">'
        f"{''.join([_option(way, frame) for way in ways])}"
        f'<option value="note">{_("Internal note")}</option></select></p>\n'
        f'<div role="tabpanel" id="composer-reply" data-panel="reply"{" hidden" if is_note else ""}>\n{where}\n'
        f'<label class="visually-hidden" for="composer-text">{_("Your reply")}</label>\n'
        '<textarea class="composer__text" id="composer-text" data-text="reply" rows="3" dir="auto"'
        f' placeholder="{_("Write a reply. / at the start of a line for a template.")}"'
        f' aria-describedby="composer-saved">{escape(composer.draft)}</textarea>\n'
        f'<ul class="composer__files" data-files aria-label="{_("Attached files")}" hidden></ul>\n</div>\n'
        '<div role="tabpanel" id="composer-note" data-panel="note" class="composer__note"'
        f'{"" if is_note else " hidden"}>\n{piece("inbox/_composer_note_hint.html", token)}'
        '<textarea class="composer__text" id="composer-note-text" data-text="note" rows="3" dir="auto"'
        f' placeholder="{_("What should colleagues know?")}"'
        f' aria-describedby="composer-saved">{escape(composer.draft_note)}</textarea>\n</div>\n'
        f'{piece("inbox/_composer_foot.html", token, saved=_saved(composer, frame))}\n</div>\n</form>'
    )
    return mark_safe(html)  # noqa: S308  (escaped where it is put in)


def _begin(ticket_id: int, composer: rows.ComposerState, frame: Frame) -> str:
    saved_at = composer.saved_at.astimezone(frame.zone).isoformat() if composer.saved_at else ""
    addresses = " ".join(
        [
            f'data-{name}-url="{number_url(name, ticket_id)}"'
            for name in ("ticket", "note", "draft", "upload", "looking", "templates")
        ]
    )
    return (
        f'<form class="composer" id="reply" method="post" action="{number_url("reply", ticket_id)}" hx-boost="false"'
        f' autocomplete="off" data-ticket="{ticket_id}" data-seen="{composer.seen}"'
        f' data-chosen="{escape(composer.chosen)}" data-saved-at="{saved_at}" {addresses}'
        f' data-colleagues-url="{page_url("colleagues")}">'
    )


def _saved(composer: rows.ComposerState, frame: Frame) -> str:
    """When the draft was saved; empty where there is none."""
    if composer.saved_at is None or not (composer.draft or composer.draft_note):
        return ""
    return f"{composer.saved_at.astimezone(frame.zone):%H:%M}"


def _tab(way: rows.Recipient, frame: Frame) -> str:
    _, surface, key = frame.words, way.surface, escape(way.key)
    short, apart = surface_words(surface.name, frame.language).short, escape(way.apart)
    told = [f' data-surface="{surface.name}" data-name="{short}"']
    if surface.is_public:
        told.append(" data-public")
    if surface.limit:
        told.append(f' data-limit="{surface.limit}"')
    if surface.takes_files:
        told.append(" data-takes-files")
    if way.window_until:
        told.append(f' data-window-until="{way.window_until.astimezone(frame.zone).isoformat()}"')
    clock = ""
    if way.closed:
        told.append(f' aria-disabled="true" title="{escape(way.closed)}"')
        clock = f' <span class="surface__clock">{_("closed")}</span>'
    else:
        told.append(f' title="{escape(way.to)}{f" · {apart}" if way.apart and way.apart != way.to else ""}"')
        if way.window_until:
            sign = icon("clock", "sm")
            clock = f' <span class="surface__clock" data-clock>{sign} <span data-clock-words></span></span>'
    # The badge has the surface's name.
    called = f'<span class="surface__apart truncate" dir="auto">{apart}</span>' if way.apart else short
    return (
        f'<button type="button" class="surface" role="tab" id="way-{key}" aria-controls="composer-reply"'
        f' aria-selected="false" tabindex="-1" data-way="{key}"{"".join(told)}>'
        f"{badge(surface.name, frame.language)} {called}{clock}</button>\n"
    )


def _option(way: rows.Recipient, frame: Frame) -> str:
    _, label = frame.words, surface_words(way.surface.name, frame.language).label
    whither = escape(_short(way.apart) if way.apart else way.to)
    disabled, closed = (" disabled", f" · {_('closed')}") if way.closed else ("", "")
    return f'<option value="{escape(way.key)}"{disabled}>{label} · {whither}{closed}</option>'


def _short(words: str) -> str:
    return words if len(words) <= MENU_CHARACTERS else Truncator(words).chars(MENU_CHARACTERS)


def _where(way: rows.Recipient, frame: Frame) -> str:
    """Which way it goes, in a sentence, and what can be chosen on that way."""
    _ = frame.words
    options = []
    if way.reply_to:
        words = _("Answer %(address)s instead, as the mail asks") % {"address": escape(way.reply_to)}
        options.append(
            f'<label class="composer__option"><input type="checkbox" name="to_reply_to" value="1"> {words}</label>'
        )
    for address in way.participants:
        given = escape(address)
        options.append(
            f'<label class="composer__option"><input type="checkbox" name="cc" value="{given}"> '
            f"{_('Copy to %(address)s') % {'address': given}}</label>"
        )
    return (
        f'<div class="composer__where" data-where="{escape(way.key)}" hidden>\n'
        f'{icon("world" if way.surface.is_public else "lock", "sm")}\n<span dir="auto">{_sentence(way, frame)}</span>\n'
        f"{''.join(options)}\n</div>\n"
    )


def _sentence(way: rows.Recipient, frame: Frame) -> str:
    # With markup of our own in it, which the escaping of the words has to leave alone.
    _ = frame.words.with_markup
    given = {"account": escape(way.account), "to": escape(way.to)}
    if way.surface.name == "x:mention":
        return _("Reply on X, <strong>publicly</strong>, as <strong>%(account)s</strong> to %(to)s") % given
    if way.surface.name == "facebook:comment":
        return _("Comment on Facebook, <strong>publicly</strong>, as <strong>%(account)s</strong> to %(to)s") % given
    if way.surface.kind == "email":
        return _("Mail from <strong>%(account)s</strong> to %(to)s") % given
    given["surface"] = surface_words(way.surface.name, frame.language).label
    return _("%(surface)s, privately, as <strong>%(account)s</strong> to %(to)s") % given
