"""The loop on Facebook: an admin consents, customers comment and write on Messenger, and are answered there."""

from __future__ import annotations

import pytest

from tests.flows.at_facebook import CARE, OUTLET, AtFacebook, contact, uploaded
from tests.flows.at_x import PICTURE, becomes
from tests.running import Running, until

TOLD = [("message", "webhook", "processed", "")]


def test_a_comment_is_told_at_once_and_answered_in_its_thread_once(product: Running, facebook: AtFacebook) -> None:
    """Row 8: what is said below a top-level comment is one contact."""
    friend = facebook.friend()
    comment = friend.comment("Mine hums like a fridge.", facebook.post())
    ticket = product.ticket_with("hums like a fridge")
    assert facebook.settled(comment) == TOLD
    lead = facebook.lead
    message = lead.reply(ticket, "That should not be. Which one is it?")
    becomes(lead, message, "sent")
    assert facebook.below(comment) == ["That should not be. Which one is it?"]
    friend.comment("The blue one.", comment)
    assert product.ticket_with("The blue one.") == ticket
    facebook.told()
    said = product.rows(
        "SELECT direction, text FROM tickets_message WHERE contact_id = %s ORDER BY arrival",
        contact(product, ticket, "facebook:comment"),
    )
    assert said == [
        ("in", "Mine hums like a fridge."),
        ("out", "That should not be. Which one is it?"),
        ("in", "The blue one."),
    ]


def test_whoever_shares_no_profile_is_nobody_that_is_known(product: Running, facebook: AtFacebook) -> None:
    """Row 11: each conversation of theirs is a customer of its own, and is answered all the same."""
    friend = facebook.friend()
    product.act("/practice/facebook/habits", person=friend.key, shares_profile=False)
    first = friend.comment("I would rather not say who I am.", facebook.post())
    ticket = product.ticket_with("rather not say")
    friend.comment("And it leaks, too.", first)
    assert product.ticket_with("And it leaks, too.") == ticket
    friend.comment("Somebody else would say this.", facebook.post())
    assert product.ticket_with("Somebody else would") != ticket
    who = product.rows(
        "SELECT i.kind, i.value FROM tickets_contact c JOIN customers_identity i ON i.id = c.identity_id"
        " WHERE c.ticket_id = %s",
        ticket,
    )
    assert who == [("nameless", first)]
    lead = facebook.lead
    becomes(lead, lead.reply(ticket, "You need not."), "sent")
    assert facebook.below(first) == ["And it leaks, too.", "You need not."]


def test_words_and_a_picture_on_messenger_are_one_ticket_and_shown(product: Running, facebook: AtFacebook) -> None:
    facebook.friend().message("Look at this crack.", picture=True)
    ticket = product.ticket_with("Look at this crack.")
    attachment = until(
        lambda: product.value(
            "SELECT a.id FROM tickets_attachment a JOIN tickets_message m ON m.id = a.message_id"
            " WHERE m.ticket_id = %s AND a.file_id IS NOT NULL",
            ticket,
        ),
        what="the picture is fetched",
    )
    lead = facebook.lead
    assert f'<img src="/attachments/{attachment}/"' in lead.get(f"/t/{ticket}/").text
    assert lead.get(f"/attachments/{attachment}/").headers["content-type"] == "image/png"
    assert product.rows(
        "SELECT count(*), count(DISTINCT contact_id) FROM tickets_message WHERE ticket_id = %s", ticket
    ) == [(2, 1)]


def test_words_and_two_pictures_leave_as_three_messages_in_order_and_are_one_bubble(
    product: Running, facebook: AtFacebook
) -> None:
    """Row 19: the echo of each proves its own call, and none of them becomes a message."""
    friend = facebook.friend()
    friend.message("How do I open the lid?")
    ticket = product.ticket_with("How do I open the lid?")
    lead = facebook.lead
    files = [uploaded(lead, ticket, name, PICTURE) for name in ("first.png", "second.png")]
    message = lead.reply(ticket, "Like this:", files=files)
    becomes(lead, message, "sent")
    assert facebook.rows(message) == [("sent", 1, False)] * 3
    assert friend.answers() == ["Like this:", "first.png", "second.png"]
    echoes = [one["mid"] for one in friend.chat() if one["by_page"]]
    assert [facebook.settled(echo) for echo in echoes] == [TOLD] * 3
    ours = "SELECT count(*) FROM tickets_message WHERE ticket_id = %s AND direction = 'out'"
    assert product.value(ours, ticket) == 1
    until(lambda: "Delivered" in lead.get(f"/t/{ticket}/").text, what="it is delivered")
    friend.touch("read", page=CARE)
    seen = "SELECT read_at FROM tickets_message WHERE id = %s"
    until(lambda: product.value(seen, message), what="it is read")
    assert "Read" in lead.get(f"/t/{ticket}/").text


