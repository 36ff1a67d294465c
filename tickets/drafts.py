"""What somebody is writing, saved as they type: nothing typed is ever lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from agents.models import Person
from contactcentre.lib.plans import Statement
from contactcentre.lib.text import clean
from tickets import access
from tickets.models import Draft, Ticket

LONGEST = 100_000
KINDS = ("reply", "note")


def save(*, person: Person, ticket_id: int, kind: str, text: str, now: datetime) -> Draft | None:
    """Keep the words; None where there are none and the draft is gone. `kind` is "reply" or "note".

    Raises Http404 and PermissionDenied, and ValueError for another kind. Takes no lock: a draft is nobody else's.
    """
    if kind not in KINDS:
        raise ValueError(f"a draft is a reply or a note, not {kind!r}")
    access.ticket_to_read(access.rights(person), ticket_id)
    words = clean(text)[:LONGEST]
    if not words.strip():
        Draft.objects.filter(ticket_id=ticket_id, person=person, surface=kind).delete()
        return None
    draft, _new = Draft.objects.update_or_create(
        ticket_id=ticket_id, person=person, surface=kind, defaults={"text": words, "saved_at": now}
    )
    return draft


def put_back(*, person: Person, ticket: Ticket, text: str, now: datetime) -> None:
    """Words of a reply that was taken back are a draft again, before what has been typed since. The caller holds a
    transaction."""
    mine = Draft.objects.select_for_update(of=("self",)).filter(ticket=ticket, person=person, surface="reply")
    typed = mine.values_list("text", flat=True).first() or ""
    # The page may have put them back into its box and saved that already.
    words = typed if typed.startswith(text) else f"{text}\n\n{typed}"
    Draft.objects.update_or_create(
        ticket=ticket, person=person, surface="reply", defaults={"text": words.rstrip(), "saved_at": now}
    )


def go_along(ticket: Ticket, into: Ticket) -> dict[str, str]:
    """What people were writing on a ticket that is merged goes on where its number leads, unless they write something
    there already. The drafts that went, by id, and when each was saved."""
    return {str(draft.pk): draft.saved_at.isoformat() for draft in _of(ticket) if _moved(draft, into)}


def return_to(goal: Ticket, saved: Mapping[str, str], *, among: Collection[int]) -> None:
    """Let drafts that went along (go_along) and are on one of these tickets return, but for those that somebody has
    written on since, and where they write something already."""
    went = Draft.objects.filter(pk__in=[int(number) for number in saved], ticket__in=among)
    for draft in went.exclude(ticket=goal):
        if draft.saved_at.isoformat() == saved[str(draft.pk)]:
            _moved(draft, goal)


def _of(ticket: Ticket) -> list[Draft]:
    return list(Draft.objects.filter(ticket=ticket).order_by("id"))


def _moved(draft: Draft, goal: Ticket) -> bool:
    """Put the draft on another ticket; False where its writer writes something there already."""
    if Draft.objects.filter(ticket=goal, person=draft.person_id, surface=draft.surface).exists():
        return False
    try:
        with transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(ticket=goal)
    except IntegrityError:
        # They began it at this moment: writing takes no lock.
        return False
    return True


def drop(*, person: Person, ticket: Ticket, kind: str) -> None:
    """The words are said: nothing is left to write. Inside the transaction that stores them."""
    _DROP.rows((ticket.pk, person.pk, kind))


_DELETE = "DELETE FROM tickets_draft WHERE ticket_id = %s AND person_id = %s AND surface = %s"
_DROP = Statement("drop_draft", _DELETE, [None] * 3, range(3))
