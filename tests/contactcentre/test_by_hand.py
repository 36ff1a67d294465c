"""Statements written by hand, and the rows of models that are made of what they read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from channels.models import ChannelAccount
from contactcentre.lib.by_hand import ByHand, made, selected
from contactcentre.lib.prepared import columns
from contactcentre.lib.secrets import Credentials

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 15, 12, tzinfo=UTC)


def test_a_statement_takes_its_values_at_every_call_and_is_planned_once() -> None:
    doubled = ByHand("doubled_by_hand", "SELECT n * 2 FROM unnest(%s::int[]) AS n WHERE n < %s ORDER BY n")
    assert doubled.rows([3, 1, 2], 3) == [(2,), (4,)]
    assert doubled.first([7], 8) == (14,)
    assert doubled.first([], 8) is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'doubled_by_hand%'")
        assert cursor.fetchone() == (1,)


def test_a_row_is_made_of_what_was_read_and_asks_for_the_rest_only_when_somebody_wants_it() -> None:
    account = ChannelAccount.objects.create(
        kind="email", address="care@acme.example", name="Care", settings={"host": "mail.acme.example"},
        credentials=Credentials(password="practice"), begins_at=NOW, created_at=NOW,
    )  # fmt: skip
    names = columns(ChannelAccount, "id", "address", "settings", "credentials")
    found = ByHand(
        "account_by_hand",
        f"SELECT {selected(ChannelAccount, names, 'account')} FROM channels_channelaccount account WHERE id = %s",
    ).first(account.pk)
    assert found is not None
    read = made(ChannelAccount, names, found)
    assert (read.pk, read.address) == (account.pk, "care@acme.example")
    assert read.settings == {"host": "mail.acme.example"}
    assert read.credentials == {"password": "practice"}
    assert read.get_deferred_fields() >= {"name", "cursor"}
    assert read.name == "Care"
