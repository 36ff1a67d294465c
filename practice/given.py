"""What a request brought: JSON from a script, or a form from the page; and the two ways of answering them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

#: The largest body of a request, in bytes: the largest letter as base64 in JSON, and a little.
LARGEST_BODY = 64 * 1024 * 1024


class Refused(Exception):
    """The request cannot be done. `words` say why, for people; `status` is HTTP's."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class Given:
    """The fields of a request. A field that is absent is "", a field of another kind than asked for is refused."""

    def __init__(self, fields: Mapping[str, Any], form: FormData | None) -> None:
        self._fields = fields
        self._form = form

    @property
    def is_form(self) -> bool:
        """Return whether the page asked, and not a script."""
        return self._form is not None

    def only(self, *known: str) -> None:
        """Refuse a field that is not known: a misspelt one would otherwise do nothing, in silence."""
        for name in self._fields:
            if name not in known:
                raise Refused(f"There is no field {name!r}; there are {', '.join(known)}.")

    def has(self, name: str) -> bool:
        """Return whether the field is there at all."""
        return name in self._fields

    def text(self, name: str) -> str:
        """Return a text field."""
        value = self._fields.get(name, "")
        if not isinstance(value, str):
            raise Refused(f"{name} must be text.")
        # A browser's form ends lines with CRLF, whatever was typed.
        return value.replace("\r\n", "\n")

    def flag(self, name: str) -> bool:
        """Return a yes or no: true in JSON, a checked box in a form."""
        value = self._fields.get(name, False)
        if self.is_form:
            return value not in (False, "", "off", "false")
        if not isinstance(value, bool):
            raise Refused(f"{name} must be true or false.")
        return value

    def number(self, name: str) -> float | None:
        """Return a number, or None when it is absent."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        if self.is_form and isinstance(value, str) and value.strip().isdecimal():
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"{name} must be a number.")
        return float(value)

    def count(self, name: str) -> int | None:
        """Return a whole number, or None when it is absent."""
        value = self.number(name)
        if value is not None and value != int(value):
            raise Refused(f"{name} must be a whole number.")
        return None if value is None else int(value)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; a single text is a list of one. Empty ones are left out."""
        if self._form is not None:
            values: list[Any] = list(self._form.getlist(name))
        else:
            value = self._fields.get(name, [])
            values = [value] if isinstance(value, str) else value if isinstance(value, list) else [value]
        if not all(isinstance(value, str) for value in values):
            raise Refused(f"{name} must be text, or a list of texts.")
        return [value for value in values if value]

    def mapping(self, name: str) -> dict[str, str]:
        """Return an object whose values are texts."""
        value = self._fields.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise Refused(f"{name} must be an object with texts in it.")
        return value

    def objects(self, name: str) -> list[Given]:
        """Return a list of objects."""
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise Refused(f"{name} must be a list of objects.")
        return [Given(each, None) for each in value]

    def uploads(self, name: str) -> list[UploadFile]:
        """Return the files of a form's file picker that were really picked."""
        files = self._form.getlist(name) if self._form is not None else []
        return [file for file in files if isinstance(file, UploadFile) and file.filename]


async def given(request: Request) -> Given:
    """Return what the request brought; raise Refused when it cannot be read."""
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
        raise Refused(f"That is more than {LARGEST_BODY // 1024 // 1024} MB.", 413)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = await request.form(max_files=50, max_fields=200, max_part_size=4 * 1024 * 1024)
        return Given({key: form[key] for key in form}, form)
    body = await request.body()
    try:
        fields = json.loads(body) if body else {}
        # Half an emoji ("\ud83e") and a number beyond all numbers (1e400) can be read, and be kept or told by nobody.
        json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(f"That is not JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise Refused("Send a JSON object.")
    return Given(fields, None)


def done(request: Request, given: Given, answer: Mapping[str, Any], *, back: str = "") -> Response:
    """Answer a script, or the page's own JavaScript, with JSON; take a browser without it to a page it can see."""
    if not given.is_form or "application/json" in request.headers.get("accept", ""):
        return JSONResponse(dict(answer))
    return RedirectResponse(back or _page_before(request), status_code=303)


def _page_before(request: Request) -> str:
    before = urlsplit(request.headers.get("referer", ""))
    return "/" + (f"?{before.query}" if before.path == "/" and before.query else "")
