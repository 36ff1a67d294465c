"""Who may open which door. A page says its role once, at its top; tickets and customers have access.py of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from agents.models import Person

View = Callable[..., HttpResponseBase]


def me(request: HttpRequest) -> Person:
    """The person signed in. Only for views behind one of the doors below."""
    return cast(Person, request.user)


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
    return redirect_to_login(request.get_full_path())


signed_in = _door(lambda person: True)
works_tickets = _door(lambda person: person.works_tickets)
leads = _door(lambda person: person.is_lead)
admins = _door(lambda person: person.is_admin)
