"""What channels/ keeps: apps, accounts, the ledger, the outbox and stored files."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contactcentre.lib.fields import EncryptedField


class App(models.Model):
    """Our registration with a network. Webhooks arrive per app."""

    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    client_id = models.CharField(max_length=120)
    secrets = EncryptedField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "client_id"], name="one_app_per_client_id")]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class AccountState(models.TextChoices):
    """What an account is allowed to do just now."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    # The network refuses our credentials: nothing is sent or fetched until an admin connects again.
    REFUSED = "refused", _("Connect again")


# Where an account's quota holds how many posts one turn of rereading.py looks at, and of how many.
AGAIN = "again"


class ChannelAccount(models.Model):
    """One connected handle, page, mailbox or phone line of ours.

    The row outlives its credentials: connecting the same address again finds it, so history never
    hangs on a password (docs/one-ticket.md, row 21).
    """

    kind = models.CharField(max_length=20)
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=120, blank=True)
    app = models.ForeignKey(App, null=True, blank=True, on_delete=models.PROTECT, related_name="accounts")
    settings: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    credentials = EncryptedField()
    # SHA-256 of the token in a phone line's hook address, in hex: found by it, without decrypting anything.
    hook_digest = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=10, choices=AccountState.choices, default=AccountState.ACTIVE)
    # Nothing older makes a ticket.
    begins_at = models.DateTimeField()
    created_at = models.DateTimeField()

    # Polling. The lease is what lets one worker at a time poll and only its holder move the cursor.
    cursor: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)

    # For the health card.
    polled_at = models.DateTimeField(null=True, blank=True)
    # When a poll last came to its end: the lag is counted from here.
    caught_up_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.CharField(max_length=500, blank=True)
    error_at = models.DateTimeField(null=True, blank=True)
    quota: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "address"], name="one_account_per_address"),
            models.UniqueConstraint(
                fields=["hook_digest"], condition=~Q(hook_digest=""), name="one_account_per_hook_token"
            ),
            models.CheckConstraint(condition=~Q(address=""), name="account_has_an_address"),
        ]
        indexes = [
            models.Index(
                fields=["next_poll_at"], condition=Q(state="active", next_poll_at__isnull=False), name="account_to_poll"
            )
        ]

    def __str__(self) -> str:
        return self.name or self.address


class LedgerState(models.TextChoices):
    """What became of a happening."""

    PENDING = "pending", _("Waiting")
    PROCESSED = "processed", _("Processed")
    FILTERED = "filtered", _("Filtered")
    QUARANTINED = "quarantined", _("Quarantined")


class LedgerItem(models.Model):
    """One external happening ever seen, per account, and what became of it.

    `digest` is the keyed digest of (account, happening, external id, revision): it outlives the body,
    so that erasure and retention can blank the body and the item still does not come back.
    """

    # Another index begins with it.
    account = models.ForeignKey(
        ChannelAccount, null=True, on_delete=models.PROTECT, related_name="ledger", db_index=False
    )
    kind = models.CharField(max_length=20)
    happening = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32, unique=True)
    source = models.CharField(max_length=10)
    state = models.CharField(max_length=12, choices=LedgerState.choices, default=LedgerState.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    size = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    # A waiting row is taken when this has come; a failed attempt moves it on.
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "processed"]) | ~Q(reason=""),
                name="what_is_not_processed_has_a_reason",
            )
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="pending"), name="ledger_waiting"),
            models.Index(fields=["account", "state", "-id"], name="ledger_of_account"),
            # The list of what nobody could read, over all accounts: a handful of rows among very many.
            models.Index(fields=["-id"], condition=Q(state="quarantined"), name="ledger_quarantined"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.happening} {self.pk}: {self.state}"


class LedgerBody(models.Model):
    """The bytes of a ledger item as the provider handed them over. Retention and erasure delete these rows.

    Kept apart without a key between the tables, so that this one can be partitioned by month.
    """

    item_id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField()
    body = models.BinaryField()
    # What belongs to the happening and is not in the bytes: a mail's INTERNALDATE, a page's includes.
    meta: models.JSONField[Any, Any] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"body of ledger item {self.item_id}"


