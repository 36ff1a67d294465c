"""What the program is told from outside: five environment variables and the one that allows it to start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

#: Everything listens here and nowhere else; there is no setting for it, so that nobody can open it by mistake.
HOST = "127.0.0.1"


class SettingsError(Exception):
    """The environment does not allow a start. The text is one line that says what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to listen, where to keep things, and where the inbox is. A port of 0 means: take any free one."""

    web_port: int
    imap_port: int
    smtp_port: int
    data: Path
    product_url: str


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; raise SettingsError when a variable is missing or makes no sense."""
    if environ.get("PRACTICE") != "1":
        raise SettingsError("They are make-believe, and start only where that is wished for: set PRACTICE=1.")
    return Settings(
        web_port=_port(environ, "PRACTICE_WEB_PORT"),
        imap_port=_port(environ, "PRACTICE_IMAP_PORT"),
        smtp_port=_port(environ, "PRACTICE_SMTP_PORT"),
        data=_folder(environ, "PRACTICE_DATA"),
        product_url=_address(environ, "PRACTICE_PRODUCT_URL"),
    )


def _port(environ: Mapping[str, str], name: str) -> int:
    given = environ.get(name, "")
    if not given.isascii() or not given.isdigit() or int(given) > 65535:
        raise SettingsError(f"{name} must be a port number from 0 to 65535, not {given!r}.")
    return int(given)


def _folder(environ: Mapping[str, str], name: str) -> Path:
    given = environ.get(name, "")
    if not given:
        raise SettingsError(f"{name} must name the folder that keeps people and mail.")
    return Path(given).absolute()


def _address(environ: Mapping[str, str], name: str) -> str:
    """Return the address, or "" when none is given: the page then has no link to the inbox."""
    given = environ.get(name, "").strip()
    if given and urlsplit(given).scheme not in ("http", "https"):
        raise SettingsError(f"{name} must begin with http:// or https://, not {given!r}.")
    return given
