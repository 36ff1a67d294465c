"""What the product's processes are told through their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from contactcentre.supervisor.keys import Keys
from contactcentre.supervisor.process import MARK

PROJECT = Path(__file__).resolve().parents[2]

# What a person's shell may hold from other work and must not reach the product: a debug switch, or the addresses of
# another installation under the name that settings.py would read first.
SECRET = ("DATABASE_URL", "DATABASE_ADMIN_URL", "REDIS_URL", "SECRET_KEY", "CONTACTCENTRE_ENCRYPTION_KEYS")
UNWANTED = ("DEBUG", "ALLOWED_HOSTS", "STATIC_ROOT", "ATTACHMENTS", "SSL_REDIRECT", "BEHIND_PROXY", MARK)


def inherited() -> dict[str, str]:
    """Our own environment without what would lead a child astray and without secrets, which each child is given by
    name or not at all."""
    unwanted = {*UNWANTED, *SECRET, *(f"{name}_FILE" for name in SECRET)}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def product(*, keys: Keys, var: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """What every process of the product needs, in practice mode."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": keys.secret_key,
        "CONTACTCENTRE_ENCRYPTION_KEYS": keys.encryption_keys,
        "CONTACTCENTRE_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "contactcentre.settings",
        "PRACTICE": "1",
        # Lines are shown as they are written, not when a buffer is full.
        "PYTHONUNBUFFERED": "1",
    }


def joined(given: Mapping[str, str]) -> dict[str, str]:
    """`given` over what is inherited. A setting given here also silences its `…_FILE` variant."""
    return {name: value for name, value in inherited().items() if name.removesuffix("_FILE") not in given} | dict(given)
