"""Small queries gathered in one statement: each finds what it would find alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from agents.models import HistoryEntry, Person
from contactcentre.lib.gathered import Gathered
from contactcentre.lib.prepared import PreparedRows, columns

# To the microsecond, and half an hour from a full hour: what is written as text and read again must be the same.
NOW = datetime(2026, 11, 20, 15, 30, 7, 120_450, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def people(*, ids: list[int]) -> QuerySet[Person, tuple[Any, ...]]:
    found = Person.objects.filter(pk__in=ids).order_by("-id")
    return found.values_list("name", "is_agent", "created_at", "last_seen_at")


def acts_of(*, person_id: int) -> QuerySet[HistoryEntry, tuple[Any, ...]]:
    return HistoryEntry.objects.filter(actor_id=person_id).values_list("actor__name", "at", "data")


def somebody(*, person_id: int) -> QuerySet[Person]:
    return Person.objects.filter(pk=person_id)


def person(name: str, **more: Any) -> Person:
    return Person.objects.create(email=f"{name}@acme.example", name=name, created_at=NOW, **more)


def alone(query: Callable[..., QuerySet[Any, tuple[Any, ...]]], **values: Any) -> list[list[Any]]:
    """The rows of one of them as Django reads them."""
    return [list(row) for row in query(**values)]


def test_gathered_queries_find_in_one_statement_what_each_finds_alone() -> None:
    asked = Gathered("asked", people, acts_of, somebody)
    whole = PreparedRows(somebody, Person)
    anna = person("Anna „Ä“ O'Reid\n<b>", is_agent=True, last_seen_at=NOW + timedelta(days=1))
    ben = person("Ben")
    HistoryEntry.objects.create(at=NOW, act="ticket.tagged", actor=anna, data={"tags": ["ü", None, 1.5, {"a": []}]})
    for one in (anna, ben):
        with CaptureQueriesContext(connection) as captured:
            found, acts, (row,) = asked.rows(ids=[anna.pk, ben.pk], person_id=one.pk)
        assert len(captured) == 1
        assert found == alone(people, ids=[anna.pk, ben.pk])
        assert acts == alone(acts_of, person_id=one.pk)
        made = whole.made(row)
        assert made == one
        assert [getattr(made, name) for name in columns(Person)] == [getattr(one, name) for name in columns(Person)]


def test_a_query_of_the_gathered_ones_that_finds_nothing_finds_no_rows() -> None:
    assert Gathered("asked", acts_of, somebody).rows(person_id=0) == [[], []]
