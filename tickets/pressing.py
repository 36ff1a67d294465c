"""One press of a form's button is one act, however often we hear of it: two clicks in a row, a page sent again, a
request that the browser repeats by itself when a kept connection dies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from agents.models import Person
from tickets.models import Message

# Other in each request, whatever was filled in.
_NOT_FILLED_IN = frozenset({"csrfmiddlewaretoken"})


def key_of(fields: Iterable[tuple[str, list[str]]]) -> str:
    """What this press is known by: all that came with it, 64 signs; empty for a form without a `key` of its own.

    `key` is another one each time the form is shown. The rest counts too, because the browser's way back may show the
    same form again, and what is filled in then is no repetition.
    """
    told = {name: values for name, values in fields if name not in _NOT_FILLED_IN}
    if not any(told.get("key", ())):
        return ""
    return hashlib.sha256(repr(sorted(told.items())).encode(errors="backslashreplace")).hexdigest()


def made_before(person: Person, key: str) -> Message | None:
    """The message that this press has made already, with its ticket; None where it is the first we hear of it.

    One that was taken back since is none: whoever presses again wants it after all. Until the caller's transaction
    ends a second press of the same person waits, so that of two in the same moment one finds the other's message.
    """
    if not key:
        return None
    # Held off by this row, because what the form is about (a number nobody had yet) may have none.
    Person.objects.select_for_update(no_key=True).only("pk").get(pk=person.pk)
    found = Message.objects.select_related("ticket").exclude(pressed="").filter(person=person, pressed=key).first()
    if found is not None and found.state == "cancelled":
        found.pressed = ""
        found.save(update_fields=["pressed"])
        return None
    return found


def mark(message: Message, key: str) -> None:
    """Keep what a press is known by on what it has made."""
    if key:
        message.pressed = key
        message.save(update_fields=["pressed"])
