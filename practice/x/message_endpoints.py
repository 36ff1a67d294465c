"""What can be asked for about direct messages, and sent."""

from __future__ import annotations

from base64 import b32decode, b32encode

from practice.x.door import Answer, Call, Handler
from practice.x.messages import JOIN, LEAVE, MESSAGE, Event, Messages, between
from practice.x.objects import Included, Objects
from practice.x.problems import forbidden, invalid
from practice.x.profiles import Profiles

_LARGEST_ID = 2**63 - 1


class MessageEndpoints:
    """Handlers of the door."""

    def __init__(self, *, profiles: Profiles, messages: Messages, objects: Objects) -> None:
        self._profiles = profiles
        self._messages = messages
        self._objects = objects

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "message_events": lambda call: self._events(call, ""),
            "message_events_with": lambda call: self._events(call, between(call.user.id, call.path["participant_id"])),
            "message_events_of": lambda call: self._events(call, call.path["id"]),
            "message_to": self.send_to,
            "message_into": self.send_into,
            "open_group": self.open_group,
        }

    def send_to(self, call: Call) -> Answer:
        """Write to somebody."""
        recipient = call.path["participant_id"]
        if recipient == call.user.id or self._profiles.by_id(recipient) is None:
            raise forbidden("You cannot send messages to this user.")
        return self._sent(self._send(call, between(call.user.id, recipient)))

    def send_into(self, call: Call) -> Answer:
        """Write into a conversation."""
        conversation = call.path["dm_conversation_id"]
        if call.user.id not in conversation.split("-") and call.user.id not in self._messages.participants(
            conversation
        ):
            raise forbidden("You are not permitted to perform this action.")
        return self._sent(self._send(call, conversation))

    def open_group(self, call: Call) -> Answer:
        """Begin a group."""
        message = call.body["message"]
        if not message.get("text"):
            raise invalid("$.message.text: is missing but it is required", {"$.message": ["{}"]})
        event = self._messages.open_group(
            call.user, call.body["participant_ids"], message["text"], by_app=call.caller.by_app, now=call.now
        )
        return self._sent(event)

    def _send(self, call: Call, conversation: str) -> Event:
        text, attachments = call.body.get("text", ""), call.body.get("attachments", [])
        if not text and not attachments:
            raise invalid("$.text: is missing but it is required", {"$": ["{}"]})
        media = [f"3_{each['media_id']}" for each in attachments]
        return self._messages.send(call.user, conversation, text, media, by_app=call.caller.by_app, now=call.now)

    def _sent(self, event: Event) -> Answer:
        told = {"dm_conversation_id": event.conversation_id, "dm_event_id": str(event.id)}
        # The quotation marks are X's own, as recorded.
        return Answer({"data": told}, {"location": f'https://api.twitter.com/2/dm_events/"{event.id}"'})

    def _events(self, call: Call, conversation: str) -> Answer:
        """List events, newest first. Each page that is not empty leads to another, which may be empty, as X's do."""
        above, below = _page(call.query.get("pagination_token", ""))
        kinds = call.query.get("event_types", f"{MESSAGE},{JOIN},{LEAVE}").split(",")
        events = self._messages.of_user(
            call.user.id,
            conversation_id=conversation,
            kinds=kinds,
            above=above,
            below=below,
            limit=call.number("max_results", 100),
            now=call.now,
        )
        included = Included()
        data = self._objects.events(events, call.asked(), included, call.user.id)
        meta: dict[str, object] = {"result_count": len(data)}
        if data:
            meta |= {"next_token": _token("N", events[-1].id), "previous_token": _token("P", events[0].id)}
        return Answer({**included.added_to({"data": data} if data else {}), "meta": meta})


def _token(kind: str, number: int) -> str:
    return b32encode(kind.encode() + number.to_bytes(9)).decode()


def _page(token: str) -> tuple[int, int]:
    """Return the ids between which a page lies; raise Problem for a token that is none."""
    if not token:
        return 0, _LARGEST_ID
    try:
        read = b32decode(token)
        number = int.from_bytes(read[1:])
        if len(read) != 10 or read[:1] not in (b"N", b"P") or number > _LARGEST_ID:
            raise ValueError(token)
    except ValueError:
        words = f"The `pagination_token` query parameter value [{token}] is not valid"
        raise invalid(words, {"pagination_token": [token]}) from None
    return (0, number) if read[:1] == b"N" else (number, _LARGEST_ID)
