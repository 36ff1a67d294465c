"""Messages in and out, notes, calls, attachments."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import GeneratedField, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from agents.models import Person
from channels.models import ChannelAccount, StoredFile
from customers.models import Customer, Identity
from tickets.models.contact import Contact
from tickets.models.ticket import Ticket


class Message(models.Model):
    """One utterance inside a contact, in or out. A note is not a message and has its own table.

    Unique on (channel kind, scope, external id): however often and by however many accounts it arrives,
    it is one row; each account that saw it leaves a Sighting.
    """

    # No index of its own where another one begins with it: every row that comes in writes each of them.
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="messages", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="messages", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="messages", db_index=False)
    account = models.ForeignKey(ChannelAccount, on_delete=models.PROTECT, related_name="+")
    channel_kind = models.CharField(max_length=20)
    scope = models.CharField(max_length=64, blank=True, default="")
    # Empty for our own until the provider has named it.
    external_id = models.CharField(max_length=1100, blank=True)
    # What later answers name: a mail's Message-ID, else the external id.
    reference = models.CharField(max_length=1000, blank=True)
    parent_id = models.CharField(max_length=400, blank=True)
    surface = models.CharField(max_length=24)
    direction = models.CharField(max_length=3)
    # Who said it: an identity for theirs, a person for ours; neither for ours written outside the inbox.
    identity = models.ForeignKey(Identity, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_outside = models.BooleanField(default=False)

    # The ticket's own count of what arrived, in the order we heard of it; `said_at` orders the timeline. Never given
    # anew on the same ticket: what is answered is known by it.
    arrival = models.PositiveIntegerField()
    # The number of its last edit or deletion, which whoever writes an answer must have seen too.
    changed_arrival = models.PositiveIntegerField(null=True, blank=True)
    said_at = models.DateTimeField()
    received_at = models.DateTimeField()

    subject = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    quoted = models.TextField(blank=True)
    permalink = models.URLField(max_length=500, blank=True)
    # From when on an answer is expected: when it was said, for a missed call when it rang out; empty where
    # nothing is asked (automatic mail, an answered call).
    asked_at = models.DateTimeField(null=True, blank=True)
    # Why this is no person's message (out-of-office, list, …); empty for a person's.
    automatic = models.CharField(max_length=40, blank=True)
    # Reply-To, notes on what was left out, cc: things the page shows and nothing asks for.
    extra: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    # The form's own mark of one press of Send: browsers repeat a POST by themselves when a kept connection dies.
    pressed = models.CharField(max_length=64, blank=True)
    # Ours: the worst state of its outbox rows, and what the provider told afterwards.
    state = models.CharField(max_length=10, blank=True)
    state_reason = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    # Ours, written on a ticket it has left since: it answered its own contact, and none that it meets there.
    answers_own_only = models.BooleanField(default=False)

    # 'simple': the customers' language is not known. Cut, because a tsvector may not pass a megabyte.
    search = GeneratedField(
        expression=RawSQL(
            "to_tsvector('simple'::regconfig, left(subject, 255) || ' ' || left(text, 60000))", (), SearchVectorField()
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel_kind", "scope", "external_id"],
                condition=~Q(external_id=""),
                name="one_message_per_external_id",
            ),
            models.UniqueConstraint(fields=["ticket", "arrival"], name="one_message_per_arrival"),
            models.UniqueConstraint(
                fields=["person", "pressed"], condition=~Q(pressed=""), name="one_message_per_press_of_send"
            ),
            models.CheckConstraint(condition=Q(direction__in=["in", "out"]), name="message_goes_in_or_out"),
            models.CheckConstraint(
                condition=Q(direction="out") | Q(identity__isnull=False), name="what_comes_in_has_an_identity"
            ),
            models.CheckConstraint(condition=Q(direction="out") | ~Q(external_id=""), name="what_comes_in_has_an_id"),
        ]
        indexes = [
            models.Index(fields=["customer", "-said_at", "-id"], name="message_timeline"),
            models.Index(fields=["contact", "-said_at"], name="message_of_contact"),
            models.Index(fields=["reference"], condition=Q(channel_kind="email"), name="message_reference"),
            models.Index(
                fields=["ticket", "changed_arrival"],
                condition=Q(changed_arrival__isnull=False),
                name="message_changed",
            ),
            GinIndex(fields=["search"], name="message_search"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} ({self.surface}, {self.direction})"


class MessageVersion(models.Model):
    """What a message said before it was edited or deleted."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="versions")
    text = models.TextField()
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"earlier version of message {self.message_id}"


class Sighting(models.Model):
    """One account that a message came in by; a post that names two of our handles has two (row 17)."""

    # Another index begins with it.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="sightings", db_index=False)
    account = models.ForeignKey(ChannelAccount, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "account"], name="one_sighting_per_account")]

    def __str__(self) -> str:
        return f"message {self.message_id} seen by account {self.account_id}"


class Rereading(models.Model):
    """How far an account has come with looking at its posts again, the newest first and round and round."""

    account = models.OneToOneField(ChannelAccount, on_delete=models.PROTECT, related_name="rereading")
    # The id of the last message looked at.
    reach = models.BigIntegerField()
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"account {self.account_id} has looked again down to {self.reach}"


class Attachment(models.Model):
    """A file that came or goes with a message. Without `file` it is not here; `note` says why.

    What a network hands over as a link is fetched afterwards (tickets/fetching.py): until then `url` is the link and
    `fetch_at` the time of the next try, or of when a try under way is taken for dead. A link without `fetch_at` was
    given up: `fetch_error` says why, and a person may try again.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=160)
    content_id = models.CharField(max_length=255, blank=True)
    is_inline = models.BooleanField(default=False)
    note = models.CharField(max_length=255, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    url = models.CharField(max_length=2000, blank=True, default="")
    fetch_at = models.DateTimeField(null=True, blank=True)
    fetch_attempts = models.PositiveSmallIntegerField(default=0)
    fetch_error = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(fetch_at__isnull=True) | (~Q(url="") & Q(file__isnull=True)),
                name="only_a_link_without_its_file_is_fetched",
            )
        ]
        indexes = [
            models.Index(fields=["message", "position"], name="attachment_of_message"),
            models.Index(fields=["fetch_at"], condition=Q(fetch_at__isnull=False), name="attachment_to_fetch"),
        ]

    def __str__(self) -> str:
        return f"attachment {self.pk} of message {self.message_id}"


class CallDetails(models.Model):
    """What a message on `phone` has beyond its text (the summary)."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="call")
    line = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    disposition = models.CharField(max_length=24, blank=True)
    source = models.CharField(max_length=12)
    recording_url = models.URLField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"call {self.message_id}"

    @property
    def caller(self) -> str:
        """The other side's number as people read it; in words where none was told ("anonymous", "")."""
        return self.number if any(sign.isdigit() for sign in self.number) else str(_("number withheld"))


class Note(models.Model):
    """An internal note. It cannot leave the house: the outbox takes only messages, and a note is none."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="notes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="notes")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    arrival = models.PositiveIntegerField()
    written_at = models.DateTimeField()
    mentions: models.ManyToManyField[Person, Any] = models.ManyToManyField(
        Person, related_name="mentioned_in", blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "arrival"], name="one_note_per_arrival"),
            models.CheckConstraint(condition=~Q(text=""), name="a_note_says_something"),
        ]
        indexes = [models.Index(fields=["customer", "-written_at", "-id"], name="note_timeline")]

    def __str__(self) -> str:
        return f"note {self.pk} on {self.ticket_id}"
