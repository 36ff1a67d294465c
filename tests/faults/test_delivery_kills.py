"""A sender may be killed at any moment: nothing is lost, and nothing is sent twice.

A worker of its own is killed, or frozen, at each named point; then sweeps and looks run as the clock goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection, transaction

from channels import delivery, outbox, reconcile, sweep
from channels.happenings import Address
from channels.models import ChannelAccount, Outbound
from contactcentre.lib import faults
from contactcentre.lib.secrets import Credentials
from tests.faults.one_delivery import Deaf, FileNetwork

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 20, 15, 12, tzinfo=UTC)
WORKER = Path(__file__).with_name("one_delivery.py")
PROJECT = WORKER.parents[2]
SECONDS = 30


class Field:
    """One queued row, the network it goes to, and workers that can be killed."""

    def __init__(self, folder: Path, network: FileNetwork) -> None:
        self.folder = folder
        self.network = network
        account = ChannelAccount.objects.create(
            kind="email", address="care@acme.example", credentials=Credentials(password="practice-only"),
            begins_at=NOW, created_at=NOW,
        )  # fmt: skip
        with transaction.atomic():
            self.row_id = outbox.put(
                account=account, surface="email", recipient=Address(kind="email", value="carla@example.example"),
                text="It left yesterday.", reference="message:1", marker="<1@acme.example>", lane="Carla",
                not_before=NOW + timedelta(seconds=1), now=NOW,
            ).pk  # fmt: skip
        self.now = NOW + timedelta(seconds=1)

    def worker(self) -> subprocess.Popen[str]:
        settings = connection.settings_dict
        where = f"{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
        database = f"postgres://{quote(settings['USER'])}:{quote(settings['PASSWORD'])}@{where}"
        own = {
            "DATABASE_URL": database, "PRACTICE": "1", faults.VARIABLE: str(self.folder), "PYTHONPATH": str(PROJECT),
        }  # fmt: skip
        command = [sys.executable, str(WORKER), str(self.row_id), self.now.isoformat(), str(self.network.path)]
        return subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True)

    def kill_at(self, point: str) -> None:
        faults.arm(self.folder, point, "kill")
        worker = self.worker()
        worker.communicate(timeout=SECONDS)
        assert worker.returncode == -signal.SIGKILL

    def go_on(self, *, minutes: int = 5) -> None:
        """Sweeps and workers for so long."""
        end = self.now + timedelta(minutes=minutes)
        while self.now < end:
            self.now += timedelta(seconds=5)
            work = sweep.sweep(now=self.now)
            for row_id in work.deliver:
                delivery.deliver(outbound_id=row_id, now=self.now, clock=lambda: self.now)
            for row_id in work.look:
                reconcile.look(outbound_id=row_id, now=self.now, clock=lambda: self.now)

    @property
    def row(self) -> Outbound:
        return Outbound.objects.get(pk=self.row_id)

    @property
    def written(self) -> int:
        return len(self.network.written())


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileNetwork:
    made = FileNetwork(tmp_path / "network")
    monkeypatch.setattr(delivery, "adapter", lambda kind: made)
    monkeypatch.setattr(outbox, "receiver", Deaf)
    return made


@pytest.fixture
def field(tmp_path: Path, network: FileNetwork) -> Iterator[Field]:
    folder = tmp_path / "faults"
    folder.mkdir()
    yield Field(folder, network)
    # Whoever still hangs may go.
    for reached in folder.glob("*.reached"):
        reached.unlink()


def test_killed_before_the_claim_it_is_sent_by_the_next(field: Field) -> None:
    field.kill_at("delivery.before_claim")
    assert (field.row.state, field.written) == ("queued", 0)
    field.go_on()
    assert (field.row.state, field.row.attempts, field.written) == ("sent", 1, 1)


@pytest.mark.parametrize("point", ["delivery.after_claim", "delivery.before_write"])
def test_killed_before_the_write_it_is_sent_once_its_absence_is_proven(field: Field, point: str) -> None:
    field.kill_at(point)
    assert (field.row.state, field.written) == ("sending", 0)
    field.go_on(minutes=1)
    assert (field.row.state, field.written) == ("sending", 0), "the lease is not over"
    field.go_on()
    assert (field.row.state, field.row.attempts, field.written) == ("sent", 2, 1)


@pytest.mark.parametrize("point", ["delivery.after_claim", "delivery.before_write", "delivery.after_write"])
def test_killed_where_nothing_can_be_proven_a_person_decides(field: Field, point: str) -> None:
    field.network.shows = False
    field.kill_at(point)
    written = field.written
    field.go_on()
    field.now += timedelta(hours=2)
    field.go_on(minutes=1)
    assert (field.row.state, field.row.next_look_at, field.row.attempts) == ("unknown", None, 1)
    assert field.written == written == (point == "delivery.after_write")


def test_killed_after_the_write_it_is_found_and_not_sent_again(field: Field) -> None:
    field.kill_at("delivery.after_write")
    assert (field.row.state, field.written) == ("sending", 1)
    field.go_on()
    assert (field.row.state, field.row.external_id, field.written) == ("sent", "<1@acme.example>", 1)


def test_killed_after_the_commit_it_is_sent(field: Field) -> None:
    field.kill_at("delivery.after_commit")
    assert (field.row.state, field.written) == ("sent", 1)
    field.go_on()
    assert (field.row.state, field.written) == ("sent", 1)


def test_frozen_before_the_write_it_does_not_write_after_somebody_else_did(field: Field) -> None:
    faults.arm(field.folder, "delivery.before_write", "hang")
    sleeper = field.worker()
    reached = faults.reached(field.folder, "delivery.before_write")
    ends = time.monotonic() + SECONDS
    while not reached.exists():
        assert sleeper.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.01)
    field.go_on()
    assert (field.row.state, field.written) == ("sent", 1)
    reached.unlink()
    told, _ = sleeper.communicate(timeout=SECONDS)
    assert (sleeper.returncode, told) == (0, "None\n")
    assert (field.row.state, field.written) == ("sent", 1)
