"""Contacts go back: where to, and which tickets come back to life (docs/one-ticket.md, rows 13 and 15).

Everything that merges and moves did to tickets was written down step by step. Going back looks for the steps that
took these contacts from the customer they return to, the latest first: that ticket is their home. What arrived
since, and what has no home any more, goes to the customer's live ticket or to an equal one of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from tickets.carrying import Carrying, columns
from tickets.models import LIVE, Contact, Fate, MergeStep, State, Ticket

# Steps looked at for one identity: far more than people make by hand.
MOST_STEPS = 500


def bring_back(carrying: Carrying, *, here: int, back: int) -> None:
    """Let the contacts of the carrying's identity return from one customer to another.

    The merge being taken back, and those taken back before it, are marked as undone already, and the identity
    stands with `back`. The caller holds the locks of both customers.
    """
    contacts = list(
        Contact.objects.filter(identity=carrying.identity, customer_id=here, moved_by_hand_at=None).order_by("id")
    )
    steps = list(_steps(carrying, back)[:MOST_STEPS])
    partners = list(_partners(steps))
    _hold(carrying, (here, back), contacts, [*steps, *partners])
    for step in steps:
        if step.fate == Fate.CARRIED:
            contacts = _uncarry(carrying, step, contacts, partners, here=here, back=back)
    for step in steps:
        contacts = _home(carrying, step, contacts, back=back)
    settle(carrying, contacts, back)


def go_home(
    carrying: Carrying, contact: Contact, home: Ticket, followed: Sequence[Contact] = (), *, back: int
) -> None:
    """Let one contact that was moved by hand return to the ticket it came from, or else to its customer's; those in
    which it went on since have no other home than its customer."""
    steps = list(MergeStep.objects.filter(move=carrying.move, undone_at=None))
    _hold(carrying, (contact.customer_id, back), [contact, *followed], steps, also=[home.pk])
    left = [contact]
    for step in steps:
        left = _home(carrying, step, left, back=back)
    settle(carrying, [*left, *followed], back)


def settle(carrying: Carrying, contacts: Sequence[Contact], customer_id: int) -> None:
    """Bring contacts to a customer without regard to where they came from: onto the live ticket, with their whole
    ticket where nothing else is on it, or onto an equal ticket."""
    for ticket_id in sorted({contact.ticket_id for contact in contacts}):
        ticket = carrying.tickets[ticket_id]
        group = [contact for contact in contacts if contact.ticket_id == ticket_id]
        is_whole = len(group) == Contact.objects.filter(ticket=ticket).count()
        live = carrying.live_of(customer_id) if ticket.state in LIVE else None
        if live is None and is_whole:
            carrying.carry(ticket, customer_id)
            continue
        goal = live or carrying.equal(ticket, customer_id)
        if ticket.state == State.OPEN:
            carrying.wake(goal, group)
        part(carrying, group, goal)


def part(carrying: Carrying, contacts: Sequence[Contact], into: Ticket) -> None:
    """Move contacts to another ticket; where that empties theirs, write down how it was."""
    source = carrying.tickets[contacts[0].ticket_id]
    owner, before = source.customer_id, columns(source)
    if carrying.part(contacts, into):
        carrying.step(Fate.EMPTIED, source, into=into, contacts=contacts, from_customer=owner, before=before)


def _steps(carrying: Carrying, back: int) -> QuerySet[MergeStep]:
    """What took contacts of this identity from the customer they return to, and is not in force any more."""
    return (
        MergeStep.objects.select_related("merge")
        .filter(
            identity=carrying.identity,
            from_customer_id=back,
            undone_at=None,
            merge__undone_at__isnull=False,
            fate__in=(Fate.CARRIED, Fate.PARTED, Fate.FOLDED),
        )
        .order_by("-id")
    )


def _partners(steps: Sequence[MergeStep]) -> QuerySet[MergeStep]:
    """The other customer's tickets that were folded into a ticket carried to them."""
    carried = [step for step in steps if step.fate == Fate.CARRIED]
    return MergeStep.objects.filter(
        merge__in=[step.merge_id for step in carried],
        into__in=[step.ticket_id for step in carried],
        fate=Fate.FOLDED,
        undone_at=None,
    ).order_by("-id")


def _hold(
    carrying: Carrying,
    customers: Sequence[int],
    contacts: Sequence[Contact],
    steps: Sequence[MergeStep],
    also: Sequence[int] = (),
) -> None:
    tickets = {contact.ticket_id for contact in contacts} | {step.ticket_id for step in steps} | set(also)
    carrying.hold(customers, also=[*tickets, *(step.into_id for step in steps)])


