"""Tickets, contacts, messages, queues: the heart, and the inbox."""

from __future__ import annotations

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """Reads and writes one live ticket per customer."""

    name = "tickets"
