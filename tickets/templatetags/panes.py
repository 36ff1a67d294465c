"""A ticket's panes, or one of their parts, as tags: for pages and for the fragments that refresh them."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from tickets import head_html, panes_html

register = template.Library()


@register.simple_tag(takes_context=True)
def ticket_panes(context: Context) -> SafeString:
    """See panes_html.render."""
    return panes_html.render(
        context["page"],
        person=context["person"],
        features=context["features"],
        all_queues=context["all_queues"],
        place=context["place"],
        token=context.get("csrf_token", ""),
        now=context["now"],
    )


@register.simple_tag(takes_context=True)
def ticket_head(context: Context) -> SafeString:
    """See head_html.render."""
    return head_html.render(
        context["page"],
        person=context["person"],
        features=context["features"],
        all_queues=context["all_queues"],
        place=context["place"],
        token=context.get("csrf_token", ""),
        now=context["now"],
    )


@register.simple_tag(takes_context=True)
def ticket_timeline(context: Context) -> SafeString:
    """See panes_html.timeline."""
    return panes_html.timeline(
        context["entries"],
        older=context["older"],
        ticket_id=context["ticket_id"],
        arrivals=context["arrivals"],
        features=context["features"],
        now=context["now"],
    )
