"""The rows of docs/one-ticket.md over the running product: each a short story of one customer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.flows.at_facebook import AtFacebook, Friend
from tests.flows.at_x import CARE, AtX
from tests.running import Browser, Running, until

LINE = "+442079460100"
RETURNS_LINE = "+442079460101"


# Whose first mail says what beside its words, by the story it begins.
STORIES: dict[str, dict[str, object]] = {
    "two queues": {},
    "rights": {},
    "in copy": {"to": ["care@acme.example"], "cc": ["partner@rowan-works.example"]},
    "reply to": {"headers": {"Reply-To": "desk@rowan-works.example"}},
    "callers": {},
    "first mail": {},
    "automatic": {},
}


@dataclass
class Writer:
    """Somebody whose first mail has come in."""

    mail: str
    said: str
    message_id: str
    ticket: int


@dataclass
class Desk:
    """Who works here, each signed in once."""

    anna: Browser
    hana: Browser
    lead: Browser
    admin: Browser


@pytest.fixture(scope="module")
def desk(product: Running) -> Desk:
    return Desk(*(product.signed_in(who) for who in ("agent", "hana@acme.example", "lead", "admin")))


def known(product: Running, name: str, **given: object) -> str:
    """Somebody new on the practice networks; returns their mail address."""
    key = product.act("/practice/people", name=name, **given)["key"]
    return str(next(one["mail"] for one in product.got("/people.json")["people"] if one["key"] == key))


@pytest.fixture(scope="module")
def writers(product: Running) -> dict[str, Writer]:
    """Who begins each story; all have written at the same time, so that their mails are waited for once."""
    known(product, "Rowan Partner", mail="partner@rowan-works.example")
    asked: dict[str, tuple[str, str, str]] = {}
    for number, (story, more) in enumerate(STORIES.items()):
        author, said = known(product, f"Rowan {number}"), f"A first mail for the story rowan{number}"
        asked[story] = author, said, product.mail(said, author=author, subject=f"Story {number}", **more)
    return {story: Writer(*mail, product.ticket_with(mail[1])) for story, mail in asked.items()}


def stands(product: Running, ticket: int) -> tuple[str, str]:
    """A ticket's state, and who must act."""
    found = product.rows("SELECT state, awaiting FROM tickets_ticket WHERE id = %s", ticket)[0]
    return found[0], found[1]


def becomes(product: Running, ticket: int, state: str, awaiting: str) -> None:
    until(lambda: stands(product, ticket) == (state, awaiting), what=f"ticket {ticket} is {state}, {awaiting}")


