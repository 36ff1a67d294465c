"""The board's columns and people as HTML, written in Python: a column has thirty cards, and each lead's page has all.

Everything of a customer or colleague goes through escape(); the words of the house are looked up once a process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

# The same five replacements as Django's escape(): all that comes here is plain text.
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, ngettext

from contactcentre.lib import wording
from contactcentre.templatetags.look import icon
from tickets import rows
from tickets.queries.board import AgentRow, Column
from tickets.templatetags.inbox import as_span, badge, moment, number_url, page_url, pill


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all cards share: the house's words in the reader's language, and their zone."""

    select: str
    nobody: str
    language: str | None
    zone: tzinfo
    now: datetime


def columns(shown: Iterable[Column], *, now: datetime) -> SafeString:
    """The queues' columns, each with its figures and its most urgent tickets."""
    _ = wording.in_force()
    nobody = _("Nobody yet")
    frame = _Frame(
        select=_("Select %(who)s"),
        nobody=f'<span class="avatar avatar--nobody push" title="{nobody}">'
        f'<span class="visually-hidden">{nobody}</span></span>',
        language=get_language(),
        zone=get_current_timezone(),
        now=now,
    )
    # Every stranger's word is escaped in _card, every queue's name in _column.
    return mark_safe("".join([_column(column, frame, _) for column in shown]))  # noqa: S308


def _column(column: Column, frame: _Frame, _: wording.Wording) -> str:
    number, name, figures = column.queue.id, escape(column.queue.name), column.figures
    href = f"{page_url('inbox')}?queue={number}"
    cards = "".join([_card(row, frame) for row in column.tickets])
    if not cards:
        words = _("Nothing waits here.")
        cards = f'<li class="empty" id="column-empty-{number}">{icon("inbox")} <span>{words}</span></li>'
    if column.more:
        words = ngettext("%(n)s more", "%(n)s more", column.more) % {"n": column.more}
        cards += f'<li class="list-end" id="column-more-{number}"><a href="{href}">{escape(words)}</a></li>'
    late = ' class="column__late"' if figures.overdue else ""
    what = _("From the first words to the first answer that was sent, of contacts answered today")
    return (
        f'<section class="column" id="column-{number}" aria-label="{name}">'
        f'<header class="column__head" id="column-head-{number}">'
        f'<h2 class="column__title"><a class="column__name truncate" href="{href}">{name}</a> '
        f'<span class="count">{_open(figures.open)}</span></h2><dl class="column__stats">'
        f'<div><dt>{_("Awaiting us")}</dt><dd>{figures.awaiting_us}</dd></div>'
        f'<div><dt>{_("Longest wait")}</dt><dd>{escape(as_span(figures.longest_wait))}</dd></div>'
        f'<div><dt>{_("Overdue")}</dt><dd{late}>{figures.overdue}</dd></div>'
        f'<div><dt>{_("Nobody’s")}</dt><dd>{figures.unassigned}</dd></div>'
        f'<div><dt>{_("Answered today")}</dt><dd>{figures.answered_today}</dd></div>'
        f'<div><dt title="{what}">{_("Median answer")}</dt>'
        f"<dd>{escape(as_span(figures.median_first_answer))}</dd></div>"
        f'</dl></header><ul class="column__list" id="column-list-{number}" tabindex="-1">{cards}</ul></section>'
    )


def _open(count: int) -> str:
    """How many tickets are open, in words, escaped."""
    return escape(ngettext("%(n)s open", "%(n)s open", count) % {"n": count})


def _card(row: rows.TicketRow, frame: _Frame) -> str:
    who = escape(row.who)
    badges = "".join([badge(surface.name, frame.language) for surface in row.surfaces])
    return (
        f'<li class="queue-ticket" id="queue-ticket-{row.id}"><input class="checkbox" type="checkbox"'
        f' data-select="{row.id}" aria-label="{frame.select % {"who": who}}">'
        f' <a class="queue-ticket__who truncate" href="{number_url("ticket", row.id)}" dir="auto">{who}</a>'
        f" {pill(row.due_at, row.snoozed_until, frame.now, frame.zone, frame.language)}"
        f' <span class="queue-ticket__meta">{badges}<span class="truncate" dir="auto">{escape(row.words)}</span>'
        f"{_owner(row.owner, frame)}</span></li>"
    )


def _owner(owner: rows.Colleague | None, frame: _Frame) -> str:
    if owner is None:
        return frame.nobody
    name = escape(owner.name)
    return (
        f'<span class="avatar push" title="{name}"><span aria-hidden="true">{escape(owner.initials)}</span>'
        f'<span class="visually-hidden">{name}</span></span>'
    )


def people(shown: Iterable[AgentRow], *, now: datetime) -> SafeString:
    """Who is here and what they hold."""
    _ = wording.in_force()
    return mark_safe("".join([_agent(agent, now, _) for agent in shown]))  # noqa: S308  (names are escaped in _agent)


def _agent(agent: AgentRow, now: datetime, _: wording.Wording) -> str:
    if agent.is_here:
        doing = _("here")
    elif agent.seen_at:
        doing = _("last seen %(when)s") % {"when": escape(moment(agent.seen_at, now))}
    else:
        doing = _("not seen yet")
    if agent.overdue:
        doing += f' · {_("%(n)s overdue") % {"n": agent.overdue}}'
    dot = '<span class="dot dot--fine"></span>' if agent.is_here else ""
    held = _open(agent.open)
    return (
        f'<div class="agent" id="agent-{agent.person.id}"><span class="presence__avatar">'
        f'<span class="avatar avatar--medium" aria-hidden="true">{escape(agent.person.initials)}</span>'
        f"{dot}</span>"
        f' <span class="agent__name truncate">{escape(agent.person.name)}</span>'
        f' <span class="count{" count--late" if agent.overdue else ""}">{held}</span>'
        f' <span class="agent__doing">{doing}</span></div>'
    )
