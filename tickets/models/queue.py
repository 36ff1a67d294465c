"""Queues, which account feeds which, and the targets they are held to."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agents.models import Person, Team
from channels.models import ChannelAccount


class Queue(models.Model):
    """Where unassigned tickets wait; served by one or more teams."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    teams = models.ManyToManyField(Team, related_name="queues", blank=True)
    # Contacts of a confidential queue show elsewhere only as "something in <queue>" (row 7).
    is_confidential = models.BooleanField(_("confidential"), default=False)
    # Where things go that no account feeds anywhere else. Exactly one.
    is_default = models.BooleanField(default=False)
    reopen_days = models.PositiveSmallIntegerField(_("reopen window, in days"), default=7)
    position = models.PositiveSmallIntegerField(default=0)
    # Set on a removed queue: where its live tickets go, also those that are reopened later. The row stays, because
    # old tickets and contacts name it, and a confidential one must go on hiding what it holds.
    successor = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="predecessors")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_queue"),
            models.CheckConstraint(
                condition=Q(successor__isnull=True) | Q(is_default=False), name="the_default_queue_is_in_use"
            ),
            models.CheckConstraint(condition=~Q(successor=F("id")), name="no_queue_follows_itself"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountFeed(models.Model):
    """Which queue an account's contacts enter by."""

    account = models.OneToOneField(ChannelAccount, on_delete=models.PROTECT, related_name="feed")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="feeds")

    def __str__(self) -> str:
        return f"{self.account_id} feeds {self.queue_id}"


class ServiceTarget(models.Model):
    """First and every next reply within so many minutes, around the clock. No queue: all of them."""

    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.CASCADE, related_name="targets")
    surface = models.CharField(max_length=24)
    minutes = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "surface"], nulls_distinct=False, name="one_target_per_surface"),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="target_is_some_time"),
        ]

    def __str__(self) -> str:
        return f"{self.surface}: {self.minutes} min"


class Recount(models.Model):
    """Work over many tickets that an admin's change asked for, done in small steps by a task (recounting.py)."""

    class Kind(models.TextChoices):
        """`due`: the deadlines of what awaits us. `words`: what lists show of a queue's tickets."""

        DUE = "due", _("deadlines")
        WORDS = "words", _("what lists show")

    kind = models.CharField(max_length=5, choices=Kind.choices)
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Newest tickets first: the id of the last one done.
    reach = models.BigIntegerField(null=True, blank=True)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    # Until then it belongs to one worker; after a kill another goes on from `reach`.
    leased_until = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "queue"],
                condition=Q(finished_at__isnull=True),
                nulls_distinct=False,
                name="one_recount_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.done} of {self.total}"
