"""People who work here, their teams, and the append-only history of what they did."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class PersonManager(BaseUserManager["Person"]):
    """Finds people by their email, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> Person:
        """The person who signs in with this email; raises Person.DoesNotExist."""
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who signs in. One person may be agent, lead and admin at once; each role adds rights."""

    email = models.EmailField(_("email"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120)
    is_agent = models.BooleanField(_("agent"), default=False)
    is_lead = models.BooleanField(_("lead"), default=False)
    is_admin = models.BooleanField(_("admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField()
    # Written at most once a minute, by the middleware; row 4 of docs/one-ticket.md reads it.
    last_seen_at = models.DateTimeField(null=True, blank=True)
    # The nonce of the one link by which this person may choose a password (passwords.py); empty: there is none.
    password_link = models.CharField(max_length=32, blank=True, default="")

    objects = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_person_per_email")]

    def __str__(self) -> str:
        return self.name

    @property
    def works_tickets(self) -> bool:
        """Whether this person sees customers' words at all: agents and leads do, a mere admin does not."""
        return self.is_agent or self.is_lead

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        parts = self.name.split()
        return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper() if parts else "?"

    @property
    def first_name(self) -> str:
        """How colleagues are named in the inbox."""
        return self.name.split(" ", 1)[0]


class Team(models.Model):
    """People who serve queues together."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    people = models.ManyToManyField(Person, through="Membership", related_name="teams")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "person"], name="once_in_a_team")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.team_id}"


class HistoryEntry(models.Model):
    """Who did what to which ticket or customer, when. A trigger refuses UPDATE and DELETE.

    Holds ids, times, numbers and enumerated values, never a name, an address or somebody's words, so
    that erasing a customer need not touch it. Things of higher houses are named by id, not by key.
    """

    at = models.DateTimeField()
    act = models.CharField(max_length=60)
    actor = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    ticket_id = models.BigIntegerField(null=True)
    customer_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(
                fields=["ticket_id", "id"], condition=models.Q(ticket_id__isnull=False), name="history_of_ticket"
            ),
            models.Index(
                fields=["customer_id", "id"], condition=models.Q(customer_id__isnull=False), name="history_of_customer"
            ),
            models.Index(
                fields=["account_id", "id"], condition=models.Q(account_id__isnull=False), name="history_of_account"
            ),
            # What admins do concerns no ticket and no customer: a short walk beside millions of entries that do.
            models.Index(
                fields=["-id"],
                condition=models.Q(ticket_id__isnull=True, customer_id__isnull=True),
                name="history_of_settings",
            ),
            BrinIndex(fields=["at"], name="history_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.act} at {self.at:%Y-%m-%d %H:%M}"


class ApiToken(models.Model):
    """What a program shows instead of a password to act as a person. Only its digest is kept: nobody reads it again."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    # SHA-256 of the token, in hex. The token itself is 256 random bits, so that no salt is needed.
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    # Written at most once a minute.
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="api_token_of_person")]

    def __str__(self) -> str:
        return f"API token {self.pk} of {self.person_id}"
