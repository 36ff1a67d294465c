"""What Facebook tells, from the bytes of a webhook to the ticket: through ledger, adapter and receiver."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from channels import ledger, outbox, processing
from channels.adapters.facebook import split
from channels.happenings import DeliveryReceipt
from channels.models import ChannelAccount, LedgerCount, LedgerItem, Outbound, StoredFile
from customers.models import Customer, Identity
from tests.conftest import NOW, House
from tickets import receipts, replies
from tickets.models import Contact, Message, MessageVersion
from tickets.outgoing import UploadedFile

PAGE = "1088800000000001"
ANA = "7000000000000123"
PSID = "5000000000000123"
POST = f"{PAGE}_901"
US = {"sender": {"id": PAGE}, "recipient": {"id": PSID}}


@pytest.fixture
def page(house: House) -> ChannelAccount:
    """Acme Care's Page, connected now."""
    return ChannelAccount.objects.create(
        kind="facebook", address=PAGE, name="Acme Care", begins_at=NOW - timedelta(minutes=1), created_at=NOW
    )


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def told(house: House, page: ChannelAccount, entry: dict[str, Any]) -> list[tuple[str, str]]:
    """A webhook comes in and is worked through; the state and reason of its new rows."""
    body = json.dumps({"object": "page", "entry": [{"id": PAGE, "time": ms(house.clock.now), **entry}]}).encode()
    known = set(LedgerItem.objects.values_list("pk", flat=True))
    ledger.record(page, "facebook", [part.item for part in split(body)], source="webhook", now=house.clock.now)
    processing.process(now=house.clock.now, clock=lambda: house.clock.now)
    return list(LedgerItem.objects.exclude(pk__in=known).order_by("pk").values_list("state", "reason"))


