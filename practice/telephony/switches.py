"""The ways in which the exchange can misbehave. Calls always go through; what is told of them may not."""

from __future__ import annotations

from practice.mischief import Switch

NETWORK = "telephony"

_TELLING = "What the exchange tells of calls"
_EXCHANGE = "The exchange"

SWITCHES = (
    Switch(
        key="call_event_twice", group=_TELLING, by_address=True,
        title="Every call event twice", hint="The same event is posted again at once.",
    ),
    Switch(
        key="call_event_late", group=_TELLING, by_address=True,
        title="Hold call events", hint="Switching it off posts them.",
    ),
    Switch(
        key="call_event_disorder", group=_TELLING, by_address=True,
        title="Call events out of order", hint="Each waits until a later one of its call was posted.",
    ),
    Switch(
        key="call_event_lost", group=_TELLING, by_address=True,
        title="Lose call events", hint="Nothing is posted, and nothing is tried again.",
    ),
    Switch(
        key="call_hangup_lost", group=_TELLING, by_address=True,
        title="Lose only the hang-up", hint="For the inbox the call never ends.",
    ),
    Switch(
        key="call_hook_timeout", group=_TELLING, by_address=True,
        title="Do not wait for the answer", hint="Posted, taken for a time-out, and posted again.",
    ),
    Switch(
        key="call_json", group=_EXCHANGE, by_address=True,
        title="Post JSON", hint="Normally it posts forms, as most exchanges do.",
    ),
)  # fmt: skip
