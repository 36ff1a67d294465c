"""One ticket's page: head, timeline, customer, composer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.models import Person
from channels.models import AccountState
from channels.surfaces import SURFACES
from contactcentre.lib.prepared import Prepared, columns, read
from customers import merging
from customers.models import CustomerKind, Identity, IdentityKind
from tickets import moving, rows
from tickets.access import Rights
from tickets.models import Contact, ContactMove, Draft, Relation, State, Ticket
from tickets.queries import contacts as contact_rows
from tickets.queries import sight, timeline
from tickets.queries.lists import colleague, who

EARLIER_LIMIT = 20
OVER = ("merged", "closed")

# By which surface an identity is reached, for its badge.
BADGES = {
    IdentityKind.X_USER: "x:mention",
    IdentityKind.FB_PSID: "facebook:messenger",
    IdentityKind.FB_COMMENTER: "facebook:comment",
    IdentityKind.EMAIL: "email",
    IdentityKind.PHONE: "phone",
}


def page(
    person: Person, have: Rights, ticket: Ticket, *, now: datetime, read: int = 0, stream: str = ""
) -> rows.TicketPage:
    """All of the ticket pane and the customer pane, in seven statements whatever the history's length.

    One more each where there are files, calls, or a contact that was moved here by hand. `read` is the arrival number
    this person had read to before.
    """
    contacts = contact_rows.of_customer(ticket.customer_id)
    stretch = timeline.page(person, have, ticket, read=read, known=contacts, now=now)
    return replace(
        head(person, have, ticket, known=contacts),
        entries=stretch.entries,
        older=stretch.older,
        customer=_customer(
            person,
            have,
            ticket,
            has_moved=any(one.moved_by_hand_at and one.ticket_id == ticket.pk for one in contacts),
        ),
        composer=_composer(person, have, ticket, contacts, now=now) if ticket.state not in OVER else None,
        stream=stream,
    )


def head(person: Person, have: Rights, ticket: Ticket, *, known: Iterable[Contact] = ()) -> rows.TicketPage:
    """The ticket's head by itself; `known` are contacts that the caller has read already.

    A statement at most, and none for a lead: see sight.if_moved().
    """
    return rows.TicketPage(
        id=ticket.pk,
        who=who(ticket),
        state=ticket.state,
        state_words=state_words(ticket.state, get_language()),
        queue_id=ticket.queue_id,
        queue_name=have.queue_name(ticket.queue_id),
        also=tuple(have.queue_name(queue) for queue in ticket.also_queue_ids),
        owner=colleague(ticket.owner, person) if ticket.owner else None,
        is_high=ticket.priority > 0,
        tags=tuple(ticket.tags),
        awaiting=ticket.awaiting,
        due_at=ticket.due_at if ticket.is_live else None,
        due_reason=ticket.due_reason if ticket.is_live else "",
        snoozed_until=ticket.snoozed_until,
        subject=ticket.subject,
        merged_into=ticket.merged_into_id,
        may_act=have.may_read(ticket),
        is_blocked=ticket.customer.blocked_at is not None,
        arrivals=ticket.arrivals,
        seen_if_moved=sight.if_moved(have, ticket, known),
        seen_if_given=sight.if_given(have, ticket),
    )


@cache
def state_words(state: str, language: str | None) -> str:
    """A ticket's state in a language, the one in force."""
    return str(State(state).label)


