"""What all endpoints share: who may call, how errors look, and the person's rights."""

from __future__ import annotations

from typing import Any, cast

from django.utils.translation import gettext as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from agents.models import Person
from tickets import access
from tickets.access import Rights
from tickets.api.authentication import Token, WorksTickets

MOST_ON_A_PAGE = 100


class AnyForm(BaseContentNegotiation):
    """For what comes in one form only, such as a file: the caller's Accept header refuses nothing."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The one there is."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """The one there is, for errors."""
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """One address of the API. Agents and leads only, unless it says otherwise."""

    authentication_classes = [Token, SessionAuthentication]
    permission_classes: Any = [WorksTickets]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer, which nothing on the way to the caller may keep: it is theirs alone, and old in a moment."""
        made = super().finalize_response(request, response, *args, **kwargs)
        made.headers["Cache-Control"] = "no-store"
        return made

    def person(self) -> Person:
        """Who calls."""
        return cast(Person, self.request.user)

    def rights(self) -> Rights:
        """What they may see."""
        return access.rights(self.person())


def given(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The checked body of a request. Raises ValidationError, which becomes a problem of status 400."""
    try:
        sent = request.data
    except RecursionError as error:
        raise ParseError(_("The body is nested too deeply.")) from error
    read = serializer(data=sent)
    read.is_valid(raise_exception=True)
    return cast(dict[str, Any], read.validated_data)


def asked(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The checked query of a request. Raises ValidationError; a parameter that is not known is refused too."""
    read = serializer(data=request.query_params)
    read.is_valid(raise_exception=True)
    strange = set(request.query_params) - set(read.fields) - {"format"}
    if strange:
        raise ValidationError({name: [_("There is no such parameter.")] for name in sorted(strange)})
    return cast(dict[str, Any], read.validated_data)
