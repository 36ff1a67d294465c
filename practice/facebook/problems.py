"""How Facebook says no: one shape for every error (Graph API, "Handle Errors"; Messenger Platform, "Error Codes")."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """A whole answer that is an error. The text is Meta's `message`; `status` is HTTP's; headers come with it."""

    def __init__(
        self,
        message: str,
        code: int,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int = 400,
        transient: bool = False,
        title: str = "",
        words: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.kind = kind
        self.status = status
        self.transient = transient
        self.title = title
        self.words = words
        self.headers = {**(headers or {}), "www-authenticate": self._challenge(message)}

    def body(self) -> dict[str, Any]:
        """Return what is sent. Each answer has a trace id of its own."""
        error: dict[str, Any] = {"message": str(self), "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient:
            error["is_transient"] = True
        if self.title or self.words:
            error |= {"is_transient": self.transient, "error_user_title": self.title, "error_user_msg": self.words}
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(17)
        return {"error": error}

    def _challenge(self, message: str) -> str:
        kind = "invalid_token" if self.code in (102, 190) else "invalid_request"
        # A header holds no line break, and no letter beyond Latin-1.
        words = " ".join(message.replace('"', "'").encode("ascii", "replace").decode().split())
        return f'OAuth "Facebook Platform" "{kind}" "{words}"'


def parameter(words: str, *, subcode: int | None = None, status: int = 400) -> Problem:
    """Return the answer to a parameter that makes no sense."""
    return Problem(f"(#100) {words}", 100, subcode=subcode, status=status)


def no_field(field: str, node: str) -> Problem:
    """Return the answer to a field that a node does not have."""
    return Problem(f"(#100) Tried accessing nonexisting field ({field}) on node type ({node})", 100)


def no_object(node: str, method: str = "get") -> Problem:
    """Return the answer for what is not there, was deleted, or may not be seen: Meta tells these not apart."""
    return Problem(
        f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        100,
        subcode=33,
        kind="GraphMethodException",
    )


def no_token() -> Problem:
    """Return the answer to a request without a token."""
    return Problem("An access token is required to request this resource.", 104)


def bad_token(
    words: str = "Invalid OAuth access token - Cannot parse access token", subcode: int | None = None
) -> Problem:
    """Return the answer to a token that is none, or is one no more."""
    return Problem(words, 190, subcode=subcode, status=401 if subcode is None else 400)


def no_permission(permission: str, code: int = 200) -> Problem:
    """Return the answer for a permission that the person never gave."""
    if code == 10:
        words = (
            f"(#10) This endpoint requires the '{permission}' permission or the 'Page Public Content Access' feature."
        )
    elif code == 230:
        words = f"(#230) Requires {permission} permission to manage the object"
    else:
        words = f"(#200) Permissions error: requires {permission}"
    return Problem(words, code, status=403)


def page_token_needed() -> Problem:
    """Return the answer to a user's token where only a Page's may ask."""
    return Problem("(#190) This method must be called with a Page Access Token", 190, subcode=2069032)


def deprecated(version: str) -> Problem:
    """Return the answer to a version that is no longer served, or not yet."""
    return Problem(
        "(#2635) You are calling a deprecated version of the Graph API. Please update to the latest version: "
        f"{version}.",
        2635,
    )
