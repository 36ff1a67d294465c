"""When X applies an answer and does not say so, does not apply it, refuses it, or asks us to wait."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.flows.at_x import AtX, Customer, becomes
from tests.running import Browser, Running, until

ANSWER = "Thank you, we look into it."


@dataclass
class Asked:
    """A customer's question on its ticket."""

    customer: Customer
    post: str
    ticket: int


@pytest.fixture(scope="module")
def questions(product: Running, connected_x: AtX) -> list[Asked]:
    """A customer of its own for each test below, their posts read in together."""
    people = [connected_x.customer() for _number in range(12)]
    posts = [one.post(f"@AcmeCare where is my order, asks {one.handle}.") for one in people]
    for one in people:
        one.message(f"And privately, from {one.handle}.")
    asked = [
        Asked(one, post, product.ticket_with(f"asks {one.handle}."))
        for one, post in zip(people, posts, strict=True)
    ]
    # Nobody is answered while their own words still come in: that would be held back, as it is for people.
    assert [one.ticket for one in asked] == [product.ticket_with(f"from {one.handle}.") for one in people]
    return asked


def contact(product: Running, asked: Asked, surface: str) -> int:
    """The id of the ticket's contact on a surface; waits for it."""
    found = until(
        lambda: product.value(
            "SELECT id FROM tickets_contact WHERE ticket_id = %s AND surface = %s", asked.ticket, surface
        ),
        what=f"the contact on {surface}",
        seconds=90,
    )
    return int(found)


def answered(product: Running, asked: Asked, text: str = ANSWER, surface: str = "x:mention") -> tuple[Browser, int]:
    """A lead who answers there, and the answer's id."""
    lead = product.signed_in("lead")
    return lead, lead.reply(asked.ticket, text, contact=contact(product, asked, surface))


@pytest.fixture
def asked(questions: list[Asked]) -> Asked:
    """A question nobody has answered."""
    return questions.pop()


@pytest.mark.parametrize("switch", ["x_503_after", "x_drop_after"])
def test_an_answer_that_x_took_without_saying_so_is_found_and_stands_there_once(
    product: Running, x: AtX, asked: Asked, switch: str
) -> None:
    x.misbehave(switch)
    lead, message = answered(product, asked)
    becomes(lead, message, "sent")
    assert x.outcome(message) == ("sent", 1, True)
    assert asked.customer.answers(asked.post) == [f"@{asked.customer.handle} {ANSWER}"]


def test_an_answer_that_x_did_not_take_is_proven_absent_and_sent_by_one_more_try(
    product: Running, x: AtX, asked: Asked
) -> None:
    x.misbehave("x_503")
    lead, message = answered(product, asked)
    becomes(lead, message, "unknown")
    x.behave()
    becomes(lead, message, "sent")
    assert x.outcome(message) == ("sent", 2, True)
    assert asked.customer.answers(asked.post) == [f"@{asked.customer.handle} {ANSWER}"]


def test_a_message_that_x_took_without_saying_so_is_found(product: Running, x: AtX, asked: Asked) -> None:
    contact(product, asked, "x:dm")
    x.misbehave("x_503_after")
    lead, message = answered(product, asked, surface="x:dm")
    becomes(lead, message, "sent")
    assert x.outcome(message) == ("sent", 1, True)
    assert asked.customer.messages().count(ANSWER) == 1


@pytest.mark.parametrize(("is_there", "state", "times"), [("0", "sent", 1), ("1", "sent", 0)])
def test_a_message_that_is_not_found_is_for_a_person_to_decide(
    product: Running, x: AtX, asked: Asked, is_there: str, state: str, times: int
) -> None:
    contact(product, asked, "x:dm")
    x.misbehave("x_503")
    lead, message = answered(product, asked, surface="x:dm")
    becomes(lead, message, "unknown")
    x.behave()
    until(lambda: "look at the network whether it is there" in x.reason(message), what="a person is asked")
    page = lead.get(f"/t/{asked.ticket}/").text
    assert f'data-act="is-there" data-message="{message}"' in page
    assert f'id="trouble-{message}"' in lead.get("/board/").text
    assert lead.post(f"/messages/{message}/settle/", is_there=is_there).status_code == 200
    becomes(lead, message, state)
    assert asked.customer.messages().count(ANSWER) == times
    assert f'id="trouble-{message}"' not in lead.get("/board/").text


def test_an_answer_to_somebody_who_did_not_name_us_is_refused_in_words(
    product: Running, x: AtX, asked: Asked
) -> None:
    x.misbehave("x_unasked")
    refused(product, asked, "X lets us answer publicly only those who mentioned us.", x)
    x.behave()
    # Mended: the same words, by the button on the bubble.
    lead = product.signed_in("lead")
    message = product.value("SELECT max(id) FROM tickets_message WHERE ticket_id = %s", asked.ticket)
    assert lead.post(f"/messages/{message}/retry/").status_code == 200
    becomes(lead, message, "sent")
    assert asked.customer.answers(asked.post) == [f"@{asked.customer.handle} {ANSWER}"]


def test_a_message_to_somebody_who_closed_theirs_is_refused_in_words(product: Running, x: AtX, asked: Asked) -> None:
    contact(product, asked, "x:dm")
    product.act("/practice/x/habits", handle=asked.customer.handle, blocks_messages=True)
    refused(product, asked, "takes no direct messages from us", x, surface="x:dm")
    assert ANSWER not in asked.customer.messages()


def test_the_same_words_again_are_refused_in_words(product: Running, x: AtX, asked: Asked) -> None:
    other = x.customer()
    other.post(f"@AcmeCare @{asked.customer.handle} and mine?")
    lead = product.signed_in("lead")
    same = f"@{asked.customer.handle} @{other.handle} We know of it."
    becomes(lead, lead.reply(product.ticket_with("and mine?"), same), "sent")
    _lead, message = answered(product, asked, same)
    becomes(lead, message, "failed")
    assert "does not take the same words twice" in x.reason(message)


def refused(product: Running, asked: Asked, words: str, x: AtX, surface: str = "x:mention") -> None:
    """An answer fails at once, with X's reason in our words on its bubble, and a button to try it again."""
    lead, message = answered(product, asked, surface=surface)
    becomes(lead, message, "failed")
    assert x.outcome(message) == ("failed", 1, False)
    assert words in x.reason(message), x.reason(message)
    page = lead.get(f"/t/{asked.ticket}/").text
    assert f'data-act="retry" data-message="{message}"' in page


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("x_402", "The credits of our X plan are used up."),
        ("x_429", "X asks us to wait"),
        ("x_429_no_reset", "X asks us to wait"),
    ],
)
def test_what_x_puts_off_says_why_and_leaves_as_soon_as_it_may(
    product: Running, x: AtX, asked: Asked, switch: str, words: str
) -> None:
    product.act("/practice/x/times", reset_seconds=1)
    x.misbehave(switch)
    lead, message = answered(product, asked)
    becomes(lead, message, "retry")
    assert words in x.reason(message)
    assert words in lead.get(f"/t/{asked.ticket}/").text
    x.behave()
    becomes(lead, message, "sent")
    assert asked.customer.answers(asked.post) == [f"@{asked.customer.handle} {ANSWER}"]
