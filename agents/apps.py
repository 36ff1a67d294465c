"""People, teams, presence, permissions and history: the lowest house."""

from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Depends on no other house."""

    name = "agents"