def test_one_of_three_messages_that_is_refused_shows_on_the_bubble_and_is_sent_again_alone(
    product: Running, facebook: AtFacebook
) -> None:
    friend = facebook.friend()
    friend.message("Which button is it?")
    ticket = product.ticket_with("Which button is it?")
    lead = facebook.lead
    files = [uploaded(lead, ticket, name, PICTURE) for name in ("left.png", "right.png")]
    facebook.misbehave("fb_unavailable", times=1)
    message = lead.reply(ticket, "One of these:", files=files)
    until(lambda: [state for state, _tries, _unknown in facebook.rows(message)][1:] == ["sent"] * 2, what="the rest")
    becomes(lead, message, "failed")
    assert "cannot be reached on Messenger at the moment" in facebook.reason(message)
    assert lead.post(f"/messages/{message}/retry/").status_code == 200
    becomes(lead, message, "sent")
    assert sorted(friend.answers()) == ["One of these:", "left.png", "right.png"]


def test_what_we_answer_in_facebooks_own_app_lies_in_the_thread_and_answers_it(
    product: Running, facebook: AtFacebook
) -> None:
    """Row 19: by Messenger and below a comment."""
    friend = facebook.friend()
    friend.message("Do you ship to Ireland?")
    comment = friend.comment("Does it fit under a cupboard?", facebook.post())
    tickets = {
        words: product.ticket_with(question)
        for words, question in (("We do, twice a week.", "ship to Ireland"), ("It does.", "under a cupboard"))
    }
    facebook.our_people("message", person=friend.key, page=CARE, text="We do, twice a week.")
    facebook.our_people("comment", to=comment, text="It does.")
    for words, ticket in tickets.items():
        assert product.ticket_with(words) == ticket
        assert product.rows("SELECT awaiting FROM tickets_ticket WHERE id = %s", ticket) == [("customer",)]
        assert "Written outside the inbox" in facebook.lead.get(f"/t/{ticket}/").text


def test_what_our_page_says_to_nobody_is_filtered_with_its_reason(product: Running, facebook: AtFacebook) -> None:
    """Row 19."""
    post = facebook.our_people("post", page=OUTLET, text="Everything blue is half the price this week.")["id"]
    comment = facebook.our_people("comment", to=post, text="Only as long as there is any.")["id"]
    assert facebook.settled(post) == [("message", "webhook", "filtered", "our own post, answering nobody")]
    assert facebook.settled(comment) == [("message", "webhook", "filtered", "our own, in no customer's thread")]
    assert not product.value("SELECT count(*) FROM tickets_message WHERE external_id IN (%s, %s)", post, comment)


def test_each_page_knows_a_person_by_an_id_of_its_own_and_answers_as_itself(
    product: Running, facebook: AtFacebook
) -> None:
    friend = facebook.friend()
    friend.message("Is the blue one sold out?", page=OUTLET)
    friend.message("Is my order on its way?", page=CARE)
    outlet, care = product.ticket_with("the blue one sold out"), product.ticket_with("my order on its way")
    assert outlet != care
    lead = facebook.lead
    answers = [lead.reply(outlet, "Not yet."), lead.reply(care, "It is.")]
    for message in answers:
        becomes(lead, message, "sent")
    assert (friend.answers(OUTLET), friend.answers(CARE)) == (["Not yet."], ["It is."])


# ---------------------------------------------------------------- changed and taken back


