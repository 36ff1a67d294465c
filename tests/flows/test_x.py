"""The loop on X: an admin consents, a customer posts, is answered in public and by message, edits and deletes."""

from __future__ import annotations

import pytest

from tests.flows.at_x import CARE, DEALS, PICTURE, AtX, becomes
from tests.running import Running, until

# How many new posts, and how many edits, were told of and worked through.
TOLD = (
    "SELECT count(*) FILTER (WHERE happening = 'message'), count(*) FILTER (WHERE happening = 'edit')"
    " FROM channels_ledgeritem WHERE kind = 'x' AND state = 'processed'"
)


def test_a_post_is_answered_in_public_in_its_thread_once(product: Running, x: AtX) -> None:
    carla = x.person("carla")
    post = carla.post("@AcmeCare my router is dead")
    ticket = product.ticket_with("my router is dead")
    lead = product.signed_in("lead")
    message = lead.reply(ticket, "Sorry! We look into it right away.")
    becomes(lead, message, "sent")
    assert carla.answers(post) == ["@carla_hughes Sorry! We look into it right away."]


def test_a_direct_message_of_the_same_person_is_on_the_same_ticket_and_answered_there(
    product: Running, x: AtX
) -> None:
    writer = x.customer()
    writer.post("@AcmeCare where do I send my postcode?")
    writer.message("My postcode is SE15 4QX")
    ticket = product.ticket_with("where do I send my postcode")
    until(
        lambda: product.value("SELECT 1 FROM tickets_message WHERE text = 'My postcode is SE15 4QX'"),
        what="the direct message",
        seconds=90,
    )
    assert product.ticket_with("My postcode is SE15 4QX") == ticket
    lead = product.signed_in("lead")
    message = lead.reply(ticket, "Thank you, Carla.")
    becomes(lead, message, "sent")
    assert writer.messages() == ["Thank you, Carla.", "My postcode is SE15 4QX"]


def test_what_is_too_long_for_x_is_refused_before_it_is_sent(product: Running, x: AtX) -> None:
    x.customer().post("@AcmeCare is anybody there?")
    ticket = product.ticket_with("is anybody there")
    row = product.rows(
        "SELECT c.id, t.arrivals FROM tickets_contact c JOIN tickets_ticket t ON t.id = c.ticket_id WHERE t.id = %s",
        ticket,
    )[0]
    answer = product.signed_in("lead").post(f"/t/{ticket}/reply/", contact=row[0], seen=row[1], text="x" * 281)
    assert (answer.status_code, "280" in answer.json()["error"]) == (422, True)


def test_a_deleted_post_is_marked_and_its_words_are_kept(product: Running, x: AtX) -> None:
    writer = x.customer()
    post = writer.post("@AcmeCare you are all thieves")
    product.ticket_with("you are all thieves")
    writer.act("DELETE", f"/2/tweets/{post}")
    until(
        lambda: product.value("SELECT deleted_at FROM tickets_message WHERE external_id = %s", post),
        what="the deletion is noticed",
    )
    kept = product.value(
        "SELECT v.text FROM tickets_messageversion v JOIN tickets_message m ON m.id = v.message_id"
        " WHERE m.external_id = %s",
        post,
    )
    assert kept == "@AcmeCare you are all thieves"


def test_an_edited_post_changes_in_place_once_and_its_earlier_words_are_kept(product: Running, x: AtX) -> None:
    """Row 29: the poll tells of the edit as a new post, the rereading as an edit; it is applied once."""
    writer = x.customer()
    post = writer.post("@AcmeCare the blue one is broken")
    ticket = product.ticket_with("the blue one is broken")
    told = product.rows(TOLD)
    writer.post("@AcmeCare the GREEN one is broken", edit_options={"previous_post_id": post})
    until(
        lambda: product.value("SELECT text FROM tickets_message WHERE external_id = %s", post)
        == "@AcmeCare the GREEN one is broken",
        what="the new words",
    )
    until(
        lambda: all(now > before for now, before in zip(product.rows(TOLD)[0], told[0], strict=True)),
        what="it is told of in both ways",
    )
    versions = product.rows(
        "SELECT v.text FROM tickets_messageversion v JOIN tickets_message m ON m.id = v.message_id"
        " WHERE m.ticket_id = %s",
        ticket,
    )
    assert versions == [("@AcmeCare the blue one is broken",)]
    assert product.value("SELECT count(*) FROM tickets_message WHERE ticket_id = %s", ticket) == 1
    assert "edited" in product.signed_in("lead").get(f"/t/{ticket}/").text


