"""The whole table: a database of its own for each size, then pages and intake; at the end the way to the screen."""

from __future__ import annotations

import os
import time

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Person
from bench import figures, intake, loading, pages, screen
from channels.models import ChannelAccount
from tickets import demonstration
from tickets.models import AccountFeed, Queue


def run(sizes: list[int]) -> None:
    """Measure and print at each size."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; times in ms; {figures.ROUNDS} rounds a line\n")
    for size in sizes:
        _database(size)
        print(f"=== {size:,} tickets, 6 messages each on average, 30 % live ===\n")
        figures.table("pages", pages.measured(size))
        figures.table("a message that comes in", intake.measured(size), messages=True)
    screen.measured()


def _database(size: int) -> None:
    """An empty database with the demonstration, then the seeded rows."""
    name = f"bench_{size}"
    address = settings.DATABASES["default"]
    connection.close()
    admin = psycopg2.connect(
        dbname="postgres",
        user=address["USER"],
        password=address["PASSWORD"],
        host=address["HOST"],
        port=address["PORT"],
    )
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    admin.close()
    connection.settings_dict["NAME"] = name
    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    with transaction.atomic():
        demonstration.load(now=now)
        account = ChannelAccount.objects.create(
            kind="email", address="bench@acme.example", name="Bench", begins_at=now, created_at=now
        )
        AccountFeed.objects.create(account=account, queue=Queue.objects.get(name="General"))
    began = time.perf_counter()
    loading.load(
        tickets=size,
        account_id=account.pk,
        queues=list(Queue.objects.order_by("id").values_list("pk", flat=True)),
        owners=list(Person.objects.filter(is_agent=True).order_by("id").values_list("pk", flat=True)),
    )
    print(f"(loaded {size:,} tickets in {time.perf_counter() - began:.0f} s)")
