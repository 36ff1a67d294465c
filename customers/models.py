"""Customers and their identities; what joined them, so that it can be undone."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Person


class IdentityKind(models.TextChoices):
    """The kinds of address a customer can have (docs/one-ticket.md, row 14)."""

    X_USER = "x_user", _("X")
    FB_PSID = "fb_psid", _("Messenger")
    FB_COMMENTER = "fb_commenter", _("Facebook")
    EMAIL = "email", _("Email")
    PHONE = "phone", _("Phone")
    EXTERNAL = "external", _("External")
    NAMELESS = "nameless", _("Nobody to be seen")


class CustomerKind(models.TextChoices):
    """A person, or a company that several people write for."""

    PERSON = "person", _("Person")
    ORGANISATION = "organisation", _("Organisation")


class Customer(models.Model):
    """A person (or organisation) who writes, posts or calls. Never deleted by a merge."""

    name = models.CharField(max_length=200, blank=True)
    # What to call somebody without a name: their first address as it is shown.
    called = models.CharField(max_length=320, blank=True)
    kind = models.CharField(max_length=12, choices=CustomerKind.choices, default=CustomerKind.PERSON)
    # Somebody on a shared address of whom we do not know yet who it is (row 12): never matched.
    is_provisional = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="customer_name_words")]

    def __str__(self) -> str:
        return what_to_call(self.name, self.called, self.pk)

    @property
    def initials(self) -> str:
        """One or two letters for the avatar; a sign where there is no name."""
        parts = [part for part in self.name.split() if part[:1].isalnum()]
        return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper() if parts else "#"


def what_to_call(name: str, called: str, number: int) -> str:
    """What a customer is called: their name, else their first address, else a word and a number. Lists call fifty
    at once and have no use for fifty objects."""
    return name or called or str(_("Customer %(id)s") % {"id": number})


class Identity(models.Model):
    """One address of a customer on one network. Unique on (kind, scope, value), never empty."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="identities")
    kind = models.CharField(max_length=16)
    # Empty unless ids are valid inside one account only (a Page's PSIDs: the Page's id).
    scope = models.CharField(max_length=64, blank=True, default="")
    value = models.CharField(max_length=320)
    # As it was written or is shown by the network; changes, and is never matched on.
    display = models.CharField(max_length=320, blank=True)
    name = models.CharField(max_length=200, blank=True)
    handle = models.CharField(max_length=100, blank=True)
    avatar_url = models.URLField(max_length=500, blank=True)
    is_shared = models.BooleanField(default=False)
    blocked_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    # Where the network tells names only to who asks: when it is asked next, and how often it was. Null: not any more,
    # because it told, refused to, or somebody else did.
    ask_name_at = models.DateTimeField(null=True, blank=True)
    name_asked = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "scope", "value"], name="one_identity_per_address"),
            models.CheckConstraint(condition=~Q(value=""), name="identity_is_never_empty"),
            models.CheckConstraint(condition=Q(kind__in=IdentityKind.values), name="identity_kind_is_known"),
        ]
        indexes = [
            models.Index(fields=["ask_name_at", "id"], condition=Q(ask_name_at__isnull=False), name="identity_to_name"),
            GinIndex(
                fields=["display", "name", "handle", "value"],
                opclasses=["gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops"],
                name="identity_words",
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What people call this address: @handle, the mail as written, the number, or the name."""
        if self.handle:
            return f"@{self.handle}"
        return self.display or self.name or self.value


class Merge(models.Model):
    """One joining of customers. Taken back, the identities it moved return."""

    into = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    evidence = models.CharField(max_length=40)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"merge {self.pk} into {self.into_id}"


class IdentityMove(models.Model):
    """One identity that a merge moved, and where it stood before."""

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="moves")
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT, related_name="moves")
    from_customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    to_customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "identity"], name="moved_once_per_merge")]

    def __str__(self) -> str:
        return f"identity {self.identity_id}: {self.from_customer_id} to {self.to_customer_id}"
