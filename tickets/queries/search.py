"""Search that answers while one types: people, handles, numbers, addresses, and words in any message.

Three capped look-ups, each on an index of its own; never ILIKE over messages. What a person may not see is
left out before anything is counted or shown: where the newest finds are mostly others', a look-up is made again among
the tickets that are theirs, which walks further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from agents.models import Person
from contactcentre.lib import lookups
from contactcentre.lib.prepared import Prepared
from contactcentre.lib.prepared import Value as Given
from contactcentre.lib.text import clean_line, snippet
from customers.addresses import digits_to_find
from customers.models import Customer, Identity, what_to_call
from tickets.access import Rights, visible
from tickets.models import Message, Ticket
from tickets.queries.lists import who

LIMIT = 20
# So many rows a look-up gives at most; beyond it a narrower search is asked for.
CANDIDATES = 400
SHORTEST = 2
_WORD = re.compile(r"[\w@.+-]+")
_NUMBER = re.compile(r"^#?(\d{1,18})$")


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
    """The tickets that a text finds: by number, by who it is, by words; at most nine statements, mostly four."""
    query = clean_line(text, 100)
    if len(query) < SHORTEST and not _NUMBER.match(query):
        return Found(query, (), too_short=True)
    (people, more_people), (said, more_said) = _by_person(have, query, limit), _by_words(have, query, limit)
    hits: dict[int, Hit] = {}
    for hit in (*_by_number(have, query), *people, *said):
        hits.setdefault(hit.ticket_id, hit)
    chosen = list(hits.values())
    return Found(query, tuple(chosen[:limit]), more=len(chosen) > limit or more_people or more_said)


def _by_number(have: Rights, query: str) -> list[Hit]:
    match = _NUMBER.match(query)
    if not match:
        return []
    found = visible(have, Ticket.objects.select_related("customer").filter(pk=int(match[1])))
    return [_hit(ticket, str(ticket), "number") for ticket in found]


def _called(
    by_number: bool, theirs: bool, *, name: str, digits: str = "", **whose: Any
) -> QuerySet[Identity, tuple[Any, ...]]:
    """Customers by what their addresses or they themselves are called; only `theirs`, of whom a ticket is seen."""
    wanted = Q(display__like=name) | Q(name__like=name) | Q(handle__like=name)
    if by_number:
        wanted |= Q(value__like=digits)
    identities, people = Identity.objects.filter(wanted), Customer.objects.filter(name__like=name)
    if theirs:
        identities = identities.filter(_has_seen("customer_id", **whose))
        people = people.filter(_has_seen("pk", **whose))
    return identities.values_list("customer_id", "display")[:CANDIDATES].union(
        people.values_list("id", Value(""))[:CANDIDATES], all=True
    )


def _has_seen(customer: str, **whose: Any) -> Exists:
    return Exists(_seen(False, Ticket.objects.filter(customer_id=OuterRef(customer)), **whose))


def _latest_of(everything: bool, *, customers: list[int], **whose: Any) -> QuerySet[Ticket, tuple[Any, ...]]:
    tickets = _seen(everything, Ticket.objects.filter(customer_id__in=customers), **whose).exclude(state="merged")
    latest = tickets.order_by("customer_id", "-id").distinct("customer_id")
    return latest.values_list(
        "customer_id", "customer__name", "customer__called", "id", "last_at", "state", "last_words"
    )


def _said(
    theirs: bool, *, words: str, hidden: list[int] | None = None, **whose: Any
) -> QuerySet[Message, tuple[Any, ...]]:
    """The newest messages with these words, but for contacts of these queues; only on tickets that are `theirs`."""
    wanted = SearchQuery(words, config="simple", search_type="raw")
    messages = Message.objects.filter(search=wanted).exclude(state="cancelled")
    if theirs:
        messages = messages.filter(ticket__in=_seen(False, Ticket.objects.all(), **whose))
    if hidden:
        messages = messages.exclude(contact__entry_queue_id__in=hidden)
    return messages.order_by("-id").values_list("id", "ticket_id")[:CANDIDATES]


def _shown(everything: bool, *, messages: list[int], **whose: Any) -> QuerySet[Message, tuple[Any, ...]]:
    found = Message.objects.filter(pk__in=messages)
    if not everything:
        found = found.filter(ticket__in=_seen(everything, Ticket.objects.all(), **whose))
    return found.values_list(
        "ticket__customer_id", "ticket__customer__name", "ticket__customer__called", "ticket_id", "said_at",
        "ticket__state", "text",
    )  # fmt: skip


def _seen(
    everything: bool, tickets: QuerySet[Ticket], *, person_id: int = 0, queues: list[int] | None = None
) -> QuerySet[Ticket]:
    return visible(
        Rights(person_id=person_id, everything=everything, queues=frozenset(queues or ()), all_queues=()), tickets
    )


# What the text is decides which index is quick, so those who look for it are planned each time.
_CALLED = Prepared(_called, anew=True)
_SAID = Prepared(_said, anew=True)
_LATEST = Prepared(_latest_of)
_SHOWN = Prepared(_shown)


def _by_person(have: Rights, query: str, limit: int) -> tuple[list[Hit], bool]:
    """By name, handle, address or number: a customer's latest ticket stands for them. And whether there are more."""
    values: dict[str, Given] = {"name": lookups.pattern(query.lstrip("@"))}
    digits = digits_to_find(query)
    by_number = len(digits) >= 4
    if by_number:
        values["digits"] = lookups.pattern(digits)
    rows = _CALLED.rows(by_number, False, **values)
    hits = _of_customers(have, rows, limit)
    if not have.everything and len(rows) >= CANDIDATES and len(hits) <= limit:
        rows = _CALLED.rows(by_number, True, **values, **_whose(have))
        hits = _of_customers(have, rows, limit)
    return sorted(hits, key=lambda hit: hit.at, reverse=True), len(rows) >= CANDIDATES


