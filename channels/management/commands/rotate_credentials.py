"""Encrypts every stored credential anew with the first key of CONTACTCENTRE_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from channels.models import App, ChannelAccount, LedgerKey
from contactcentre.lib.secrets import CannotDecrypt

# Every column that holds a credential: a new one belongs here, or it is lost with the old key.
ENCRYPTED: tuple[tuple[type[models.Model], str], ...] = (
    (App, "secrets"),
    (ChannelAccount, "credentials"),
    (LedgerKey, "secret"),
)


class Command(BaseCommand):
    """Put the new key first, keep the old one behind it, run this, then take the old one away."""

    help = "Encrypts every stored credential anew with the first key of CONTACTCENTRE_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Re-encrypt row by row. Stopped half way it can simply be run again; all keys still decrypt."""
        count = 0
        for model, column in ENCRYPTED:
            for key in list(model._default_manager.order_by("pk").values_list("pk", flat=True)):
                try:
                    count += self._encrypt_anew(model, column, key)
                except CannotDecrypt as error:
                    raise CommandError(
                        f"{model._meta.verbose_name} {key}: {error}. Put the key it was encrypted with back behind "
                        "the new one and run this again."
                    ) from error
        self.stdout.write(f"{count} credentials are encrypted with the first key; older keys may go.")

    @transaction.atomic
    def _encrypt_anew(self, model: type[models.Model], column: str, key: object) -> int:
        # Locked, so that a token renewed in this moment is not written back in its old form.
        row = model._default_manager.select_for_update().filter(pk=key).only("pk", column).first()
        if row is None:
            return 0
        row.save(update_fields=[column])
        return 1
