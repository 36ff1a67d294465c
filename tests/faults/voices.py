"""Customers of a fault case, each on one channel: what they say, what became of it here, and which answers they got."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from tests.flows.at_facebook import AtFacebook
from tests.flows.at_x import AtX, Customer
from tests.running import Browser, Running, until

PATIENCE = 60
# The numbers that nobody has (Ofcom, "Telephone numbers for drama purposes").
_numbers = count(100)


@dataclass
class Voice:
    """One customer on one channel. `name` is in all their words, so that these are nobody else's."""

    product: Running
    lead: Browser
    x: AtX
    facebook: AtFacebook
    name: str
    said: list[str] = field(default_factory=list)
    answered: dict[int, str] = field(default_factory=dict)

    def say(self) -> None:
        """Say something new."""
        text = f"{self.name} says {len(self.said) + 1}."
        self._say(text)
        self.said.append(text)

    def answer(self) -> int:
        """The lead answers on the customer's ticket; the message's id. It leaves a second later."""
        text = f"Answer {len(self.answered) + 1} to {self.name}."
        message = self.lead.reply(self.ticket(), text)
        self.answered[message] = text
        return message

    def ticket(self) -> int:
        """Their ticket, once what they said is on it."""
        self.arrives()
        return int(self._tickets()[0])

    def arrives(self) -> None:
        """Wait until all they said is there."""
        for text in self.said:
            until(lambda text=text: self.there(text), what=f"{text!r} arrives", seconds=PATIENCE)

    def there(self, text: str) -> int:
        """How many messages say this."""
        sql = "SELECT count(*) FROM tickets_message WHERE direction = 'in' AND position(%s in text) > 0"
        return int(self.product.value(sql, text))

    def is_on_one_ticket_once(self) -> None:
        """Each thing they said is one message, and all are on one ticket."""
        self.arrives()
        assert {text: self.there(text) for text in self.said} == dict.fromkeys(self.said, 1)
        assert len(self._tickets()) == 1

    def got(self, text: str) -> int:
        """How often this answer is with them."""
        raise NotImplementedError

    def _say(self, text: str) -> None:
        raise NotImplementedError

    def _tickets(self) -> list[int]:
        sql = "SELECT DISTINCT ticket_id FROM tickets_message WHERE direction = 'in' AND position(%s in text) > 0"
        return [ticket for (ticket,) in self.product.rows(sql, f"{self.name} says ")]


@dataclass
class ByMail(Voice):
    """A customer's mailbox."""

    def __post_init__(self) -> None:
        self.address = f"{self.name}@post.example"
        made = {"name": "Robin Marlow", "mail": self.address, "x_handle": "", "facebook": False, "phone": ""}
        self.product.act("/practice/people", **made)

    def _say(self, text: str) -> None:
        self.product.mail(text, author=self.address, subject=text)

    def got(self, text: str) -> int:
        return len([one for one in self.product.letters(self.address) if text in str(one)])


@dataclass
class ByPost(Voice):
    """Somebody who posts on X."""

    def __post_init__(self) -> None:
        self.person: Customer = self.x.customer()
        self.post = ""

    def _say(self, text: str) -> None:
        self.post = self.person.post(f"@AcmeCare {text}")

    def got(self, text: str) -> int:
        return len([one for one in self.person.answers(self.post) if text in one])


@dataclass
class ByDirectMessage(ByPost):
    """Somebody who writes direct messages on X."""

    def _say(self, text: str) -> None:
        self.person.message(text)

    def got(self, text: str) -> int:
        return self.person.messages().count(text)


@dataclass
class ByMessenger(Voice):
    """Somebody who writes to our Page."""

    def __post_init__(self) -> None:
        self.friend = self.facebook.friend()

    def _say(self, text: str) -> None:
        self.friend.message(text)

    def got(self, text: str) -> int:
        return self.friend.answers().count(text)


@dataclass
class ByComment(ByMessenger):
    """Somebody who comments below a post of our Page."""

    comment: str = ""

    def _say(self, text: str) -> None:
        self.comment = self.friend.comment(text, self.facebook.post())

    def got(self, text: str) -> int:
        return len([one for one in self.facebook.below(self.comment) if text in one])


@dataclass
class ByPhone(Voice):
    """Somebody who calls once and is not answered: the call is what they said."""

    def __post_init__(self) -> None:
        self.number = f"+447700900{next(_numbers)}"
        self.call = ""

    def ring(self) -> None:
        """Call us; it rings until `hang_up`."""
        self.call = str(self.product.act("/practice/telephony/calls", act="call", **{"from": self.number})["id"])

    def hang_up(self) -> None:
        """Give up waiting. From now on this call must be on a ticket, once, as missed."""
        self.product.act("/practice/telephony/calls", act="hangup", call=self.call)
        self.said = [self.number]

    def _say(self, text: str) -> None:
        self.ring()
        self.hang_up()

    def there(self, text: str) -> int:
        """How many calls of this number ended unanswered."""
        sql = (
            "SELECT count(*) FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
            " JOIN tickets_calldetails d ON d.message_id = m.id"
            " WHERE i.value = %s AND d.answered_at IS NULL AND d.ended_at IS NOT NULL"
        )
        return int(self.product.value(sql, text))

    def say(self) -> None:
        self._say("")

    def is_on_one_ticket_once(self) -> None:
        super().is_on_one_ticket_once()
        ringing = "SELECT count(*) FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
        assert self.product.value(f"{ringing} WHERE i.value = %s", self.number) == 1

    def _tickets(self) -> list[int]:
        sql = (
            "SELECT DISTINCT m.ticket_id FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
            " WHERE i.value = %s"
        )
        return [ticket for (ticket,) in self.product.rows(sql, self.number)]
