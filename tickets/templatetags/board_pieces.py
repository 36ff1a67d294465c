"""The board's columns and people in a template."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from tickets import board_html
from tickets.queries.board import AgentRow, Column

register = template.Library()


@register.simple_tag
def board_columns(shown: Iterable[Column], now: datetime) -> SafeString:
    """See board_html.columns."""
    return board_html.columns(shown, now=now)


@register.simple_tag
def board_people(shown: Iterable[AgentRow], now: datetime) -> SafeString:
    """See board_html.people."""
    return board_html.people(shown, now=now)