@pytest.mark.parametrize("surface", ["comment", "messenger"])
def test_what_is_changed_and_taken_back_is_told_three_times_and_applied_once(
    product: Running, facebook: AtFacebook, surface: str
) -> None:
    """Row 29."""
    friend = facebook.friend()
    first, then = f"My {surface} says AC-40.", f"My {surface} says AC-41."
    thing = friend.comment(first, facebook.post()) if surface == "comment" else friend.message(first)[0]
    ticket = product.ticket_with(first)
    facebook.three_times()
    friend.edit(thing, then)
    assert product.ticket_with(then) == ticket
    facebook.told()
    assert facebook.settled(thing, 2) == [*TOLD, ("edit", "webhook", "processed", "")]
    assert facebook.tellings(then) == 3
    facebook.three_times()
    friend.touch("delete", thing=thing)
    deleted = "SELECT deleted_at FROM tickets_message WHERE external_id = %s"
    until(lambda: product.value(deleted, thing), what="it is taken back")
    facebook.told()
    assert facebook.settled(thing, 3)[2:] == [("delete", "webhook", "processed", "")]
    versions = product.rows(
        "SELECT v.text FROM tickets_messageversion v JOIN tickets_message m ON m.id = v.message_id"
        " WHERE m.external_id = %s ORDER BY v.id",
        thing,
    )
    assert versions == [(first,), (then,)]
    assert product.value("SELECT count(*) FROM tickets_message WHERE ticket_id = %s", ticket) == 1


# ---------------------------------------------------------------- by webhook, by poll, and again


def test_what_no_webhook_told_of_is_found_by_looking(product: Running, facebook: AtFacebook) -> None:
    friend = facebook.friend()
    facebook.misbehave("fb_hook_lost")
    comment = friend.comment("Nobody told you of this comment.", facebook.post())
    (message,) = friend.message("Nobody told you of this message.")
    facebook.poll()
    assert product.ticket_with("told you of this comment")
    assert product.ticket_with("told you of this message")
    assert facebook.settled(comment) == facebook.settled(message) == [("message", "poll", "processed", "")]


def test_everything_told_three_times_and_backwards_is_there_once_in_the_order_it_was_said(
    product: Running, facebook: AtFacebook
) -> None:
    """Row 22: looked for first, then told of twice and newest first, under the same keys."""
    friend = facebook.friend()
    down, up = f"{friend.key} commented", f"{friend.key} wrote"
    facebook.misbehave("fb_hook_late")
    comments: list[str] = []
    messages: list[str] = []
    for number in range(4):
        # Asked, Facebook tells times in whole seconds: one passes between any two.
        for comment in comments:
            product.act("/practice/facebook/pass", thing=comment, hours=1 / 3600)
        if messages:
            product.act("/practice/facebook/pass", person=friend.key, page=CARE, hours=1 / 3600)
        comments.append(friend.comment(f"{down} {number}", comments[0] if comments else facebook.post()))
        messages += friend.message(f"{up} {number}")
    # Else what was said so long ago would be from before the Page was connected, where this test comes first.
    facebook.change(
        "UPDATE channels_channelaccount SET begins_at = begins_at - interval '1 minute' WHERE id = %s",
        facebook.accounts[CARE],
    )
    facebook.misbehave("fb_twice", times=2)
    facebook.misbehave("fb_shuffled", times=2)
    facebook.poll()
    facebook.misbehave("fb_hook_twice")
    facebook.misbehave("fb_hook_late", on=False)
    facebook.told()
    for thing in (*comments, *messages):
        assert facebook.settled(thing) == [("message", "poll", "processed", "")]
        assert facebook.tellings(thing) >= 2
    for words, things in ((down, comments), (up, messages)):
        ticket = product.ticket_with(f"{words} 0")
        stored = "SELECT external_id, text FROM tickets_message WHERE ticket_id = %s ORDER BY said_at, id"
        expected = [(thing, f"{words} {number}") for number, thing in enumerate(things)]
        assert sorted(product.rows(stored, ticket)) == sorted(expected)
        page = facebook.lead.get(f"/t/{ticket}/").text
        shown = page[page.index('id="timeline"') :]
        places = [shown.index(text) for _thing, text in expected]
        assert places == sorted(places)


def test_what_comes_while_a_page_is_paused_waits_until_it_is_switched_on(
    product: Running, facebook: AtFacebook
) -> None:
    friend = facebook.friend()
    friend.message("Before the pause.")
    ticket = product.ticket_with("Before the pause.")
    facebook.set(CARE, "pause")
    try:
        (message,) = friend.message("During the pause.")
        held = [("message", "webhook", "filtered", "the account was paused")]
        assert facebook.settled(message) == held
        lead = facebook.lead
        assert "Acme Care is paused" in lead.get(f"/t/{ticket}/").text
    finally:
        facebook.set(CARE, "resume")
    assert product.ticket_with("During the pause.") == ticket
    assert facebook.settled(message) == TOLD
