"""One person on four networks: everything they say is on one ticket, and each answer arrives where it belongs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from tests.flows.at_facebook import AtFacebook, Friend, contact
from tests.flows.at_x import AtX, Customer, becomes
from tests.running import Browser, Running, until

SAID = (
    "SELECT m.text, extract(epoch FROM m.said_at) FROM tickets_message m"
    " WHERE m.ticket_id = %s AND m.direction = 'in' AND m.said_at >= to_timestamp(%s) - interval '1 second'"
    " ORDER BY m.said_at, m.id"
)
TICKETS = "SELECT DISTINCT ticket_id FROM tickets_message WHERE position(%s in text) > 0"


@dataclass
class Known:
    """Somebody who is known on X, Facebook, by mail and telephone."""

    product: Running
    key: str
    mail: str
    phone: str
    on_x: Customer
    on_facebook: Friend
    post: str
    # What they said lately, in their order: the words, and before and after when they were said.
    said: list[tuple[str, float, float]] = field(default_factory=list)
    things: dict[str, str] = field(default_factory=dict)

    def says(self, word: str) -> None:
        """Say something on every network, one after the other within a minute."""
        self.said = []
        word = f"{self.key}: {word}"
        self._say("facebook:messenger", f"{word} on Messenger")
        self._say("x:mention", f"@AcmeCare {word} on X")
        self._say("email", f"{word} by mail")
        self._say("facebook:comment", f"{word} below the post")
        self._say("x:dm", f"{word} in a direct message")

    def calls(self) -> None:
        """Ring and give up."""
        made = self.product.act("/practice/telephony/calls", act="call", person=self.key)
        self.product.act("/practice/telephony/calls", act="hangup", call=made["id"])

    def _say(self, surface: str, text: str) -> None:
        before = time.time()
        match surface:
            case "facebook:messenger":
                self.on_facebook.message(text)
            case "facebook:comment":
                self.things[surface] = self.on_facebook.comment(text, self.post)
            case "x:mention":
                self.things[surface] = self.on_x.post(text)
            case "x:dm":
                self.on_x.message(text)
            case _:
                self.things[surface] = self.product.mail(text, author=self.mail, subject=text)
        self.said.append((text, before, time.time()))


@pytest.fixture
def known(product: Running, x: AtX, facebook: AtFacebook) -> Known:
    """They wrote and rang before, and the lead said each time whose address it is."""
    # Whoever is new there has something on every network.
    key = product.act("/practice/people", name="Robin Ashe")["key"]
    listed = next(one for one in product.got("/people.json")["people"] if one["key"] == key)
    mail, phone = listed["mail"], listed["phone"]
    lines = "/practice/telephony/lines"
    until(lambda: all(line["hook_url"] for line in product.got(lines)["lines"]), what="the lines' hooks")
    person = Known(product, key, mail, phone, x.person(key), Friend(product, key), facebook.post())
    person.says("First")
    person.calls()
    owners = {}
    for text in [text for text, _before, _after in person.said]:
        product.ticket_with(text)
        owners[text] = product.rows(
            "SELECT i.id, i.customer_id FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
            " WHERE m.text = %s",
            text,
        )[0]
    rang = until(
        lambda: product.rows("SELECT id, customer_id FROM customers_identity WHERE value = %s", phone),
        what="the caller",
    )[0]
    _identity, customer = owners[f"{key}: First by mail"]
    lead = product.signed_in("lead")
    for identity, owner in {*owners.values(), rang}:
        if owner != customer:
            assert mail in lead.get(f"/identities/{identity}/join/?q={mail}").text
            assert lead.post(f"/identities/{identity}/join/{customer}/").status_code == 200
    found = product.rows("SELECT kind FROM customers_identity WHERE customer_id = %s ORDER BY kind", customer)
    assert [kind for (kind,) in found] == ["email", "fb_commenter", "fb_psid", "phone", "x_user"]
    return person


def test_four_channels_are_one_ticket_and_each_answer_arrives_in_its_thread_once(
    product: Running, x: AtX, facebook: AtFacebook, known: Known
) -> None:
    begun = time.time()
    known.says("Now")
    known.calls()
    ticket = product.ticket_with(known.said[0][0])
    for text, _before, _after in known.said:
        product.ticket_with(text)
        assert product.rows(TICKETS, text) == [(ticket,)]
    until(lambda: len(product.rows(SAID, ticket, begun)) == 6, what="the second call")
    in_order(product, known, ticket, begun)
    lead = product.signed_in("lead")
    answers = answer_everywhere(product, lead, ticket)
    call_back(product, lead, known, ticket)
    for message, _text in answers.values():
        becomes(lead, message, "sent")
    facebook.told()
    arrived(facebook, known, {surface: text for surface, (_message, text) in answers.items()})
    until(lambda: product.value("SELECT awaiting FROM tickets_ticket WHERE id = %s", ticket) != "us", what="all done")
    ours = "SELECT count(*) FROM tickets_message WHERE ticket_id = %s AND direction = 'out'"
    # Nothing of ours that came back from a network became a second message.
    assert product.value(ours, ticket) == len(answers) + 1


def in_order(product: Running, known: Known, ticket: int, begun: float) -> None:
    """Every message stands where it was said, by the clock of its network, which may count in whole seconds."""
    said_at = dict(product.rows(SAID, ticket, begun))
    for text, before, after in known.said:
        assert int(before) <= float(said_at[text]) <= after, text
    page = product.signed_in("lead").get(f"/t/{ticket}/").text
    shown = page[page.index('id="timeline"') : page.index('id="reply"')]
    stored = [text for text, _at in product.rows(SAID, ticket, begun) if text]
    places = [shown.index(text.removeprefix("@AcmeCare ")) for text in stored]
    assert places == sorted(places)


def answer_everywhere(product: Running, lead: Browser, ticket: int) -> dict[str, tuple[int, str]]:
    """Answer on each surface; the message and its words, by surface."""
    answers = {}
    for surface in ("x:mention", "x:dm", "facebook:comment", "facebook:messenger", "email"):
        text = f"Our answer by {surface}."
        answers[surface] = (lead.reply(ticket, text, contact=contact(product, ticket, surface)), text)
    return answers


def call_back(product: Running, lead: Browser, known: Known, ticket: int) -> None:
    """Ring them and write the call down."""
    logged = lead.post(
        "/calls/new/",
        number=known.phone,
        direction="out",
        disposition="answered",
        minutes=2,
        summary="Called back and explained.",
    )
    assert logged.url.endswith(f"/t/{ticket}/"), logged.text[-2000:]
    assert product.ticket_with("Called back and explained.") == ticket


def arrived(facebook: AtFacebook, known: Known, texts: dict[str, str]) -> None:
    """Each answer is at its network, in its thread, once, and nowhere else."""
    on_x, on_facebook = known.on_x, known.on_facebook
    assert on_x.answers(known.things["x:mention"]) == [f"@{on_x.handle} {texts['x:mention']}"]
    assert on_x.messages()[:2] == [texts["x:dm"], f"{known.key}: Now in a direct message"]
    assert facebook.below(known.things["facebook:comment"]) == [texts["facebook:comment"]]
    assert on_facebook.answers() == [texts["facebook:messenger"]]
    letters = known.product.letters(known.mail)
    assert [texts["email"] in letter["text"] for letter in letters] == [True]
    assert known.things["email"] in str(letters[0])
