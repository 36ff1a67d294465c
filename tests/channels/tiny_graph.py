"""What a tiny Graph answers while Pages are being connected: Ada, who runs two Pages, and our app with its secret."""

from __future__ import annotations

from typing import Any

from tests.channels.adapters.x.conftest import TinyX

APP_ID = "1700000000000009"
SECRET = "practice-only-secret"
CARE, OUTLET = "6100000000000201", "6100000000000202"
GRANTED = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_messaging",
)

TOKEN = "GET /v25.0/oauth/access_token"
ACCOUNTS = "GET /v25.0/me/accounts"
DEBUG = "GET /v25.0/debug_token"
CALLBACK = f"POST /v25.0/{APP_ID}/subscriptions"


def subscribed(page: str) -> str:
    """The call that subscribes a Page."""
    return f"POST /v25.0/{page}/subscribed_apps"


def page(number: str, name: str, **given: Any) -> dict[str, Any]:
    """A Page as the listing shows it."""
    return {"id": number, "name": name, "category": "Customer service", "access_token": f"page-token-{number}", **given}


def listing(*pages: dict[str, Any], after: str = "") -> tuple[int, dict[str, Any]]:
    """One part of the listing; `after` leads to the next."""
    paging = {"cursors": {"before": "b", "after": after or "z"}}
    if after:
        paging["next"] = f"https://graph.facebook.com/v25.0/me/accounts?access_token=never-show-this&after={after}"  # type: ignore[assignment]
    return 200, {"data": list(pages), "paging": paging}


def told(**given: Any) -> tuple[int, dict[str, Any]]:
    """What debug_token says of a token with all our permissions that does not end."""
    data = {"app_id": APP_ID, "is_valid": True, "expires_at": 0, "data_access_expires_at": 0, "scopes": list(GRANTED)}
    return 200, {"data": {**data, **given}}


def refused(code: int, *, subcode: int = 0, status: int = 400, message: str = "no") -> tuple[int, dict[str, Any]]:
    """An error as Graph words it."""
    return status, {"error": {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}}


def behaving(tiny: TinyX) -> TinyX:
    """The tiny server, answering as Facebook does when all goes well."""
    tiny.on(TOKEN, (200, {"access_token": "short-token"}), (200, {"access_token": "long-token"}))
    tiny.on(ACCOUNTS, listing(page(CARE, "Acme Care"), page(OUTLET, "Acme Outlet")))
    tiny.on(DEBUG, told())
    tiny.on(CALLBACK, (200, {"success": True}))
    for each in (CARE, OUTLET):
        tiny.on(subscribed(each), (200, {"success": True}))
    return tiny
