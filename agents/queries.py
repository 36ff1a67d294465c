"""What the pages of people show, as plain values. How many SQL statements each takes is asserted in tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q, QuerySet

from agents.models import Membership, Person, Team
from contactcentre.lib.text import clean_line

PAGE = 50
TEAMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person in the list."""

    id: int
    name: str
    initials: str
    email: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    is_active: bool
    has_password: bool
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleList:
    """One page of people by name. `after` and `before` are the ids to go on from, None at the ends."""

    rows: tuple[PersonRow, ...]
    query: str
    is_left: bool
    active: int
    left: int
    before: int | None
    after: int | None


def people(
    *, query: str = "", is_left: bool = False, after: int | None = None, before: int | None = None
) -> PeopleList:
    """The first 50 people by name, or the 50 after or before somebody; those who left are a list of their own."""
    words = clean_line(query, 100)
    found = Person.objects.filter(is_active=not is_left)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(email__icontains=words))
    backwards = before is not None and after is None
    rows = list(_slice(found, after if not backwards else before, backwards)[: PAGE + 1])
    further = len(rows) > PAGE
    rows = rows[:PAGE]
    if backwards:
        rows.reverse()
    teams = _teams_of([row.pk for row in rows])
    counted = Person.objects.aggregate(active=Count("pk", filter=Q(is_active=True)), all=Count("pk"))
    return PeopleList(
        rows=tuple(_row(row, teams.get(row.pk, ())) for row in rows),
        query=words,
        is_left=is_left,
        active=counted["active"],
        left=counted["all"] - counted["active"],
        before=rows[0].pk if rows and (further if backwards else after is not None) else None,
        after=rows[-1].pk if rows and (backwards or further) else None,
    )


def _slice(found: QuerySet[Person], start: int | None, backwards: bool) -> QuerySet[Person]:
    order = ("-name", "-pk") if backwards else ("name", "pk")
    if start is not None:
        name = Person.objects.filter(pk=start).values_list("name", flat=True).first()
        if name is not None and backwards:
            found = found.filter(Q(name__lt=name) | Q(name=name, pk__lt=start))
        elif name is not None:
            found = found.filter(Q(name__gt=name) | Q(name=name, pk__gt=start))
    return found.order_by(*order)


def _row(person: Person, teams: tuple[str, ...]) -> PersonRow:
    return PersonRow(
        id=person.pk,
        name=person.name,
        initials=person.initials,
        email=person.email,
        roles=tuple(role for role in ("agent", "lead", "admin") if getattr(person, f"is_{role}")),
        teams=teams,
        is_active=person.is_active,
        has_password=person.has_usable_password(),
        seen_at=person.last_seen_at,
    )


def _teams_of(people_ids: list[int]) -> dict[int, tuple[str, ...]]:
    rows = (
        Membership.objects.filter(person_id__in=people_ids)
        .values_list("person_id")
        .annotate(names=ArrayAgg("team__name", order_by="team__name"))
        .order_by()
    )
    return {person_id: tuple(names) for person_id, names in rows}


def person(person_id: int) -> PersonRow | None:
    """One person as the list shows them; None where there is none."""
    found = Person.objects.filter(pk=person_id).first()
    return _row(found, _teams_of([found.pk]).get(found.pk, ())) if found else None


def team_choices() -> list[tuple[int, str]]:
    """The teams by name, for a list of boxes."""
    return list(Team.objects.order_by("name").values_list("pk", "name")[:TEAMS])
