"""The Celery tasks of this house. Each is one more door: it parses, makes one call and does nothing else."""

from __future__ import annotations

from channels.tasks import delivery, intake, polling

__all__ = ["delivery", "intake", "polling"]
