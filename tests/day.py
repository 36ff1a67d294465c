"""A small day at Acme, for the pictures: a few customers by mail and telephone, Anna who answers, and one refusal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import requests

from tests.running import Running, until

CARE, RETURNS = "care@acme.example", "returns@acme.example"
CARLA, TOM, GRACE = "carla.hughes@post.example", "tom.okafor@post.example", "grace.lindqvist@brev.example"
NOURA, DECLAN = "noura.almansoori@barid.example", "declan@byrne-household.example"
PRIYANKA = "priyanka.ramanathan-whitmore@letters.example"
AMARA, JONAS, INGRID = "amara-nwosu@post.example", "jonas-weber@post.example", "ingrid-solberg@post.example"
NEW_PEOPLE = ("Amara Nwosu", "Jonas Weber", "Ingrid Solberg")


@dataclass(frozen=True)
class Says:
    """The customer writes."""

    text: str


@dataclass(frozen=True)
class Answers:
    """Anna answers; `then` is what becomes of the ticket: "", "wait" or "solve"."""

    text: str
    then: str = ""


@dataclass(frozen=True)
class Notes:
    """Anna writes a note for her colleagues."""

    text: str


@dataclass(frozen=True)
class Passes:
    """So many minutes go by."""

    minutes: int


Act = Says | Answers | Notes | Passes


@dataclass(frozen=True)
class Story:
    """One customer's matter by mail. `owner` is whose it becomes; empty: nobody's yet, or who answered."""

    author: str
    subject: str
    acts: Sequence[Act]
    to: str = CARE
    owner: str = ""


# Told from the oldest last words to the newest. A mail is due after four hours.
STORIES = (
    Story(
        JONAS,
        "Invoice for order AC-20871",
        (
            Says("Good morning, could you send me an invoice made out to my company? The order is AC-20871."),
            Passes(34),
            Answers("Good morning Mr Weber, here it comes: I have just had it made out anew.", "solve"),
            Passes(200),
        ),
    ),
    Story(
        PRIYANKA,
        "Delivery left with the wrong neighbour",
        (
            Says(
                "Hello, your driver left my parcel at number 14. Nobody at number 14 knows me, and nobody there "
                "has a parcel. The tracking says it was signed for by “P. Whit”.\n\nCould you find out where it is?"
            ),
            Passes(265),
        ),
    ),
    Story(
        DECLAN,
        "Is the glass lid sold by itself?",
        (
            Says("The lid of our kettle fell off the shelf. Can I buy just the lid? It is the 1.2 litre one."),
            Passes(226),
        ),
    ),
    Story(
        INGRID,
        "Return label does not open",
        (
            Says("I want to send back the toaster (AC-20790), but the label in your mail is an empty page."),
            Passes(41),
            Answers("Sorry about that, Ingrid. Here is the label again, as a picture this time.", "wait"),
            Passes(96),
        ),
        to=RETURNS,
    ),
    Story(
        NOURA,
        "تغيير عنوان التسليم",
        (Says("مرحباً، هل يمكنني تغيير عنوان التسليم للطلب AC-20933؟ سأكون في مكتبي طوال الأسبوع."), Passes(88)),
    ),
    Story(
        AMARA,
        "Refund for the second grinder",
        (
            Says("I sent the second grinder back nine days ago. When will I see the money?"),
            Passes(52),
        ),
        to=RETURNS,
        owner="ben@acme.example",
    ),
    Story(
        TOM,
        "Which filter fits?",
        (
            Says("Quick one: does the number 4 filter fit the Acme Brew 3? The box does not say."),
            Passes(12),
            Answers("It does, Tom. The number 2 is for the small one only."),
            Passes(9),
            Says("Perfect, thanks! While I have you: do you still sell the brown ones?"),
            Passes(17),
        ),
    ),
    Story(
        CARLA,
        "My coffee machine has not arrived",
        (
            Says(
                "Hello,\n\nmy order AC-20914 was promised for last week, and the tracking page says “being "
                "prepared” to this day. I have guests the day after tomorrow.\n\nWhere is it?\n\nCarla Hughes"
            ),
            Passes(25),
            Answers(
                "Hello Carla,\n\nI am sorry, that should not have happened. Your parcel was held at our warehouse: "
                "the label could not be read. I have asked them for a new one and will write again as soon as it "
                "moves.\n\nAnna"
            ),
            Passes(58),
            Notes("Warehouse says the new label is printed. If it is not out by 4 pm, send a second one by courier."),
            Passes(21),
            Says(
                "Thank you for the quick answer. Will it be here before my guests are? Otherwise I would rather cancel."
            ),
            Passes(6),
        ),
    ),
    Story(
        GRACE,
        "A dent in the side",
        (
            Says("The kettle is lovely, but it came with a dent. I can send photographs if that helps."),
            Passes(3),
        ),
        to=RETURNS,
    ),
)

# An answer that the customer's server refuses: the lead sees it on the board.
REFUSED = Story(DECLAN, "Re: Is the glass lid sold by itself?", (Answers("Yes, it is: part number L-12, £6.50."),))


class Day:
    """The product while its pictures' content is made."""

    def __init__(self, product: Running) -> None:
        self.product = product
        self.anna, self.leo = product.signed_in("agent"), product.signed_in("lead")
        self.tickets: dict[str, int] = {}

    def play(self) -> None:
        """Everything that is to be seen in the pictures."""
        for name in NEW_PEOPLE:
            self.product.act("/practice/people", name=name)
        for story in STORIES:
            self._tell(story)
        self._refuse()
        self._call()

    def _tell(self, story: Story) -> None:
        answered = ""
        for act in story.acts:
            match act:
                case Says(text):
                    more = {"in_reply_to": answered, "references": [answered]} if answered else {}
                    subject = f"Re: {story.subject}" if answered else story.subject
                    self.product.mail(text, author=story.author, subject=subject, to=[story.to], **more)
                    self.tickets[story.author] = self.product.ticket_with(text[:40])
                case Answers(text, then):
                    self._answer(story.author, text, then)
                    answered = self._letter(story.author, text)
                case Notes(text):
                    self.anna.post(f"/t/{self.tickets[story.author]}/note/", text=text).raise_for_status()
                case Passes(minutes):
                    self._pass(self.tickets[story.author], minutes)
        if story.owner:
            owner = self.product.value("SELECT id FROM agents_person WHERE email = %s", story.owner)
            self.leo.post("/act/assign/", ticket=self.tickets[story.author], owner=owner).raise_for_status()

    def _answer(self, author: str, text: str, then: str = "", *, becomes: str = "sent") -> None:
        message = self.anna.reply(self.tickets[author], text, then=then)
        until(lambda: self.anna.state(message) == becomes, what=f"{text!r} is {becomes}", seconds=60)

    def _letter(self, author: str, text: str) -> str:
        start = text[:30].splitlines()[0]
        letter = until(
            lambda: next((one for one in self.product.letters(author) if start in str(one)), None), what=f"{start!r}"
        )
        return str(letter["message_id"])

    def _refuse(self) -> None:
        self.product.mischief("smtp_550")
        for act in REFUSED.acts:
            assert isinstance(act, Answers)
            self._answer(REFUSED.author, act.text, becomes="failed")
        self.product.behave()

    def _call(self) -> None:
        """Carla rings too, once the practice exchange has been told where our lines listen."""
        if not self.product.value("SELECT count(*) FROM channels_channelaccount WHERE kind = 'phone'"):
            print("no telephone line is connected: the pictures show no call")
            return
        until(self._lines_listen, what="the exchange knows where our lines listen", seconds=60)
        for fields in (
            {"act": "call"},
            {"act": "answer"},
            {"act": "say", "text": "It is about the coffee machine. I just wrote to you."},
            {"act": "say", "text": "I have it in front of me, Carla.", "by_us": True},
            {"act": "hangup"},
        ):
            self.product.act("/practice/telephony/calls", person="carla", **fields)
        until(
            lambda: self.product.value("SELECT count(*) FROM tickets_calldetails WHERE ended_at IS NOT NULL"),
            what="the end of Carla's call",
        )
        self._pass(self.tickets[CARLA], 2)

    def _lines_listen(self) -> bool:
        answer = requests.get(f"{self.product.practice}/practice/telephony/lines", timeout=30)
        return answer.ok and any(line["hook_url"] for line in answer.json()["lines"])

    def newest_letter(self, person: str) -> int:
        """The id of the last letter that came to Carla and the others, by their key; their page opens with it."""
        people = requests.get(f"{self.product.practice}/people.json", timeout=30).json()["people"]
        address = next(one["mail"] for one in people if one["key"] == person)
        return int(self.product.letters(address)[0]["id"])

    def _pass(self, ticket: int, minutes: int) -> None:
        """Put everything that happened on a ticket so many minutes back, so that a picture shows a day and not
        the minute in which it was played."""
        address = self.product.file()["database_url"]
        with (
            closing(psycopg2.connect(address, connect_timeout=3)) as connection,
            connection,
            connection.cursor() as rows,
        ):
            # History is moved nowhere else: here the whole database is gone a minute later.
            rows.execute("ALTER TABLE agents_historyentry DISABLE TRIGGER history_is_append_only")
            for table, key in _TABLES.items():
                rows.execute(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_name = %s AND data_type = 'timestamp with time zone'",
                    [table],
                )
                earlier = ", ".join(
                    f"{name} = {name} - make_interval(mins => %(minutes)s)" for (name,) in rows.fetchall()
                )
                rows.execute(f"UPDATE {table} SET {earlier} WHERE {key}", {"minutes": minutes, "ticket": ticket})
            rows.execute("ALTER TABLE agents_historyentry ENABLE TRIGGER history_is_append_only")


_TABLES = {
    "tickets_ticket": "id = %(ticket)s",
    "tickets_contact": "ticket_id = %(ticket)s",
    "tickets_message": "ticket_id = %(ticket)s",
    "tickets_note": "ticket_id = %(ticket)s",
    "agents_historyentry": "ticket_id = %(ticket)s",
    "tickets_calldetails": "message_id IN (SELECT id FROM tickets_message WHERE ticket_id = %(ticket)s)",
}
