"""Talking to the outside: apps, accounts, adapters, ledger and outbox."""

from __future__ import annotations

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    """Knows nothing of tickets."""

    name = "channels"
