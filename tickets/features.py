"""Which controls this installation shows. A control that leads nowhere is worse than none."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import Person


@dataclass(frozen=True, slots=True)
class Features:
    """What a person finds on their pages."""

    compose: bool = True
    act: bool = True
    search: bool = True
    call: bool = True
    board: bool = True
    accounts: bool = False


def of(person: Person) -> Features:
    """The features of this person's pages."""
    return Features(accounts=person.is_admin)
