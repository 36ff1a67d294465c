"""Forms come in UTF-8, as every page of ours sends them (WHATWG HTML, "Selecting a form submission encoding")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class FormsInUtf8:
    """Refuses a form in anything else. Stands before whoever reads the form first.

    Django does the same for forms without files. One with files it reads in whatever the request names, also in what
    is no encoding of text, such as rot13: for any stranger that was a fault of ours and a traceback in the log.
    A view that reads the body itself (webhooks, the API: both exempt from Django's CSRF check) is left to do so.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes it on; see process_view()."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        """Raises BadRequest, once it is known whether the view wants a form read."""
        if request.content_type != "multipart/form-data" or getattr(view, "csrf_exempt", False):
            return
        if (request.encoding or "utf-8").lower() != "utf-8":
            raise BadRequest("a form that is not in UTF-8")
