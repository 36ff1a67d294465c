"""How a session becomes a person: as in Django, by a statement that is kept, because every page asks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import QuerySet

from agents.models import Person
from contactcentre.lib.prepared import PreparedRows


def _person_of(*, person_id: int) -> QuerySet[Person]:
    return Person.objects.filter(pk=person_id)


_PERSON = PreparedRows(_person_of, Person)


class People(ModelBackend):
    """Signs people in by email and password."""

    def get_user(self, user_id: Any) -> Person | None:
        """The person with this number; None where there is none, or they were deactivated."""
        found = _PERSON.first(person_id=user_id)
        return found if found is not None and self.user_can_authenticate(found) else None
