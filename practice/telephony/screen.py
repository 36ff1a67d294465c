"""The telephone as its owner sees it, and the exchange's side beside it, where calls are taken."""

from __future__ import annotations

import time
from collections.abc import Mapping

from practice.html import Html, fill, joined
from practice.network import Visit
from practice.page import clock
from practice.people import People, Person
from practice.telephony.calls import RINGING, TALKING, VOICEMAIL, Call, Calls
from practice.telephony.exchange import DESKS
from practice.telephony.lines import OUR_NAME, Lines, readable

#: How many past calls the telephone lists, how many the exchange shows in progress, and how much of a talk.
_SHOWN_PAST = 5
_SHOWN_LIVE = 8
_SHOWN_SAID = 30

_PLACES = ("", "first", "second", "third", "fourth", "fifth", "sixth")

_ENDINGS = {
    "normalClearing": "The call is over",
    "noAnswer": "No answer",
    "busy": "Busy",
    "congestion": "The network is congested",
    "notFound": "No such number",
    "forwarded": "The call was forwarded",
}


class PhoneScreen:
    """Draws. It asks, and changes nothing."""

    def __init__(self, *, people: People, lines: Lines, calls: Calls) -> None:
        self._people = people
        self._lines = lines
        self._calls = calls

    def phone(self, visit: Visit) -> Html:
        """Return the whole telephone."""
        person = visit.person
        if not person.phone:
            return fill("telephony/phone_none", name=person.name)
        parts = self._phone_parts(person)
        return fill(
            "telephony/phone",
            name=person.name,
            number=readable(person.phone),
            **{name.replace("-", "_"): part for name, part in parts.items()},
        )

    def desk(self, visit: Visit) -> Html:
        """Return the exchange's side: the calls in progress, a way to ring the customer, and our lines."""
        person = visit.person
        ring = (
            fill("telephony/desk_ring", key=person.key, name=person.short, lines=self._choices(), desks=_desks())
            if person.phone
            else Html("")
        )
        return fill("telephony/desk", calls=self._exchange_calls(), ring=ring, lines=self._told_lines())

    def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return what changes by itself."""
        phone = self._phone_parts(visit.person) if visit.person.phone else {}
        return {**phone, "exchange-calls": self._exchange_calls(), "exchange-lines": self._told_lines()}

    def _phone_parts(self, person: Person) -> dict[str, Html]:
        call = self._calls.live_of(person=person.key)
        past = self._calls.newest(_SHOWN_PAST + 1, person=person.key)
        if call is None:
            return self._idle_parts(person, [each for each in past if not each.live][:_SHOWN_PAST])
        now = time.time()
        return {
            "call-who": fill("telephony/who", name=OUR_NAME, number=readable(call.line)),
            "call-state": fill("telephony/state", words=self._state(call)),
            "call-time": fill("telephony/time", time=_minutes(call.seconds(now))),
            "call-said": self._said(call),
            "call-keys": fill("telephony/keys_rung" if _rings_us(call) else "telephony/keys", call=call.id),
            "call-past": Html(""),
            "call-form": fill("telephony/form_say", call=call.id) if call.state != RINGING else Html(""),
        }

    def _idle_parts(self, person: Person, past: list[Call]) -> dict[str, Html]:
        last = past[0] if past else None
        words = _ending(last) if last else "Ring us, or wait until we ring."
        length = last.seconds(time.time()) if last and last.answered_at else None
        return {
            "call-who": fill("telephony/who", name=OUR_NAME, number=""),
            "call-state": fill("telephony/state", words=words),
            "call-time": fill("telephony/time", time=_minutes(length)) if length is not None else Html(""),
            "call-said": self._said(last) if last else Html(""),
            "call-keys": Html(""),
            "call-past": fill("telephony/past", calls=joined(self._past(each) for each in past)) if past else Html(""),
            "call-form": fill("telephony/form_call", key=person.key, lines=self._choices()),
        }

    def _state(self, call: Call) -> str:
        if call.state == VOICEMAIL:
            return "The voicemail listens"
        if call.state == TALKING:
            return f"Talking to {call.user}"
        if not call.incoming:
            return f"{OUR_NAME} is ringing you"
        place = self._calls.place(call)
        if place <= 1:
            return "Ringing"
        return f"In the queue, {_PLACES[place] if place < len(_PLACES) else f'{place}th'}"

    def _said(self, call: Call) -> Html:
        return joined(
            fill("telephony/said", mine="" if said.by_us else " chat--me", speaker=said.speaker, text=said.text)
            for said in self._calls.said(call, _SHOWN_SAID)
        )

    def _past(self, call: Call) -> Html:
        line = self._lines.find(call.line)
        return fill(
            "telephony/past_call",
            what=f"To {line.name if line else call.line}" if call.incoming else f"From {OUR_NAME}",
            how=_ending(call) if call.answered_at is None else _minutes(call.seconds(0.0)),
            at=clock(call.began_at),
        )

    def _exchange_calls(self) -> Html:
        live = self._calls.live()
        if not live:
            return fill("telephony/exchange_none")
        shown = joined(self._exchange_call(call) for call in live[:_SHOWN_LIVE])
        more = len(live) - _SHOWN_LIVE
        return joined([shown, fill("telephony/exchange_more", number=more) if more > 0 else Html("")])

    def _exchange_call(self, call: Call) -> Html:
        line = self._lines.find(call.line)
        name = line.name if line else call.line
        who = call.who(self._people.by_key(call.person))
        said = self._calls.said(call, 1)
        return fill(
            "telephony/exchange_call",
            who=f"{who} rings {name}" if call.incoming else f"{name} rings {who}",
            withheld=fill("telephony/withheld") if call.told != call.number.removeprefix("+") else Html(""),
            state={RINGING: "ringing", VOICEMAIL: "on the voicemail", TALKING: f"talking to {call.user}"}[call.state],
            said=fill("telephony/exchange_said", text=said[0].text) if said else Html(""),
            call=call.id,
            keys=self._exchange_keys(call),
        )

    def _exchange_keys(self, call: Call) -> Html:
        if call.state != RINGING:
            return fill("telephony/exchange_keys_end", call=call.id)
        if not call.incoming:
            return fill("telephony/exchange_keys_out", call=call.id)
        return fill("telephony/exchange_keys_in", call=call.id, desks=_desks())

    def _told_lines(self) -> Html:
        return joined(
            fill(
                "telephony/line",
                name=line.name,
                number=readable(line.number),
                state="tells the inbox" if line.hook_url else "not connected yet",
            )
            for line in self._lines.all()
        )

    def _choices(self) -> Html:
        return joined(fill("telephony/line_choice", number=line.number, name=line.name) for line in self._lines.all())


def _desks() -> Html:
    return joined(fill("telephony/desk_choice", name=name) for name in DESKS)


def _rings_us(call: Call) -> bool:
    """Return whether it is the customer's to answer."""
    return call.state == RINGING and not call.incoming


def _ending(call: Call) -> str:
    if call.cause == "cancel":
        return "You hung up" if call.incoming else f"{OUR_NAME} gave up"
    if call.cause == "noAnswer" and not call.incoming:
        return "You did not answer"
    if call.cause == "busy" and not call.incoming:
        return "You declined"
    return _ENDINGS.get(call.cause, "The call is over")


def _minutes(seconds: float) -> str:
    """Return a length as a telephone shows it: 0:37, 12:05, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
