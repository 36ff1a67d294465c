"""What the API answers, field by field: the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

Char, Integer, Moment = serializers.CharField, serializers.IntegerField, serializers.DateTimeField
Words = serializers.ListField


class Ref(serializers.Serializer[Any]):
    """Something with a number and a name."""

    id = Integer()
    name = Char()


class Ticket(serializers.Serializer[Any]):
    """The one live case of a customer, or one that is over."""

    id = Integer()
    url = serializers.URLField(help_text="The ticket in the inbox.")
    state = Char(help_text="open, waiting, snoozed, solved, closed or merged.")
    priority = Integer(help_text="-1 low, 0 normal, 1 high.")
    subject = Char()
    customer = Ref()
    queue = Ref()
    also_queues = Ref(many=True, help_text="Other queues with an unanswered contact on this ticket.")
    owner = Ref(allow_null=True)
    tags = Words(child=Char())
    surfaces = Words(child=Char(), help_text="Where the customer was seen, such as `email` and `x:dm`.")
    awaiting = Char(help_text="Who must act: us or customer.")
    unanswered_since = Moment(allow_null=True)
    due_at = Moment(allow_null=True)
    due_reason = Char(help_text="What is due: a service target or the network's window.")
    arrivals = Integer(help_text="Give this back as `seen` with a reply.")
    opened_at = Moment()
    last_at = Moment()
    last_words = Char(help_text="The last words that are not confidential, shortened.")
    last_direction = Char(help_text="in, out, or nothing.")
    snoozed_until = Moment(allow_null=True)
    solved_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    merged_into = Integer(allow_null=True, help_text="Where a merged ticket leads to.")
    previous = Integer(allow_null=True, help_text="The customer's ticket before this one.")
    send_trouble = Integer(help_text="Replies that failed, or perhaps went out.")


class Identity(serializers.Serializer[Any]):
    """One address of a customer on one network."""

    id = Integer()
    kind = Char()
    value = Char()
    label = Char()  # type: ignore[assignment]  # a field of the answer, as people call the address
    name = Char()
    is_shared = serializers.BooleanField()


class Contact(serializers.Serializer[Any]):
    """One approach of the customer on one surface: what a reply answers."""

    id = Integer()
    surface = Char()
    account = Ref(help_text="The channel account of ours it came in by.")
    identity = Identity()
    entry_queue = Ref()
    subject = Char()
    is_outbound = serializers.BooleanField()
    first_said_at = Moment()
    last_said_at = Moment()
    unanswered_since = Moment(allow_null=True)
    due_at = Moment(allow_null=True)
    window_until = Moment(allow_null=True, help_text="When the network stops taking answers.")


class TicketDetail(Ticket):
    """A ticket with its contacts; those of confidential queues you do not serve are left out."""

    contacts = Contact(many=True)


class TicketPage(serializers.Serializer[Any]):
    """One page of tickets."""

    results = Ticket(many=True)
    next = Char(allow_null=True, help_text="Give this back as `after` for the next page.")
    more = serializers.BooleanField(help_text="Whether there is more than is here.")


class FilePart(serializers.Serializer[Any]):
    """A file of a message. Its bytes come from `url`, to the same token; without `url` it is not here, and `note` says
    why."""

    id = Integer()
    name = Char()
    content_type = Char()
    size = Integer()
    url = Char()
    note = Char()


class CallPart(serializers.Serializer[Any]):
    """What a call has beyond its summary."""

    number = Char()
    line = Char()
    disposition = Char(help_text="How it ended, in the words of logging a call; empty while it goes on.")
    duration_seconds = Integer(allow_null=True)
    answered_after_seconds = Integer(allow_null=True)


class Entry(serializers.Serializer[Any]):
    """One thing in the timeline. `kind` says which of the fields below have a meaning."""

    kind = Char(help_text="message, note, event, or hidden for a contact of a confidential queue.")
    id = Integer(allow_null=True)
    ticket = Integer()
    at = Moment()
    contact = Integer(allow_null=True)
    direction = Char(required=False)
    surface = Char(required=False)
    arrival = Integer(required=False)
    author = Char(required=False)
    subject = Char(required=False)
    text = Char(required=False)
    quoted = Char(required=False)
    permalink = Char(required=False)
    automatic = Char(required=False, help_text="Why this is no person's message; empty for a person's.")
    state = Char(required=False, help_text="Of our own: queued, sending, sent, delivered, read, failed, unknown …")
    state_reason = Char(required=False)
    edited_at = Moment(required=False, allow_null=True)
    deleted_at = Moment(required=False, allow_null=True)
    attachments = FilePart(many=True, required=False)
    call = CallPart(required=False, allow_null=True)


class Timeline(serializers.Serializer[Any]):
    """A stretch of the customer's whole history, oldest first, all tickets and channels."""

    results = Entry(many=True)
    older = Char(allow_null=True, help_text="Give this back as `before` for what came earlier.")


class Customer(serializers.Serializer[Any]):
    """A person or organisation, with every address known of them."""

    id = Integer()
    name = Char()
    kind = Char(help_text="person or organisation.")
    is_provisional = serializers.BooleanField(help_text="Somebody on a shared address of whom it is not known who.")
    is_blocked = serializers.BooleanField()
    created_at = Moment()
    live_ticket = Integer(allow_null=True)
    identities = Identity(many=True)


class CustomerPage(serializers.Serializer[Any]):
    """One page of customers."""

    results = Customer(many=True)
    next = Char(allow_null=True)
    more = serializers.BooleanField()


class Queue(Ref):
    """Where unassigned tickets wait."""

    is_confidential = serializers.BooleanField()
    is_served = serializers.BooleanField(help_text="Whether one of your teams serves it.")


class QueueList(serializers.Serializer[Any]):
    """All queues, in their order."""

    results = Queue(many=True)


class Account(Ref):
    """One connected handle, page, mailbox or phone line of ours, without anything secret."""

    kind = Char(help_text="x, facebook, email or phone.")
    address = Char()
    state = Char(help_text="active, paused or refused.")
    queue = Ref(allow_null=True, help_text="The queue its contacts enter by; null while there is no queue at all.")
    polled_at = Moment(allow_null=True)
    heard_at = Moment(allow_null=True)
    error = Char(help_text="What is wrong with it now, in plain words; empty where all is well.")


class AccountPage(serializers.Serializer[Any]):
    """One page of channel accounts."""

    results = Account(many=True)
    next = Char(allow_null=True)
    more = serializers.BooleanField()


class Said(serializers.Serializer[Any]):
    """A message of ours that was taken."""

    message = Integer()
    ticket = Integer()
    arrival = Integer()
    state = Char(help_text="queued until it leaves; look at the timeline for what became of it.")


class Noted(serializers.Serializer[Any]):
    """A note that was kept."""

    note = Integer()
    ticket = Integer()
    arrival = Integer()


class Done(serializers.Serializer[Any]):
    """What an act did."""

    changed = serializers.BooleanField(help_text="False where it was so already.")
    take_back = Char(allow_null=True, help_text="Take the act back with this within ten minutes.")
    ticket = Ticket(allow_null=True, help_text="The ticket now; null where you may no longer see it.")


class TakenBack(serializers.Serializer[Any]):
    """What taking back restored."""

    changed = Words(child=Integer())
    refused = serializers.DictField(child=Char(), help_text="Tickets that somebody has changed since.")
