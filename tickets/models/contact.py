"""The contact: one approach of a customer on one surface, the countable unit of every measure."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.models import Person
from channels.models import ChannelAccount
from customers.models import Customer, Identity
from tickets.models.queue import Queue
from tickets.models.ticket import Ticket


class Contact(models.Model):
    """One conversation on one surface, inside one ticket. Key: (ticket, identity, surface, thread, session).

    Unanswered from the first customer message after our last answer (`unanswered_since`).
    """

    # No index of its own where another one begins with it: every row that comes in writes each of them.
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="contacts", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contacts", db_index=False)
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT, related_name="contacts", db_index=False)
    account = models.ForeignKey(ChannelAccount, on_delete=models.PROTECT, related_name="+")
    surface = models.CharField(max_length=24)
    thread = models.CharField(max_length=400)
    # Counts the sessions of a surface whose contacts end by silence (DM, Messenger); 0 elsewhere.
    session = models.PositiveIntegerField(default=0)
    entry_queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="contacts", db_index=False)
    is_outbound = models.BooleanField(default=False)
    # Outlives merges and their taking back (row 13).
    moved_by_hand_at = models.DateTimeField(null=True, blank=True)
    subject = models.CharField(max_length=255, blank=True)

    first_said_at = models.DateTimeField()
    last_said_at = models.DateTimeField()
    last_in_at = models.DateTimeField(null=True, blank=True)
    first_answered_at = models.DateTimeField(null=True, blank=True)
    unanswered_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    # "No reply needed": answered without an answer, counted apart.
    no_reply_at = models.DateTimeField(null=True, blank=True)
    # The ticket's arrival number it was said at: what comes later is unanswered again.
    no_reply_arrival = models.PositiveIntegerField(default=0)
    # Up to this arrival number it was answered by a reply to another contact of its queue from which merging or
    # moving has parted it since. A reply of a ticket now merged answers nothing else on the surviving one.
    answered_arrival = models.PositiveIntegerField(default=0)
    # When the last answer from outside this inbox was said: it meets what was asked by then, whenever we hear of
    # either, and this contact alone (row 19).
    answered_until = models.DateTimeField(null=True, blank=True)
    no_reply_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    no_reply_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "identity", "surface", "thread", "session"], name="one_contact_per_thread"
            ),
            models.CheckConstraint(condition=~Q(thread=""), name="contact_has_a_thread"),
        ]
        indexes = [
            models.Index(fields=["identity", "surface", "-id"], name="contact_of_identity"),
            models.Index(fields=["customer", "-id"], name="contact_of_customer"),
            # Whose conversation an answer written in the network's own app lies in.
            models.Index(fields=["surface", "thread", "-id"], name="contact_of_thread"),
            models.Index(fields=["entry_queue", "first_said_at"], name="contact_in_queue"),
            # What was answered today, without a look at all that was ever answered.
            models.Index(
                fields=["first_answered_at"], condition=Q(first_answered_at__isnull=False), name="contact_answered"
            ),
            models.Index(fields=["no_reply_at"], condition=Q(no_reply_at__isnull=False), name="contact_no_reply"),
        ]

    def __str__(self) -> str:
        return f"contact {self.pk} on {self.surface}"


class Participant(models.Model):
    """Somebody in To or Cc of a mail contact: writes into it under their own name, without a ticket of their own."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="participants")
    # The normalised mail address; participants need not be known customers.
    value = models.CharField(max_length=320)
    display = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "value"], name="participates_once")]

    def __str__(self) -> str:
        return f"participant {self.pk} of {self.contact_id}"
