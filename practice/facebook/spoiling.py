"""Ways to spoil JSON: a field gone or renamed, items twice, the wrong way round, a page that is always the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Fields that hold what people wrote.
_TEXTS = ("message", "text")


def without_field(told: Any, path: str, *, renamed: bool = False) -> Any:
    """Return JSON in which a field is missing, or is called otherwise, wherever the path to it ends so.

    `from.id` is the id in every `from`, `id` every id there is. Places in lists do not count as part of a path.
    """
    return _without(told, path.split("."), (), renamed=renamed)


def doubled(told: Any) -> Any:
    """Return JSON in which every list under `data` tells everything twice."""
    return _in_data(told, lambda items: [each for each in items for _ in range(2)])


def reversed_lists(told: Any) -> Any:
    """Return JSON in which every list under `data` stands the other way round."""
    return _in_data(told, lambda items: list(reversed(items)))


def standing_still(told: Any) -> Any:
    """Return a page of a list whose paging never ends: the next page is this one again (facebook-sdk's issue 510)."""
    if not isinstance(told, dict) or not isinstance(told.get("data"), list) or not told["data"]:
        return told
    paging = told.get("paging", {})
    before = paging.get("cursors", {}).get("before", "stuck")
    link = paging.get("next") or "https://graph.facebook.com/v25.0/stuck?after=stuck"
    return {**told, "paging": {**paging, "cursors": {"before": before, "after": before}, "next": link}}


def with_first_text(told: Any, text: str) -> Any:
    """Return JSON in which the first text that somebody wrote is another; beside the rest when there is none."""
    found = _replaced(told, text, [])
    if found != told or not isinstance(told, dict):
        return found
    return {**told, "message": text}


def with_texts(told: Any, tail: str) -> Any:
    """Return JSON in which every text that somebody wrote has a tail."""
    if isinstance(told, list):
        return [with_texts(each, tail) for each in told]
    if not isinstance(told, dict):
        return told
    return {
        name: value + tail if name in _TEXTS and isinstance(value, str) else with_texts(value, tail)
        for name, value in told.items()
    }


def _without(value: Any, path: Sequence[str], walked: tuple[str, ...], *, renamed: bool) -> Any:
    if isinstance(value, list):
        return [_without(each, path, walked, renamed=renamed) for each in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name, each in value.items():
        here = (*walked, name)
        inside = _without(each, path, here, renamed=renamed)
        if [part.lower() for part in here[-len(path) :]] != [part.lower() for part in path]:
            kept[name] = inside
        elif renamed:
            kept[f"{name}_renamed"] = inside
    return kept


def _in_data(value: Any, change: Any) -> Any:
    if isinstance(value, list):
        return [_in_data(each, change) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change([_in_data(item, change) for item in each])
        if name == "data" and isinstance(each, list)
        else _in_data(each, change)
        for name, each in value.items()
    }


def _replaced(value: Any, text: str, done: list[bool]) -> Any:
    """Return JSON with the first text replaced; `done` is filled once it is."""
    if isinstance(value, list):
        return [_replaced(each, text, done) for each in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name, each in value.items():
        if not done and name in _TEXTS and isinstance(each, str):
            done.append(True)
            kept[name] = text
        else:
            kept[name] = _replaced(each, text, done)
    return kept


def of_unknown_kind(value: dict[str, Any]) -> dict[str, Any]:
    """Return an event of a kind that nobody knows yet."""
    if "item" in value:
        return {**value, "item": "hologram", "verb": "shimmer"}
    known = ("sender", "recipient", "timestamp")
    return {**{name: value[name] for name in known if name in value}, "message_hologram": {"depth": 3}}


def in_old_shape(value: dict[str, Any]) -> dict[str, Any]:
    """Return an event as recorded before 2019: sender_id and sender_name for from, ids as numbers, edit for edited."""
    told = dict(value)
    author = told.pop("from", None)
    if isinstance(author, dict):
        told["sender_id"], told["sender_name"] = _number(author.get("id", "")), author.get("name", "")
    if told.get("verb") == "edited":
        told["verb"] = "edit"
    for name in ("sender", "recipient"):
        if isinstance(told.get(name), dict) and "id" in told[name]:
            told[name] = {**told[name], "id": _number(told[name]["id"])}
    return told


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text
