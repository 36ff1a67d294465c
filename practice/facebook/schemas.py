"""The shapes of what is served, in `schemas/`: answers by address, and webhooks.

Facebook publishes no machine-readable description of its answers. These come from its reference pages and from
recorded answers and webhooks; `compare` holds the webhooks' against recorded ones, and the tests every answer and
every webhook against these. An answer may hold nothing that is not listed.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from practice.facebook.pages import ADA, APP, PAGES

_FOLDER = Path(__file__).parent / "schemas"
_NODES = {"page": "|".join(page.id for page in PAGES), "user": ADA.id, "app": APP.id}


def answer_schema(method: str, path: str) -> dict[str, Any] | None:
    """Return the JSON schema of what an address answers with 200, None for an address that is not served.

    `path` is with or without a version.
    """
    bare = re.sub(r"^/(v\d+\.\d+/)?", "", path)
    for each in _file("addresses"):
        pattern = re.sub(r"{(\w+)}", lambda found: f"(?:{_NODES[found.group(1)]})", each["path"])
        if each["method"] == method and re.fullmatch(pattern, bare):
            return _schema("answers", each["answer"])
    return None


def error_schema() -> dict[str, Any]:
    """Return the JSON schema of every refusal."""
    return _schema("answers", "Error")


def webhook_schema() -> dict[str, Any]:
    """Return the JSON schema of what is posted to an app, also in the shapes of earlier years."""
    return _schema("webhooks", "Body")


def _schema(file: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}", "$defs": _file(file)}


@cache
def _file(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
