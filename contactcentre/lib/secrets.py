"""Credentials: encrypted at rest, never in a log."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """A stored credential was encrypted with a key that is no longer in CONTACTCENTRE_ENCRYPTION_KEYS."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def fernet() -> MultiFernet:
    """The installation's keys: the first encrypts, all decrypt."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS))


class Credentials(dict[str, Any]):
    """A mapping of secret values that does not show them when printed or logged."""

    def __repr__(self) -> str:
        return f"<credentials: {', '.join(sorted(self)) or 'none'}>"

    __str__ = __repr__


# What may carry a secret in a log line: query strings and JSON of the networks' libraries, and the addresses that are
# secrets themselves, of a line's hook and of a new password.
_SECRETS = re.compile(
    r"((?:access_token|refresh_token|client_secret|appsecret_proof|password|fb_exchange_token|input_token|verify_token"
    r"|code_verifier)"
    r"[\"']?\s*[=:]\s*[\"']?)[^&\s\"',}]+|(Bearer\s+|Basic\s+|Token\s+)[A-Za-z0-9._~+/%=-]+"
    r"|(/hooks/phone/|/password/)[^/\s\"]+",
    re.IGNORECASE,
)


def hide(line: str) -> str:
    """The line with tokens, passwords and secret parts of addresses replaced by three dots."""
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or match[3]}…", line)


class HideSecrets(logging.Filter):
    """Rewrites every record before it is written, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record's message and traceback come out without secrets."""
        record.msg, record.args = hide(record.getMessage()), None
        if record.exc_info:
            record.exc_text = hide(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True
