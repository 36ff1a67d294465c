"""Hints: work that could begin at once. A lost hint costs seconds, because a sweep finds the same work."""

from __future__ import annotations

from celery import current_app
from django.db import transaction


def process_soon() -> None:
    """Have waiting ledger rows processed once the present transaction is committed.

    A broker that is away is logged and never fails the write: what was recorded stays recorded.
    """
    transaction.on_commit(_process, robust=True)


def _process() -> None:
    # One attempt, no waiting for a broker: the caller is a web hook that must answer within milliseconds. Nothing is
    # declared: a task goes to its queue by name, and to look what is declared takes a third of the time of sending.
    current_app.send_task("channels.tasks.process", kwargs={}, retry=False, declare=())
