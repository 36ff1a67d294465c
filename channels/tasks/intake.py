"""Intake: waiting ledger rows are processed, the books are kept short, half-written files go."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from channels import books, files, processing


@shared_task(name="channels.tasks.process")
def process(**_: Any) -> None:
    """Work through waiting ledger rows; where there are more than one task should hold, another one follows."""
    if processing.process(now=timezone.now()).more:
        process.delay()


@shared_task(name="channels.tasks.fold")
def fold(**_: Any) -> None:
    """Sum the books' appended rows."""
    books.fold()


@shared_task(name="channels.tasks.clear_unfinished_files")
def clear_unfinished_files(**_: Any) -> None:
    """Delete what killed processes left half-written."""
    files.clear_unfinished(now=timezone.now())