def _customer(person: Person, have: Rights, ticket: Ticket, *, has_moved: bool) -> rows.CustomerCard:
    customer = ticket.customer
    identities = []
    for *values, joined in _IDENTITIES.rows(customer_id=customer.pk):
        identity = read(Identity, contact_rows.IDENTITY, values)
        identities.append((identity, json.loads(joined) if joined else None))
    # A related ticket may be the customer's own: it counts once, among theirs.
    by_id = {row[0]: row for row in _OTHERS.rows(customer_id=customer.pk, ticket_id=ticket.pk)}
    newest = sorted(by_id.values(), reverse=True)[:EARLIER_LIMIT]
    tickets = [read(Ticket, _EARLIER, row) for row in newest]
    return rows.CustomerCard(
        id=customer.pk,
        name=str(customer),
        initials=customer.initials,
        since=customer.created_at,
        ticket_number=sum(1 for other in tickets if other.customer_id == customer.pk and other.pk < ticket.pk) + 1,
        identities=tuple(_identity(person, identity, joined) for identity, joined in identities),
        earlier=tuple(_earlier(other) for other in tickets if other.customer_id == customer.pk),
        # Another customer's: words for those who may read that ticket (row 7); all others see that there is one.
        related=tuple(
            _earlier(other) if have.may_read(other) else _shut(other)
            for other in tickets
            if other.customer_id != customer.pk
        ),
        is_blocked=customer.blocked_at is not None,
        is_organisation=customer.kind == CustomerKind.ORGANISATION,
        is_provisional=customer.is_provisional,
        moved=tuple(_moved(person, move) for move in moving.in_force(ticket)) if has_moved else (),
    )


_EARLIER = columns(
    Ticket,
    "id", "customer_id", "subject", "last_words", "state", "solved_at", "last_at", "owner_id", "reader_queue_ids",
)  # fmt: skip


def _identities_of(*, customer_id: int) -> QuerySet[Identity, tuple[Any, ...]]:
    found = Identity.objects.filter(customer_id=customer_id).annotate(joined=merging.in_force())
    return found.order_by("first_seen_at", "id").values_list(*contact_rows.IDENTITY, "joined")[:50]


def _others_of(*, customer_id: int, ticket_id: int) -> QuerySet[Ticket, tuple[Any, ...]]:
    """The customer's other tickets and those related to this one: two look-ups, an OR over both reads every ticket."""
    shown = Ticket.objects.exclude(pk=ticket_id).exclude(state="merged").order_by("-id")
    theirs = shown.filter(customer_id=customer_id).values_list(*_EARLIER)[:EARLIER_LIMIT]
    related = shown.filter(pk__in=Relation.objects.filter(ticket_id=ticket_id).values("other"))
    return theirs.union(related.values_list(*_EARLIER)[:EARLIER_LIMIT], all=True)


def _drafts_of(*, ticket_id: int, person_id: int) -> QuerySet[Draft, tuple[Any, ...]]:
    return Draft.objects.filter(ticket_id=ticket_id, person_id=person_id).values_list("surface", "text", "saved_at")


_IDENTITIES = Prepared(_identities_of)
_OTHERS = Prepared(_others_of)
_DRAFTS = Prepared(_drafts_of)


def _joined(person: Person, identity: Identity, told: dict[str, Any]) -> rows.TakenIn:
    return rows.TakenIn(
        id=told["id"],
        label=identity.label,
        by=_by(person, told["by_id"], told["by_name"] or ""),
        at=datetime.fromisoformat(told["made_at"]),
    )


def _moved(person: Person, move: ContactMove) -> rows.TakenIn:
    return rows.TakenIn(
        id=move.pk,
        label=move.contact.identity.label,
        by=_by(person, move.made_by_id, move.made_by.name),
        at=move.made_at,
    )


def _by(person: Person, other_id: int | None, name: str) -> str:
    if other_id is None:
        return _("the system")
    return _("you") if other_id == person.pk else name.split(" ", 1)[0]


def _identity(person: Person, identity: Identity, joined: dict[str, Any] | None) -> rows.IdentityRow:
    return rows.IdentityRow(
        id=identity.pk,
        kind=identity.kind,
        label=identity.label if identity.kind != IdentityKind.NAMELESS else _("Nobody to be seen"),
        detail=identity.name if identity.name and identity.name != identity.label else "",
        surface=BADGES.get(IdentityKind(identity.kind), ""),
        is_shared=identity.is_shared,
        is_blocked=identity.blocked_at is not None,
        joined=_joined(person, identity, joined) if joined else None,
    )


