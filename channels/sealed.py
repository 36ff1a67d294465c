"""Secrets that wait in a session for a few minutes: between a network's page and ours, or a button and its page.

Encrypted, because a session is a row that whoever reads the database reads; and they go stale, because a session lives
for weeks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends.base import SessionBase

from contactcentre.lib.secrets import fernet


def keep(session: SessionBase, key: str, values: Mapping[str, Any], *, now: datetime) -> None:
    """Put the values (JSON) into the session, in the place of what was there."""
    told = json.dumps({"at": now.isoformat(), "values": dict(values)})
    session[key] = fernet().encrypt(told.encode()).decode()


def read(session: SessionBase, key: str, *, lasts: timedelta, now: datetime) -> dict[str, Any] | None:
    """What was kept at most this long ago; None where there is nothing, it is not ours, or it is too old."""
    sealed = session.get(key)
    if not isinstance(sealed, str) or not sealed:
        return None
    try:
        told = json.loads(fernet().decrypt(sealed.encode()))
    except InvalidToken:
        return None
    if not timedelta() <= now - datetime.fromisoformat(told["at"]) <= lasts:
        return None
    values: dict[str, Any] = told["values"]
    return values


def take(session: SessionBase, key: str, *, lasts: timedelta, now: datetime) -> dict[str, Any] | None:
    """As `read`, and out of the session it goes, whatever it was: for what is good once."""
    found = read(session, key, lasts=lasts, now=now)
    session.pop(key, None)
    return found
