"""What admins do with teams: make, rename, say who is in, delete an empty one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Membership, Person, Team
from agents.people import CannotChange
from contactcentre.lib import realtime
from contactcentre.lib.text import clean_line


def make(*, actor: Person, name: str, now: datetime) -> Team:
    """A new team, with nobody in it. Raises CannotChange where there is one of that name."""
    with transaction.atomic():
        team = Team(name=clean_line(name, 80))
        _save(team)
        history.record(at=now, act="team.made", actor=actor, team=team.pk)
    return team


def change(*, actor: Person, team_id: int, name: str, members: Iterable[int], now: datetime) -> list[str]:
    """Rename a team and say who is in it; returns what changed: name, members. Raises Http404, CannotChange."""
    changed: list[str] = []
    with transaction.atomic():
        team = locked(team_id)
        if team.name != clean_line(name, 80):
            team.name = clean_line(name, 80)
            _save(team)
            changed.append("name")
        before = set(Membership.objects.filter(team=team).values_list("person_id", flat=True))
        wanted = set(Person.objects.filter(pk__in=list(members)).values_list("pk", flat=True))
        if before != wanted:
            Membership.objects.filter(team=team, person_id__in=before - wanted).delete()
            Membership.objects.bulk_create(
                [Membership(team=team, person_id=person) for person in sorted(wanted - before)], ignore_conflicts=True
            )
            changed.append("members")
            for person_id in sorted(before ^ wanted):
                realtime.person_changed(person_id)
        if changed:
            history.record(
                at=now,
                act="team.changed",
                actor=actor,
                team=team.pk,
                fields=changed,
                joined=sorted(wanted - before),
                left=sorted(before - wanted),
            )
    return changed


def delete(*, actor: Person, team_id: int, now: datetime) -> None:
    """Delete a team that nobody is in. Whether it serves queues the caller has looked at, under the same lock.

    Raises Http404, and CannotChange where somebody is in it.
    """
    with transaction.atomic():
        team = locked(team_id)
        if Membership.objects.filter(team=team).exists():
            raise CannotChange(_("Somebody is in this team. Take everybody out first."))
        history.record(at=now, act="team.deleted", actor=actor, team=team.pk)
        team.delete()


def locked(team_id: int) -> Team:
    """The team, locked until the caller's transaction ends. Raises Http404."""
    team = Team.objects.select_for_update().filter(pk=team_id).first()
    if team is None:
        raise Http404
    return team


def _save(team: Team) -> None:
    if not team.name:
        raise CannotChange(_("Please give a name."), field="name")
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        raise CannotChange(_("There is a team of this name already."), field="name") from error
