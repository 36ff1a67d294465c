"""The signs of every page, and the name at its head. Tags and not included files: a list of fifty rows shows three
hundred signs."""

from __future__ import annotations

from functools import cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """One sign of the sprite; "sm" is the smaller size. For the eye only: the control beside it has the name."""
    return _icon(str(name), size)


@cache
def _icon(name: str, size: str) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        " icon--sm" if size == "sm" else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def brand() -> SafeString:
    """What the house is called, after its sign."""
    name = str(settings.BRAND)
    return format_html(
        '<span class="brand__mark" aria-hidden="true">{}</span> <span class="sidebar__label">{}</span>', name[:1], name
    )


@register.simple_tag
def brand_name() -> str:
    """What the house is called, alone: for a page's title."""
    return str(settings.BRAND)
