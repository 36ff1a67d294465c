"""Queues, which account feeds which, and the targets they are held to."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Team
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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_queue")
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
