"""Queries written once a process: they answer each caller with what that caller asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import QuerySet
from django.template import Context, Template
from django.utils import translation

from agents.models import Person
from contactcentre.lib import lookups  # noqa: F401  (registers has_text)
from contactcentre.lib.prepared import Prepared, PreparedRows, columns, insert, update

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def person(name: str, *, at: datetime = NOW) -> Person:
    return Person.objects.create(email=f"{name.lower()}@acme.example", name=name, is_agent=True, created_at=at)


def by_number(*, number: int) -> QuerySet[Person]:
    return Person.objects.filter(pk=number, is_agent=True)


def test_the_second_question_gets_an_answer_of_its_own() -> None:
    asked = PreparedRows(by_number, Person)
    anna, ben = person("Anna"), person("Ben")
    assert [one.name for one in (*asked.all(number=anna.pk), *asked.all(number=ben.pk))] == ["Anna", "Ben"]
    assert asked.first(number=0) is None


def test_lists_of_every_length_and_times_reach_the_database() -> None:
    asked = Prepared(
        lambda *, ids, until: Person.objects.filter(pk__in=ids, created_at__lt=until).order_by("id").values_list("name")
    )
    anna, ben = person("Anna"), person("Ben", at=NOW + timedelta(days=1))
    both = [anna.pk, ben.pk]
    assert asked.rows(ids=both, until=NOW + timedelta(days=2)) == [("Anna",), ("Ben",)]
    assert asked.rows(ids=both, until=NOW + timedelta(days=1)) == [("Anna",)]
    assert asked.rows(ids=[ben.pk], until=NOW + timedelta(days=2)) == [("Ben",)]


def test_a_value_that_does_not_reach_the_database_as_given_is_refused() -> None:
    asked = Prepared(lambda *, number: Person.objects.filter(pk=number + 1).values_list("name"))
    with pytest.raises(ValueError, match="number"):
        asked.rows(number=1)


def test_a_row_is_written_and_changed_as_create_and_save_would() -> None:
    anna = Person(email="anna@acme.example", name="Anna", is_agent=True, created_at=NOW)
    insert(anna)
    anna.name, anna.is_lead = "Anna Reid", True
    update(anna, ("name",))
    stored = Person.objects.get(pk=anna.pk)
    assert (stored.name, stored.is_lead, stored.is_agent, stored.created_at) == ("Anna Reid", False, True, NOW)


def test_columns_come_in_the_order_of_the_model() -> None:
    assert columns(Person, "name", "id") == ("id", "name")
    with pytest.raises(ValueError, match="Person"):
        columns(Person, "shoe_size")


@pytest.mark.parametrize(("text", "found"), [("NN", 1), ("%", 0), ("_", 0), ("\\", 0), ("x", 0)])
def test_has_text_is_found_in_capitals_or_not_and_has_no_wildcards(text: str, found: int) -> None:
    person("Anna")
    assert Person.objects.filter(name__has_text=text).count() == found


def test_a_kept_piece_sees_what_it_is_given_and_nothing_else_of_the_page() -> None:
    piece = Template('{% still "inbox/_composer_foot.html" saved=at %}')
    with translation.override("en-gb"):
        early = piece.render(Context({"at": "09:00"}))
        late = piece.render(Context({"at": "17:30", "saved": "never"}))
    assert "09:00" in early
    assert "17:30" in late
    assert "09:00" not in late
