"""What became of tickets and contacts when they changed customers: everything taking back needs to know."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Person
from customers.models import Customer, Identity, Merge
from tickets.models.contact import Contact
from tickets.models.ticket import Ticket


class ContactMove(models.Model):
    """One contact that a person gave to another customer (docs/one-ticket.md, row 13). It outlives merges."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="moves")
    from_ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="+")
    to_ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="moves_here")
    from_customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    to_customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    # Whether the contact stood with its identity's customer. Taken back, it returns to wherever that identity
    # is by then, which a merge may have changed.
    followed_identity = models.BooleanField()
    # Moved by hand before this: what taking back restores on the contact.
    by_hand_before = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["to_ticket", "-id"], condition=Q(undone_at=None), name="move_in_force")]

    def __str__(self) -> str:
        return f"contact {self.contact_id}: {self.from_ticket_id} to {self.to_ticket_id}"


class Fate(models.TextChoices):
    """What a merge or a move did to a ticket."""

    CARRIED = "carried", _("went to the other customer whole")
    PARTED = "parted", _("gave some of its contacts to another ticket")
    FOLDED = "folded", _("became part of another ticket")
    # The same, by taking something back: found again only where a ticket has to come back to life.
    EMPTIED = "emptied", _("was left empty by a taking back")


class MergeStep(models.Model):
    """What one merge, or one move by hand, did to one ticket, and how that ticket was before."""

    merge = models.ForeignKey(Merge, null=True, blank=True, on_delete=models.PROTECT, related_name="steps")
    move = models.ForeignKey(ContactMove, null=True, blank=True, on_delete=models.PROTECT, related_name="steps")
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT, related_name="+")
    fate = models.CharField(max_length=8, choices=Fate.choices)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="steps")
    # Where its contacts went; empty for a ticket that was carried with them.
    into = models.ForeignKey(Ticket, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    from_customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    contacts = ArrayField(models.BigIntegerField(), default=list)
    # State, queue, owner and so on: of the ticket before it, of the other one before and after; there also the drafts
    # that went along to it.
    before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    into_before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    into_after: models.JSONField[Any, Any] = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(merge__isnull=False, move__isnull=True) | Q(merge__isnull=True, move__isnull=False),
                name="step_of_one_merge_or_move",
            ),
            models.CheckConstraint(condition=Q(fate__in=Fate.values), name="step_fate_is_known"),
        ]
        indexes = [
            models.Index(fields=["identity", "from_customer", "-id"], name="step_of_identity"),
            models.Index(fields=["ticket", "-id"], name="step_of_ticket"),
        ]

    def __str__(self) -> str:
        return f"step {self.pk}: ticket {self.ticket_id} {self.fate}"