class LedgerKey(models.Model):
    """The secret of the ledger's digests: one row, made at first use, encrypted like every credential.

    It is data and not a setting, because it must outlive every change of SECRET_KEY and of the encryption
    keys: with another key each item that a network tells again would look new.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    secret = EncryptedField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_ledger_key")]

    def __str__(self) -> str:
        return f"ledger key of {self.made_at:%Y-%m-%d}"


class LedgerCount(models.Model):
    """The books of one account and day: appended beside each change of state, folded by a sweep.

    One row per change keeps parallel intake from queueing on one counter row.
    """

    # Another index begins with it.
    account = models.ForeignKey(ChannelAccount, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    # `seen` or a state: seen is written where items are first recorded, the states where they change, so
    # that seen = processed + filtered + quarantined + pending proves something.
    column = models.CharField(max_length=12)
    delta = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["account", "day", "column"], name="ledger_count_of_account"),
            # What is still open, whatever its day; days that came out even have no row here once folded.
            models.Index(
                fields=["account"], condition=Q(column__in=["pending", "quarantined"]), name="ledger_count_still_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day} {self.column} {self.delta:+d}"


class StoredFile(models.Model):
    """The content of an attachment, once per content however many messages carry it."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    # Sniffed from the content, never taken from the sender.
    content_type = models.CharField(max_length=100)
    path = models.CharField(max_length=120)
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.content_type}, {self.size} bytes)"


class OutboxState(models.TextChoices):
    """The states of an outbox row; MOVES says which may follow which."""

    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    RETRY = "retry", _("Trying again")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Not sent")
    UNKNOWN = "unknown", _("Perhaps sent")
    CANCELLED = "cancelled", _("Cancelled")


class Outbound(models.Model):
    """One row for every provider call that must send something, and proof of what happened.

    Recipient, account and words are frozen here when the person presses Send: whatever happens to the
    customer's record meanwhile, this goes to nobody else.
    """

    # Allowed moves. `unknown` never goes back to sending by itself: only by proof of absence or a person.
    MOVES: dict[str, set[str]] = {
        "queued": {"sending", "cancelled", "failed"},
        "sending": {"sent", "retry", "failed", "unknown"},
        "retry": {"sending", "sent", "failed", "cancelled"},
        "unknown": {"sent", "retry", "failed"},
        "failed": {"queued", "sent"},
        "sent": set(),
        "cancelled": set(),
    }

    account = models.ForeignKey(ChannelAccount, on_delete=models.PROTECT, related_name="outbox")
    surface = models.CharField(max_length=24)
    recipient: models.JSONField[Any, Any] = models.JSONField()
    # Rows of one recipient thread leave in the order of their ids.
    lane = models.CharField(max_length=400)
    payload: models.JSONField[Any, Any] = models.JSONField()
    files = ArrayField(models.BigIntegerField(), default=list, blank=True)
    # What the house above calls this row, such as message:42; handed back with every receipt.
    reference = models.CharField(max_length=80)
    # Given to the provider where it takes one (a Message-ID, Messenger's metadata): made once, kept on retries.
    marker = models.CharField(max_length=255)

    state = models.CharField(max_length=10, choices=OutboxState.choices, default=OutboxState.QUEUED)
    not_before = models.DateTimeField()
    too_late_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # Handed to a worker and not yet begun: the sweep leaves the row alone until then, so that nothing piles up.
    enqueued_until = models.DateTimeField(null=True, blank=True)
    # Since when nobody knows whether it arrived; how often we looked since, and when we look again (null: no more).
    unknown_at = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveSmallIntegerField(default=0)
    next_look_at = models.DateTimeField(null=True, blank=True)
    # The one retry that a proven absence allows has been used; the next time a person decides.
    retried_after_absence = models.BooleanField(default=False)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    # The first time the bytes may have left: where a look-up begins.
    first_tried_at = models.DateTimeField(null=True, blank=True)
    external_id = models.CharField(max_length=400, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="sending_holds_a_lease",
            ),
            models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name="sent_has_a_time"),
            models.CheckConstraint(
                condition=~Q(state="unknown") | Q(unknown_at__isnull=False), name="unknown_has_a_time"
            ),
            # An internal note cannot leave the house, whoever calls.
            models.CheckConstraint(condition=Q(reference__regex=r"^message:[1-9][0-9]*$"), name="only_messages_leave"),
            models.CheckConstraint(condition=Q(too_late_at__gt=F("not_before")), name="sent_before_too_late"),
            models.UniqueConstraint(fields=["marker"], name="one_outbox_row_per_marker"),
        ]
        indexes = [
            models.Index(fields=["not_before", "id"], condition=Q(state__in=["queued", "retry"]), name="outbox_due"),
            models.Index(fields=["lane", "id"], condition=~Q(state__in=["sent", "cancelled"]), name="outbox_lane"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="outbox_sending"),
            models.Index(
                fields=["next_look_at"],
                condition=Q(state="unknown", next_look_at__isnull=False),
                name="outbox_to_look_at",
            ),
            models.Index(fields=["too_late_at"], condition=Q(state__in=["queued", "retry"]), name="outbox_too_late"),
            models.Index(fields=["state", "id"], condition=Q(state__in=["failed", "unknown"]), name="outbox_trouble"),
            models.Index(fields=["reference"], name="outbox_reference"),
        ]

    def __str__(self) -> str:
        return f"outbox {self.pk}: {self.state}"
