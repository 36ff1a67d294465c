"""What is answered where no view can say what went wrong: before one was asked, and after one fell over.

People get a page; programs under /api/ the same problem details as from its views (RFC 9457).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import defaults

from tickets.api import problems


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: another host's name, a NUL in the address, more fields than any form has."""
    if _is_programs(request):
        return problems.answer("invalid", 400, _("This request was not understood."))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours, which stands in the log."""
    if _is_programs(request):
        return problems.answer("fault", 500, _("This should not have happened. It has been written down."))
    return defaults.server_error(request)


def _is_programs(request: HttpRequest) -> bool:
    # /api/ itself is a page for people.
    return request.path_info.startswith("/api/") and request.path_info != "/api/"
