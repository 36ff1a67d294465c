"""What somebody is writing, saved as they type: nothing typed is ever lost."""

from __future__ import annotations

from datetime import datetime

from agents.models import Person
from contactcentre.lib.text import clean
from tickets import access
from tickets.models import Draft

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
