"""Holds what the API answers to what its OpenAPI document says of that call: status, kind of content, every field."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from tickets.api.reading import _schema

# What any call may be answered that was not understood at all, and so stands beside none of them.
ANYWHERE = {405, 406, 413, 415}


def held(answer: Any, method: str, path: str) -> Any:
    """The answer, which is what the document says of it; AssertionError where it is not. `path` without a query."""
    told = _told(method, path)
    if told is None or answer.status_code in ANYWHERE:
        return answer
    documented = told["responses"].get(str(answer.status_code))
    assert documented is not None, f"{method} {path}: {answer.status_code} stands in no document: {answer.content!r}"
    kind = answer["Content-Type"].partition(";")[0]
    assert kind in documented["content"], f"{method} {path}: {answer.status_code} came as {kind}"
    if kind.endswith("json"):
        faults = _validator(json.dumps(documented["content"][kind]["schema"])).iter_errors(json.loads(answer.content))
        assert [f"{list(one.path)}: {one.message}" for one in faults] == [], f"{method} {path}"
    return answer


def _told(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a call; None where it knows no such address or method."""
    for known, methods in _schema()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[0-9]+", known), path):
            found: dict[str, Any] | None = methods.get(method)
            return found
    return None


@cache
def _validator(schema: str) -> Draft7Validator:
    return Draft7Validator({**_strict(json.loads(schema)), **_components()}, format_checker=FormatChecker())


@cache
def _components() -> dict[str, Any]:
    return {"components": _strict(json.loads(json.dumps(_schema()["components"], default=str)))}


def _strict(shape: Any) -> Any:
    """A shape of OpenAPI 3.0 as JSON Schema says it, with nothing in an object that the document does not name."""
    if isinstance(shape, list):
        return [_strict(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    made = {name: _strict(value) for name, value in shape.items() if name != "nullable"}
    if shape.get("type") == "object" and "properties" in shape:
        made.setdefault("additionalProperties", False)
    return {"anyOf": [made, {"type": "null"}]} if shape.get("nullable") else made
