"""Who may open which door. A page says its role once, at its top; tickets and customers have access.py of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from agents.models import Person

View = Callable[..., HttpResponseBase]


def me(request: HttpRequest) -> Person:
    """The person signed in. Only for views behind one of the doors below."""
    # The person themselves: Django's lazy look at them costs a call at each of the hundred looks of a page.
    return cast(Person, getattr(request, "_cached_user", request.user))


def _door(allowed: Callable[[Person], bool]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            if not allowed(me(request)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.door = allowed  # type: ignore[attr-defined]  # the walk over every address reads it
        return guarded

    return decorate


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back. A fragment cannot show a page: htmx is told to go there whole."""
    if request.headers.get("HX-Request") or request.headers.get("X-Requested-With") == "fetch":
        answer = HttpResponse(status=401)
        answer["HX-Refresh"] = "true"
        return answer
    return redirect_to_login(_shown(request))


def _shown(request: HttpRequest) -> str:
    """The page that somebody was looking at, as path and query: what they sent may have gone to an address that shows
    nothing."""
    came_from = request.headers.get("Referer", "")
    if request.method in ("GET", "HEAD") or not url_has_allowed_host_and_scheme(
        came_from, {request.get_host()}, require_https=request.is_secure()
    ):
        return request.get_full_path()
    parts = urlsplit(came_from)
    return urlunsplit(("", "", parts.path, parts.query, ""))


signed_in = _door(lambda person: True)
works_tickets = _door(lambda person: person.works_tickets)
leads = _door(lambda person: person.is_lead)
admins = _door(lambda person: person.is_admin)
