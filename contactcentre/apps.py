"""The wiring as a Django app: the Celery app exists before any task is declared, `<id:…>` before any address."""

from __future__ import annotations

from django.apps import AppConfig
from django.urls import register_converter

from contactcentre.lib.ids import IdConverter


class ContactCentreConfig(AppConfig):
    """Loads the Celery app, registers the system checks and names the converter of ids."""

    name = "contactcentre"

    def ready(self) -> None:
        register_converter(IdConverter, "id")
        from contactcentre import celery, checks  # noqa: F401  (both register themselves on import)
