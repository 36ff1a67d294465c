"""The exchange: what people do with calls. Each act changes the call and queues what is told of it, together."""

from __future__ import annotations

import sqlite3

from practice.database import transaction
from practice.given import Refused
from practice.happenings import Happenings
from practice.mischief import Mischief
from practice.people import People, Person
from practice.telephony.calls import RINGING, TALKING, VOICEMAIL, Call, Calls
from practice.telephony.events import CAUSES, LOST, WAITING, Events, Fields
from practice.telephony.lines import Line, Lines, digits, readable
from practice.telephony.posting import HookPost
from practice.telephony.switches import NETWORK

#: Who sits at our desks, with their extensions: names for the events, and nobody who could sign in anywhere.
DESKS = {"Anna Reid": "42", "Ben Tallis": "43"}
#: What a withheld number is told as.
ANONYMOUS = "anonymous"
#: How many calls may be in progress at once.
MOST_LIVE = 200
#: The longest utterance, in characters.
LONGEST_WORDS = 2000
#: The longest caller's number that a script may make up, in characters.
LONGEST_NUMBER = 200


class Exchange:
    """Puts calls through and tells of them. Every method returns the call as it is then; all raise Refused."""

    def __init__(
        self,
        *,
        db: sqlite3.Connection,
        people: People,
        lines: Lines,
        calls: Calls,
        events: Events,
        post: HookPost,
        mischief: Mischief,
        happenings: Happenings,
    ) -> None:
        self._db = db
        self._people = people
        self._lines = lines
        self._calls = calls
        self._events = events
        self._post = post
        self._mischief = mischief
        self._happenings = happenings

    def connect(self, number: str, hook_url: str) -> Line:
        """Let a line post to this address; LineError when that cannot be."""
        before = self._lines.find(number)
        line = self._lines.connect(number, hook_url)
        self._events.hurry(line.number)
        self._post.wake()
        if before == line:
            # The contact centre says every few seconds where its doors are, lest a port changed; told each time, that
            # alone would fill the list of what happened.
            return line
        words = f"{line.name}, {readable(line.number)}, now tells the inbox of its calls."
        self._happenings.note(
            NETWORK, "line", words if hook_url else f"{line.name} tells nobody of its calls any more."
        )
        return line

    def call(
        self,
        *,
        person: Person | None,
        number: str,
        line: str,
        direction: str = "in",
        withheld: bool = False,
        user: str = "",
        by_itself: bool = False,
    ) -> Call:
        """Ring a line of ours, or (direction `out`) let one of us ring the customer."""
        number = person.phone if person else number.strip()
        if person and not number:
            raise Refused(f"{person.name} has no telephone.")
        if len(number) > LONGEST_NUMBER:
            raise Refused(f"A number has at most {LONGEST_NUMBER} characters.")
        if direction not in ("in", "out"):
            raise Refused("direction must be in or out.")
        if direction == "out" and (withheld or not number):
            raise Refused("To ring somebody their number must be known.")
        ours = self._lines.find(line) if line else self._lines.all()[0]
        if ours is None:
            raise Refused(f"{line!r} is no line of ours.", 404)
        if self._calls.live_of(person=person.key if person else "", number=number) is not None:
            raise Refused(f"{person.name if person else number} is on the telephone already.", 409)
        if len(self._calls.live()) >= MOST_LIVE:
            raise Refused(f"There are {MOST_LIVE} calls in progress already.", 409)
        if person is None:
            person = next((each for each in self._people.everybody() if each.phone and each.phone == number), None)
            if person and self._calls.live_of(person=person.key):
                raise Refused(f"{person.name} is on the telephone already.", 409)
        told = ANONYMOUS if withheld else number.removeprefix("+")
        users = list(DESKS) if direction == "in" else [self._user(user)]
        with transaction(self._db):
            call = self._calls.begin(
                person=person.key if person else "",
                number=number,
                told=told,
                line=ours.number,
                user="" if direction == "in" else users[0],
                by_itself=by_itself,
            )
            self._tell(call, "newCall", {"user[]": users, "queue": ours.name})
        who = "Somebody who withholds the number" if withheld else call.who(person)
        words = f"{who} rings {ours.name}." if call.incoming else f"{users[0]} rings {who} from {ours.name}."
        self._happenings.note(NETWORK, "call", words)
        return call

    def answer(self, call: Call, *, user: str = "") -> Call:
        """Take a ringing call: one of us an incoming one, the customer one of ours."""
        self._must(call, RINGING)
        by = call.user or self._user(user)
        with transaction(self._db):
            call = self._calls.answer(call, by, voicemail=False)
            self._tell(call, "answer", self._taken(call))
        who = by if call.incoming else self._who(call)
        self._happenings.note(NETWORK, "answered", f"{who} answers.")
        return call

    def voicemail(self, call: Call) -> Call:
        """Let the voicemail box take a ringing call: the caller may speak, and nobody of ours has."""
        self._must(call, RINGING)
        if not call.incoming:
            raise Refused("Only who rings us can reach our voicemail.", 409)
        with transaction(self._db):
            call = self._calls.answer(call, VOICEMAIL, voicemail=True)
            self._tell(call, "answer", self._taken(call))
        self._happenings.note(NETWORK, "voicemail", f"{self._who(call)} reaches the voicemail.")
        return call

    def hang_up(self, call: Call, *, cause: str = "") -> Call:
        """End a call, whoever does it. Without a cause: cleared after a talk, cancelled before one."""
        if not call.live:
            raise Refused("This call is over.", 409)
        if cause and cause not in CAUSES:
            raise Refused(f"cause must be one of {', '.join(CAUSES)}.")
        talked = call.state != RINGING
        cause = cause or ("normalClearing" if talked else "cancel")
        with transaction(self._db):
            call = self._calls.end(call, cause)
            self._tell(call, "hangup", {"cause": cause, **self._taken(call)})
        how = "The call with" if talked else "The unanswered call of" if call.incoming else "The unanswered call to"
        self._happenings.note(NETWORK, "hung-up", f"{how} {self._who(call)} is over ({cause}).")
        return call

    def miss(self, call: Call) -> Call:
        """Let a ringing call ring out."""
        self._must(call, RINGING)
        return self.hang_up(call, cause="noAnswer")

    def say(self, call: Call, text: str, *, by_us: bool) -> Call:
        """Say something into a call that somebody, or the voicemail box, has answered."""
        text = text.strip()
        if not text:
            raise Refused("Nothing was said.")
        if len(text) > LONGEST_WORDS:
            raise Refused(f"That is too long a sentence: at most {LONGEST_WORDS} characters.")
        if call.state == RINGING:
            raise Refused("Nobody has answered yet.", 409)
        if not call.live or (by_us and call.state != TALKING):
            raise Refused("Nobody is on the line any more.", 409)
        self._calls.say(call, text, by_us=by_us)
        return call

    def _must(self, call: Call, state: str) -> None:
        if call.state != state:
            raise Refused(f"This call is {call.state}, not {state}.", 409)

    def _user(self, wished: str) -> str:
        if wished and wished not in DESKS:
            raise Refused(f"user must be one of {', '.join(DESKS)}.")
        return wished or next(iter(DESKS))

    def _taken(self, call: Call) -> Fields:
        """Return who of us is in the call, and at which number it was taken, as far as either is so."""
        number = DESKS.get(call.user, call.user) if call.incoming else digits(call.number)
        taken = {"answeringNumber": number} if call.answered_at is not None else {}
        return {**taken, **({"user": call.user} if call.user else {})}

    def _who(self, call: Call) -> str:
        return call.who(self._people.by_key(call.person))

    def _tell(self, call: Call, event: str, more: Fields) -> None:
        """Queue an event of a call, as the switches of this moment will have it."""
        line = self._lines.find(call.line)
        if line is None or not line.hook_url:
            return
        ours = digits(call.line)
        sides = (call.told, ours) if call.incoming else (ours, call.told)
        fields: Fields = {
            "event": event,
            "from": sides[0],
            "to": sides[1],
            "direction": call.direction,
            "callId": call.id,
            **more,
        }
        lost = self._take("call_event_lost", call) or (event == "hangup" and self._take("call_hangup_lost", call))
        late = not lost and self._take("call_event_late", call)
        # The last event of a call has none behind it to wait for.
        behind = not lost and not late and event != "hangup" and self._take("call_event_disorder", call)
        held = "call_event_late" if late else "call_event_disorder" if behind else ""
        as_json = self._take("call_json", call)
        for _ in range(2 if not lost and self._take("call_event_twice", call) else 1):
            self._events.add(
                call=call.id,
                line=call.line,
                fields=fields,
                as_json=as_json,
                state=LOST if lost else WAITING,
                held=held,
            )
        self._post.wake()

    def _take(self, switch: str, call: Call) -> bool:
        return self._mischief.take(NETWORK, switch, address=call.line)
