"""NUL characters, which PostgreSQL refuses in every text, never reach a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

_NUL = "\x00"


class WithoutNul:
    """Takes NUL out of what a query or a form says, so that no words around it are lost; refuses it in a path.

    A view that reads the body itself (webhooks, the API: both exempt from Django's CSRF check) is left to do so.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Raises BadRequest."""
        if _NUL in request.path_info:
            raise BadRequest("a NUL character in the address")
        if "%00" in request.META.get("QUERY_STRING", ""):
            request.GET = _without(request.GET)  # type: ignore[assignment]  # an ordinary QueryDict, as Django makes it
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        """The form, once it is known whether the view wants it read."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return
        if any(_NUL in name or any(_NUL in value for value in values) for name, values in request.POST.lists()):
            request.POST = _without(request.POST)  # type: ignore[assignment]


def _without(given: QueryDict) -> QueryDict:
    cleaned = QueryDict(mutable=True, encoding=given.encoding)
    for name, values in given.lists():
        cleaned.setlist(name.replace(_NUL, ""), [str(value).replace(_NUL, "") for value in values])
    cleaned._mutable = False
    return cleaned
