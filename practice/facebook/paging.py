"""Pages of lists: cursors, and links to the next page with the public host and the token in them, as Meta's have."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from practice.facebook.problems import parameter

#: The host in every link: clients meet Facebook's own name, and must not follow it elsewhere by mistake.
HOST = "https://graph.facebook.com"
#: What a cursor begins with before it is encoded: Meta's begin alike too.
_HEAD = "AQHR"
#: How far back a page before a cursor is looked for.
_FURTHEST = 2000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Turned:
    """Which page is asked for: how many, and after or before what. "" stands for no cursor."""

    limit: int
    after: str = ""
    before: str = ""


def turned(parameters: Mapping[str, str], *, default: int = 25, most: int = 100) -> Turned:
    """Return which page parameters ask for; raise Problem when they make no sense."""
    given = parameters.get("limit", str(default))
    if not given.isascii() or not given.isdigit() or len(given) > 9 or int(given) < 1:
        raise parameter("Param limit must be an integer greater than or equal to 1")
    if int(given) > most:
        raise parameter(f"The 'limit' parameter should not exceed {most}")
    after, before = _read(parameters.get("after", "")), _read(parameters.get("before", ""))
    if after and before:
        raise parameter("Cannot specify both before and after cursors")
    return Turned(int(given), after, before)


def page(
    fetch: Callable[[str, int], Sequence[Item]],
    key: Callable[[Item], str],
    asked: Turned,
) -> tuple[list[Item], bool]:
    """Return the items of the page that is asked for, and whether there are more after it.

    `fetch` returns so many items after the one with a key, in order; `key` tells an item's.
    """
    if asked.before:
        everything = fetch("", _FURTHEST)
        keys = [key(each) for each in everything]
        end = keys.index(asked.before) if asked.before in keys else 0
        return list(everything[max(end - asked.limit, 0) : end]), end < len(keys)
    found = list(fetch(asked.after, asked.limit + 1))
    return found[: asked.limit], len(found) > asked.limit


def told(
    data: Sequence[Any], keys: Sequence[str], *, more: bool, path: str, parameters: Mapping[str, str], token: str
) -> dict[str, Any]:
    """Return a list as Meta tells it. An empty one has no `paging`; the last page has no `next`."""
    answer: dict[str, Any] = {"data": list(data)}
    if keys:
        first, last = cursor(keys[0]), cursor(keys[-1])
        answer["paging"] = {"cursors": {"before": first, "after": last}}
        kept = {name: value for name, value in parameters.items() if name not in ("after", "before")}
        query = {"access_token": token, "pretty": "0", **kept}
        if more:
            answer["paging"]["next"] = f"{HOST}{path}?{urlencode({**query, 'after': last})}"
        if parameters.get("after"):
            answer["paging"]["previous"] = f"{HOST}{path}?{urlencode({**query, 'before': first})}"
    return answer


def cursor(key: str) -> str:
    """Return the cursor of an item."""
    return urlsafe_b64encode(f"{_HEAD}{key}".encode()).decode().rstrip("=")


def _read(given: str) -> str:
    if not given:
        return ""
    try:
        key = urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        key = ""
    if not key.startswith(_HEAD) or len(key) > 80:
        raise parameter("Invalid cursors values for before/after")
    return key.removeprefix(_HEAD)
