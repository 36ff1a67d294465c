"""Prepared answers with variables."""

from __future__ import annotations

import re

from django.db.models import Q

from agents.models import Person
from tickets.models import ReplyTemplate, Ticket

LIMIT = 100
_VARIABLE = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")


def filled(ticket: Ticket, person: Person, *, surface: str) -> list[dict[str, str]]:
    """The templates for a surface as {name, text}, variables replaced; an unknown variable stays visible."""
    values = {
        "customer.name": ticket.customer.name,
        "customer.first_name": ticket.customer.name.split(" ", 1)[0],
        "me.name": person.name,
        "me.first_name": person.first_name,
        "ticket.number": str(ticket.pk),
    }
    rows = ReplyTemplate.objects.filter(Q(surfaces=[]) | Q(surfaces__contains=[surface])).order_by("name")[:LIMIT]
    return [{"name": row.name, "text": fill(row.text, values)} for row in rows]


# What each variable stands for, as the page of the templates explains it, with an invented customer's value.
VARIABLES = {
    "customer.name": "Carla Hughes",
    "customer.first_name": "Carla",
    "me.name": "Anna Reid",
    "me.first_name": "Anna",
    "ticket.number": "4711",
}


def unknown(text: str) -> list[str]:
    """The variables of a text that nothing stands for, in their order, each once."""
    return list(dict.fromkeys(name for name in _VARIABLE.findall(text) if name not in VARIABLES))


def fill(text: str, values: dict[str, str]) -> str:
    """The text with {{ variables }} replaced."""
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
