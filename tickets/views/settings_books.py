"""The admin's pages of the books over all accounts, and of what admins did."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.access import admins
from agents.pages import number, shown
from tickets.queries import settings_books, settings_history


@require_GET
@never_cache
@admins
def books(request: HttpRequest) -> HttpResponse:
    """What every account handed over and what became of it, and what could not be read."""
    period = request.GET.get("period", "today")
    if period not in settings_books.PERIODS:
        period = "today"
    page = settings_books.page(period=period, now=timezone.now())
    return shown(request, "settings/books.html", part="books", page=page)


@require_GET
@never_cache
@admins
def history(request: HttpRequest) -> HttpResponse:
    """Who changed what about the house, newest first."""
    page = settings_history.page(before=number(request, "before"), after=number(request, "after"))
    return shown(request, "settings/history.html", part="history", list=page)