def messenger(house: House, page: ChannelAccount, what: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    people = {"sender": {"id": PSID}, "recipient": {"id": PAGE}}
    event = {**people, "timestamp": ms(house.clock.now), **what, **more}
    return told(house, page, {"messaging": [event]})


def feed(house: House, page: ChannelAccount, **given: Any) -> list[tuple[str, str]]:
    seconds = int(house.clock.now.timestamp())
    value: dict[str, Any] = {
        "item": "comment",
        "verb": "add",
        "comment_id": "901_903",
        "post_id": POST,
        "parent_id": POST,
        "from": {"id": ANA, "name": "Ana Baker"},
        "created_time": seconds,
        "message": "where is my order?",
    }
    value = {name: each for name, each in {**value, **given}.items() if each is not None}
    return told(house, page, {"time": seconds, "changes": [{"field": "feed", "value": value}]})


def said(house: House, page: ChannelAccount, text: str = "hello", mid: str = "m_1") -> list[tuple[str, str]]:
    return messenger(house, page, {"message": {"mid": mid, "text": text}})


def reply(house: House, text: str = "We are on it.", **more: Any) -> Message:
    with transaction.atomic():
        contact = Contact.objects.order_by("-id")[0]
        return replies.reply(
            person=house.leo,
            ticket_id=contact.ticket_id,
            contact_id=contact.pk,
            text=text,
            seen=1000,
            now=house.clock.now,
            **more,
        )


def sent(house: House, message: Message, external_id: str) -> None:
    """The message's rows leave and the network answers."""
    for row in Outbound.objects.filter(reference=receipts.reference(message.pk)).order_by("pk"):
        Outbound.objects.filter(pk=row.pk).update(
            state="sent", claimed_at=house.clock.now, sent_at=house.clock.now, external_id=f"{external_id}"
        )
    with transaction.atomic():
        receipts.apply(
            DeliveryReceipt(
                state="sent",
                at=house.clock.now + timedelta(seconds=1),
                reference=receipts.reference(message.pk),
                external_id=external_id,
            ),
            now=house.clock.now,
        )


OK = [("processed", "")]


def test_a_comment_and_a_message_are_two_identities_and_their_contacts(house: House, page: ChannelAccount) -> None:
    assert feed(house, page) == OK
    assert said(house, page) == OK
    kinds = Identity.objects.order_by("kind").values_list("kind", "scope", "value")
    assert list(kinds) == [("fb_commenter", PAGE, ANA), ("fb_psid", PAGE, PSID)]
    assert Customer.objects.count() == 2
    contacts = Contact.objects.order_by("surface").values_list("surface", "thread")
    assert list(contacts) == [("facebook:comment", "901_903"), ("facebook:messenger", PSID)]


def test_a_thread_is_one_contact_and_told_twice_is_told_once(house: House, page: ChannelAccount) -> None:
    assert feed(house, page) == OK
    assert feed(house, page) == []
    assert feed(house, page, comment_id="901_904", parent_id="901_903", message="hello?") == OK
    assert (Contact.objects.count(), Message.objects.count()) == (1, 2)
    assert Message.objects.get(external_id="901_904").parent_id == "901_903"


def test_nobody_to_be_seen_is_one_customer_a_conversation(house: House, page: ChannelAccount) -> None:
    assert feed(house, page, **{"from": None}) == OK
    assert feed(house, page, **{"from": None}, comment_id="901_904", parent_id="901_903") == OK
    assert feed(house, page, **{"from": None}, comment_id="901_905") == OK
    assert sorted(Identity.objects.values_list("kind", "value")) == [("nameless", "901_903"), ("nameless", "901_905")]


def test_an_edited_comment_keeps_its_versions_and_is_applied_once(house: House, page: ChannelAccount) -> None:
    feed(house, page)
    house.clock.forward(minutes=1)
    for verb in ("edited", "edit"):
        assert feed(house, page, verb=verb, message="where is order 7?") == OK
    message = Message.objects.get()
    assert (message.text, message.external_id) == ("where is order 7?", "901_903")
    assert MessageVersion.objects.values_list("text", flat=True).get() == "where is my order?"
    assert house.ticket().last_words == "where is order 7?"


def test_a_removed_comment_is_marked_and_its_words_are_kept(house: House, page: ChannelAccount) -> None:
    feed(house, page)
    house.clock.forward(minutes=1)
    assert feed(house, page, verb="remove", message=None, **{"from": None}) == OK
    message = Message.objects.get()
    assert message.deleted_at is not None
    assert (message.text, MessageVersion.objects.get().text) == ("", "where is my order?")


def test_a_message_edited_and_taken_back(house: House, page: ChannelAccount) -> None:
    said(house, page)
    house.clock.forward(minutes=1)
    edit = {"message_edit": {"mid": "m_1", "text": "hello!", "num_edit": 1}}
    assert messenger(house, page, edit) == OK
    assert messenger(house, page, edit) == []
    assert Message.objects.get().text == "hello!"
    house.clock.forward(minutes=1)
    assert messenger(house, page, {"message": {"mid": "m_1", "is_deleted": True}}) == OK
    assert Message.objects.get().deleted_at is not None
    assert [each.text for each in MessageVersion.objects.order_by("pk")] == ["hello", "hello!"]


def test_an_edit_that_overtakes_its_message_is_the_message(house: House, page: ChannelAccount) -> None:
    at = house.clock.now
    house.clock.forward(seconds=30)
    assert messenger(house, page, {"message_edit": {"mid": "m_1", "text": "hello!", "num_edit": 1}}) == OK
    assert messenger(house, page, {"message": {"mid": "m_1", "text": "hello"}}, timestamp=ms(at)) == OK
    assert Message.objects.get().text == "hello!"


def test_a_deletion_that_overtakes_its_message_is_applied_when_that_comes(house: House, page: ChannelAccount) -> None:
    unknown = [("filtered", "a deletion of nothing we know")]
    assert messenger(house, page, {"message": {"mid": "m_1", "is_deleted": True}}) == unknown
    assert feed(house, page, verb="remove", message=None, **{"from": None}) == unknown
    house.clock.forward(seconds=1)
    assert said(house, page) == OK
    assert feed(house, page) == OK
    assert list(LedgerItem.objects.values_list("state", "reason")) == OK * 4
    assert [(each.text, each.deleted_at is None) for each in Message.objects.all()] == [("", False)] * 2
    assert sorted(MessageVersion.objects.values_list("text", flat=True)) == ["hello", "where is my order?"]
    # Told once more by somebody, it is applied no second time.
    assert messenger(house, page, {"message": {"mid": "m_1", "is_deleted": True}}) == []
    columns = LedgerCount.objects.values_list("column").annotate(total=Sum("delta"))
    assert {name: total for name, total in columns if total} == {"seen": 4, "processed": 4}


def test_a_deletion_of_something_else_stays_where_it_is(house: House, page: ChannelAccount) -> None:
    messenger(house, page, {"message": {"mid": "m_2", "is_deleted": True}})
    assert said(house, page) == OK
    assert Message.objects.get().deleted_at is None
    assert LedgerItem.objects.filter(state="filtered").count() == 1


def test_an_edit_that_comes_after_its_deletion_shows_nothing_again(house: House, page: ChannelAccount) -> None:
    said(house, page)
    edit = {"message_edit": {"mid": "m_1", "text": "hello!", "num_edit": 1}}
    house.clock.forward(minutes=1)
    messenger(house, page, {"message": {"mid": "m_1", "is_deleted": True}})
    assert messenger(house, page, edit) == OK
    assert (Message.objects.get().text, MessageVersion.objects.count()) == ("", 1)


def test_deletion_edit_and_message_in_the_wrong_order_leave_nothing_to_be_read(
    house: House, page: ChannelAccount
) -> None:
    messenger(house, page, {"message": {"mid": "m_1", "is_deleted": True}})
    assert messenger(house, page, {"message_edit": {"mid": "m_1", "text": "hello!", "num_edit": 1}}) == OK
    assert said(house, page) == OK
    message = Message.objects.get()
    assert (message.text, message.deleted_at is None) == ("", False)


def test_an_older_edit_never_takes_the_place_of_one_that_overtook_its_message(
    house: House, page: ChannelAccount
) -> None:
    at = house.clock.now
    house.clock.forward(seconds=30)
    messenger(house, page, {"message_edit": {"mid": "m_1", "text": "third", "num_edit": 2}})
    second = {"message_edit": {"mid": "m_1", "text": "second", "num_edit": 1}}
    assert messenger(house, page, second, timestamp=ms(at + timedelta(seconds=9))) == OK
    assert messenger(house, page, {"message": {"mid": "m_1", "text": "first"}}, timestamp=ms(at)) == OK
    assert Message.objects.get().text == "third"


def test_two_edits_within_one_second_are_both_applied_and_each_once(house: House, page: ChannelAccount) -> None:
    feed(house, page)
    house.clock.forward(minutes=1)
    for verb, text in (("edited", "second"), ("edited", "third"), ("edited", "second"), ("edit", "second")):
        feed(house, page, verb=verb, message=text)
    assert Message.objects.get().text == "third"
    kept = MessageVersion.objects.order_by("pk").values_list("text", flat=True)
    assert list(kept) == ["where is my order?", "second"]


def test_what_somebody_writes_below_their_own_post_belongs_to_it(house: House, page: ChannelAccount) -> None:
    theirs = f"{PAGE}_777"
    visitor = {"item": "status", "post_id": theirs, "comment_id": None, "parent_id": None}
    below = {"post_id": theirs, "parent_id": theirs}
    assert feed(house, page, **visitor) == OK
    assert feed(house, page, comment_id="777_1", message="and when?", **below) == OK
    assert Contact.objects.values_list("thread", flat=True).get() == theirs
    # So does what stands below that, ours in Facebook's own app too.
    ours = {"from": {"id": PAGE, "name": "Acme Care"}, "post_id": theirs, "parent_id": "777_1"}
    house.clock.forward(minutes=1)
    assert feed(house, page, comment_id="777_2", message="Tomorrow", **ours) == OK
    assert feed(house, page, comment_id="777_3", message="Thanks", **{**below, "parent_id": "777_1"}) == OK
    assert (Contact.objects.count(), Message.objects.count()) == (1, 4)
    # Somebody else's comment below it is a conversation of its own.
    ben = {"id": "7000000000000456", "name": "Ben Cole"}
    assert feed(house, page, comment_id="777_4", **{**below, "from": ben}) == OK
    assert sorted(Contact.objects.values_list("thread", flat=True)) == [theirs, "777_4"]


def test_nothing_from_before_the_beginning_makes_a_ticket(house: House, page: ChannelAccount) -> None:
    old = int((NOW - timedelta(hours=1)).timestamp())
    assert feed(house, page, created_time=old) == [("filtered", "before the account began")]


def test_likes_and_hiding_are_filtered_with_reasons(house: House, page: ChannelAccount) -> None:
    feed(house, page)
    assert feed(house, page, item="reaction") == [("filtered", "reaction")]
    assert feed(house, page, verb="hide") == [("filtered", "hidden, or shown again, at Facebook")]
    assert feed(house, page, item="album") == [("filtered", "unsupported event: album add")]


def test_a_reply_with_two_pictures_is_three_calls_in_order_and_one_bubble(house: House, page: ChannelAccount) -> None:
    said(house, page)
    files = [
        StoredFile.objects.create(
            sha256=f"{number:064}", size=3, content_type="image/png", path=f"a/{number}", stored_at=NOW
        )
        for number in (1, 2)
    ]
    named = [UploadedFile(each.pk, f"{each.pk}.png") for each in files]
    message = reply(house, files=named)
    rows = list(Outbound.objects.order_by("pk"))
    assert [(row.payload["text"], row.files) for row in rows] == [
        ("We are on it.", []), ("", [files[0].pk]), ("", [files[1].pk]),
    ]  # fmt: skip
    assert len({row.lane for row in rows}) == 1
    assert len({row.marker for row in rows}) == 3
    assert message.scope == PAGE
    with transaction.atomic():
        assert outbox.cancel(reference=receipts.reference(message.pk), now=house.clock.now)
    assert set(Outbound.objects.values_list("state", flat=True)) == {"cancelled"}
    reply(house, text="", files=named[:1])
    assert Outbound.objects.exclude(state="cancelled").get().files == [files[0].pk]


def test_the_echo_of_each_call_proves_its_own_row_and_makes_no_second_message(
    house: House, page: ChannelAccount
) -> None:
    said(house, page)
    file = StoredFile.objects.create(sha256="1" * 64, size=3, content_type="image/png", path="a/1", stored_at=NOW)
    message = reply(house, files=[UploadedFile(file.pk, "a.png")])
    Outbound.objects.update(state="unknown", unknown_at=house.clock.now)
    Message.objects.filter(pk=message.pk).update(state="unknown")
    text, picture = Outbound.objects.order_by("pk")
    echo = {"mid": "m_2", "is_echo": True, "attachments": [{"type": "image", "payload": {"url": "https://s.example"}}]}
    assert messenger(house, page, {"message": {**echo, "metadata": picture.marker}}, **US) == OK
    picture.refresh_from_db()
    text.refresh_from_db()
    assert (picture.state, picture.external_id, text.state) == ("sent", "m_2", "unknown")
    words = {"mid": "m_3", "is_echo": True, "text": "We are on it.", "metadata": text.marker}
    assert messenger(house, page, {"message": words}, **US) == OK
    text.refresh_from_db()
    message.refresh_from_db()
    assert (text.state, message.state) == ("sent", "sent")
    assert Message.objects.filter(direction="out").count() == 1


def test_calls_of_one_bubble_are_known_by_their_ids_without_our_mark(house: House, page: ChannelAccount) -> None:
    said(house, page)
    file = StoredFile.objects.create(sha256="1" * 64, size=3, content_type="image/png", path="a/1", stored_at=NOW)
    message = reply(house, files=[UploadedFile(file.pk, "a.png")])
    sent(house, message, "m_2")
    Outbound.objects.filter(payload__text="").update(external_id="m_3")
    for mid in ("m_2", "m_3"):
        assert messenger(house, page, {"message": {"mid": mid, "text": "", "is_echo": True}}, **US) == OK
    assert Message.objects.filter(direction="out").count() == 1


def test_what_the_page_writes_in_facebooks_own_app_answers_the_contact(house: House, page: ChannelAccount) -> None:
    said(house, page)
    assert house.ticket().awaiting == "us"
    house.clock.forward(minutes=1)
    assert messenger(house, page, {"message": {"mid": "m_2", "text": "Hi!", "is_echo": True}}, **US) == OK
    made = Message.objects.get(direction="out")
    assert (made.is_outside, made.scope, made.text) == (True, PAGE, "Hi!")
    assert house.ticket().awaiting == "customer"


def test_our_comment_below_a_customers_answers_it_and_below_our_own_post_nobody(
    house: House, page: ChannelAccount
) -> None:
    feed(house, page)
    house.clock.forward(minutes=1)
    ours = {"from": {"id": PAGE, "name": "Acme Care"}}
    assert feed(house, page, comment_id="901_904", parent_id="901_903", message="On it", **ours) == OK
    assert Message.objects.get(direction="out").is_outside
    assert house.ticket().awaiting == "customer"
    assert feed(house, page, comment_id="901_905", message="News!", **ours) == [
        ("filtered", "our own, in no customer's thread")
    ]


def test_receipts_mark_what_had_left_by_then_and_nothing_later(house: House, page: ChannelAccount) -> None:
    said(house, page)
    house.clock.forward(minutes=1)
    first = reply(house, "First")
    sent(house, first, "m_2")
    seen_at = house.clock.forward(seconds=20)
    house.clock.forward(seconds=20)
    second = reply(house, "Second")
    sent(house, second, "m_3")
    house.clock.forward(seconds=20)
    assert messenger(house, page, {"delivery": {"mids": ["m_2"], "watermark": ms(seen_at)}}) == OK
    assert messenger(house, page, {"read": {"watermark": ms(seen_at)}}) == OK
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.delivered_at is not None
    assert first.read_at is not None
    assert (second.delivered_at, second.read_at) == (None, None)
    assert messenger(house, page, {"read": {"watermark": ms(house.clock.now)}}) == OK
    second.refresh_from_db()
    assert second.read_at is not None


def test_a_receipt_for_another_page_or_person_marks_nothing(house: House, page: ChannelAccount) -> None:
    said(house, page)
    message = reply(house)
    sent(house, message, "m_2")
    house.clock.forward(minutes=1)
    nothing = [("filtered", "receipt for nothing of ours")]
    assert messenger(house, page, {"read": {"watermark": ms(house.clock.now)}}, sender={"id": "999"}) == nothing
    message.refresh_from_db()
    assert message.read_at is None
