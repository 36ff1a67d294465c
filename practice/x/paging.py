"""Pages of lists: which part is asked for, and the tokens that lead to the next and the previous one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from practice.x.door import Call
from practice.x.posts import Post, Window
from practice.x.problems import invalid
from practice.x.snowflake import first_of

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: What a token begins with: X's begin alike too, and nobody should read anything into them.
_NEXT, _PREVIOUS = "7140dibd", "77qp89zo"
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """A window, and whether it was reached by turning a page."""

    window: Window
    turned: bool


def page_of(call: Call, *, default: int, since_heeded: bool = True) -> Page:
    """Return the page that is asked for, with room for one item more: it tells whether there is a next page."""
    above, below, oldest_first = 0, _LARGEST_ID, False
    if since_heeded and "since_id" in call.query:
        above = int(call.query["since_id"])
    if "until_id" in call.query:
        below = int(call.query["until_id"])
    start, end = call.moment("start_time"), call.moment("end_time")
    if start is not None:
        above = max(above, first_of(start) - 1)
    if end is not None:
        below = min(below, first_of(end))
    name = "next_token" if "next_token" in call.query else "pagination_token"
    token = call.query.get(name, "")
    if token:
        forward, number = _read(token, name)
        if forward:
            below = min(below, number)
        else:
            above, oldest_first = max(above, number), True
    limit = call.number("max_results", default) + 1
    above, below = min(above, _LARGEST_ID), min(below, _LARGEST_ID)
    return Page(Window(above=above, below=below, limit=limit, oldest_first=oldest_first), turned=bool(token))


def cut_to_page(posts: Sequence[Post], page: Page, *, previous: bool) -> tuple[list[Post], dict[str, object]]:
    """Return the posts of a page and its `meta`."""
    room = page.window.limit - 1
    more = len(posts) > room
    if page.window.oldest_first:
        shown, older, newer = list(posts[-room:]), True, more
    else:
        shown, older, newer = list(posts[:room]), more, page.turned
    meta: dict[str, object] = {"result_count": len(shown)}
    if shown:
        meta |= {"newest_id": str(shown[0].id), "oldest_id": str(shown[-1].id)}
        if older:
            meta["next_token"] = token_to(shown[-1].id)
        if newer and previous:
            meta["previous_token"] = token_to(shown[0].id, forward=False)
    return shown, meta


def token_to(number: int, *, forward: bool = True) -> str:
    """Return the token of the page after (or before) an id."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return (_NEXT if forward else _PREVIOUS) + digits


def _read(token: str, name: str) -> tuple[bool, int]:
    head, digits = token[:8], token[8:]
    if head not in (_NEXT, _PREVIOUS) or not digits or len(digits) > 13 or any(each not in _DIGITS for each in digits):
        raise invalid(f"The `{name}` query parameter value [{token}] is not valid", {name: [token]})
    return head == _NEXT, min(int(digits, 36), _LARGEST_ID)
