"""What `fields` asks for: `id,from{id,name},comments.limit(50).order(chronological){id,message}` (field expansion)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from practice.facebook.problems import Problem

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[.,{}]|\(([^()]*)\)")
#: How deep and how long a request may be. Nobody asks for more in earnest.
_DEEPEST = 6
_LONGEST = 4000


@dataclass(frozen=True)
class Field:
    """One thing asked for. `inner` is None where nothing was said about its own fields."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    inner: tuple[Field, ...] | None = None


def parse(text: str) -> tuple[Field, ...]:
    """Return what is asked for; raise Problem (code 2500) for what cannot be read."""
    if len(text) > _LONGEST:
        raise _wrong(text, _LONGEST)
    tokens: list[tuple[str, int]] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        found = _TOKEN.match(text, place)
        if not found:
            raise _wrong(text, place)
        tokens.append((found.group(), place))
        place = found.end()
    fields, rest = _list(text, tokens, 0)
    if rest != len(tokens):
        raise _wrong(text, tokens[rest][1])
    return fields


def written(fields: Sequence[Field]) -> str:
    """Return a list of fields as it would be asked for."""
    return ",".join(
        each.name
        + "".join(f".{name}({value})" for name, value in each.arguments.items())
        + ("" if each.inner is None else "{" + written(each.inner) + "}")
        for each in fields
    )


def _list(text: str, tokens: Sequence[tuple[str, int]], at: int, depth: int = 0) -> tuple[tuple[Field, ...], int]:
    if depth > _DEEPEST:
        raise _wrong(text, tokens[at - 1][1])
    fields: dict[str, Field] = {}
    while at < len(tokens):
        name, place = tokens[at]
        if not (name[0].isalpha() or name[0] == "_"):
            raise _wrong(text, place)
        at += 1
        arguments: dict[str, str] = {}
        while at + 2 < len(tokens) and tokens[at][0] == "." and tokens[at + 2][0].startswith("("):
            arguments[tokens[at + 1][0]] = tokens[at + 2][0][1:-1].strip()
            at += 3
        inner = None
        if at < len(tokens) and tokens[at][0] == "{":
            inner, at = _list(text, tokens, at + 1, depth + 1)
            if at >= len(tokens) or tokens[at][0] != "}":
                raise _wrong(text, len(text))
            at += 1
        fields[name] = Field(name, arguments, inner)
        if at >= len(tokens) or tokens[at][0] != ",":
            break
        at += 1
    if not fields:
        raise _wrong(text, len(text))
    return tuple(fields.values()), at


def _wrong(text: str, place: int) -> Problem:
    return Problem(f"Syntax error \"Field list is malformed.\" at character {place}: {text[:200]}", 2500)
