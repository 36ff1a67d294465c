"""One press of a form's button is one act, however often we hear of it: two clicks in a row, a page sent again, a
request that the browser repeats by itself when a kept connection dies."""

from __future__ import annotations

from agents.models import Person
from contactcentre.lib.text import clean
from tickets.models import Message

LONGEST_KEY = 64


def made_before(person: Person, key: str, *, text: str) -> Message | None:
    """The message that this press has made already, with its ticket; None where it is the first we hear of it.

    `key` is the form's own mark, another one each time the form is shown; with other words than the first time it is
    no repetition. Until the caller's transaction ends a second press of the same person waits, so that of two in the
    same moment one finds the other's message.
    """
    if not key:
        return None
    # Held off by this row, because what the form is about (a number nobody had yet) may have none.
    Person.objects.select_for_update(no_key=True).only("pk").get(pk=person.pk)
    found = Message.objects.select_related("ticket").exclude(pressed="").filter(person=person, pressed=key).first()
    return found if found is not None and found.text == clean(text).strip() else None


def mark(message: Message, key: str) -> None:
    """Keep the form's mark on what the press has made; nothing where a message has it already."""
    if not key or Message.objects.exclude(pressed="").filter(person=message.person_id, pressed=key).exists():
        return
    message.pressed = key
    message.save(update_fields=["pressed"])
