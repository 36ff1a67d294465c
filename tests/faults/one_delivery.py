"""One worker that delivers one row by an adapter whose network is a file, so that a test may kill it anywhere.

python one_delivery.py <row id> <now> <file>: prints what the delivery came to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from channels.adapters.base import Connection, DeliveryError, Looked, Opener
from channels.happenings import Outgoing, Sent
from channels.receiver import PROCESSED, Answer


class FileNetwork:
    """Writes a line for each message it takes, at once and for good. `shows` says whether looking finds them."""

    kind = "email"

    def __init__(self, path: Path, *, shows: bool = True) -> None:
        self.path = path
        self.shows = shows

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        if not still_ours():
            raise DeliveryError("the lease is over", code="lease-lost")
        with self.path.open("a", encoding="utf-8") as taken:
            taken.write(outgoing.marker + "\n")
        return Sent(external_id=outgoing.marker, reference=outgoing.marker)

    def look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        if not self.shows:
            return Looked()
        if outgoing.marker in self.written():
            return Looked(external_id=outgoing.marker)
        return Looked(absence_proves=True)

    def written(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []


class Deaf:
    """A house above that takes every news."""

    def receipt(self, *_: object, **__: object) -> Answer:
        return PROCESSED


def main(row_id: int, now: datetime, path: Path) -> None:
    import django

    django.setup()
    from channels import delivery, outbox

    delivery.adapter = lambda kind: FileNetwork(path)  # type: ignore[assignment]
    outbox.receiver = Deaf  # type: ignore[assignment]
    print(delivery.deliver(outbound_id=row_id, now=now, clock=lambda: now), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), Path(sys.argv[3]))
