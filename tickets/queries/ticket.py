"""One ticket's page: head, timeline, customer, composer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from contactcentre.lib.gathered import Gathered, Rows
from contactcentre.lib.prepared import Value, columns, read
from customers import merging
from customers.models import CustomerKind, Identity, IdentityKind
from tickets import moving, places, rows
from tickets.access import Rights
from tickets.models import Contact, ContactMove, Draft, Relation, State, Ticket
from tickets.queries import contacts as contact_rows
from tickets.queries import sight, timeline, timeline_rows
from tickets.queries.lists import colleague, who
from tickets.queries.timeline_rows import Known
from tickets.templatetags.inbox import moment

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
    """All of the ticket pane and the customer pane, in three statements whatever the history's length.

    One more each where there are files, calls, or a contact that was moved here by hand. `read` is the arrival number
    this person had read to before.
    """
    given: dict[str, Value] = {"customer_id": ticket.customer_id, "ticket_id": ticket.pk, "person_id": person.pk}
    hidden = have.hidden
    if hidden:
        given["hidden"] = sorted(hidden)
    of_contacts, notes, identities, others, drafts = _BESIDE.rows(**given)
    contacts = [contact_rows.made(row) for row in of_contacts]
    stretch = timeline.page(person, have, ticket, read=read, known=Known(contacts, notes), now=now)
    return replace(
        head(person, have, ticket, known=contacts),
        entries=stretch.entries,
        older=stretch.older,
        customer=_customer(
            person,
            have,
            ticket,
            identities,
            others,
            has_moved=any(one.moved_by_hand_at and one.ticket_id == ticket.pk for one in contacts),
        ),
        composer=_composer(have, ticket, contacts, drafts, now=now) if ticket.state not in OVER else None,
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


def _customer(
    person: Person, have: Rights, ticket: Ticket, identities: Rows, others: Rows, *, has_moved: bool
) -> rows.CustomerCard:
    customer = ticket.customer
    # A related ticket may be the customer's own: it counts once, among theirs.
    by_id = {row[0]: row for row in others}
    newest = sorted(by_id.values(), reverse=True)[:EARLIER_LIMIT]
    tickets = [read(Ticket, _EARLIER, row) for row in newest]
    return rows.CustomerCard(
        id=customer.pk,
        name=str(customer),
        initials=customer.initials,
        since=customer.created_at,
        ticket_number=sum(1 for other in tickets if other.customer_id == customer.pk and other.pk < ticket.pk) + 1,
        identities=tuple(
            _identity(person, read(Identity, contact_rows.IDENTITY, values), joined) for *values, joined in identities
        ),
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


# All that stands around the messages: each mostly finds a row or two, or none.
_BESIDE = Gathered(
    "beside", contact_rows.of_customer, timeline_rows.latest_notes, _identities_of, _others_of, _drafts_of
)


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
    have: Rights, ticket: Ticket, contacts: Sequence[Contact], drafts: Rows, *, now: datetime
) -> rows.ComposerState:
    """The ways to answer: the latest contact of each identity and thread-less surface, unanswered ones first."""
    texts = {surface: text for surface, text, _at in drafts}
    latest = _latest(have, ticket, contacts)
    begun = {str(contact.pk): moment(contact.first_said_at, now) for contact in latest}
    ways = _told_apart([_way(contact, now=now) for contact in latest], begun)
    open_ways = [way for way in ways if not way.closed]
    wanted = [way for way in open_ways if way.is_unanswered] or open_ways
    if texts.get("reply"):
        # Which way the draft was to go, only the browser knows in which it was begun. In another one it must not stand
        # ready to be sent in public by itself.
        wanted = [way for way in (*wanted, *open_ways) if not way.surface.is_public] or wanted
    chosen = next(iter(wanted), None)
    return rows.ComposerState(
        recipients=tuple(ways),
        chosen=chosen.key if chosen else "note",
        draft=texts.get("reply", ""),
        draft_note=texts.get("note", ""),
        draft_files=(),
        saved_at=max((at for _surface, _text, at in drafts), default=None),
        seen=ticket.arrivals,
    )


def _told_apart(ways: list[rows.Recipient], begun: Mapping[str, str]) -> list[rows.Recipient]:
    """The ways, with what tells those of one surface from each other. `begun` has when each of them began."""
    return [
        replace(way, apart=_apart(way, [each for each in ways if each.surface == way.surface], begun)) for way in ways
    ]


def _apart(way: rows.Recipient, alike: list[rows.Recipient], begun: Mapping[str, str]) -> str:
    names = [name for name in ("subject", "account", "to") if len({getattr(each, name) for each in alike}) > 1]
    own = str(getattr(way, names[0])) if names else ""
    if sum(1 for each in alike if not names or getattr(each, names[0]) == own) == 1:
        return own
    # Two posts to us, two mails with one subject: the time stands at the head of each on the timeline, too. It comes
    # first, because long words are cut off at their end.
    return " · ".join(filter(None, (begun[way.key], own))) if len(alike) > 1 else own


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
    elif getattr(contact, "is_gone", False):
        closed = places.words()
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
