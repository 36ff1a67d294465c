"""Joining an identity to another customer and taking it back (docs/one-ticket.md, row 15)."""

from __future__ import annotations

from itertools import permutations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from agents.models import HistoryEntry, Membership, Person
from channels.models import ChannelAccount, Outbound
from customers.models import Customer, Identity, Merge
from tests.conftest import House
from tests.tickets import soundness
from tickets import acts, drafts, merging, moving, notes, replies
from tickets.models import Contact, Draft, Message, Note, Ticket

CARLA, CARLA_WORK, TOM = "carla.hughes@post.example", "carla@work.example", "tom@post.example"


def identity(address: str) -> Identity:
    return Identity.objects.get(value=address)


def customer(address: str) -> Customer:
    return identity(address).customer


def ticket(address: str) -> Ticket:
    """The live ticket of whoever has this address."""
    return Ticket.objects.get(customer=customer(address), state__in=("open", "waiting", "snoozed"))


def write(house: House, text: str, author: str, *, account: ChannelAccount | None = None, **changes: object) -> None:
    house.clock.forward(minutes=1)
    house.mail(text, author=author, name="", account=account, **changes)


def join(house: House, address: str, into: Customer, *, person: Person | None = None) -> Merge:
    house.clock.forward(minutes=1)
    return merging.join(
        person=person or house.leo,
        identity_id=identity(address).pk,
        into_customer_id=into.pk,
        evidence=merging.BY_HAND,
        now=house.clock.now,
    )


def back(house: House, merge: Merge, *, person: Person | None = None) -> None:
    house.clock.forward(minutes=1)
    merging.take_back(person=person or house.leo, merge_id=merge.pk, now=house.clock.now)


def answer(house: House, text: str, contact: Contact, **changes: object) -> Message:
    house.clock.forward(minutes=1)
    contact.refresh_from_db()
    return replies.reply(
        person=house.anna,
        ticket_id=contact.ticket_id,
        contact_id=contact.pk,
        text=text,
        seen=9999,
        now=house.clock.now,
        **changes,  # type: ignore[arg-type]
    )


@pytest.fixture
def two(house: House) -> House:
    """Carla wrote from home, then, as somebody else, from work."""
    write(house, "From home", CARLA)
    write(house, "From work", CARLA_WORK)
    return house


def test_the_younger_ticket_becomes_merged_into_the_older_and_its_words_follow_in_order(two: House) -> None:
    write(two, "Work again", CARLA_WORK, references=("<mail-2@post.example>",))
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    join(two, CARLA_WORK, customer(CARLA))
    old.refresh_from_db()
    young.refresh_from_db()
    assert (young.state, young.merged_into) == ("merged", old)
    assert list(Message.objects.filter(ticket=old).order_by("arrival").values_list("arrival", "text")) == [
        (1, "From home"),
        (2, "From work"),
        (3, "Work again"),
    ]
    assert old.last_words == "Work again"
    soundness.check(messages=3)


def test_the_older_ticket_survives_whichever_side_it_stands_on(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    into = customer(CARLA_WORK)
    before = soundness.picture()
    merge = join(two, CARLA, into)
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.customer, old.state, young.merged_into) == (into, "open", old)
    soundness.check(messages=2)
    back(two, merge)
    assert soundness.picture() == before
    soundness.check(messages=2)


def test_joining_and_taking_back_leaves_everything_as_it_was(two: House) -> None:
    before = soundness.picture()
    merge = join(two, CARLA_WORK, customer(CARLA))
    assert soundness.picture() != before
    back(two, merge)
    assert soundness.picture() == before
    soundness.check(messages=2)
    back(two, merge)
    assert soundness.picture() == before


