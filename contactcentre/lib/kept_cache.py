"""Django's cache in Valkey, with one client for all questions of a thread.

Django makes a client of the library for every question, which costs more than asking it.
"""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class Client(RedisCacheClient):
    """For one server: ours needs no replicas."""

    _kept: Any = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The library's client. It draws a connection of the pool for each question, so nothing is held by it."""
        if self._kept is None:
            self._kept = super().get_client(key, write=write)
        return self._kept


class Cache(RedisCache):
    """See Client."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
