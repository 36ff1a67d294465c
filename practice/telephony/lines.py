"""Our lines, and the hook address that each posts its call events to."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import urlsplit

#: The company one calls.
OUR_NAME = "Acme"

#: The company's lines: number and what it is called. Numbers from Ofcom's range for drama.
OUR_LINES = {
    "+442079460100": "Acme Support",
    "+442079460101": "Acme Returns",
}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS telephony_line (
    number TEXT PRIMARY KEY,
    hook_url TEXT NOT NULL
)
"""

#: Hooks live on this machine: the exchange is make-believe, and must not ring anybody's door outside.
_HERE = ("127.0.0.1", "localhost")


class LineError(ValueError):
    """This line, or this hook address, cannot be. The text says why, for people."""


@dataclass(frozen=True)
class Line:
    """A line of ours. `hook_url` is "" while nobody listens to it."""

    number: str
    name: str
    hook_url: str


class Lines:
    """Finds lines, and connects them; what is connected stays so through a restart."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def all(self) -> list[Line]:
        """Return our lines in their order."""
        hooks = dict(self._db.execute("SELECT number, hook_url FROM telephony_line").fetchall())
        return [Line(number, name, hooks.get(number, "")) for number, name in OUR_LINES.items()]

    def find(self, number: str) -> Line | None:
        """Return the line of this number, however it is written, if it is one of ours."""
        wanted = digits(number)
        return next((line for line in self.all() if digits(line.number) == wanted), None)

    def connect(self, number: str, hook_url: str) -> Line:
        """Let a line post to this address from now on, or to nobody for ""; raise LineError when that cannot be."""
        line = self.find(number)
        if line is None:
            raise LineError(f"{number!r} is no line of ours; there are {', '.join(OUR_LINES)}.")
        if hook_url:
            _check(hook_url)
        self._db.execute(
            "INSERT INTO telephony_line (number, hook_url) VALUES (?, ?) "
            "ON CONFLICT (number) DO UPDATE SET hook_url = excluded.hook_url",
            (line.number, hook_url),
        )
        return Line(line.number, line.name, hook_url)


def digits(number: str) -> str:
    """Return a number's digits, as the exchange writes it: without plus and spaces."""
    return "".join(each for each in number if each.isascii() and each.isdigit())


def readable(number: str) -> str:
    """Return a British number in groups, as a telephone shows it; any other as it is."""
    if number.startswith("+4420") and len(number) == 13:
        return f"+44 20 {number[5:9]} {number[9:]}"
    if number.startswith("+447") and len(number) == 13:
        return f"+44 {number[3:7]} {number[7:]}"
    return number


def _check(hook_url: str) -> None:
    try:
        parts = urlsplit(hook_url)
        port = parts.port or 80
    except ValueError:
        port = 0
        parts = urlsplit("")
    if parts.scheme != "http" or parts.hostname not in _HERE or not port or len(hook_url) > 1000:
        raise LineError(f"hook_url must be an http:// address on {_HERE[0]}.")
    if not hook_url.isascii() or any(each.isspace() or not each.isprintable() for each in hook_url):
        raise LineError("hook_url must be plain ASCII without spaces.")
