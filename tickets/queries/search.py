"""Search that answers while one types: people, handles, numbers, addresses, and words in any message.

Three capped look-ups, each on an index of its own; never ILIKE over messages. What a person may not see is
left out before anything is counted or shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q

from agents.models import Person
from contactcentre.lib import lookups as _lookups  # noqa: F401  (registers has_text)
from contactcentre.lib.text import clean_line, snippet
from customers.models import Customer, Identity
from tickets.access import Rights, visible
from tickets.models import Message, Ticket
from tickets.queries.lists import who

LIMIT = 20
# So many rows of an index are looked at before rights are applied; beyond it a narrower search is asked for.
CANDIDATES = 400
SHORTEST = 2
_WORD = re.compile(r"[\w@.+-]+")
_NUMBER = re.compile(r"^#?(\d{1,18})$")
_DIGITS = re.compile(r"\D")


@dataclass(frozen=True, slots=True)
class Hit:
    """One ticket that answers the search, and why: `words` are the found words or the found address."""

    ticket_id: int
    who: str
    words: str
    at: datetime
    state: str
    kind: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `more` says that there is more than is shown."""

    query: str
    hits: tuple[Hit, ...]
    more: bool = False
    too_short: bool = False


def search(person: Person, have: Rights, text: str, *, limit: int = LIMIT) -> Found:
    """The tickets that a text finds: by number, by who it is, by words; at most five statements."""
    query = clean_line(text, 100)
    if len(query) < SHORTEST and not _NUMBER.match(query):
        return Found(query, (), too_short=True)
    hits: dict[int, Hit] = {}
    for hit in (*_by_number(have, query), *_by_person(have, query), *_by_words(have, query)):
        hits.setdefault(hit.ticket_id, hit)
    chosen = list(hits.values())
    return Found(query, tuple(chosen[:limit]), more=len(chosen) > limit)


def _by_number(have: Rights, query: str) -> list[Hit]:
    match = _NUMBER.match(query)
    if not match:
        return []
    found = visible(have, Ticket.objects.select_related("customer").filter(pk=int(match[1])))
    return [_hit(ticket, str(ticket), "number") for ticket in found]


def _by_person(have: Rights, query: str) -> list[Hit]:
    """By name, handle, address or number: a customer's latest ticket stands for them."""
    needle = query.lstrip("@")
    wanted = Q(display__has_text=needle) | Q(name__has_text=needle) | Q(handle__has_text=needle)
    digits = _DIGITS.sub("", query)
    if len(digits) >= 4:
        # 020 7946 0142 finds +442079460142: the leading zero of a national number is not part of it.
        wanted |= Q(value__contains=digits.lstrip("0"))
    by_identity = list(Identity.objects.filter(wanted).values_list("customer_id", "display")[:CANDIDATES])
    by_name = Customer.objects.filter(name__has_text=needle).values_list("pk", flat=True)[:CANDIDATES]
    shown = dict(by_identity)
    customers = {*shown, *by_name}
    if not customers:
        return []
    tickets = (
        visible(have, Ticket.objects.select_related("customer").filter(customer_id__in=list(customers)[:CANDIDATES]))
        .exclude(state="merged")
        .order_by("customer_id", "-id")
        .distinct("customer_id")
    )
    found = sorted(tickets[: LIMIT * 2], key=lambda ticket: ticket.last_at, reverse=True)
    return [_hit(ticket, shown.get(ticket.customer_id) or ticket.last_words, "person") for ticket in found]


def _by_words(have: Rights, query: str) -> list[Hit]:
    """By the words of messages, newest first; contacts of confidential queues only for those who serve them."""
    words = _WORD.findall(query)
    if not words:
        return []
    # The last word is still being typed: it counts as a beginning.
    parts = [f"'{word.replace(chr(39), '')}'" for word in words]
    wanted = SearchQuery(" & ".join([*parts[:-1], f"{parts[-1]}:*"]), config="simple", search_type="raw")
    messages = Message.objects.filter(search=wanted).exclude(state="cancelled")
    if not have.everything and have.confidential - have.queues:
        messages = messages.exclude(contact__entry_queue_id__in=sorted(have.confidential - have.queues))
    rows = list(messages.order_by("-id").values_list("ticket_id", "text", "said_at")[:CANDIDATES])
    first: dict[int, tuple[str, datetime]] = {}
    for ticket_id, text, said_at in rows:
        first.setdefault(ticket_id, (text, said_at))
    tickets = visible(have, Ticket.objects.select_related("customer").filter(pk__in=list(first)[: LIMIT * 3]))
    hits = [
        Hit(
            ticket_id=ticket.pk,
            who=who(ticket),
            words=_around(first[ticket.pk][0], words[-1]),
            at=first[ticket.pk][1],
            state=ticket.state,
            kind="words",
        )
        for ticket in tickets
    ]
    return sorted(hits, key=lambda hit: hit.at, reverse=True)


def _around(text: str, word: str, *, before: int = 40) -> str:
    """The words around the find, on one line."""
    place = text.casefold().find(word.casefold())
    start = max(place - before, 0) if place > before else 0
    return ("…" if start else "") + snippet(text[start:], 120)


def _hit(ticket: Ticket, words: str, kind: str) -> Hit:
    return Hit(ticket_id=ticket.pk, who=who(ticket), words=words, at=ticket.last_at, state=ticket.state, kind=kind)
