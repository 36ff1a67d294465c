"""The alarm in templates."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.utils import timezone

from channels import alarm
from channels.queries import AccountsPage

register = template.Library()


@register.simple_tag(takes_context=True)
def accounts_in_trouble(context: Context) -> int:
    """How many accounts are in trouble, from the cards on this very page where it shows them."""
    page = context.get("page")
    return alarm.of(page) if isinstance(page, AccountsPage) else alarm.in_trouble(now=timezone.now())
