"""The shapes of what is served: operations, parameters, bodies and answers, from X's OpenAPI document 2.166.

Only what is served stands in `schemas/`, and stricter than in the document: an answer may hold nothing that is not
listed. Bodies and parameters are checked here at run time, answers in the tests; `compare` holds all of it against the
document itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "schemas"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something one can ask for. `app_only` says whether an app may ask for it without a user."""

    key: str
    method: str
    path: str
    scopes: Sequence[str]
    app_only: bool
    status: int
    answer: str
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place of a body, in the words of X's validator."""

    place: str
    words: str
    value: Any


@cache
def operations() -> dict[str, Operation]:
    """Return everything that is served, by key."""
    return {key: Operation(key=key, **each) for key, each in _file("operations").items()}


@cache
def definitions() -> dict[str, dict[str, Any]]:
    """Return all shapes by name, for `#/$defs/` references."""
    return {**_file("objects"), **_file("answers"), **_file("requests")}


@cache
def parameters() -> dict[str, dict[str, Any]]:
    """Return the shapes of parameters by name."""
    return _file("parameters")


def answer_schema(name: str) -> dict[str, Any]:
    """Return a JSON schema (draft 2020-12) of an answer, complete in itself."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/$defs/{name}",
        "$defs": definitions(),
    }


def faults(value: Any, schema: Mapping[str, Any], place: str = "$") -> Iterator[Fault]:
    """Tell what of a value does not fit its shape. It knows as much of JSON schema as the bodies need."""
    if "$ref" in schema:
        yield from faults(value, definitions()[schema["$ref"].rpartition("/")[2]], place)
        return
    kind = schema.get("type")
    if kind and not _is(value, kind):
        yield Fault(place, f"{place}: {_kind(value)} found, {kind} expected", value)
    elif kind == "object":
        yield from _object_faults(value, schema, place)
    elif kind == "array":
        if len(value) < schema.get("minItems", 0):
            yield Fault(place, f"{place}: there must be a minimum of {schema['minItems']} items in the array", value)
        if len(value) > schema.get("maxItems", len(value)):
            yield Fault(place, f"{place}: there must be a maximum of {schema['maxItems']} items in the array", value)
        for index, each in enumerate(value):
            yield from faults(each, schema["items"], f"{place}[{index}]")
    elif kind == "string":
        if "pattern" in schema and not re.fullmatch(schema["pattern"].strip("^$"), value):
            yield Fault(place, f"{place}: does not match the regex pattern {schema['pattern']}", value)
        if len(value) < schema.get("minLength", 0):
            yield Fault(place, f"{place}: must be at least {schema['minLength']} characters long", value)
        if "enum" in schema and value not in schema["enum"]:
            yield Fault(place, f"{place}: does not have a value in the enumeration {schema['enum']}", value)


def _object_faults(value: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[Fault]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(place, f"{place}.{name}: is missing but it is required", value)
    for name, each in value.items():
        if name in known:
            yield from faults(each, known[name], f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            words = "is not defined in the schema and the schema does not allow additional properties"
            yield Fault(place, f"{place}.{name}: {words}", value)


def parameter_fault(name: str, text: str, schema: Mapping[str, Any]) -> str:
    """Return what is wrong with a parameter's text, in X's words, or ""."""
    kind = schema["type"]
    said = f"The `{name}` query parameter value [{text}]"
    if kind == "integer":
        low, high = schema["minimum"], schema["maximum"]
        whole = text.isascii() and text.lstrip("-").isdigit() and len(text) < 10
        return "" if whole and low <= int(text) <= high else f"{said} is not between {low} and {high}"
    if kind == "array":
        items = text.split(",")
        if not schema["minItems"] <= len(items) <= schema.get("maxItems", len(items)):
            return f"size must be between {schema['minItems']} and {schema.get('maxItems', 100)}"
        return next((words for item in items if (words := parameter_fault(name, item, schema["items"]))), "")
    if "enum" in schema and text not in schema["enum"]:
        return f"{said} is not one of [{','.join(schema['enum'])}]"
    if "pattern" in schema and not re.fullmatch(schema["pattern"].strip("^$"), text):
        return f"{said} is not valid"
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        return f"{said} must be between {schema.get('minLength', 0)} and {schema.get('maxLength', 'any')} characters"
    return f"{said} is not a valid date" if schema.get("format") == "date-time" and moment(text) is None else ""


def moment(text: str) -> float | None:
    """Return an RFC 3339 moment in seconds since 1970, or None for what is none."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "boolean"):
        return isinstance(value, bool) == (kind == "boolean") and isinstance(value, int)
    return isinstance(value, {"object": dict, "array": list, "string": str}[kind])


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _file(name: str) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return contents
