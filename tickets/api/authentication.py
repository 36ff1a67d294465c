"""Who calls: by a token in the Authorization header (RFC 6750), or by the session of a page."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from agents import tokens
from agents.models import Person


class Token(BaseAuthentication):
    """`Authorization: Bearer cc_…`. Another scheme is left to the session."""

    def authenticate(self, request: Request) -> tuple[Person, None] | None:
        """The person whose token it is; None without a token. Raises AuthenticationFailed for a dead one."""
        scheme, _space, given = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            text = given.strip().decode("ascii")
        except UnicodeDecodeError:
            text = ""
        person = tokens.person_of(text, now=timezone.now())
        if person is None:
            raise AuthenticationFailed(_("This token is not known, or was revoked."))
        return person, None

    def authenticate_header(self, request: Request) -> str:
        """Makes the answer to nobody a 401 with this challenge (RFC 9110, 11.6.1)."""
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes it."""

    target_class = "tickets.api.authentication.Token"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {"type": "http", "scheme": "bearer", "description": "A token made under Settings, API tokens."}


class WorksTickets(BasePermission):
    """Agents and leads; a mere admin sees no customer's words."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether this person is agent or lead."""
        return isinstance(request.user, Person) and request.user.is_active and request.user.works_tickets


class SignedIn(BasePermission):
    """Everybody with a role."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether this person has any role."""
        person = request.user
        return isinstance(person, Person) and person.is_active and (person.works_tickets or person.is_admin)
