"""What base.html shows of whoever looks: their menu, and what they are told."""

from __future__ import annotations

from django import template
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.template.context import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from agents.access import me
from channels.templatetags.alarm import accounts_in_trouble
from tickets import sidebar_html

register = template.Library()


@register.simple_tag(takes_context=True)
def sidebar(context: Context) -> SafeString:
    """See sidebar_html.render."""
    person = me(context["request"])
    html = sidebar_html.render(
        person,
        section=context.get("section") or "",
        features=context.get("features"),
        views=context.get("views") or (),
        queues=context.get("queues") or (),
        place=context.get("place") or "",
        in_trouble=accounts_in_trouble(context) if person.is_admin else 0,
        token=context.get("csrf_token", ""),
    )
    return mark_safe(html)  # noqa: S308  (rendered by templates, and escaped)


@register.simple_tag(takes_context=True)
def toasts(context: Context) -> SafeString:
    """See told()."""
    return told(context["request"])


def told(request: HttpRequest) -> SafeString:
    """What the page that was just left has to say on this one."""
    words = ((message,) for message in get_messages(request))
    return format_html_join("", '<div class="toast"><span class="toast__words">{}</span></div>', words)
