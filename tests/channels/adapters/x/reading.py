"""What a page of X comes to: from the JSON of a page through the ledger's items to happenings."""

from __future__ import annotations

import json
from typing import Any

from channels.adapters.base import Connection
from channels.adapters.x import XAdapter, items
from channels.happenings import Happening, RawItem
from tests.channels.adapters.x.conftest import connection


def happenings_of(page: dict[str, Any], name: str = items.POST, told: Connection | None = None) -> list[Happening]:
    """Everything a page says, in order. Raises what reading it raises."""
    made: list[Happening] = []
    for item in items.of_page(page, name):
        made += XAdapter().parse(item.raw, told or connection())
    return made


def one(page: dict[str, Any], name: str = items.POST, told: Connection | None = None) -> Any:
    """The one happening of a page with one entry."""
    (only,) = happenings_of(page, name, told)
    return only


def raw(body: object, happening: str = "message") -> RawItem:
    return RawItem(happening=happening, external_id="1", body=json.dumps(body).encode())
