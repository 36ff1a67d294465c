"""Reading X's JSON: every value is taken by a getter that says its name where it is missing or of another kind.

Field names come in pairs. In 2026 X's OpenAPI document renamed some of them between its versions 2.166 and 2.167
(`referenced_tweets` to `referenced_posts` and so on) and announced nothing, so either is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from channels.adapters.base import PayloadError
from channels.adapters.x import snowflakes
from contactcentre.lib.text import clean, clean_line

REFERENCES = ("referenced_tweets", "referenced_posts")
EDIT_HISTORY = ("edit_history_tweet_ids", "edit_history_post_ids")
NOTE = ("note_tweet", "note_post")
INCLUDED_POSTS = ("tweets", "posts")

Object = Mapping[str, object]
_NOTHING: Object = {}


def loads(body: bytes) -> Object:
    """The JSON object in the bytes. Raises PayloadError."""
    try:
        made = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PayloadError(_("This is not readable JSON.")) from error
    if not isinstance(made, dict):
        raise PayloadError(_("This is not a JSON object."))
    return made


def first(given: Object, *names: str) -> object:
    """The value under the first of the names that is there, else None."""
    return next((given[name] for name in names if given.get(name) is not None), None)


def ident(given: Object, *names: str) -> str:
    """The id under one of the names. Raises PayloadError where there is none."""
    found = as_ident(first(given, *names))
    if not found:
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": names[0]})
    return found


def as_ident(value: object) -> str:
    """The id as text, empty for what cannot be one. Some clients pass ids as numbers."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return str(text) if snowflakes.is_id(text) else ""


def words(given: Object, *names: str) -> str | None:
    """The text under one of the names, fit for storing; None where there is none. Raises PayloadError."""
    found = first(given, *names)
    if found is None:
        return None
    if not isinstance(found, str):
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": names[0]})
    return clean(found)


def line(given: Object, name: str, limit: int = 200) -> str:
    """One line of text, empty for anything else: for what is only shown."""
    found = given.get(name)
    return clean_line(found, limit) if isinstance(found, str) else ""


def link(given: Object, name: str) -> str:
    """A web address, empty for anything else, `javascript:` among it."""
    found = line(given, name, 2000)
    return found if found.startswith(("https://", "http://")) else ""


def inner(given: Object, *names: str) -> Object:
    """The object under one of the names, an empty one where there is none."""
    found = first(given, *names)
    return found if isinstance(found, dict) else _NOTHING


def objects(given: Object, *names: str) -> Iterator[Object]:
    """The objects in the list under one of the names; what is not an object is left out."""
    found = first(given, *names)
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, dict))


def moment(given: Object, name: str, number: str) -> datetime:
    """The time under the name, else the one that the id tells, which is the same to the second. Raises PayloadError."""
    found = given.get(name)
    if isinstance(found, str):
        try:
            made = datetime.fromisoformat(found)
        except ValueError:
            made = None
        # A year far off is no time of a post, and breaks whoever converts it between time zones.
        if made is not None and 2006 <= made.year < 2200:
            return made if made.tzinfo else made.replace(tzinfo=UTC)
    try:
        return snowflakes.said_at(int(number))
    except ValueError as error:
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": name}) from error


def by_key(given: Iterable[Object], key: str) -> dict[str, Object]:
    """The objects by the text or id under a key; the first one wins."""
    found: dict[str, Object] = {}
    for each in given:
        value = each.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool):
            found.setdefault(str(value), each)
    return found
