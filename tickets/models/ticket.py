"""The ticket: the one live case of a customer, over all channels."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agents.models import Person
from customers.models import Customer
from tickets.models.queue import Queue


class State(models.TextChoices):
    """A ticket's states; the first three are live (docs/one-ticket.md, row 1)."""

    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting for the customer")
    SNOOZED = "snoozed", _("Snoozed")
    SOLVED = "solved", _("Solved")
    CLOSED = "closed", _("Closed")
    MERGED = "merged", _("Merged")


LIVE = (State.OPEN, State.WAITING, State.SNOOZED)


class Priority(models.IntegerChoices):
    """How a lead weighs a ticket by hand."""

    LOW = -1, _("Low")
    NORMAL = 0, _("Normal")
    HIGH = 1, _("High")


class Awaiting(models.TextChoices):
    """Who must act."""

    US = "us", _("us")
    CUSTOMER = "customer", _("the customer")


class Ticket(models.Model):
    """One live case. The columns from `arrivals` on are what lists show, written by the function that
    writes the message: a list page joins and counts nothing."""

    # Allowed changes of state, by hand or by what happens.
    MOVES: dict[str, set[str]] = {
        "open": {"waiting", "snoozed", "solved", "merged"},
        "waiting": {"open", "snoozed", "solved", "merged"},
        "snoozed": {"open", "waiting", "solved", "merged"},
        "solved": {"open", "waiting", "snoozed", "closed", "merged"},
        "closed": set(),
        "merged": {"open", "waiting", "snoozed", "solved", "closed"},
    }

    # Another index begins with it.
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="tickets", db_index=False)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="tickets")
    owner = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    subject = models.CharField(max_length=255, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="following")
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")

    opened_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True, blank=True)
    solved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    # Who must act, since when, and by when.
    awaiting = models.CharField(max_length=8, choices=Awaiting.choices, default=Awaiting.CUSTOMER)
    unanswered_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    due_reason = models.CharField(max_length=12, blank=True)
    # The order of every list: the due time, or for what is not due a time a century after the last words.
    urgent_at = models.DateTimeField()
    # Replies that failed or perhaps went out; the lead's board lists these.
    send_trouble = models.PositiveSmallIntegerField(default=0)

    # The own queue and the entry queues of its contacts: who may read it. And those other queues that have
    # an unanswered contact here: where it is listed too, marked "also".
    reader_queue_ids = ArrayField(models.BigIntegerField(), default=list)
    also_queue_ids = ArrayField(models.BigIntegerField(), default=list)

    # The last arrival number given out on this ticket; `seen` in a reply is compared with it.
    arrivals = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    last_words = models.CharField(max_length=200, blank=True)
    last_direction = models.CharField(max_length=4, blank=True)
    last_author = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    last_customer_at = models.DateTimeField(null=True, blank=True)
    surfaces = ArrayField(models.CharField(max_length=24), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state__in=["open", "waiting", "snoozed"]),
                name="one_live_ticket_per_customer",
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
                name="merged_says_into_what",
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="never_merged_into_itself"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="ticket_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="snoozed") | Q(snoozed_until__isnull=False), name="snoozed_until_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["urgent_at", "id"], condition=Q(state="open"), name="ticket_open"),
            models.Index(fields=["queue", "urgent_at", "id"], condition=Q(state="open"), name="ticket_open_in_queue"),
            models.Index(fields=["owner", "urgent_at", "id"], condition=Q(state="open"), name="ticket_open_of_owner"),
            models.Index(
                fields=["urgent_at", "id"],
                condition=Q(state="open") & ~Q(also_queue_ids=[]),
                name="ticket_open_also",
            ),
            models.Index(
                fields=["state", "urgent_at", "id"],
                condition=Q(state__in=["waiting", "snoozed"]),
                name="ticket_resting",
            ),
            models.Index(fields=["snoozed_until"], condition=Q(state="snoozed"), name="ticket_to_wake"),
            models.Index(fields=["solved_at"], condition=Q(state="solved"), name="ticket_solved"),
            models.Index(fields=["customer", "-id"], name="ticket_of_customer"),
            models.Index(fields=["id"], condition=Q(send_trouble__gt=0), name="ticket_send_trouble"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether this is (or could be) the customer's one live ticket."""
        return self.state in LIVE


class Relation(models.Model):
    """Two tickets that speak of one thing without being one case, such as a stranger's mail in a thread."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="relations")
    other = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, default="related")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "other"], name="related_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.other_id}"


class Reading(models.Model):
    """How far somebody has read a ticket: the last arrival number on their screen."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="readings")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    arrival = models.PositiveIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "ticket"], name="one_reading_each")]

    def __str__(self) -> str:
        return f"{self.person_id} has read {self.ticket_id} to {self.arrival}"


class Draft(models.Model):
    """What somebody is writing on a ticket, saved as they type; outlives time-outs, conflicts and sign-outs."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="drafts")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    # A surface's name, or `note`; a reply and a note are kept side by side.
    surface = models.CharField(max_length=24)
    text = models.TextField(blank=True)
    files = ArrayField(models.BigIntegerField(), default=list, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "ticket", "surface"], name="one_draft_each")]

    def __str__(self) -> str:
        return f"draft of {self.person_id} on {self.ticket_id}"
