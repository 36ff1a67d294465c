"""What went wrong, said so that it may be kept: no address, no number, no words of a person."""

from __future__ import annotations

import re
from types import TracebackType

from contactcentre.lib.text import clean_line

REASON_LENGTH = 200

# What an exception likes to quote from the data it fell over. PostgreSQL's DETAIL line, which repeats whole
# rows, goes with everything after the first line.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|b'[^']*'")
_ADDRESS = re.compile(r"[^\s<>()]+@[^\s<>()]+")
_NUMBER = re.compile(r"\+?\d[\d ()/.-]{4,}\d")


def masked(text: str, limit: int = REASON_LENGTH) -> str:
    """The first line of the text with quoted data, mail addresses and long numbers replaced by dots."""
    line = clean_line(text.strip().split("\n", 1)[0], 2000)
    for pattern in (_QUOTED, _ADDRESS, _NUMBER):
        line = pattern.sub("…", line)
    return line[:limit].strip()


def of(error: BaseException, limit: int = REASON_LENGTH) -> str:
    """The class and the masked text of an exception nobody foresaw, at most `limit` characters."""
    text = masked(str(error), limit)
    name = type(error).__name__
    return (f"{name}: {text}" if text else name)[:limit]


def where(traceback: TracebackType | None) -> str:
    """The last five places of a traceback, one line, without the values that a full one would print."""
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return " > ".join(places[-5:])
