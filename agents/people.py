"""What admins do with people: add, change, deactivate, activate again.

Whoever loses the role of admin is looked at under a lock on all admins' rows, so that two admins who take each
other's role away in the same moment do not leave a house that nobody can open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import ApiToken, Membership, Person, Team
from contactcentre.lib import realtime
from contactcentre.lib.text import clean_line


class CannotChange(Exception):
    """This change is not possible; the text says why in plain words, `field` which field it is about, if any."""

    def __init__(self, words: str, *, field: str = "") -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Roles:
    """What a person may do here; each role adds rights."""

    agent: bool = False
    lead: bool = False
    admin: bool = False

    def names(self) -> list[str]:
        """The roles as history writes them."""
        return [name for name in ("agent", "lead", "admin") if getattr(self, name)]


def roles_of(person: Person) -> Roles:
    """The roles a person has now."""
    return Roles(agent=person.is_agent, lead=person.is_lead, admin=person.is_admin)


def add(*, actor: Person | None, name: str, email: str, roles: Roles, teams: Iterable[int], now: datetime) -> Person:
    """Add somebody, who gets their first password by a link (passwords.py); returns them.

    Raises CannotChange where somebody has this email already.
    """
    with transaction.atomic():
        made = Person(
            name=_name(name),
            email=email.strip().lower(),
            is_agent=roles.agent,
            is_lead=roles.lead,
            is_admin=roles.admin,
            password=make_password(None),
            created_at=now,
        )
        _save(made)
        joined = _set_teams(made, teams)
        history.record(
            at=now, act="person.added", actor=actor, person=made.pk, roles=roles.names(), teams=sorted(joined)
        )
    return made


def change(
    *,
    actor: Person | None,
    person_id: int,
    name: str,
    email: str,
    roles: Roles,
    teams: Iterable[int],
    now: datetime,
) -> list[str]:
    """Change who somebody is and what they may do; returns what changed: name, email, roles, teams.

    Raises Http404, and CannotChange for an email that is taken and for the last admin's role.
    """
    with transaction.atomic():
        person = _locked(person_id, keeps_admin=roles.admin)
        before = {"name": person.name, "email": person.email, "roles": roles_of(person)}
        person.name, person.email = _name(name), email.strip().lower()
        person.is_agent, person.is_lead, person.is_admin = roles.agent, roles.lead, roles.admin
        after = {"name": person.name, "email": person.email, "roles": roles}
        changed = [what for what in before if before[what] != after[what]]
        if changed:
            _save(person)
        teams_before = set(Membership.objects.filter(person=person).values_list("team_id", flat=True))
        if teams_before != _set_teams(person, teams):
            changed.append("teams")
        if changed:
            history.record(
                at=now, act="person.changed", actor=actor, person=person.pk, fields=changed, roles=roles.names()
            )
            realtime.person_changed(person.pk)
    return changed


def deactivate(*, actor: Person, person_id: int, now: datetime) -> bool:
    """Let somebody in no longer; False where they were deactivated already.

    Their sessions, their password and their API tokens end with it, so that activating them later opens nothing old.
    What becomes of their tickets is a matter of tickets/. Raises Http404, and CannotChange for oneself and for the
    last admin.
    """
    if actor.pk == person_id:
        raise CannotChange(_("You cannot deactivate yourself. Ask another admin to do it."))
    with transaction.atomic():
        person = _locked(person_id, keeps_admin=False)
        if not person.is_active:
            return False
        person.is_active = False
        person.password, person.password_link = make_password(None), ""
        person.save(update_fields=["is_active", "password", "password_link"])
        ApiToken.objects.filter(person=person, revoked_at=None).update(revoked_at=now)
        history.record(at=now, act="person.deactivated", actor=actor, person=person.pk)
        realtime.person_changed(person.pk)
    return True


def activate(*, actor: Person, person_id: int, now: datetime) -> bool:
    """Let somebody in again, who needs a new password by a link; False where they were active."""
    with transaction.atomic():
        person = _locked(person_id, keeps_admin=True)
        if person.is_active:
            return False
        person.is_active = True
        person.save(update_fields=["is_active"])
        history.record(at=now, act="person.activated", actor=actor, person=person.pk)
        realtime.person_changed(person.pk)
    return True


def _locked(person_id: int, *, keeps_admin: bool) -> Person:
    """The person, locked; and where an admin may be lost, all admins before, in the order of their ids."""
    admins: list[int] = []
    if not keeps_admin:
        active = Person.objects.select_for_update(no_key=True).filter(is_admin=True, is_active=True)
        admins = list(active.order_by("pk").values_list("pk", flat=True))
    person = Person.objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None:
        raise Http404
    if admins == [person.pk]:
        raise CannotChange(
            _("%(name)s is the only admin. Make somebody else admin first, or nobody could open these pages again.")
            % {"name": person.name},
            field="is_admin",
        )
    return person


def _name(text: str) -> str:
    name = clean_line(text, 120)
    if not name:
        raise CannotChange(_("Please give a name."), field="name")
    return name


def _save(person: Person) -> None:
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        raise CannotChange(_("Somebody here has this email already."), field="email") from error


def _set_teams(person: Person, teams: Iterable[int]) -> set[int]:
    """Make the person a member of just these teams; returns those there are."""
    wanted = set(Team.objects.filter(pk__in=list(teams)).values_list("pk", flat=True))
    Membership.objects.filter(person=person).exclude(team_id__in=wanted).delete()
    Membership.objects.bulk_create(
        [Membership(person=person, team_id=team) for team in sorted(wanted)], ignore_conflicts=True
    )
    return wanted