def _earlier(ticket: Ticket) -> rows.EarlierTicket:
    return rows.EarlierTicket(
        id=ticket.pk,
        subject=ticket.subject or ticket.last_words or str(ticket),
        state=ticket.state,
        at=ticket.solved_at or ticket.last_at,
        words=state_words(ticket.state, get_language()),
    )


def _shut(ticket: Ticket) -> rows.EarlierTicket:
    return rows.EarlierTicket(
        id=0, subject=_("A ticket you may not see"), state=ticket.state, at=ticket.last_at, words=""
    )


def _composer(
    person: Person, have: Rights, ticket: Ticket, contacts: Sequence[Contact], *, now: datetime
) -> rows.ComposerState:
    """The ways to answer: the latest contact of each identity and thread-less surface, unanswered ones first."""
    drafts = _DRAFTS.rows(ticket_id=ticket.pk, person_id=person.pk)
    texts = {surface: text for surface, text, _at in drafts}
    ways = _told_apart([_way(contact, now=now) for contact in _latest(have, ticket, contacts)])
    open_ways = [way for way in ways if not way.closed]
    unanswered = [way for way in open_ways if way.is_unanswered]
    chosen = next(iter(unanswered or open_ways), None)
    return rows.ComposerState(
        recipients=tuple(ways),
        chosen=chosen.key if chosen else "note",
        draft=texts.get("reply", ""),
        draft_note=texts.get("note", ""),
        draft_files=(),
        saved_at=max((at for _surface, _text, at in drafts), default=None),
        seen=ticket.arrivals,
    )


def _told_apart(ways: list[rows.Recipient]) -> list[rows.Recipient]:
    """The ways, with what tells those of one surface from each other."""
    return [replace(way, apart=_apart(way, [each for each in ways if each.surface == way.surface])) for way in ways]


def _apart(way: rows.Recipient, alike: list[rows.Recipient]) -> str:
    for name in ("subject", "account", "to"):
        if len({getattr(each, name) for each in alike}) > 1:
            return str(getattr(way, name))
    return ""


def _latest(have: Rights, ticket: Ticket, contacts: Sequence[Contact]) -> list[Contact]:
    """One contact for each thread one can still write to: this ticket's, and for private surfaces of earlier ones."""
    chosen: dict[tuple[object, ...], Contact] = {}
    for contact in contacts:
        if contact.surface == "phone" or not have.may_read_contact(contact.entry_queue_id):
            continue
        if contact.ticket_id != ticket.pk and SURFACES[contact.surface].is_public:
            continue
        if contact.surface == "email" and contact.ticket_id != ticket.pk:
            mark: tuple[object, ...] = (contact.surface, contact.identity_id)
        elif SURFACES[contact.surface].session:
            mark = (contact.surface, contact.identity_id, contact.account_id)
        else:
            mark = (contact.surface, contact.identity_id, contact.thread)
        chosen.setdefault(mark, contact)
    mine = [contact for contact in chosen.values() if contact.ticket_id == ticket.pk]
    reached = {(contact.surface, contact.identity_id) for contact in mine}
    others = [
        contact
        for contact in chosen.values()
        if contact.ticket_id != ticket.pk and (contact.surface, contact.identity_id) not in reached
    ]
    return mine + others


def _way(contact: Contact, *, now: datetime) -> rows.Recipient:
    surface = SURFACES[contact.surface]
    until = contact.last_in_at + surface.window if surface.window and contact.last_in_at else None
    closed = ""
    if contact.account.state == AccountState.REFUSED:
        closed = _("%(account)s must be connected again first") % {"account": contact.account}
    elif contact.account.state == AccountState.PAUSED:
        closed = _("%(account)s is paused") % {"account": contact.account}
    elif surface.window and (until is None or until <= now):
        closed = str(surface.window_words)
    return rows.Recipient(
        key=str(contact.pk),
        surface=surface,
        account=contact.account.name or contact.account.address,
        to=contact.identity.label,
        closed=closed,
        window_until=until,
        participants=tuple(getattr(contact, "copies", ())),
        reply_to=getattr(contact, "asked_to", None) or "",
        subject=contact.subject,
        is_unanswered=contact.unanswered_since is not None,
    )
