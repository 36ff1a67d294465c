"""The signs of every page. A tag and not an included file: a list of fifty rows shows three hundred of them."""

from __future__ import annotations

from functools import cache

from django import template
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
