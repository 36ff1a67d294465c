"""Reading Facebook's JSON: every value is taken by a getter that says its name where it is missing or of another kind.

Ids come as text or as numbers, depending on the age of what sends them; here they are text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from channels.adapters.base import PayloadError
from contactcentre.lib.text import clean, clean_line

Object = Mapping[str, object]
_NOTHING: Object = {}

# Ids of people, Pages, posts (`page_post`) and comments (`post_comment`) are numbers and underscores, those of
# messages nearly any printable character (`m_AbC-9`, in old ones `mid.1458:ed8`).
_IDENT = re.compile(r"[\x21-\x7e]{1,300}")
# Facebook is not older than this; what is further off is no time of anything said there.
_FIRST_YEAR, _LAST_YEAR = 2004, 2200


def loads(body: bytes) -> Object:
    """The JSON object in the bytes. Raises PayloadError."""
    try:
        made = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PayloadError(_("This is not readable JSON.")) from error
    if not isinstance(made, dict):
        raise PayloadError(_("This is not a JSON object."))
    return made


def dumps(given: object) -> bytes:
    """JSON in ASCII, so that a lone surrogate travels as an escape and not as an exception."""
    return json.dumps(given).encode()


def fingerprint(given: object) -> str:
    """A short name for a piece of JSON; the same for the same content."""
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:32]


def missing(name: str) -> PayloadError:
    """What is raised where a field is not there, or of no use."""
    return PayloadError(_("Facebook handed this over without a usable %(field)s.") % {"field": name})


def as_ident(value: object) -> str:
    """The id as text, empty for what cannot be one."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        # Far longer numbers than any id cannot even be written as text (Python refuses beyond 4,300 digits).
        return str(value) if 0 < value < 10**30 else ""
    return value if isinstance(value, str) and _IDENT.fullmatch(value) else ""


def ident(given: Object, *names: str) -> str:
    """The id under the first of the names that holds one. Raises PayloadError where there is none."""
    found = next((number for name in names if (number := as_ident(given.get(name)))), "")
    if not found:
        raise missing(names[0])
    return found


def words(given: Object, name: str) -> str | None:
    """The text under the name, fit for storing; None where there is none. Raises PayloadError."""
    found = given.get(name)
    if found is None:
        return None
    if not isinstance(found, str):
        raise missing(name)
    return clean(found)


def line(given: Object, name: str, limit: int = 200) -> str:
    """One line of text, empty for anything else: for what is only shown."""
    found = given.get(name)
    return clean_line(found, limit) if isinstance(found, str) else ""


def link(given: Object, *names: str) -> str:
    """The first web address under the names, empty where there is none; `javascript:` is none."""
    for name in names:
        found = line(given, name, 2000)
        if found.startswith(("https://", "http://")):
            return found
    return ""


def inner(given: Object, name: str) -> Object:
    """The object under the name, an empty one where there is none."""
    found = given.get(name)
    return found if isinstance(found, dict) else _NOTHING


def objects(given: Object, name: str) -> Iterator[Object]:
    """The objects in the list under the name; what is not an object is left out."""
    found = given.get(name)
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, dict))


def data(given: Object, name: str) -> Iterator[Object]:
    """The objects of an edge, which Graph wraps as {"data": […]}."""
    yield from objects(inner(given, name), "data")


def moment(value: object) -> datetime | None:
    """A time as Facebook writes it: seconds or milliseconds since 1970, or `2026-11-21T09:25:00+0000`; else None."""
    made: datetime | None = None
    if isinstance(value, str) and not value.isdigit():
        try:
            made = datetime.fromisoformat(value[:40])
        except ValueError:
            return None
    else:
        number = whole(value)
        # Messenger counts milliseconds, the feed seconds. The year 5000 is 95 thousand million seconds away.
        seconds = number / 1000 if number > 95_000_000_000 else float(number)
        if not 0 < seconds < 10**11:
            return None
        try:
            made = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    if not _FIRST_YEAR <= made.year < _LAST_YEAR:
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def whole(value: object) -> int:
    """A whole number given as number or text, 0 for anything else."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value if 0 <= value < 10**18 else 0
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def when(given: Object, name: str, *others: object) -> datetime:
    """The time under the name, else the first of the others that is one. Raises PayloadError."""
    for value in (given.get(name), *others):
        made = moment(value)
        if made is not None:
            return made
    raise missing(name)
