"""Keeps `last_seen_at`: which agents are here (docs/one-ticket.md, row 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from agents.models import Person

# Written this seldom, so that a busy page costs no update of its own.
EVERY = timedelta(minutes=1)


class SignedIn:
    """Notes when a person was last seen, at most once a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        person = getattr(request, "_cached_user", None)  # only where the page asked who it is
        if isinstance(person, Person):
            now = timezone.now()
            if person.last_seen_at is None or now - person.last_seen_at >= EVERY:
                Person.objects.filter(pk=person.pk).update(last_seen_at=now)
        return response
