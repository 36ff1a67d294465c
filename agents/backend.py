"""How a session becomes a person: as in Django, by a statement that is kept, because every page asks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.models import Person
from contactcentre.lib.prepared import PreparedRows


def _person_of(*, person_id: int) -> QuerySet[Person]:
    return Person.objects.filter(pk=person_id)


_PERSON = PreparedRows(_person_of, Person)


class People(ModelBackend):
    """Signs people in by email and password, and asks nobody else where these are wrong."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **given: Any
    ) -> Person:
        """Who has this email and password. Raises PermissionDenied for nobody."""
        found = super().authenticate(request, username, password, **given)
        if found is None:
            # Django would ask the next backend, which would hash the wrong password once more.
            raise PermissionDenied
        return found

    def get_user(self, user_id: Any) -> Person | None:
        """The person with this number; None where there is none, or they were deactivated."""
        found = _PERSON.first(person_id=user_id)
        return found if found is not None and self.user_can_authenticate(found) else None
