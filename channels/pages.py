"""How the admin's account pages are put together: the frame that each of them has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agents.access import me


def shown(request: HttpRequest, template: str, status: int = 200, **values: Any) -> HttpResponse:
    """The page or fragment of this name under templates/channels/, for the person who asks."""
    frame = {"section": "accounts", "person": me(request)}
    return render(request, f"channels/{template}", {**frame, **values}, status=status)


def status_of(form: Any) -> int:
    """422 for a form with errors, which tells htmx and scripts apart from a page that was merely asked for."""
    return 422 if form.is_bound and form.errors else 200
