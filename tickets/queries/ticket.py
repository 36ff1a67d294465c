"""One ticket's page: head, timeline, customer, composer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from agents.models import Person
from channels.models import AccountState
from channels.surfaces import SURFACES
from customers import merging
from customers.models import CustomerKind, Identity, IdentityKind
from tickets import moving, rows
from tickets.access import Rights
from tickets.models import Contact, ContactMove, Draft, Message, Participant, Ticket
from tickets.queries import timeline
from tickets.queries.lists import colleague, who

EARLIER_LIMIT = 20
CONTACT_LIMIT = 40
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
    """All of the ticket pane and the customer pane, in eight statements whatever the history's length.

    A ninth where a contact was moved here by hand. `read` is the arrival number this person had read to before.
    """
    stretch = timeline.page(person, have, ticket, read=read, now=now)
    contacts = list(
        Contact.objects.select_related("account", "identity")
        .annotate(
            copies=ArraySubquery(
                Participant.objects.filter(contact=OuterRef("pk")).order_by("id").values("value")[:10]
            ),
            asked_to=Subquery(
                Message.objects.filter(contact=OuterRef("pk"), direction="in")
                .order_by("-said_at")
                .values("extra__reply_to")[:1]
            ),
        )
        .filter(customer_id=ticket.customer_id)
        .order_by("-last_said_at", "-id")[:CONTACT_LIMIT]
    )
    return replace(
        head(person, have, ticket),
        entries=stretch.entries,
        older=stretch.older,
        customer=_customer(
            person,
            ticket,
            has_moved=any(one.moved_by_hand_at and one.ticket_id == ticket.pk for one in contacts),
        ),
        composer=_composer(person, have, ticket, contacts, now=now) if ticket.state not in OVER else None,
        stream=stream,
    )


def head(person: Person, have: Rights, ticket: Ticket) -> rows.TicketPage:
    """The ticket's head by itself, in no statement of its own."""
    return rows.TicketPage(
        id=ticket.pk,
        who=who(ticket),
        state=ticket.state,
        state_words=ticket.get_state_display(),
        queue_id=ticket.queue_id,
        queue_name=have.queue_name(ticket.queue_id),
        also=tuple(have.queue_name(queue) for queue in ticket.also_queue_ids),
        owner=colleague(ticket.owner, person) if ticket.owner else None,
        is_high=ticket.priority > 0,
        tags=tuple(ticket.tags),
        awaiting=ticket.awaiting,
        due_at=ticket.due_at,
        due_reason=ticket.due_reason,
        snoozed_until=ticket.snoozed_until,
        subject=ticket.subject,
        merged_into=ticket.merged_into_id,
        may_act=have.may_read(ticket),
        is_blocked=ticket.customer.blocked_at is not None,
        arrivals=ticket.arrivals,
    )


def _customer(person: Person, ticket: Ticket, *, has_moved: bool) -> rows.CustomerCard:
    customer = ticket.customer
    identities = list(
        Identity.objects.filter(customer=customer)
        .annotate(joined=merging.in_force())
        .order_by("first_seen_at", "id")[:50]
    )
    tickets = list(
        Ticket.objects.filter(Q(customer=customer) | Q(pk__in=ticket.relations.values("other")))
        .exclude(pk=ticket.pk)
        .exclude(state="merged")
        .order_by("-id")[:EARLIER_LIMIT]
    )
    return rows.CustomerCard(
        id=customer.pk,
        name=str(customer),
        initials=customer.initials,
        since=customer.created_at,
        ticket_number=sum(1 for other in tickets if other.customer_id == customer.pk and other.pk < ticket.pk) + 1,
        identities=tuple(_identity(person, identity, identity.joined) for identity in identities),
        earlier=tuple(_earlier(other) for other in tickets if other.customer_id == customer.pk),
        related=tuple(_earlier(other) for other in tickets if other.customer_id != customer.pk),
        is_blocked=customer.blocked_at is not None,
        is_organisation=customer.kind == CustomerKind.ORGANISATION,
        is_provisional=customer.is_provisional,
        moved=tuple(_moved(person, move) for move in moving.in_force(ticket)) if has_moved else (),
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
        words=ticket.get_state_display(),
    )


def _composer(
    person: Person, have: Rights, ticket: Ticket, contacts: Sequence[Contact], *, now: datetime
) -> rows.ComposerState:
    """The ways to answer: the latest contact of each identity and thread-less surface, unanswered ones first."""
    drafts = {draft.surface: draft for draft in Draft.objects.filter(ticket=ticket, person=person)}
    ways = [_way(contact, now=now) for contact in _latest(have, ticket, contacts)]
    open_ways = [way for way in ways if not way.closed]
    unanswered = [way for way in open_ways if way.is_unanswered]
    reply = drafts.get("reply")
    chosen = next(iter(unanswered or open_ways), None)
    return rows.ComposerState(
        recipients=tuple(ways),
        chosen=chosen.key if chosen else "note",
        draft=reply.text if reply else "",
        draft_note=drafts["note"].text if "note" in drafts else "",
        draft_files=(),
        saved_at=max((draft.saved_at for draft in drafts.values()), default=None),
        seen=ticket.arrivals,
    )


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
        closed = _("The network takes no answer any more: its window has closed")
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
