"""A request to the Graph as endpoints see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from practice.facebook.grants import Held
from practice.facebook.pages import Page, page_of
from practice.facebook.problems import bad_token, no_permission, page_token_needed, parameter

#: So many things are told in one answer at most; Meta then asks for a smaller question.
MOST_TOLD = 3000


@dataclass(frozen=True)
class Upload:
    """A file that came with a request."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request whose token is known.

    `node` is the first part of the address, "me" replaced by who that is; `parameters` came in the query or the body,
    without the token, as text.
    """

    method: str
    version: str
    node: str
    edge: str
    caller: Held
    parameters: Mapping[str, str]
    files: Mapping[str, Upload]
    now: float
    #: What was told so far, for `Objects` to count.
    told: list[str] = field(default_factory=list)

    def only(self, *known: str) -> None:
        """Refuse a parameter that is not known here."""
        for name in self.parameters:
            if name not in known and name not in ("pretty", "format", "debug", "locale"):
                raise parameter(f"Unexpected parameter: {name}")
        for name in self.files:
            if name not in known:
                raise parameter(f"Unexpected file: {name}")

    def text(self, name: str) -> str:
        """Return a parameter, "" where there is none; raise Problem for text that is none."""
        value = self.parameters.get(name, "")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise parameter(f"Param {name} must be a valid UTF8 string") from None
        return value

    def flag(self, name: str) -> bool | None:
        """Return a yes or no, None where there is none; raise Problem for anything else."""
        value = self.parameters.get(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false", "1", "0"):
            raise parameter(f"Param {name} must be a boolean")
        return value.lower() in ("true", "1")

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return an object written as JSON, None where there is none; raise Problem for anything else."""
        given = self.text(name)
        if not given:
            return None
        try:
            value = json.loads(given)
            json.dumps(value, ensure_ascii=False).encode()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise parameter(f"param {name} must be a json object.")
        return value

    def needs(self, permission: str, *, code: int = 200) -> None:
        """Refuse a caller to whom the person never gave a permission."""
        if permission not in self.caller.scopes:
            raise no_permission(permission, code)

    def as_page(self, page_id: str) -> Page:
        """Return the Page whose own token this is; refuse every other token."""
        page = page_of(page_id)
        if self.caller.kind != "PAGE":
            raise page_token_needed()
        if page is None or self.caller.page_id != page_id:
            raise bad_token("(#190) The access token belongs to another Page.", 2069032)
        return page


def written(at: float) -> str:
    """Return a moment as the Graph writes it: UTC, to the second, without a colon."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
