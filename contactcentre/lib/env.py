"""Typed reading of the environment. Every getter is loud on nonsense: a typing mistake in a
deployment stops the process with the variable's name instead of running half configured.

Every variable NAME may also be given as NAME_FILE, the path of a file that holds the value, which is
how container platforms hand over secrets.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


class EnvironmentProblem(Exception):
    """A variable is missing or holds something that cannot be meant. The text names it."""


def text(name: str, default: str | None = None) -> str:
    """The variable's value, or the content of the file that NAME_FILE names, without trailing newline.

    Raises EnvironmentProblem when neither is set and there is no default.
    """
    path = os.environ.get(f"{name}_FILE")
    if path:
        if name in os.environ:
            raise EnvironmentProblem(f"both {name} and {name}_FILE are set; keep one")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise EnvironmentProblem(f"{name}_FILE names {path}, which cannot be read: {error}") from error
    value = os.environ.get(name)
    if value is not None:
        return value
    if default is None:
        raise EnvironmentProblem(f"{name} is not set; it has no default")
    return default


def flag(name: str, default: bool = False) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off and for the empty value."""
    value = text(name, "1" if default else "0").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"", "0", "false", "no", "off"}:
        return False
    raise EnvironmentProblem(f"{name} is {value!r}; say 1 or 0")


def number(name: str, default: int) -> int:
    """The variable as a whole number."""
    value = text(name, str(default)).strip()
    try:
        return int(value)
    except ValueError as error:
        raise EnvironmentProblem(f"{name} is {value!r}; a whole number is meant") from error


def words(name: str, default: str = "") -> list[str]:
    """The variable split at commas, without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def numbers(name: str, default: list[int]) -> list[int]:
    """The variable split at commas, as whole numbers; at least one."""
    value = text(name, ",".join(map(str, default)))
    try:
        return [int(part) for part in value.split(",")]
    except ValueError as error:
        raise EnvironmentProblem(f"{name} is {value!r}; whole numbers with commas between are meant") from error


def origin(name: str, default: str) -> str:
    """An http(s) origin without path, such as https://api.example; raises when it is anything else."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise EnvironmentProblem(f"{name} is {value!r}; an origin such as https://host is meant")
    return value


def database(name: str) -> dict[str, object]:
    """Django's settings for the PostgreSQL that a postgres://user:password@host:port/name address means."""
    value = text(name)
    parts = urlsplit(value)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.hostname or len(parts.path) < 2:
        raise EnvironmentProblem(f"{name} is not of the form postgres://user:password@host:port/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": str(parts.port or 5432),
    }
