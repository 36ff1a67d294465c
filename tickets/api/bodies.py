"""What callers send, checked field by field before any of it reaches the domain."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contactcentre.lib.ids import HIGHEST_ID
from tickets import calls, notes, replies
from tickets.api.view import MOST_ON_A_PAGE
from tickets.models import State

LONGEST_UNDO_SECONDS = 60


class Body(serializers.Serializer[Any]):
    """A body that names nothing we do not know: a misspelt field must not be a field left out."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked values. Raises ValidationError."""
        if isinstance(data, dict):
            strange = set(data) - set(self.fields)
            if strange:
                raise serializers.ValidationError({name: ["There is no such field."] for name in sorted(strange)})
        return super().to_internal_value(data)


class Id(serializers.IntegerField):
    """The number of a row: positive, and within what the database holds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=HIGHEST_ID, **options)


class TicketsAsked(serializers.Serializer[Any]):
    """Which tickets, and how many of them."""

    q = serializers.CharField(
        required=False,
        max_length=100,
        help_text="People, handles, numbers, addresses, ticket numbers and words in any message. Not paged.",
    )
    queue = Id(required=False, help_text="Only tickets of this queue.")
    status = serializers.ChoiceField(
        required=False,
        choices=[*State.choices, ("live", "open, waiting or snoozed")],
        help_text="Only tickets in this state; `live` is open, waiting or snoozed. Open ones come most urgent first, "
        "all others newest first.",
    )
    customer = Id(required=False, help_text="Only tickets of this customer.")
    after = serializers.CharField(required=False, max_length=60, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ON_A_PAGE, default=50)


class TimelineAsked(serializers.Serializer[Any]):
    """Which stretch of the timeline."""

    before = serializers.CharField(required=False, max_length=60, help_text="The `older` of the page before.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ON_A_PAGE, default=30)


class CustomersAsked(serializers.Serializer[Any]):
    """Which customers."""

    q = serializers.CharField(required=False, max_length=100, help_text="A name, handle, address or number.")
    after = Id(required=False, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ON_A_PAGE, default=50)


class PageAsked(serializers.Serializer[Any]):
    """A page of a list."""

    after = Id(required=False, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ON_A_PAGE, default=50)


class Reply(Body):
    """An answer to one of the customer's contacts."""

    contact = Id(help_text="The contact to answer, as the ticket names it.")
    text = serializers.CharField(max_length=replies.LONGEST, trim_whitespace=False)
    seen = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        help_text="The ticket's `arrivals` when you last looked. Something that came after it makes a conflict.",
    )
    anyway = serializers.BooleanField(default=False, help_text="Send although something arrived after `seen`.")
    then = serializers.ChoiceField(default="", choices=["", "wait", "solve"], help_text="What becomes of the ticket.")
    cc = serializers.ListField(
        child=serializers.CharField(max_length=320), default=list, max_length=50, help_text="Participants of the mail."
    )
    to_reply_to = serializers.BooleanField(
        default=False, help_text="Answer the address the customer's mail asked for instead of the one it came from."
    )
    undo_seconds = serializers.IntegerField(
        default=0, min_value=0, max_value=LONGEST_UNDO_SECONDS, help_text="How long it is held back before it leaves."
    )


class NoteBody(Body):
    """An internal note."""

    text = serializers.CharField(max_length=notes.LONGEST, trim_whitespace=False)


class Assign(Body):
    """To whom."""

    owner = Id(
        allow_null=True,
        help_text="A person, by the number that `owner` has on their tickets, or null to give it back to its queue.",
    )


class Move(Body):
    """Where to."""

    queue = Id()


class Snooze(Body):
    """Until when."""

    until = serializers.DateTimeField()


class Nothing(Body):
    """No field at all."""


class TakeBack(Body):
    """What to take back."""

    token = serializers.CharField(max_length=100_000, trim_whitespace=False, help_text="The `take_back` of an act.")


class Call(Body):
    """A call, written down."""

    line = Id(required=False, help_text="The phone line's channel account; the first one where left out.")
    number = serializers.CharField(max_length=60, help_text="The customer's number, in any form.")
    direction = serializers.ChoiceField(choices=["in", "out"])
    disposition = serializers.ChoiceField(choices=list(calls.DISPOSITIONS))
    summary = serializers.CharField(
        default="", allow_blank=True, max_length=calls.LONGEST_SUMMARY, trim_whitespace=False
    )
    started_at = serializers.DateTimeField(required=False, help_text="Now less the duration where left out.")
    duration_seconds = serializers.IntegerField(default=0, min_value=0, max_value=24 * 3600)
    customer = Id(required=False, help_text="Who of those whose number it is; the number decides where left out.")
    name = serializers.CharField(default="", allow_blank=True, max_length=200, help_text="A new customer's name.")
    call = Id(required=False, help_text="The message of the call that the exchange told of, if it is that one.")
    then = serializers.ChoiceField(default="", choices=["", "wait", "solve"])
