"""How the admin's pages are put together: the frame with the settings navigation that each of them has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agents.access import me
from contactcentre.lib.ids import identifier


def shown(request: HttpRequest, template: str, /, *, part: str, status: int = 200, **values: Any) -> HttpResponse:
    """The page or fragment of this name; `part` is the entry of the settings navigation it belongs to."""
    frame = {"section": "settings", "part": part, "person": me(request)}
    return render(request, template, {**frame, **values}, status=status)


def status_of(form: Any) -> int:
    """422 for a form with errors, which tells scripts apart from a page that was merely asked for."""
    return 422 if form.is_bound and form.errors else 200


def number(request: HttpRequest, name: str) -> int | None:
    """An id from the address; None for none, and for what cannot be one."""
    return identifier(request.GET.get(name, ""))
