"""Where codes become tokens, short tokens long ones, and tokens are looked at (Facebook Login, "Access Tokens")."""

from __future__ import annotations

import hmac
from typing import Any

from practice.facebook.calls import Call
from practice.facebook.grants import PERMISSIONS, Grants, Held
from practice.facebook.pages import ADA, APP
from practice.facebook.problems import Problem, parameter


class TokenEndpoints:
    """What /oauth/access_token and /debug_token answer."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def access_token(self, call: Call) -> dict[str, Any]:
        """Answer GET and POST /oauth/access_token. Who the app is stands in the parameters, not in a token."""
        call.only(
            *("client_id", "client_secret", "grant_type", "code", "redirect_uri", "fb_exchange_token"),
            "set_token_expires_in_60_days",
        )
        if not call.text("client_id"):
            raise Problem("Missing client_id parameter.", 101)
        if call.text("client_id") != APP.id:
            raise Problem("Error validating application. Cannot get application info due to a system error.", 101)
        if not hmac.compare_digest(call.text("client_secret").encode(), APP.secret.encode()):
            raise Problem("Error validating client secret.", 1)
        kind = call.text("grant_type") or "authorization_code"
        if kind == "client_credentials":
            return {"access_token": self._grants.app_token(), "token_type": "bearer"}
        if kind == "authorization_code":
            for name in ("code", "redirect_uri"):
                if not call.text(name):
                    raise Problem(f"Missing {name} parameter.", 191 if name == "redirect_uri" else 100)
            held = self._grants.exchange(call.text("code"), call.text("redirect_uri"), now=call.now)
        elif kind == "fb_exchange_token":
            if not call.text("fb_exchange_token"):
                raise Problem("Missing fb_exchange_token parameter.", 100)
            held = self._grants.extend(call.text("fb_exchange_token"), now=call.now)
        else:
            raise parameter(f"Invalid grant_type: {kind}")
        return {"access_token": held.token, "token_type": "bearer", "expires_in": int(held.ends_at - call.now)}

    def debug(self, call: Call) -> dict[str, Any]:
        """Answer GET /debug_token. A dead token is an answer with 200: that it is dead is what was asked."""
        call.only("input_token", "fields")
        if not call.text("input_token"):
            raise Problem("(#100) You must provide an input_token", 100)
        if call.caller.kind == "PAGE":
            raise Problem("(#100) You must provide an app access token, or a user access token of a developer", 100)
        try:
            held = self._grants.known(call.text("input_token"), now=call.now)
        except Problem as problem:
            error: dict[str, Any] = {"code": problem.code, "message": str(problem)}
            if problem.subcode is not None:
                error["subcode"] = problem.subcode
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        return {"data": _debugged(held)}


def _debugged(held: Held) -> dict[str, Any]:
    """Return what is told of a living token; times are seconds since 1970, 0 for never."""
    told: dict[str, Any] = {"app_id": APP.id, "type": held.kind, "application": APP.name, "is_valid": True}
    if held.kind == "APP":
        return {**told, "scopes": []}
    scopes = [name for name in PERMISSIONS if name in held.scopes]
    told |= {
        "data_access_expires_at": int(held.data_ends_at),
        "expires_at": int(held.ends_at),
        "issued_at": int(held.issued_at),
        "scopes": scopes,
        "granular_scopes": [
            {"scope": name, "target_ids": list(held.pages)} for name in scopes if name.startswith("pages_")
        ],
        "user_id": ADA.id,
    }
    if held.kind == "PAGE":
        told["profile_id"] = held.page_id
    return told
