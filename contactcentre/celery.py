"""The Celery app: three queues (poll, intake, delivery), configured in settings.py."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals
from django.db import close_old_connections

from contactcentre.lib import kept_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcentre.settings")

kept_broker.keep_clients()
app = Celery("contactcentre")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def keep_connections(**_: Any) -> None:
    """Before and after each task: close the thread's connection if it is old or broken, else keep it and have it
    looked at before its next use (CONN_MAX_AGE, CONN_HEALTH_CHECKS)."""
    close_old_connections()


for signal in (signals.task_prerun, signals.task_postrun):
    signal.connect(keep_connections)
