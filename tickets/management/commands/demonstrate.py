"""Loads the demonstration: a brand, its people, teams, queues, targets, and its practice accounts.

Run by `make run` at every start: what is there stays as it was left, only the practice networks' ports follow.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from tickets import demonstration


class Command(BaseCommand):
    """Prints who to sign in as, as JSON."""

    help = "Load the demonstration (practice mode only)."
    # Whether the keys are usable. The other checks load every page, which takes longer than all else at a start.
    requires_system_checks = [Tags.security]

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and print. Refuses outside practice mode: these people's passwords are known to everybody."""
        if not settings.PRACTICE:
            raise CommandError("The demonstration is for practice mode only: set PRACTICE=1 on a machine of your own.")
        if options["migrate"]:
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        with transaction.atomic():
            sign_in = demonstration.load(now=timezone.now())
        self.stdout.write(json.dumps({"sign_in": sign_in}))
