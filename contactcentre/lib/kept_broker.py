"""Celery's way to its broker, with one client for all that a channel sends: kombu makes one for every message, which
costs more than sending it.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """A channel belongs to one connection, and its client draws from that connection's pool for each command."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        # kombu has no types.
        create: Any = super()._create_client
        if asynchronous:
            # A worker's own, whose connection is watched: kombu keeps these itself.
            return create(asynchronous=True)
        # Another pool after a broken connection.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = create()
        return self._kept


def keep_clients() -> None:
    """Have every connection to a broker on Valkey use it, whatever its address looks like."""
    redis.Transport.Channel = Channel
