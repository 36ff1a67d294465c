"""The one way to write history."""

from __future__ import annotations

import re
from datetime import datetime

from agents.models import HistoryEntry, Person
from contactcentre.lib.prepared import insert

type_of_act = re.compile(r"^[a-z]+\.[a-z_]+$")

# What may stand in an entry's data: numbers, truth values, nothing, ids and enumerated words. The limit
# on words is what keeps a sentence or an address from slipping in.
Value = int | float | bool | None | str | list[int] | list[str]
_WORD = re.compile(r"^[\w:.+/-]{0,80}$")


def record(
    *,
    at: datetime,
    act: str,
    actor: Person | None = None,
    ticket_id: int | None = None,
    customer_id: int | None = None,
    account_id: int | None = None,
    **data: Value,
) -> HistoryEntry:
    """Append one entry, inside the caller's transaction, and return it.

    `act` is subject and past participle, such as `ticket.moved`. Raises ValueError for an act of
    another form and for data that is neither a number nor one enumerated word: history must hold
    nothing that erasure would have to remove.
    """
    checked = entry(
        at=at, act=act, actor=actor, ticket_id=ticket_id, customer_id=customer_id, account_id=account_id, **data
    )
    made = HistoryEntry(**checked)
    insert(made)
    return made


def entry(*, at: datetime, act: str, actor: Person | None = None, **fields: Value) -> dict[str, object]:
    """The checked columns of one entry, for those who insert many at once."""
    if not type_of_act.match(act):
        raise ValueError(f"an act reads subject.done, not {act!r}")
    ids = {name: fields.pop(name, None) for name in ("ticket_id", "customer_id", "account_id")}
    for name, value in fields.items():
        words = value if isinstance(value, list) else [value]
        if any(isinstance(word, str) and not _WORD.match(word) for word in words):
            raise ValueError(f"history takes no words of people: {name} of {act}")
    return {"at": at, "act": act, "actor": actor, **ids, "data": fields}