def test_x_may_rename_its_fields_from_one_day_to_the_next(product: Running, x: AtX) -> None:
    """Names of 2.166, of 2.167, and back: one ticket, no message twice, and an answer still reaches its thread."""
    writer = x.customer()
    first = writer.post("@AcmeCare said in old names")
    ticket = product.ticket_with("said in old names")
    x.misbehave("x_new_names")
    writer.post("@AcmeCare said in new names", reply={"in_reply_to_tweet_id": first})
    assert product.ticket_with("said in new names") == ticket
    lead = product.signed_in("lead")
    message = lead.reply(ticket, "Understood either way.")
    becomes(lead, message, "sent")
    assert [each.endswith("Understood either way.") for each in writer.answers(first)] == [True]
    x.behave()
    writer.post("@AcmeCare said in old names again", reply={"in_reply_to_tweet_id": first})
    assert product.ticket_with("said in old names again") == ticket
    said = product.rows(
        "SELECT count(*), count(DISTINCT contact_id) FROM tickets_message WHERE ticket_id = %s AND direction = 'in'",
        ticket,
    )
    assert said == [(3, 1)]
    assert not product.value("SELECT count(*) FROM channels_ledgeritem WHERE state = 'quarantined' AND kind = 'x'")


def test_a_tweeted_picture_stands_in_the_timeline_as_a_picture(product: Running, x: AtX) -> None:
    writer = x.customer()
    writer.post("@AcmeCare look at this crack", media={"media_ids": [writer.picture(PICTURE)]})
    ticket = product.ticket_with("look at this crack")
    lead = product.signed_in("lead")
    attachment = until(
        lambda: product.value(
            "SELECT a.id FROM tickets_attachment a JOIN tickets_message m ON m.id = a.message_id"
            " WHERE m.ticket_id = %s AND a.file_id IS NOT NULL",
            ticket,
        ),
        what="the picture is fetched",
    )
    assert f'<img src="/attachments/{attachment}/"' in lead.get(f"/t/{ticket}/").text
    answer = lead.get(f"/attachments/{attachment}/")
    assert (answer.content, answer.headers["content-type"]) == (PICTURE, "image/png")


def test_a_picture_that_does_not_come_says_why_and_can_be_tried_again(product: Running, x: AtX) -> None:
    writer = x.customer()
    x.misbehave("x_picture_404")
    writer.post("@AcmeCare look at that crack", media={"media_ids": [writer.picture(PICTURE)]})
    ticket = product.ticket_with("look at that crack")
    lead = product.signed_in("lead")
    until(
        lambda: "could not be fetched: it is not there" in lead.get(f"/t/{ticket}/").text, what="the bubble says why"
    )
    x.behave()
    attachment = product.value(
        "SELECT a.id FROM tickets_attachment a JOIN tickets_message m ON m.id = a.message_id WHERE m.ticket_id = %s",
        ticket,
    )
    assert lead.post(f"/attachments/{attachment}/fetch/").status_code == 200
    until(lambda: f'<img src="/attachments/{attachment}/"' in lead.get(f"/t/{ticket}/").text, what="the picture")


@pytest.fixture(scope="module")
def second_handle(product: Running, connected_x: AtX) -> int:
    """@AcmeDeals, connected as well."""
    return connected_x.connect(DEALS)


def test_a_post_that_names_two_of_our_handles_is_one_message_with_two_sightings(
    product: Running, x: AtX, second_handle: int
) -> None:
    """Row 17."""
    post = x.customer().post("@AcmeCare @AcmeDeals which of you is it?")
    sightings = until(
        lambda: [
            each
            for each in [
                product.rows(
                    "SELECT a.address FROM tickets_sighting s JOIN tickets_message m ON m.id = s.message_id"
                    " JOIN channels_channelaccount a ON a.id = s.account_id WHERE m.external_id = %s ORDER BY 1",
                    post,
                )
            ]
            if len(each) == 2
        ],
        what="both handles have seen it",
    )
    assert sightings[0] == [(CARE,), (DEALS,)]
    counted = product.rows(
        "SELECT count(*), count(DISTINCT contact_id) FROM tickets_message WHERE text LIKE '%%which of you is it%%'"
    )
    assert counted == [(1, 1)]
