"""Errors as RFC 9457 problem details: `application/problem+json`, one shape for everything that can go wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from contactcentre.lib.text import clean
from tickets.acts import CannotAct
from tickets.calls import CannotLog
from tickets.notes import CannotNote
from tickets.outgoing import CannotReply
from tickets.queries.lists import BadCursor
from tickets.replies import Conflict, KeyReused

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class Problem(serializers.Serializer[Any]):
    """What every error looks like. `type` is stable and meant for programs, `detail` for people."""

    type = serializers.CharField(help_text="A stable word for the kind of problem, such as `urn:problem:conflict`.")
    title = serializers.CharField(help_text="The kind of problem in words.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What happened this time, and what can be done.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a member of RFC 9457's object, not DRF's
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="For `urn:problem:invalid`: what is wrong with each field.",
    )
    arrived = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="For `urn:problem:conflict`: what arrived after `seen`, newest last.",
    )


def problem(kind: str, status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The members of one problem object."""
    title = HTTPStatus(status).phrase
    # Details like to quote what the caller sent, and a lone surrogate in an answer's body cannot be encoded at all.
    return {"type": f"urn:problem:{kind}", "title": title, "status": status, "detail": clean(detail), **more}


def handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """What an exception out of a view becomes; the domain's own ones keep their words."""
    body, headers = _of(error)
    answer = Response(body, status=body["status"], content_type=CONTENT_TYPE, headers=headers)
    answer.exception = True
    return answer


def _of(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    if isinstance(error, Conflict):
        return problem("conflict", 409, str(error), arrived=list(error.arrived)), {}
    if isinstance(error, KeyReused):
        return problem("key-reused", 422, str(error)), {}
    if isinstance(error, CannotReply | CannotAct | CannotNote | CannotLog):
        return problem("refused", 422, str(error)), {}
    if isinstance(error, BadCursor):
        return problem("invalid", 400, _("The cursor is not one that this list gave out.")), {}
    if isinstance(error, BadRequest):
        return problem("invalid", 400, str(error)), {}
    if isinstance(error, RequestDataTooBig):
        words = _("The body is larger than %(most)s bytes.") % {"most": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}
        return problem("too-large", 413, words), {}
    if isinstance(error, SuspiciousOperation):
        # More parameters than any call has, and what else Django takes no part in; its own words are for the log.
        return problem("invalid", 400, _("This request was not understood.")), {}
    if isinstance(error, Http404):
        return problem("not-found", 404, _("There is nothing here.")), {}
    if isinstance(error, PermissionDenied):
        return problem("forbidden", 403, str(error) or _("You may not see or do this.")), {}
    if isinstance(error, exceptions.ValidationError):
        return problem("invalid", 400, _("Something is missing or does not fit."), errors=_fields(error.detail)), {}
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    # A fault of ours: told in one line to whoever called, in full to the log.
    logger.exception("a fault in the API")
    return problem("fault", 500, _("This should not have happened. It has been written down.")), {}


def _of_framework(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    kinds = {401: "not-signed-in", 403: "forbidden", 404: "not-found", 405: "wrong-method", 415: "wrong-media-type"}
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return problem(kinds.get(error.status_code, "invalid"), error.status_code, str(error.detail)), headers


def _fields(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Every field's complaints by its path, such as `cc.0`."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            found |= _fields(value, f"{name}.{key}" if name else str(key))
        return found
    if isinstance(detail, list) and any(isinstance(one, Mapping) for one in detail):
        found = {}
        for index, value in enumerate(detail):
            found |= _fields(value, f"{name}.{index}" if name else str(index))
        return found
    words = detail if isinstance(detail, list) else [detail]
    return {clean(name) or "body": [clean(str(word)) for word in words]}


@csrf_exempt
def not_found(request: HttpRequest, rest: str = "") -> JsonResponse:
    """An address under /api/ that leads nowhere, in the shape of every other error.

    A program that posts there has no CSRF token, and nothing is done that one would be for.
    """
    return answer("not-found", 404, _("There is no such address in this API. It is described at /api/."))


def answer(kind: str, status: int, detail: str) -> JsonResponse:
    """A problem as an answer of its own, for what goes wrong before any view is asked, or behind it."""
    return JsonResponse(problem(kind, status, detail), status=status, content_type=CONTENT_TYPE)
