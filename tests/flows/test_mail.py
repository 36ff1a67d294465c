"""The loop by mail, over real IMAP and SMTP: in, answered, answered again, refused, and perhaps sent."""

from __future__ import annotations

from tests.running import Running, until


def answered(product: Running, author: str, text: str) -> dict[str, object]:
    """The customer's copy of an answer, once it is there."""
    return until(
        lambda: next((one for one in product.letters(author) if text in str(one)), None), what=f"{author} gets {text!r}"
    )


def test_a_mail_comes_in_is_answered_and_the_answer_to_the_answer_stays_in_its_contact(product: Running) -> None:
    author = "carla.hughes@post.example"
    asked = product.mail("Where is my coffee machine?", author=author)
    ticket = product.ticket_with("coffee machine")
    agent = product.signed_in()
    assert "Where is my coffee machine?" in agent.get(f"/t/{ticket}/").text
    message = agent.reply(ticket, "It leaves tonight.")
    letter = answered(product, author, "It leaves tonight.")
    assert letter["references"] == [asked]
    assert str(letter["reply_to"]).startswith("care+t")
    until(lambda: agent.state(message) == "sent", what="the bubble says sent")
    product.mail("Thank you!", author=author, subject="Re: whatever", in_reply_to=letter["message_id"])
    assert product.ticket_with("Thank you!") == ticket
    assert product.value("SELECT count(*) FROM tickets_contact WHERE ticket_id = %s", ticket) == 1
    assert len([one for one in product.letters(author) if "It leaves tonight." in str(one)]) == 1


def test_an_answer_to_the_signed_address_finds_its_contact_without_any_reference(product: Running) -> None:
    author = "tom.okafor@post.example"
    product.mail("The link in your mail is dead", author=author)
    ticket = product.ticket_with("link in your mail")
    product.signed_in().reply(ticket, "Here is another one.")
    letter = answered(product, author, "Here is another one.")
    product.mail("That one works", author=author, subject="New words", to=[letter["reply_to"]])
    assert product.ticket_with("That one works") == ticket
    assert product.value("SELECT count(*) FROM tickets_contact WHERE ticket_id = %s", ticket) == 1


def test_a_refused_recipient_is_said_in_words_and_can_be_tried_again(product: Running) -> None:
    author = "declan@byrne-household.example"
    product.mail("Is the lid in stock?", author=author)
    ticket = product.ticket_with("lid in stock")
    agent = product.signed_in()
    product.mischief("smtp_550")
    message = agent.reply(ticket, "Yes, it is.")
    until(lambda: agent.state(message) == "failed", what="the bubble says not sent")
    page = agent.get(f"/t/{ticket}/timeline/").text
    assert "Not sent" in page
    assert f'data-act="retry" data-message="{message}"' in page
    assert product.value("SELECT awaiting FROM tickets_ticket WHERE id = %s", ticket) == "us"
    product.behave()
    assert agent.post(f"/messages/{message}/retry/").status_code == 200
    answered(product, author, "Yes, it is.")
    until(lambda: agent.state(message) == "sent", what="the bubble says sent")


def test_a_server_that_falls_silent_after_taking_it_is_looked_up_and_nothing_goes_twice(product: Running) -> None:
    author = "grace.lindqvist@brev.example"
    product.mail("Photos of the dent attached", author=author)
    ticket = product.ticket_with("Photos of the dent")
    agent = product.signed_in()
    product.mischief("smtp_drop_after", times=1)
    message = agent.reply(ticket, "We replace it.")
    # By a look for it, or by the poll that reads sent mail, whichever is there first.
    until(lambda: agent.state(message) == "sent", what="found in the folder of sent mail", seconds=60)
    assert len([one for one in product.letters(author) if "We replace it." in str(one)]) == 1
    outcome = product.rows("SELECT state, attempts FROM channels_outbound WHERE reference = %s", f"message:{message}")
    assert outcome == [("sent", 1)]