def _uncarry(
    carrying: Carrying,
    step: MergeStep,
    contacts: list[Contact],
    partners: Sequence[MergeStep],
    *,
    here: int,
    back: int,
) -> list[Contact]:
    """A ticket that went to the other customer whole returns; what else has come onto it stays behind.

    Returns the contacts that still have to go: where the customer has another live ticket by now, they go there.
    """
    ticket = carrying.tickets[step.ticket_id]
    mine = [contact for contact in contacts if contact.ticket_id == ticket.pk]
    if not mine or ticket.customer_id != here or ticket.state == State.MERGED:
        return contacts
    if ticket.state in LIVE and carrying.live_of(back) is not None:
        return contacts
    kept = {contact.pk for contact in mine}
    strangers = [contact for contact in carrying.contacts_on(ticket) if contact.pk not in kept]
    carrying.carry(ticket, back)
    _undone(carrying, step)
    partner = next(
        (
            one
            for one in partners
            if one.merge_id == step.merge_id and one.into_id == ticket.pk and _is_folded(carrying, one)
        ),
        None,
    )
    if strangers:
        goal = None
        if partner is not None:
            goal = carrying.tickets[partner.ticket_id]
            carrying.restore(goal, here, _as_it_may_be(carrying, ticket, partner, here))
            carrying.give_drafts(partner, goal)
            _undone(carrying, partner)
        goal = goal or carrying.equal(ticket, here)
        carrying.part(strangers, goal)
        _awake(carrying, goal, partner)
    if partner is not None:
        _give_back(carrying, ticket, partner)
    _awake(carrying, ticket, step)
    return [contact for contact in contacts if contact.pk not in kept]


def _as_it_may_be(carrying: Carrying, survivor: Ticket, partner: MergeStep, here: int) -> dict[str, Any]:
    """How a folded ticket comes back: as it was, or over as its survivor is where the customer has a live one since."""
    before: dict[str, Any] = partner.before
    if before["state"] not in LIVE or carrying.live_of(here) is None:
        return before
    over = columns(survivor)
    return {**before, **{name: over[name] for name in ("state", "snoozed_until", "solved_at", "closed_at")}}


def _home(carrying: Carrying, step: MergeStep, contacts: list[Contact], *, back: int) -> list[Contact]:
    """The contacts this step took away go back to their ticket; returns those that still have to go."""
    mine = [contact for contact in contacts if contact.pk in step.contacts]
    if not mine:
        return contacts
    home = carrying.tickets[step.ticket_id]
    if home.state == State.MERGED and carrying.end_of(home).customer_id == back:
        # Merged once more, into a ticket of the same customer, by something that still holds.
        home = carrying.end_of(home)
    is_revived = home.state == State.MERGED
    if is_revived:
        goal = _revive(carrying, home, back)
    elif home.customer_id == back and _takes(carrying, home, mine, back):
        goal = home
    else:
        goal = None
    if goal is None:
        return contacts
    for ticket_id in sorted({contact.ticket_id for contact in mine}):
        group = [contact for contact in mine if contact.ticket_id == ticket_id]
        if ticket_id == goal.pk:
            continue
        if not (is_revived and goal == home):
            carrying.wake(goal, group)
        part(carrying, group, goal)
    carrying.open_for_new_words(goal, _made_at(step))
    if step.into_id is not None:
        _give_back(carrying, carrying.tickets[step.into_id], step)
    _undone(carrying, step)
    gone = {contact.pk for contact in mine}
    return [contact for contact in contacts if contact.pk not in gone]


def _takes(carrying: Carrying, home: Ticket, contacts: Sequence[Contact], back: int) -> bool:
    """Whether a ticket that is not merged can take its contacts back: live, or over as the one they come from is,
    or solved and open again for them where nothing else is live."""
    is_over = all(carrying.tickets[contact.ticket_id].state not in LIVE for contact in contacts)
    if home.state in LIVE or is_over:
        return True
    if home.state != State.SOLVED or carrying.live_of(back) is not None:
        return False
    home.state, home.solved_at = State.OPEN, None
    home.save(update_fields=["state", "solved_at"])
    return True


def _revive(carrying: Carrying, ticket: Ticket, back: int) -> Ticket | None:
    """Bring a merged ticket back to life as it was, or let it lead to the customer's newer live ticket."""
    step = (
        MergeStep.objects.filter(ticket=ticket, fate__in=(Fate.FOLDED, Fate.EMPTIED), undone_at=None)
        .order_by("-id")
        .first()
    )
    if step is None:
        return None
    live = carrying.live_of(back)
    if step.before["state"] in LIVE and live is not None:
        carrying.lead(ticket, live)
        carrying.give_drafts(step, live)
        return live
    carrying.restore(ticket, back, step.before)
    carrying.give_drafts(step, ticket)
    _undone(carrying, step)
    return ticket


def _give_back(carrying: Carrying, survivor: Ticket, step: MergeStep) -> None:
    """What the survivor got by the merge (owner, tags, priority, being open) goes, where nobody changed it since."""
    if survivor.state == State.MERGED or not step.into_before:
        return
    now = columns(survivor)
    before, after = step.into_before, step.into_after
    carrying.set_columns(
        survivor, {name: before[name] for name in before if before[name] != after[name] and now[name] == after[name]}
    )
    survivor.save()
    carrying.open_for_new_words(survivor, _made_at(step))


def _awake(carrying: Carrying, ticket: Ticket, step: MergeStep | None) -> None:
    if step is not None:
        carrying.open_for_new_words(ticket, _made_at(step))


def _is_folded(carrying: Carrying, step: MergeStep) -> bool:
    ticket = carrying.tickets[step.ticket_id]
    return ticket.state == State.MERGED and ticket.merged_into_id == step.into_id


def _undone(carrying: Carrying, step: MergeStep) -> None:
    step.undone_at = carrying.now
    step.save(update_fields=["undone_at"])


def _made_at(step: MergeStep) -> datetime:
    made = step.merge or step.move
    if made is None:
        raise ValueError("a step belongs to a merge or a move")
    return made.made_at
