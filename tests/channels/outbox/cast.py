"""The cast of the outbox' tests: a scripted provider, a clock that is told the time, and rows to send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from channels import delivery, outbox, reconcile, sweep
from channels.adapters.base import Connection, DeliveryError, Looked, Opener
from channels.happenings import Address, Outgoing, Sent
from channels.models import ChannelAccount, Outbound

NOW = datetime(2026, 11, 20, 15, 12, tzinfo=UTC)
CARLA = Address(kind="email", value="carla@example.example", display="Carla@example.example", name="Carla Hughes")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


class Provider:
    """Stands for adapter and network: takes what is sent, unless `answers` says otherwise; shows it when looked for.

    An answer or a look is a value to give back, an exception to raise, or a function to call. An answer given with
    `after_write` comes only after the bytes were taken.
    """

    kind = "email"

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.connections: list[Connection] = []
        self.answers: list[Any] = []
        self.after_write: list[Any] = []
        self.looked: list[datetime] = []
        self.looks: list[Any] = []
        self.look = self._look
        self._lock = threading.Lock()

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        with self._lock:
            self.connections.append(connection)
            before = self.answers.pop(0) if self.answers else None
        _play(before)
        if not still_ours():
            raise DeliveryError("the lease is over", code="lease-lost")
        with self._lock:
            self.taken.append(outgoing)
            after = self.after_write.pop(0) if self.after_write else None
        given = _play(after)
        return given or Sent(external_id=f"sent-{outgoing.marker}", reference=outgoing.marker)

    def _look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        self.looked.append(since)
        given = _play(self.looks.pop(0)) if self.looks else None
        return given or Looked(absence_proves=False)

    @property
    def texts(self) -> list[str]:
        return [outgoing.text for outgoing in self.taken]


def _play(act: Any) -> Any:
    if isinstance(act, BaseException):
        raise act
    return act() if callable(act) else act


class Desk:
    """Puts rows and plays sweep and workers at any time of day."""

    def __init__(self, account: ChannelAccount) -> None:
        self.account = account
        self.count = 0

    def put(self, text: str = "It left yesterday.", **given: Any) -> Outbound:
        self.count += 1
        values: dict[str, Any] = {
            "account": self.account,
            "surface": "email",
            "recipient": CARLA,
            "text": text,
            "reference": f"message:{self.count}",
            "marker": f"<{self.count}@acme.example>",
            "lane": f"lane {self.count}",
            "not_before": NOW,
            "now": NOW,
        }
        with transaction.atomic():
            return outbox.put(**{**values, **given})

    def deliver(self, row: Outbound, *, now: datetime = NOW, later: float = 1) -> str | None:
        """Let a worker have the row at `now`; `later` seconds after that the provider has answered."""
        return delivery.deliver(outbound_id=row.pk, now=now, clock=lambda: now + seconds(later))

    def deliver_slowly(self, row: Outbound, *, until: float) -> str | None:
        """The same, by a worker who reads the clock at NOW before the write and `until` seconds later after it."""
        times = iter([NOW])
        return delivery.deliver(outbound_id=row.pk, now=NOW, clock=lambda: next(times, NOW + seconds(until)))

    def look(self, row: Outbound, *, now: datetime) -> str | None:
        return reconcile.look(outbound_id=row.pk, now=now, clock=lambda: now)

    def play(self, *, now: datetime) -> sweep.Work:
        """One sweep, and workers that do at once what it hands out."""
        work = sweep.sweep(now=now)
        for row_id in work.deliver:
            delivery.deliver(outbound_id=row_id, now=now, clock=lambda: now)
        for row_id in work.look:
            reconcile.look(outbound_id=row_id, now=now, clock=lambda: now)
        return work

    def play_until(self, end: datetime, *, start: datetime = NOW, step: float = 5) -> None:
        while start <= end:
            self.play(now=start)
            start += seconds(step)


def state(row: Outbound) -> str:
    return fresh(row).state


def fresh(row: Outbound) -> Outbound:
    return Outbound.objects.get(pk=row.pk)


def columns(row: Outbound, names: Mapping[str, Any] | None = None, **given: Any) -> None:
    """Set columns of a row as a test needs them, past every rule."""
    Outbound.objects.filter(pk=row.pk).update(**{**(names or {}), **given})


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do the acts in as many threads at the same moment; their results, or what they raised, in order."""
    from django.db import connections

    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(index: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            results[index] = act()
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return results