def test_everything_delivered_twice_and_out_of_order_is_there_once_in_the_order_it_was_said(product: Running) -> None:
    author = "priyanka.ramanathan-whitmore@letters.example"
    product.mischief("duplicate")
    product.mischief("late")
    for number in range(4):
        product.mail(f"Part {number} of my story", author=author, subject=f"Part {number}")
    product.mischief("late", on=False)
    until(
        lambda: product.value("SELECT count(*) FROM tickets_message WHERE text LIKE 'Part %% of my story%%'") == 4,
        what="all four parts",
    )
    ticket = product.ticket_with("Part 0 of my story")
    seen, rest = product.rows(
        "SELECT coalesce(sum(delta) FILTER (WHERE \"column\" = 'seen'), 0),"
        " coalesce(sum(delta) FILTER (WHERE \"column\" <> 'seen'), 0) FROM channels_ledgercount"
    )[0]
    assert seen == rest
    assert (
        product.value("SELECT count(DISTINCT ticket_id) FROM tickets_message WHERE text LIKE 'Part %% of my story%%'")
        == 1
    )
    shown = product.signed_in().get(f"/t/{ticket}/").text
    said = product.rows("SELECT text FROM tickets_message WHERE text LIKE 'Part %% of my story%%' ORDER BY said_at, id")
    places = [shown.rindex(text.strip()) for (text,) in said]
    assert places == sorted(places)


def test_undo_takes_it_back_before_it_leaves(product: Running) -> None:
    author = "noura.almansoori@barid.example"
    product.mail("هل يمكنني تغيير عنوان التسليم؟", author=author)
    ticket = product.ticket_with("تغيير عنوان")
    agent = product.signed_in()
    message = agent.reply(ticket, "Certainly not like this")
    assert agent.post(f"/messages/{message}/undo/").json()["text"] == "Certainly not like this"
    again = agent.reply(ticket, "نعم، بالتأكيد")
    until(lambda: agent.state(again) == "sent", what="the second answer leaves")
    assert not [one for one in product.letters(author) if "Certainly not" in str(one)]


def test_an_answer_written_in_a_mail_program_stands_on_the_timeline_and_answers_its_contact(product: Running) -> None:
    author = "linh.tran@tho.example"
    linh = product.act("/practice/people", name="Linh Tran", mail=author, x_handle="", phone="")["key"]
    product.mail("Which grinder fits the M4?", author=author, subject="Grinder")
    ticket = product.ticket_with("Which grinder fits")
    product.act("/practice/mail/mailbox", person=linh, text="The G2 does.", quote=True, picture=True)
    awaiting = "SELECT awaiting FROM tickets_ticket WHERE id = %s"
    until(lambda: product.value(awaiting, ticket) == "customer", what="the contact is answered")
    agent = product.signed_in()
    page = agent.get(f"/t/{ticket}/timeline/").text
    assert "The G2 does." in page
    assert "dent.png" in page
    # Passed on to a colleague, and said by a machine: rows with their reasons, and no answers. Our own answer's copy:
    # a sighting, and no second message.
    product.mail("And which cup?", author=author, subject="Cup")
    assert product.ticket_with("And which cup?") == ticket
    product.act("/practice/mail/mailbox", person=linh, text="Do you know?", to="grace.lindqvist@brev.example")
    product.act("/practice/mail/mailbox", person=linh, text="I am away", automatic=True)
    reasons = ("our own, to somebody else", "our own, automatic")
    apart = "SELECT count(DISTINCT reason) FROM channels_ledgeritem WHERE happening = 'sent' AND reason IN %s"
    until(lambda: product.value(apart, reasons) == 2, what="both are filtered")
    assert product.value(awaiting, ticket) == "us"
    reply = agent.reply(ticket, "The red one.")
    seen = "SELECT count(*) FROM tickets_sighting WHERE message_id = %s"
    until(lambda: product.value(seen, reply), what="the copy of our own answer is seen")
    said = "SELECT is_outside, person_id IS NULL, state FROM tickets_message WHERE ticket_id = %s AND direction = 'out'"
    assert product.rows(f"{said} ORDER BY id", ticket) == [(True, True, "sent"), (False, False, "sent")]
    booked = 'SELECT sum(delta) FILTER (WHERE "column" = %s) = sum(delta) FILTER (WHERE "column" <> %s)'
    assert product.value(f"{booked} FROM channels_ledgercount", "seen", "seen")
