"""Row 22: four networks tell of everything three times and out of order; it is there once, in the order it was said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.flows.at_facebook import AtFacebook, Friend
from tests.flows.at_x import CARE as X_CARE
from tests.flows.at_x import AtX, Customer
from tests.running import Running, until

MAIL, NUMBER = "thea.marsh@post.example", "+447700900971"
MAILBOX = "care@acme.example"
ROUNDS = 3
BOOKS = (
    "SELECT sum(delta) FILTER (WHERE \"column\" = 'seen'), sum(delta) FILTER (WHERE \"column\" <> 'seen'),"
    " coalesce(sum(delta) FILTER (WHERE \"column\" = 'pending'), 0) FROM channels_ledgercount"
)


@dataclass
class Thea:
    """One customer on all four networks, and what they said there, by channel, in their order."""

    product: Running
    writer: Customer
    friend: Friend
    page_post: str
    said: dict[str, list[str]] = field(default_factory=dict)

    def says(self, number: int) -> None:
        """Say something on every channel."""
        for channel in ("mail", "post", "comment", "chat"):
            text = f"Thea by {channel}, number {number}."
            self.said.setdefault(channel, []).append(text)
        self.product.mail(self.said["mail"][-1], author=MAIL, subject=self.said["mail"][-1])
        self.writer.post(f"@AcmeCare {self.said['post'][-1]}")
        self.friend.comment(self.said["comment"][-1], self.page_post)
        self.friend.message(self.said["chat"][-1])

    def calls(self) -> None:
        """Ring, talk and hang up."""
        made = self.product.act("/practice/telephony/calls", act="call", **{"from": NUMBER})
        for act in ("answer", "hangup"):
            self.product.act("/practice/telephony/calls", act=act, call=made["id"])

    def texts(self) -> list[str]:
        """All they wrote, on every channel."""
        return [text for texts in self.said.values() for text in texts]

    def ended_calls(self) -> int:
        """How many of their calls were answered and are over."""
        return int(
            self.product.value(
                "SELECT count(*) FROM tickets_calldetails d JOIN tickets_message m ON m.id = d.message_id"
                " JOIN customers_identity i ON i.id = m.identity_id"
                " WHERE i.value = %s AND d.answered_at IS NOT NULL AND d.ended_at IS NOT NULL",
                NUMBER,
            )
        )


@pytest.fixture
def thea(product: Running, x: AtX, facebook: AtFacebook) -> Thea:
    """Known on all four networks as one customer: said so by the lead, once each address had written."""
    made = product.act("/practice/people", name="Thea Marsh", mail=MAIL, x_handle="thea_marsh", phone=NUMBER)
    one = Thea(product, x.person(made["key"]), Friend(product, made["key"]), facebook.post())
    one.says(0)
    one.calls()
    for text in one.texts():
        product.ticket_with(text)
    until(lambda: one.ended_calls() == 1, what="the first call")
    known = "SELECT i.id, i.customer_id FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
    wrote, called = f"{known} WHERE position(%s in m.text) > 0", f"{known} WHERE i.value = %s"
    mail, *others = (product.rows(wrote, texts[0])[0] for texts in one.said.values())
    lead = product.signed_in("lead")
    for identity, _customer in (*others, product.rows(called, NUMBER)[0]):
        assert lead.post(f"/identities/{identity}/join/{mail[1]}/").status_code == 200
    return one


@pytest.fixture
def three_times(product: Running, x: AtX, facebook: AtFacebook, thea: Thea) -> Iterator[None]:
    """Every network tells of everything again and again, and holds back what comes first."""
    product.mischief("duplicate", address=MAILBOX)
    product.mischief("late", address=MAILBOX)
    for switch in ("x_duplicate", "x_shuffled", "x_again", "x_late"):
        x.misbehave(switch)
    for switch in ("call_event_twice", "call_event_disorder"):
        product.mischief(switch, network="telephony")
    # Each of a call's three events is posted twice, and each of these posts once more.
    product.mischief("call_hook_timeout", network="telephony", times=6)
    facebook.misbehave("fb_hook_late")
    facebook.misbehave("fb_hook_twice")
    yield
    product.behave("telephony")


def test_everything_told_three_times_and_out_of_order_is_there_once_in_order_of_said(
    product: Running, x: AtX, facebook: AtFacebook, thea: Thea, three_times: None
) -> None:
    for number in range(1, ROUNDS + 1):
        thea.says(number)
    thea.calls()
    # First what was said last, then the rest, below it.
    product.mischief("late", on=False, address=MAILBOX)
    x.misbehave("x_late", on=False)
    facebook.misbehave("fb_twice", times=2)
    facebook.misbehave("fb_shuffled", times=2)
    facebook.poll()
    facebook.misbehave("fb_hook_late", on=False)
    facebook.told()
    for text in thea.texts():
        product.ticket_with(text)
    # A new UIDVALIDITY: the mailbox tells of every mail once more.
    product.act(f"/practice/mail/{MAILBOX}/recreate", folder="INBOX")
    for address in (MAILBOX, X_CARE):
        for _ in range(2):
            is_asked_again(product, address)
    until(lambda: thea.ended_calls() == 2, what="the second call")
    until(lambda: product.got("/practice/telephony/events")["waiting"] == 0, what="the end of what the exchange tells")
    until(lambda: product.rows(BOOKS)[0][2] == 0, what="nothing pending")

    ticket = product.ticket_with(thea.texts()[0])
    stored = product.rows(
        "SELECT m.text, m.surface FROM tickets_message m WHERE m.ticket_id = %s ORDER BY m.said_at, m.id", ticket
    )
    words = [text for text, _surface in stored]
    assert [sum(text in each for each in words) for text in thea.texts()] == [1] * len(thea.texts())
    assert len(stored) == len(thea.texts()) + 2
    seen, all_else, _pending = product.rows(BOOKS)[0]
    assert seen == all_else
    page = product.signed_in("lead").get(f"/t/{ticket}/timeline/").text
    said_at = "SELECT said_at FROM tickets_message WHERE ticket_id = %s AND position(%s in text) > 0"
    times = {text: product.value(said_at, ticket, text) for text in thea.texts()}
    for texts in thea.said.values():
        assert [times[text] for text in texts] == sorted(times[text] for text in texts)
    shown = sorted(times, key=page.index)
    assert [times[text] for text in shown] == sorted(times.values())
    # A mailbox and Facebook's lists count whole seconds, within which the arrival decides. X's ids tell the order.
    assert [text for text in shown if text in thea.said["post"]] == thea.said["post"]


def is_asked_again(product: Running, address: str) -> None:
    """Wait until the account was asked once more for what is new."""
    asked = "SELECT polled_at FROM channels_channelaccount WHERE address = %s"
    before = product.value(asked, address)
    until(lambda: product.value(asked, address) > before, what=f"another look at {address}")
