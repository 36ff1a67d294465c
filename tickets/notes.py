"""Internal notes: their own table, their own path. Nothing here knows the outbox."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from contactcentre.lib import realtime
from contactcentre.lib.text import clean
from tickets import access, reading
from tickets.events import ticket_changed
from tickets.models import Draft, Note

LONGEST = 20_000
_MENTION = re.compile(r"@(\w+)")


class CannotNote(Exception):
    """This note cannot be taken; the text says why in plain words."""


def write(*, person: Person, ticket_id: int, text: str, now: datetime) -> Note:
    """Keep a note on a ticket and return it. @FirstName mentions a colleague.

    Raises CannotNote, Http404 and PermissionDenied. The caller holds a transaction.
    """
    words = clean(text).strip()
    if not words:
        raise CannotNote(_("There is nothing to note yet."))
    if len(words) > LONGEST:
        raise CannotNote(_("A note holds at most %(limit)s characters.") % {"limit": LONGEST})
    ticket = access.ticket_to_act(access.rights(person), ticket_id)
    ticket.arrivals += 1
    ticket.save(update_fields=["arrivals"])
    note = Note.objects.create(
        ticket=ticket,
        customer_id=ticket.customer_id,
        person=person,
        text=words,
        arrival=ticket.arrivals,
        written_at=now,
    )
    named = {name.casefold() for name in _MENTION.findall(words)}
    if named:
        colleagues = Person.objects.filter(is_active=True)
        note.mentions.set([one for one in colleagues if one.first_name.casefold() in named])
    history.record(
        at=now, act="note.written", actor=person, ticket_id=ticket.pk, customer_id=ticket.customer_id, note=note.pk
    )
    Draft.objects.filter(ticket=ticket, person=person, surface="note").delete()
    reading.mark(person=person, ticket=ticket, arrival=ticket.arrivals, now=now)
    realtime.publish(*ticket_changed(ticket))
    return note