def test_the_survivor_keeps_queue_and_owner_and_takes_what_the_younger_has_more(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    Ticket.objects.filter(pk=old.pk).update(tags=["parcel"])
    Ticket.objects.filter(pk=young.pk).update(queue=two.billing, owner=two.ben, tags=["parcel", "refund"], priority=1)
    merge = join(two, CARLA_WORK, customer(CARLA))
    old.refresh_from_db()
    assert (old.queue, old.owner, old.tags, old.priority) == (two.general, two.ben, ["parcel", "refund"], 1)
    acts.tag(person=two.leo, tickets=[old.pk], add=["vip"], now=two.clock.now)
    back(two, merge)
    old.refresh_from_db()
    young.refresh_from_db()
    # The tags were changed since: that holds. Owner and priority were not.
    assert (old.owner, old.tags, old.priority) == (None, ["parcel", "refund", "vip"], 0)
    assert (young.queue, young.owner, young.tags, young.priority) == (two.billing, two.ben, ["parcel", "refund"], 1)


def test_all_tags_of_both_stay_and_can_be_removed_and_exchanged(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    twelve = [f"tag {number}" for number in range(12)]
    Ticket.objects.filter(pk=old.pk).update(tags=twelve)
    Ticket.objects.filter(pk=young.pk).update(tags=["vip", "refund"])
    join(two, CARLA_WORK, customer(CARLA))
    old.refresh_from_db()
    assert old.tags == [*twelve, "vip", "refund"]
    acts.tag(person=two.leo, tickets=[old.pk], add=["late"], remove=["tag 0"], now=two.clock.now)
    with pytest.raises(acts.CannotAct):
        acts.tag(person=two.leo, tickets=[old.pk], add=["one more"], now=two.clock.now)
    old.refresh_from_db()
    assert old.tags == [*twelve[1:], "vip", "refund", "late"]


def test_a_waiting_survivor_opens_for_an_open_one_and_waits_again_when_it_goes(two: House) -> None:
    old = ticket(CARLA)
    acts.wait(person=two.anna, tickets=[old.pk], now=two.clock.now)
    merge = join(two, CARLA_WORK, customer(CARLA))
    assert ticket(CARLA).state == "open"
    back(two, merge)
    assert ticket(CARLA).state == "waiting"


def test_new_words_on_the_survivor_keep_it_open_when_the_other_goes(two: House) -> None:
    acts.wait(person=two.anna, tickets=[ticket(CARLA).pk], now=two.clock.now)
    merge = join(two, CARLA_WORK, customer(CARLA))
    write(two, "Home again", CARLA, references=("<mail-1@post.example>",))
    back(two, merge)
    assert ticket(CARLA).state == "open"


def test_only_one_has_a_live_ticket_and_it_changes_customer(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    acts.solve(person=two.anna, tickets=[old.pk], now=two.clock.now)
    before = soundness.picture()
    merge = join(two, CARLA_WORK, customer(CARLA))
    young.refresh_from_db()
    assert (young.customer, young.state) == (customer(CARLA), "open")
    soundness.check()
    back(two, merge)
    assert soundness.picture() == before


def test_contacts_of_other_identities_stay_with_their_customer(two: House) -> None:
    join(two, CARLA_WORK, customer(CARLA))
    write(two, "Tom here", TOM)
    shared, toms = ticket(CARLA), ticket(TOM)
    merge = join(two, CARLA_WORK, customer(TOM))
    assert list(Contact.objects.filter(ticket=shared).values_list("identity__value", flat=True)) == [CARLA]
    assert Contact.objects.filter(ticket=toms).count() == 2
    shared.refresh_from_db()
    assert (shared.state, shared.customer) == ("open", customer(CARLA))
    soundness.check(messages=3)
    back(two, merge)
    assert Contact.objects.filter(ticket=shared).count() == 2
    soundness.check(messages=3)


def test_over_tickets_become_an_equal_one_of_the_other_customer(two: House) -> None:
    join(two, CARLA_WORK, customer(CARLA))
    shared = ticket(CARLA)
    acts.solve(person=two.anna, tickets=[shared.pk], now=two.clock.now)
    write(two, "Tom here", TOM)
    before = soundness.picture()
    merge = join(two, CARLA_WORK, customer(TOM))
    moved = Contact.objects.get(identity=identity(CARLA_WORK))
    assert (moved.ticket.state, moved.ticket.queue, moved.ticket.solved_at is not None) == ("solved", two.general, True)
    assert moved.customer == customer(TOM)
    soundness.check(messages=3)
    back(two, merge)
    after = soundness.picture()
    assert after["messages"] == before["messages"]
    assert after["identities"] == before["identities"]
    soundness.check(messages=3)


def test_what_arrives_after_a_merge_follows_its_identity_back(two: House) -> None:
    merge = join(two, CARLA_WORK, customer(CARLA))
    write(two, "New matter from work", CARLA_WORK)
    write(two, "New matter from home", CARLA)
    back(two, merge)
    texts = Message.objects.filter(ticket=ticket(CARLA_WORK)).order_by("arrival").values_list("text", flat=True)
    assert set(texts) == {"From work", "New matter from work"}
    assert Message.objects.filter(ticket=ticket(CARLA)).count() == 2
    soundness.check(messages=4)


def test_where_the_returning_customer_has_a_newer_live_ticket_the_contacts_go_there(two: House) -> None:
    young = ticket(CARLA_WORK)
    into = customer(CARLA)
    emptied = customer(CARLA_WORK)
    merge = join(two, CARLA_WORK, into)
    write(two, "Tom here", TOM)
    join(two, TOM, emptied)
    back(two, merge)
    young.refresh_from_db()
    assert (young.state, young.merged_into) == ("merged", ticket(TOM))
    assert Message.objects.get(text="From work").ticket == ticket(TOM)
    soundness.check(messages=3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_several_merges_are_taken_back_in_any_order(two: House, order: tuple[int, ...]) -> None:
    write(two, "Tom here", TOM)
    write(two, "Eve here", "eve@post.example")
    toms, eves = customer(TOM), customer("eve@post.example")
    before = soundness.picture()
    merges = [
        join(two, CARLA_WORK, customer(CARLA)),
        join(two, CARLA_WORK, toms),
        join(two, TOM, eves),
    ]
    soundness.check(messages=4)
    for number in order:
        back(two, merges[number])
        soundness.check(messages=4)
    after = soundness.picture()
    assert after["identities"] == before["identities"]
    assert after["messages"] == before["messages"]
    kept = {number: row for number, row in after["tickets"].items() if row[1] != "merged"}  # type: ignore[attr-defined]
    assert kept == before["tickets"]


def test_only_identities_still_where_the_merge_put_them_move(two: House) -> None:
    write(two, "Tom here", TOM)
    first = join(two, CARLA_WORK, customer(CARLA))
    join(two, CARLA_WORK, customer(TOM))
    back(two, first)
    assert customer(CARLA_WORK) == customer(TOM)


def test_a_queued_reply_follows_its_frozen_recipient(two: House) -> None:
    answer(two, "On its way", Contact.objects.get(identity=identity(CARLA_WORK)))
    rows = list(Outbound.objects.values_list("recipient", "lane", "payload", "state"))
    merge = join(two, CARLA_WORK, customer(CARLA))
    assert list(Outbound.objects.values_list("recipient", "lane", "payload", "state")) == rows
    assert Message.objects.get(text="On its way").customer == customer(CARLA)
    back(two, merge)
    assert list(Outbound.objects.values_list("recipient", "lane", "payload", "state")) == rows
    soundness.check(messages=3)


def test_an_answer_on_one_ticket_answers_nothing_on_the_other(two: House) -> None:
    answer(two, "Here you are", Contact.objects.get(identity=identity(CARLA_WORK)))
    assert ticket(CARLA_WORK).awaiting == "customer"
    merge = join(two, CARLA_WORK, customer(CARLA))
    waiting = Contact.objects.filter(unanswered_since__isnull=False)
    assert [contact.identity.value for contact in waiting] == [CARLA]
    answer(two, "And you too", waiting[0])
    assert ticket(CARLA).awaiting == "customer"
    back(two, merge)
    assert not Contact.objects.filter(unanswered_since__isnull=False).exists()
    soundness.check(messages=4)


def test_what_a_reply_to_a_sibling_answered_stays_answered_when_they_part(two: House) -> None:
    join(two, CARLA_WORK, customer(CARLA))
    answer(two, "Both at once", Contact.objects.get(identity=identity(CARLA)))
    write(two, "Tom here", TOM)
    join(two, CARLA_WORK, customer(TOM))
    waiting = Contact.objects.filter(unanswered_since__isnull=False)
    assert [contact.identity.value for contact in waiting] == [TOM]
    soundness.check(messages=4)


def test_notes_stay_on_their_ticket_and_are_seen_where_it_is(two: House) -> None:
    young = ticket(CARLA_WORK)
    notes.write(person=two.anna, ticket_id=young.pk, text="Sounds like Carla", now=two.clock.now)
    merge = join(two, CARLA_WORK, customer(CARLA))
    note = Note.objects.get()
    assert (note.ticket_id, note.customer) == (young.pk, customer(CARLA))
    back(two, merge)
    note.refresh_from_db()
    assert (note.ticket_id, note.customer) == (young.pk, customer(CARLA_WORK))


def test_a_draft_goes_along_with_its_ticket_and_comes_back_with_it(two: House) -> None:
    mine, other = ticket(CARLA_WORK), ticket(CARLA)
    for person, on, text in ((two.anna, mine, "Dear work"), (two.leo, mine, "Work"), (two.leo, other, "Home")):
        drafts.save(person=person, ticket_id=on.pk, kind="reply", text=text, now=two.clock.now)
    before = set(Draft.objects.values_list("ticket_id", "person_id", "text"))
    merge = join(two, CARLA_WORK, customer(CARLA))
    assert {one.text: one.ticket_id for one in Draft.objects.filter(person=two.anna)} == {"Dear work": other.pk}
    back(two, merge)
    assert set(Draft.objects.values_list("ticket_id", "person_id", "text")) == before


def test_a_draft_goes_back_with_the_ticket_that_was_folded_into_a_carried_one(two: House) -> None:
    mine = ticket(CARLA_WORK)
    drafts.save(person=two.anna, ticket_id=mine.pk, kind="note", text="Hm", now=two.clock.now)
    merge = join(two, CARLA, customer(CARLA_WORK))
    assert Draft.objects.get().ticket == ticket(CARLA_WORK) != mine
    back(two, merge)
    assert Draft.objects.get().ticket == mine


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_draft_is_back_with_its_ticket_in_whatever_order_joins_are_taken_back(
    two: House, order: tuple[int, ...]
) -> None:
    write(two, "Tom", TOM)
    mine = ticket(CARLA_WORK)
    drafts.save(person=two.anna, ticket_id=mine.pk, kind="reply", text="Dear work", now=two.clock.now)
    joins = [
        join(two, CARLA_WORK, customer(CARLA)),
        join(two, CARLA, customer(TOM)),
        join(two, CARLA_WORK, customer(TOM)),
    ]
    for number in order:
        back(two, joins[number])
        mine.refresh_from_db()
        assert (Draft.objects.get().ticket == mine) == (mine.state == "open")


def test_a_draft_that_was_written_on_since_stays_where_it_was_written(two: House) -> None:
    drafts.save(
        person=two.anna, ticket_id=ticket(CARLA_WORK).pk, kind="reply", text="Dear work", now=two.clock.now
    )
    merge = join(two, CARLA_WORK, customer(CARLA))
    survivor = ticket(CARLA)
    two.clock.forward(minutes=1)
    drafts.save(person=two.anna, ticket_id=survivor.pk, kind="reply", text="Dear both", now=two.clock.now)
    back(two, merge)
    assert Draft.objects.get().ticket == survivor


def test_both_tickets_and_both_customers_have_it_in_their_history(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    customers = {customer(CARLA).pk, customer(CARLA_WORK).pk}
    merge = join(two, CARLA_WORK, customer(CARLA))
    back(two, merge)
    for act in ("ticket.joined", "ticket.parted"):
        assert set(HistoryEntry.objects.filter(act=act).values_list("ticket_id", flat=True)) == {old.pk, young.pk}
    for act in ("customer.joined", "customer.parted"):
        assert set(HistoryEntry.objects.filter(act=act).values_list("customer_id", flat=True)) == customers


def test_lists_never_hold_words_of_a_confidential_queue(two: House) -> None:
    write(two, "About my lawyer", CARLA_WORK, account=two.legal_mailbox)
    join(two, CARLA_WORK, customer(CARLA))
    assert ticket(CARLA).last_words == "From work"
    soundness.check(messages=3)


def test_who_may_not_read_one_of_the_tickets_is_refused(two: House) -> None:
    write(two, "A bill", TOM, account=two.billing_mailbox)
    with pytest.raises(PermissionDenied):
        join(two, CARLA_WORK, customer(TOM), person=two.anna)
    with pytest.raises(PermissionDenied):
        join(two, TOM, customer(CARLA), person=two.anna)
    with pytest.raises(PermissionDenied):
        merging.preview(person=two.hana, identity_id=identity(CARLA).pk, into_customer_id=customer(TOM).pk)
    with pytest.raises(PermissionDenied):
        join(two, CARLA_WORK, customer(CARLA), person=two.ada)
    merge = join(two, CARLA_WORK, customer(CARLA), person=two.anna)
    with pytest.raises(PermissionDenied):
        back(two, merge, person=two.hana)
    back(two, merge, person=two.ben)


def test_who_joined_or_moved_takes_it_back_no_longer_once_they_have_left_the_team(two: House) -> None:
    merge = join(two, CARLA_WORK, customer(CARLA), person=two.anna)
    at_work = two.message("From work").contact_id
    moved = moving.move_contact(person=two.anna, contact_id=at_work, name="Ida", now=two.clock.now)
    Membership.objects.filter(person=two.anna).delete()
    with pytest.raises(PermissionDenied):
        back(two, merge, person=two.anna)
    with pytest.raises(PermissionDenied):
        moving.take_back_move(person=two.anna, move_id=moved.pk, now=two.clock.now)
    Ticket.objects.filter(pk=ticket(CARLA).pk).update(owner=two.anna)
    back(two, merge, person=two.anna)


def test_joining_to_nobody_or_to_the_same_customer_is_refused(two: House) -> None:
    with pytest.raises(merging.CannotJoin):
        join(two, CARLA, customer(CARLA))
    with pytest.raises(Http404):
        merging.join(person=two.leo, identity_id=10**9, into_customer_id=1, evidence=merging.BY_HAND, now=two.clock.now)
    Identity.objects.filter(value=CARLA_WORK).update(is_shared=True)
    with pytest.raises(merging.CannotJoin):
        join(two, CARLA_WORK, customer(CARLA))


def test_the_preview_says_what_joining_then_does(two: House) -> None:
    old, young = ticket(CARLA), ticket(CARLA_WORK)
    seen = merging.preview(person=two.anna, identity_id=identity(CARLA_WORK).pk, into_customer_id=customer(CARLA).pk)
    assert [(one.ticket, str(one.fate), one.survivor) for one in seen.planned] == [(young, "folded", old)]
    assert seen.contacts == 1
    assert Ticket.objects.get(pk=young.pk).state == "open"
