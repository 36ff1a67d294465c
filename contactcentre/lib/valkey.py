"""Valkey as a notebook for what may be forgotten: one round trip a question, and never a long wait.

Everything asked here is a courtesy to whoever looks at a page (who else is here, what changed), so a
server that is gone or frozen costs the caller at most a second, once, and never an exception of its own kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as ServerGone
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as ServerSilent
from redis.retry import Retry

SOCKET_SECONDS = 1.0
# After a time-out nobody asks again for this long: otherwise every page and every write would wait a
# second each for as long as the server is frozen. A refused connection answers at once and needs no rest.
REST_SECONDS = 5.0

_silent_until = 0.0


class Unreachable(Exception):
    """Valkey did not answer in time, refused, or answered with an error. The text says which."""


@lru_cache(maxsize=4)
def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        decode_responses=True,
        # The shape of stream answers differs between versions 2 and 3 of the protocol; one is enough.
        protocol=2,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        # One more try, at once: after a restart of the server the pooled connection is stale, the next is not.
        # The library's own habit, several tries with growing pauses, would hold up a write for seconds.
        retry=Retry(NoBackoff(), 1, supported_errors=(ServerGone,)),
    )


def ask(fill: Callable[[Pipeline], object], *, as_one: bool = True) -> list[Any]:
    """What the commands that `fill` puts on a pipeline answered, in order and in one round trip.

    `as_one` False lets others' commands run between them, which is less work for both sides. Raises Unreachable.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        raise Unreachable("it was silent a moment ago and is given a rest")
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=as_one) as pipeline:
            fill(pipeline)
            answers: list[Any] = pipeline.execute()
    except ServerSilent as error:
        _silent_until = time.monotonic() + REST_SECONDS
        raise Unreachable(f"no answer within {SOCKET_SECONDS:g} s") from error
    except (RedisError, OSError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    return answers
