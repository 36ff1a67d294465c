"""The adapters, by channel kind: a literal table, so that one line adds a channel."""

from __future__ import annotations

from functools import cache

from django.utils.module_loading import import_string

from channels.adapters.base import Adapter

ADAPTERS: dict[str, str] = {
    "email": "channels.adapters.email.EmailAdapter",
    "x": "channels.adapters.x.XAdapter",
    "facebook": "channels.adapters.facebook.FacebookAdapter",
    "phone": "channels.adapters.phone.PhoneAdapter",
}


@cache
def adapter(kind: str) -> Adapter:
    """The adapter of a channel kind; KeyError for a kind this installation does not speak."""
    made: Adapter = import_string(ADAPTERS[kind])()
    return made