def done(browser: Browser, act: str, ticket: int, **more: object) -> str:
    """Do an act to a ticket; returns the token that takes it back."""
    answer = browser.post(f"/act/{act}/", ticket=ticket, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["changed"] == [ticket]
    return str(answer.json()["undo"])


def said(product: Running, friend: Friend, text: str) -> int:
    """Somebody says this on Messenger; returns the ticket on which it stands."""
    friend.message(text)
    return product.ticket_with(text)


def filtered(product: Running, reason: str, kind: str) -> int:
    """How many items of a kind of channel were filtered for this reason."""
    return int(
        product.value(
            "SELECT count(*) FROM channels_ledgeritem WHERE kind = %s AND state = 'filtered' AND reason = %s",
            kind,
            reason,
        )
    )


def queue(product: Running, name: str) -> int:
    return int(product.value("SELECT id FROM tickets_queue WHERE name = %s", name))


def rings(product: Running, number: str, line: str = LINE) -> str:
    """Somebody calls; returns the call's id at the exchange."""
    lines = "/practice/telephony/lines"
    until(lambda: all(one["hook_url"] for one in product.got(lines)["lines"]), what="the lines' hooks")
    return str(product.act("/practice/telephony/calls", act="call", **{"from": number, "to": line})["id"])


def hangs_up(product: Running, call: str) -> None:
    product.act("/practice/telephony/calls", act="hangup", call=call)


CALLS = (
    "SELECT c.id, c.ticket_id, c.customer_id, c.identity_id FROM tickets_contact c"
    " JOIN customers_identity i ON i.id = c.identity_id"
    " WHERE i.value = %s AND c.surface = 'phone' ORDER BY c.id"
)


def test_states_follow_what_we_choose_and_what_the_customer_does(
    product: Running, facebook: AtFacebook, desk: Desk
) -> None:
    """Rows 1 and 2: send & wait, undo, snooze, and the customer who wakes it."""
    friend = facebook.friend()
    ticket = said(product, friend, "Row one: is the kettle safe?")
    assert stands(product, ticket) == ("open", "us")
    sent = desk.anna.reply(ticket, "It is. Which colour do you have?", then="wait")
    assert stands(product, ticket) == ("waiting", "customer")
    assert desk.anna.post(f"/messages/{sent}/undo/").status_code == 200
    assert stands(product, ticket) == ("open", "us")
    done(desk.anna, "snooze", ticket, until="week")
    assert stands(product, ticket) == ("snoozed", "us")
    assert f'data-ticket="{ticket}"' not in desk.anna.get("/list/?view=open").text
    assert f'data-ticket="{ticket}"' in desk.anna.get("/list/?view=snoozed").text
    assert said(product, friend, "Row one: the blue one") == ticket
    becomes(product, ticket, "open", "us")
    assert f'data-ticket="{ticket}"' in desk.anna.get("/list/?view=open").text


def test_a_solved_ticket_opens_again_inside_its_window_and_a_new_one_begins_after_it(
    product: Running, facebook: AtFacebook, desk: Desk
) -> None:
    """Rows 3 and 4: with its owner, without one who has gone home, and anew."""
    friend = facebook.friend()
    ticket = said(product, friend, "Row three: the lid is loose")
    owner = "SELECT owner_id FROM tickets_ticket WHERE id = %s"
    done(desk.anna, "assign", ticket, owner="me")
    anna = product.value(owner, ticket)
    done(desk.anna, "solve", ticket)
    assert said(product, friend, "Row three: it is loose again") == ticket
    becomes(product, ticket, "open", "us")
    assert product.value(owner, ticket) == anna
    done(desk.lead, "solve", ticket)
    facebook.change("UPDATE agents_person SET last_seen_at = now() - interval '9 hours' WHERE id = %s", anna)
    assert said(product, friend, "Row three: and again") == ticket
    becomes(product, ticket, "open", "us")
    assert product.value(owner, ticket) is None
    done(desk.lead, "solve", ticket)
    facebook.change("UPDATE tickets_ticket SET solved_at = solved_at - interval '8 days' WHERE id = %s", ticket)
    fresh = said(product, friend, "Row three: now the handle")
    assert fresh != ticket
    assert product.value("SELECT previous_id FROM tickets_ticket WHERE id = %s", fresh) == ticket


def test_thanks_need_no_reply_until_the_customer_writes_again(
    product: Running, facebook: AtFacebook, desk: Desk
) -> None:
    """Row 5."""
    friend = facebook.friend()
    ticket = said(product, friend, "Row five: thanks a lot!")
    done(desk.anna, "no-reply", ticket, reason="thanks")
    assert stands(product, ticket) == ("open", "customer")
    assert friend.answers() == []
    said(product, friend, "Row five: but where is the manual?")
    becomes(product, ticket, "open", "us")


def test_a_mail_to_another_queue_moves_nothing_and_waits_there_for_its_own_answer(
    product: Running, desk: Desk, writers: dict[str, Writer]
) -> None:
    """Rows 2 and 6."""
    writer = writers["two queues"]
    words = "Row six: and I want to send the grinder back"
    product.mail(words, author=writer.mail, subject="Returning it", to=["returns@acme.example"])
    assert product.ticket_with(words) == writer.ticket
    contacts = dict(
        product.rows(
            "SELECT q.name, c.id FROM tickets_contact c JOIN tickets_queue q ON q.id = c.entry_queue_id"
            " WHERE c.ticket_id = %s",
            writer.ticket,
        )
    )
    home = "SELECT q.name FROM tickets_ticket t JOIN tickets_queue q ON q.id = t.queue_id WHERE t.id = %s"
    assert (sorted(contacts), product.value(home, writer.ticket)) == (["General", "Returns"], "General")
    there = desk.anna.get(f"/list/?queue={queue(product, 'Returns')}").text
    row = there[there.index(f'data-ticket="{writer.ticket}"') :].partition("</li>")[0]
    assert "also Returns" in row
    desk.anna.reply(writer.ticket, "We answer the first.", contact=contacts["General"])
    assert stands(product, writer.ticket) == ("open", "us")
    done(desk.anna, "no-reply", writer.ticket, reason="other", contact=contacts["Returns"])
    assert stands(product, writer.ticket) == ("open", "customer")
    assert f'data-ticket="{writer.ticket}"' not in desk.anna.get(f"/list/?queue={queue(product, 'Returns')}").text


def test_a_ticket_is_for_those_whose_queue_it_is_in_or_came_in_by(
    product: Running, desk: Desk, writers: dict[str, Writer]
) -> None:
    """Row 7."""
    writer = writers["rights"]
    word = writer.said.split()[-1]
    for stranger in (desk.hana, desk.admin):
        assert stranger.get(f"/t/{writer.ticket}/").status_code == 403
        assert stranger.post(f"/t/{writer.ticket}/note/", text="I was here").status_code == 403
    assert f"/t/{writer.ticket}/" not in desk.hana.get(f"/search/?q={word}").text
    assert f"/t/{writer.ticket}/" in desk.anna.get(f"/search/?q={word}").text
    done(desk.lead, "move", writer.ticket, queue=queue(product, "Billing"))
    assert desk.hana.get(f"/t/{writer.ticket}/").status_code == 200
    # It came in by Anna's queue, and so stays in her sight.
    assert desk.anna.get(f"/t/{writer.ticket}/").status_code == 200
    done(desk.hana, "assign", writer.ticket, owner="me")


def test_the_author_decides_whose_ticket_it_is_and_the_thread_only_the_contact(
    product: Running, writers: dict[str, Writer]
) -> None:
    """Row 9: somebody in copy writes into the contact, a stranger who quotes it does not."""
    writer, partner, stranger = writers["in copy"], "partner@rowan-works.example", known(product, "Rowan Stranger")
    mine, theirs = "Row nine: I am the partner", "Row nine: I was only forwarded this"
    product.mail(mine, author=partner, in_reply_to=writer.message_id)
    product.mail(theirs, author=stranger, in_reply_to=writer.message_id)
    assert product.ticket_with(mine) == writer.ticket
    own = product.ticket_with(theirs)
    assert own != writer.ticket
    whose = "SELECT i.value FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id WHERE m.text = %s"
    assert (product.value(whose, mine), product.value(whose, theirs)) == (partner, stranger)
    assert product.value("SELECT count(*) FROM tickets_contact WHERE ticket_id = %s", writer.ticket) == 1
    assert product.rows("SELECT other_id FROM tickets_relation WHERE ticket_id = %s", own) == [(writer.ticket,)]


def test_the_answer_goes_to_who_wrote_and_elsewhere_only_by_choice(
    product: Running, desk: Desk, writers: dict[str, Writer]
) -> None:
    """Row 10."""
    writer = writers["reply to"]
    assert "Answer desk@rowan-works.example instead" in desk.anna.get(f"/t/{writer.ticket}/").text
    to = "SELECT recipient ->> 'value' FROM channels_outbound WHERE reference = %s"
    for more, expected in (({}, writer.mail), ({"to_reply_to": "1"}, "desk@rowan-works.example")):
        message = desk.anna.reply(writer.ticket, "Row ten: to whom?", **more)
        assert product.value(to, f"message:{message}") == expected
        assert desk.anna.post(f"/messages/{message}/undo/").status_code == 200


def test_a_shared_number_is_nobody_and_a_call_on_it_goes_to_who_they_say_they_are(
    product: Running, desk: Desk, writers: dict[str, Writer]
) -> None:
    """Rows 12 and 13: the emptied ticket leads to the target, and is back when the move is taken back."""
    writer, number = writers["callers"], "+442079460871"
    hangs_up(product, rings(product, number))
    first = until(lambda: product.rows(CALLS, number), what="the first call")[0]
    shared = desk.anna.post(f"/identities/{first[3]}/shared/", shared="1")
    assert shared.status_code == 200, shared.text
    hangs_up(product, rings(product, number))
    contact, ticket, customer, _ = until(lambda: product.rows(CALLS, number)[1:], what="the second call")[0]
    assert (ticket, customer) != (first[1], first[2])
    becomes(product, ticket, "open", "us")
    target = product.value("SELECT customer_id FROM tickets_ticket WHERE id = %s", writer.ticket)
    assert desk.anna.post(f"/contacts/{contact}/move/", customer=target).status_code == 200
    assert product.value("SELECT ticket_id FROM tickets_contact WHERE id = %s", contact) == writer.ticket
    into = "SELECT state, merged_into_id FROM tickets_ticket WHERE id = %s"
    assert product.rows(into, ticket) == [("merged", writer.ticket)]
    # The number stays whose it was.
    assert product.value("SELECT customer_id FROM customers_identity WHERE id = %s", first[3]) == first[2]
    move = product.value("SELECT max(id) FROM tickets_contactmove WHERE contact_id = %s", contact)
    assert desk.anna.post(f"/moves/{move}/take-back/").status_code == 200
    assert product.rows(into, ticket) == [("open", None)]
    assert product.value("SELECT ticket_id FROM tickets_contact WHERE id = %s", contact) == ticket


def test_what_our_own_accounts_say_to_each_other_is_filtered_and_no_customer(product: Running) -> None:
    """Row 18: by mail and by telephone."""
    ours = ("our own, to another account of ours", "a call between our own lines")
    before = filtered(product, ours[0], "email"), filtered(product, ours[1], "phone")
    product.mail("For your desk", author="care@acme.example", to=["returns@acme.example"])
    hangs_up(product, rings(product, RETURNS_LINE))
    until(lambda: filtered(product, ours[0], "email") > before[0], what="the mail is an echo")
    until(lambda: filtered(product, ours[1], "phone") > before[1], what="the call is an echo")
    known = "SELECT count(*) FROM customers_identity WHERE value IN ('care@acme.example', %s)"
    assert product.value(known, RETURNS_LINE) == 0


def test_what_is_said_in_a_group_is_filtered_and_stands_on_the_card(
    product: Running, x: AtX, desk: Desk
) -> None:
    """Row 20."""
    writer, friend = x.customer(), x.customer()
    before = filtered(product, "group DM", "x")
    group = {"conversation_type": "Group", "participant_ids": [CARE, friend.id], "message": {"text": "Row twenty"}}
    writer.act("POST", "/2/dm_conversations", json=group)
    until(lambda: filtered(product, "group DM", "x") > before, what="the group's message")
    assert product.value("SELECT count(*) FROM customers_identity WHERE value = %s", writer.id) == 0
    assert "we never answer into groups" in desk.admin.get("/settings/accounts/").text


def test_a_blocked_sender_makes_ledger_rows_and_is_let_through_again(
    product: Running, facebook: AtFacebook, desk: Desk
) -> None:
    """Row 25."""
    friend = facebook.friend()
    ticket = said(product, friend, "Row 25: cheap watches")
    undo = done(desk.anna, "block", ticket)
    before = filtered(product, "blocked", "facebook")
    friend.message("Row 25: cheaper watches")
    until(lambda: filtered(product, "blocked", "facebook") > before, what="the blocked message")
    assert not product.value("SELECT 1 FROM tickets_message WHERE text = 'Row 25: cheaper watches'")
    assert desk.anna.post("/act/take-back/", token=undo).status_code == 200
    assert said(product, friend, "Row 25: no, really") == ticket


def test_a_first_mail_of_ours_goes_on_the_live_ticket_and_arrives(
    product: Running, desk: Desk, writers: dict[str, Writer]
) -> None:
    """Row 26."""
    writer = writers["first mail"]
    identity = product.value("SELECT id FROM customers_identity WHERE value = %s", writer.mail)
    account = product.value("SELECT id FROM channels_channelaccount WHERE address = 'care@acme.example'")
    words = "Row 26: your order is ready"
    wrote = desk.anna.post(f"/write/{identity}/", account=account, subject="Your order", text=words)
    assert wrote.status_code == 200, wrote.text
    contact = product.rows(
        "SELECT c.ticket_id, c.is_outbound FROM tickets_message m JOIN tickets_contact c ON c.id = m.contact_id"
        " WHERE m.text = %s",
        words,
    )
    assert contact == [(writer.ticket, True)]
    assert product.value("SELECT count(*) FROM tickets_contact WHERE ticket_id = %s", writer.ticket) == 2
    until(lambda: [one for one in product.letters(writer.mail) if words in str(one)], what="the letter")


def test_a_missed_call_is_answered_by_calling_back(product: Running, desk: Desk) -> None:
    """Rows 26 and 27: our call goes on the ticket that the ringing made."""
    number = "+442079460872"
    hangs_up(product, rings(product, number))
    ticket = until(lambda: product.rows(CALLS, number), what="the call")[0][1]
    becomes(product, ticket, "open", "us")
    assert product.value("SELECT due_at IS NOT NULL FROM tickets_ticket WHERE id = %s", ticket)
    logged = desk.anna.post(
        "/calls/new/", number="020 7946 0872", direction="out", disposition="answered", summary="Row 27: called back"
    )
    assert logged.status_code == 200
    assert product.ticket_with("Row 27: called back") == ticket
    assert stands(product, ticket) == ("open", "customer")


def test_automatic_mail_joins_a_ticket_without_a_clock_and_begins_none(
    product: Running, desk: Desk, writers: dict[str, Writer]
) -> None:
    """Row 28."""
    writer = writers["automatic"]
    done(desk.anna, "no-reply", writer.ticket, reason="other")
    before = filtered(product, "automatic", "email")
    away = {"headers": {"Auto-Submitted": "auto-replied"}, "subject": "Out of office"}
    product.mail("Row 28: back on Monday", author=writer.mail, **away)
    product.mail("Row 28: nobody is here", author=known(product, "Rowan Nobody"), **away)
    assert product.ticket_with("Row 28: back on Monday") == writer.ticket
    until(lambda: filtered(product, "automatic", "email") > before, what="the stranger's is filtered")
    assert stands(product, writer.ticket) == ("open", "customer")
    assert not product.value("SELECT 1 FROM tickets_message WHERE text LIKE 'Row 28: nobody%%'")
