"""Hooks go past everything that is made for people: session, language, the check of forms, person, messages.

A network or an exchange has none of them, and they were a fifth of what a hook costs. Its signature, or the token in
its address, says who it is.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, get_resolver
from django.utils import translation

PREFIX = "/hooks"


class Hooks:
    """Asks the view of a hook itself. What stands before it in settings.MIDDLEWARE holds for hooks too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The hook's answer, or of whatever else is asked for. Raises DisallowedHost as every page does."""
        path = request.path_info
        # What is no hook of ours, or holds what no address may, is refused as it is everywhere.
        if not path.startswith(f"{PREFIX}/") or "\0" in path:
            return self.get_response(request)
        try:
            match = get_resolver("channels.hook_urls").resolve(path.removeprefix(PREFIX))
        except Resolver404:
            return self.get_response(request)
        request.get_host()
        request.resolver_match = match
        # Not that of the page which this thread made before.
        translation.activate(settings.LANGUAGE_CODE)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response
