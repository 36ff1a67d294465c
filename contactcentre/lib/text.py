"""Text of strangers made fit for storing and showing."""

from __future__ import annotations

import re
import unicodedata

# C0 controls but tab and newline, DEL, and lone surrogates. PostgreSQL refuses NUL in text; a lone
# surrogate cannot be encoded to UTF-8 at all; the others only confuse terminals and headers.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def clean(value: str) -> str:
    """The text with newlines made \\n and without NUL, other control characters and lone surrogates."""
    # Most lines are fit: what Python calls printable holds none of all that, and is known ten times as quickly.
    if value.isprintable():
        return value
    return _UNFIT.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(value: str, limit: int = 255) -> str:
    """One line of at most `limit` characters: white space folded, nothing that could break a header."""
    # The space is the only white space that is printable.
    if value.isprintable() and "  " not in value:
        return value.strip()[:limit]
    return _SPACE.sub(" ", clean(value)).strip()[:limit]


def snippet(value: str, limit: int = 160) -> str:
    """The first words for a list row: one line, at most `limit` characters, an ellipsis where cut."""
    line = _SPACE.sub(" ", value[: limit * 4]).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def file_name(value: str, fallback: str = "file") -> str:
    """A name safe to show and to offer for saving: the last path part, no controls, at most 120 characters.

    Attachment names arrive verbatim from mail, `../../etc/passwd` included.
    """
    name = clean_line(value.replace("\\", "/").rsplit("/", 1)[-1], 400)
    name = "".join(character for character in name if unicodedata.category(character) not in {"Cc", "Cf", "Cs"})
    name = name.strip(". ")
    if len(name) > 120:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: 119 - len(ending)]}.{ending}" if dot and len(ending) <= 10 else name[:120]
    return name or fallback
