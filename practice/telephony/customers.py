"""Who rings during a busy hour, and how it goes on: most are answered, some give up, some are missed."""

from __future__ import annotations

from random import Random

from practice.people import People
from practice.telephony.calls import RINGING, Call, Calls
from practice.telephony.exchange import DESKS, Exchange
from practice.telephony.lines import OUR_LINES

#: What somebody says once one of us has answered.
STORIES = (
    "Hello, my parcel was due on Tuesday. Where is it?",
    "The machine leaks from below. What now?",
    "I wrote to you two days ago and nobody has answered.",
    "Könnten Sie bitte noch einmal nachsehen? Die Bestellung ist weg.",
    "I would like to send it back. It hums.",
    "Sorry, wrong number!",
)

#: How many calls of its own the busy hour keeps up at once.
_AT_ONCE = 3


class BusyCallers:
    """Does one thing at a time: somebody rings, or a call that rang before goes on."""

    def __init__(self, people: People, calls: Calls, exchange: Exchange) -> None:
        self._people = people
        self._calls = calls
        self._exchange = exchange

    async def do_one(self, random: Random) -> None:
        """Ring, or go on with the longest of the busy hour's own calls. Calls that somebody plays are left alone."""
        live = self._calls.live()
        own = [call for call in live if call.by_itself]
        on_the_phone = {call.person for call in live}
        free = [each for each in self._people.everybody() if each.phone and each.key not in on_the_phone]
        if own and (not free or len(own) >= _AT_ONCE or random.random() < 0.55):
            self._go_on(own[0], random)
        elif free:
            person, line = random.choice(free), random.choice(list(OUR_LINES))
            withheld = random.random() < 0.1
            self._exchange.call(person=person, number="", line=line, withheld=withheld, by_itself=True)

    def _go_on(self, call: Call, random: Random) -> None:
        if call.state != RINGING:
            self._exchange.hang_up(call)
            return
        chance = random.random()
        if chance < 0.6:
            call = self._exchange.answer(call, user=random.choice(list(DESKS)))
            self._exchange.say(call, random.choice(STORIES), by_us=False)
        elif chance < 0.75:
            call = self._exchange.voicemail(call)
            self._exchange.say(call, random.choice(STORIES), by_us=False)
        elif chance < 0.9:
            self._exchange.hang_up(call)
        else:
            self._exchange.miss(call)