def _of_customers(have: Rights, rows: list[tuple[Any, ...]], limit: int) -> list[Hit]:
    # An identity's own words, where one was found, before the customer's empty ones.
    displays: dict[int, str] = {}
    for customer, display in rows:
        displays[customer] = display or displays.get(customer, "")
    if not displays:
        return []
    found = _LATEST.top(limit * 2, have.everything, customers=list(displays), **_whose(have))
    return [
        Hit(number, what_to_call(name, called, customer), displays[customer] or words, at, state, "person")
        for customer, name, called, number, at, state, words in found
    ]


def _by_words(have: Rights, query: str, limit: int) -> tuple[list[Hit], bool]:
    """By the words of messages, newest first; contacts of confidential queues only for those who serve them. And
    whether there are more."""
    words = _WORD.findall(query)
    if not words:
        return [], False
    # The last word is still being typed: it counts as a beginning.
    parts = [f"'{word.replace(chr(39), '')}'" for word in words]
    wanted: dict[str, Given] = {"words": " & ".join([*parts[:-1], f"{parts[-1]}:*"])}
    if have.hidden:
        wanted["hidden"] = sorted(have.hidden)
    rows = _SAID.rows(False, **wanted)
    hits, may_miss = _of_messages(have, rows, words[-1], limit)
    if may_miss and len(hits) <= limit:
        rows = _SAID.rows(True, **wanted, **_whose(have))
        hits, _may_miss = _of_messages(have, rows, words[-1], limit)
    return sorted(hits, key=lambda hit: hit.at, reverse=True), len(rows) >= CANDIDATES


def _of_messages(have: Rights, rows: list[tuple[Any, ...]], word: str, limit: int) -> tuple[list[Hit], bool]:
    """The newest message of each ticket, and whether others' tickets stand before more of theirs. Where all that was
    found is theirs, a look among theirs alone, many times as dear, would find the same."""
    newest: dict[int, int] = {}
    for message, ticket in rows:
        newest.setdefault(ticket, message)
    if not newest:
        return [], False
    chosen = list(newest.values())[: limit * 3]
    found = _SHOWN.rows(have.everything, messages=chosen, **_whose(have))
    hits = [
        Hit(number, what_to_call(name, called, customer), _around(text, word), at, state, "words")
        for customer, name, called, number, at, state, text in found
    ]
    return hits, len(hits) < len(chosen) and (len(rows) >= CANDIDATES or len(chosen) < len(newest))


def _whose(have: Rights) -> dict[str, Given]:
    return {} if have.everything else {"person_id": have.person_id, "queues": sorted(have.queues)}


def _around(text: str, word: str, *, before: int = 40) -> str:
    """The words around the find, on one line."""
    place = text.casefold().find(word.casefold())
    start = max(place - before, 0) if place > before else 0
    return ("…" if start else "") + snippet(text[start:], 120)


def _hit(ticket: Ticket, words: str, kind: str) -> Hit:
    return Hit(ticket_id=ticket.pk, who=who(ticket), words=words, at=ticket.last_at, state=ticket.state, kind=kind)
