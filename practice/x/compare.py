"""`python -m practice.x.compare <openapi.json>`: hold the schemas here against an OpenAPI document of X's.

Prints a line for each place where the two contradict each other, and last how much was compared. What the document
has and these do not is no contradiction: only a part is served. Status 0 without, 1 with contradictions, 2 when the
document cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from practice.x.schemas import definitions, operations, parameters

#: Our parameters narrower than the document's on purpose: 512 letters is what self-serve plans may ask.
_NARROWER = {"maxLength"}


class Comparison:
    """One document, and how many places were looked at."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._mine = definitions()
        self._open: set[tuple[str, str]] = set()
        self.places = 0

    def differences(self) -> Iterator[str]:
        """Tell every contradiction."""
        for operation in operations().values():
            name = f"{operation.method} {operation.path}"
            theirs = self._document["paths"].get(operation.path, {}).get(operation.method.lower())
            if theirs is None:
                yield f"{name}: not in the document"
                continue
            yield from self._scopes(name, operation.scopes, operation.app_only, theirs)
            yield from self._parameters(name, {**operation.path_parameters, **operation.parameters}, theirs)
            yield from self._answer(name, operation.status, operation.answer, theirs)
            if operation.body:
                schema = theirs["requestBody"]["content"]["application/json"]["schema"]
                yield from self._shape(f"{name} body", {"$ref": operation.body}, schema)

    def _scopes(self, name: str, scopes: Any, app_only: bool, theirs: Mapping[str, Any]) -> Iterator[str]:
        asked = {kind: names for each in theirs["security"] for kind, names in each.items()}
        if sorted(asked.get("OAuth2UserToken", ())) != sorted(scopes):
            yield f"{name}: scopes {sorted(scopes)}, in the document {sorted(asked.get('OAuth2UserToken', ()))}"
        if ("BearerToken" in asked) != app_only:
            yield f"{name}: app-only access {app_only}, in the document {'BearerToken' in asked}"

    def _parameters(self, name: str, mine: Mapping[str, str], theirs: Mapping[str, Any]) -> Iterator[str]:
        listed = [self._resolved(each) for each in theirs.get("parameters", ())]
        known = {each["name"]: each["schema"] for each in listed}
        for parameter, shape in mine.items():
            if parameter not in known:
                yield f"{name}: parameter {parameter} is not in the document"
            else:
                yield from self._shape(f"{name} ?{parameter}", parameters()[shape], known[parameter])
        for parameter in known.keys() - mine.keys():
            yield f"{name}: parameter {parameter} is in the document only"

    def _answer(self, name: str, status: int, answer: str, theirs: Mapping[str, Any]) -> Iterator[str]:
        given = theirs["responses"].get(str(status))
        if given is None:
            yield f"{name}: status {status} is not in the document"
            return
        yield from self._shape(f"{name} {status}", {"$ref": answer}, given["content"]["application/json"]["schema"])

    def _shape(self, place: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
        pair = (str(mine.get("$ref", "")), str(theirs.get("$ref", "")))
        if pair[0] and pair[1]:
            if pair in self._open:
                return
            self._open.add(pair)
        mine, theirs = self._own(mine), self._whole(theirs)
        self.places += 1
        if "type" in mine and "type" in theirs and mine["type"] != theirs["type"]:
            yield f"{place}: {mine['type']}, in the document {theirs['type']}"
            return
        for rule in ("pattern", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength"):
            if rule in mine and rule in theirs and mine[rule] != theirs[rule] and rule not in _NARROWER:
                yield f"{place}: {rule} {mine[rule]}, in the document {theirs[rule]}"
        if "enum" in mine and "enum" in theirs:
            for value in set(mine["enum"]) - set(theirs["enum"]):
                yield f"{place}: the value {value} is not in the document"
        for name in set(theirs.get("required", ())) - set(mine.get("required", ())):
            yield f"{place}: {name} is required in the document only"
        for name, shape in mine.get("properties", {}).items():
            if name in theirs.get("properties", {}):
                yield from self._shape(f"{place}.{name}", shape, theirs["properties"][name])
            elif theirs.get("properties"):
                yield f"{place}.{name}: not in the document"
        if "items" in mine and "items" in theirs:
            yield from self._shape(f"{place}[]", mine["items"], theirs["items"])

    def _own(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._mine[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def _resolved(self, each: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a reference of the document leads to."""
        while "$ref" in each:
            found: Any = self._document
            for step in each["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            each = found
        return each

    def _whole(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return a shape of the document with its parts (`allOf`, `anyOf`, `discriminator`) laid together."""
        schema = self._resolved(schema)
        whole = dict(schema)
        whole["properties"] = dict(schema.get("properties", {}))
        parts = [*schema.get("allOf", ()), *schema.get("anyOf", ())]
        # Media is told apart by its type; pictures are the only kind served.
        photo = schema.get("discriminator", {}).get("mapping", {}).get("photo")
        if photo:
            parts += [each for each in self._resolved({"$ref": photo})["allOf"] if "$ref" not in each]
        for part in parts:
            more = self._whole(part)
            whole["properties"] |= more["properties"]
            whole.setdefault("type", more.get("type"))
            if part not in schema.get("anyOf", ()):
                whole["required"] = [*whole.get("required", ()), *more.get("required", ())]
        return {name: value for name, value in whole.items() if value is not None}


def main(arguments: list[str]) -> int:
    """Return the exit status."""
    if len(arguments) != 1:
        print("usage: python -m practice.x.compare <openapi.json>", file=sys.stderr)
        return 2
    try:
        document = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{arguments[0]} cannot be read: {error}", file=sys.stderr)
        return 2
    comparison = Comparison(document)
    differences = list(comparison.differences())
    for difference in differences:
        print(difference)
    version = document.get("info", {}).get("version", "of no version")
    compared = f"{len(operations())} operations and {comparison.places} places compared with {version}"
    print(f"{compared}: {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
