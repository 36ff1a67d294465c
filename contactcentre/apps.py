"""The wiring as a Django app: it makes sure the Celery app exists before any task is declared."""

from __future__ import annotations

from django.apps import AppConfig


class ContactCentreConfig(AppConfig):
    """Loads the Celery app and registers the system checks."""

    name = "contactcentre"

    def ready(self) -> None:
        from contactcentre import celery, checks  # noqa: F401  (both register themselves on import)
