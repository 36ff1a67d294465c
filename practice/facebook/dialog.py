"""The page on which Ada lets the app in, chooses her Pages and what it may do (Facebook Login, "Manually Build a Login
Flow")."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from practice.facebook.grants import PERMISSIONS, Grants
from practice.facebook.pages import ADA, APP, PAGES
from practice.facebook.switches import NETWORK
from practice.html import Html, fill, joined
from practice.network import World

#: What an app asks for, in words for people. What is not named here is allowed without being shown.
_IN_WORDS = {
    "email": "See your mail address",
    "business_management": "Manage your business",
    "pages_show_list": "See a list of your Pages",
    "pages_read_engagement": "Read what your Pages post",
    "pages_read_user_content": "Read what people write on your Pages",
    "pages_manage_engagement": "Answer and hide comments on your Pages",
    "pages_manage_metadata": "Be told what happens on your Pages",
    "pages_manage_posts": "Post on your Pages",
    "pages_messaging": "Read and write messages of your Pages",
    "read_insights": "See figures about your Pages",
}
_FIELDS = ("client_id", "redirect_uri", "state", "scope", "response_type", "auth_type", "display")


class Dialog:
    """The login dialog: the page and its form, with and without a version in the address."""

    def __init__(self, world: World, grants: Grants) -> None:
        self._world = world
        self._grants = grants

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            route
            for path in ("/dialog/oauth", "/{version}/dialog/oauth")
            for route in (Route(path, self.page), Route(path, self.decide, methods=["POST"]))
        ]

    async def page(self, request: Request) -> Response:
        """Show what the app asks for, or that its request makes no sense."""
        asked = {name: request.query_params.get(name, "") for name in _FIELDS}
        if wrong := self._wrong(asked):
            return _page(fill("facebook/dialog_wrong", words=wrong), status=400)
        wanted = _scopes(asked)
        return _page(
            fill(
                "facebook/dialog",
                app=APP.name,
                name=ADA.name,
                action=request.url.path,
                pages=joined(
                    fill("facebook/dialog_choice", name="page", value=page.id, words=page.name, more=page.category)
                    for page in PAGES
                ),
                permissions=joined(
                    fill("facebook/dialog_choice", name="permission", value=scope, words=words, more=scope)
                    for scope, words in _IN_WORDS.items()
                    if scope in wanted
                ),
                fields=joined(fill("x/consent_field", name=name, value=value) for name, value in asked.items()),
            ),
            back=asked["redirect_uri"],
        )

    async def decide(self, request: Request) -> Response:
        """Send the browser back with a code, or with a refusal."""
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _page(fill("facebook/dialog_wrong", words="Only this page may do that."), status=403)
        form = await request.form(max_fields=60)
        asked = {name: str(form.get(name, "")) for name in _FIELDS}
        if wrong := self._wrong(asked):
            return _page(fill("facebook/dialog_wrong", words=wrong), status=400)
        if form.get("decision") != "allow":
            refusal = {
                "error": "access_denied",
                "error_code": "200",
                "error_description": "Permissions error",
                "error_reason": "user_denied",
            }
            return _back(asked, refusal)
        ticked, chosen = form.getlist("permission"), form.getlist("page")
        allowed = {"public_profile", *(name for name in _scopes(asked) if name in ticked)}
        scopes = [name for name in PERMISSIONS if name in allowed]
        pages = [page for page in PAGES if page.id in chosen]
        code = self._grants.consent(
            scopes=scopes, pages=[page.id for page in pages], redirect_uri=asked["redirect_uri"], now=time.time()
        )
        names = ", ".join(page.name for page in pages) or "no Page"
        self._world.happenings.note(NETWORK, "consent", f"{ADA.name} let the app in, for {names}.")
        return _back(asked, {"code": code})

    def _wrong(self, asked: Mapping[str, str]) -> str:
        """Return what is wrong with a request for consent, for the developer, or ""."""
        if asked["client_id"] != APP.id:
            return "Invalid App ID: The provided app ID does not look like a valid app ID."
        if not self._is_ours(asked["redirect_uri"]):
            return (
                "URL blocked: This redirect failed because the redirect URI is not white-listed in the app's client "
                "OAuth settings. It must lead to this machine, or to the inbox."
            )
        if asked["response_type"] not in ("", "code"):
            return "Invalid Request: response_type must be code."
        unknown = [scope for scope in _scopes(asked) if scope not in PERMISSIONS]
        if unknown:
            return f"Invalid Scopes: {', '.join(unknown)}. This message is only shown to developers."
        return ""

    def _is_ours(self, address: str) -> bool:
        parts, inbox = urlsplit(address), urlsplit(self._world.settings.product_url)
        if parts.scheme not in ("http", "https") or parts.fragment:
            return False
        return parts.hostname in ("127.0.0.1", "localhost") or (bool(inbox.netloc) and parts.netloc == inbox.netloc)


def _scopes(asked: Mapping[str, str]) -> list[str]:
    return asked["scope"].replace(",", " ").split()


def _back(asked: Mapping[str, str], more: Mapping[str, str]) -> Response:
    parts = urlsplit(asked["redirect_uri"])
    state = {"state": asked["state"]} if asked["state"] else {}
    query = "&".join(each for each in (parts.query, urlencode({**more, **state})) if each)
    # Facebook puts this fragment behind every address it leads back to.
    return RedirectResponse(parts._replace(query=query, fragment="_=_").geturl(), status_code=302)


def _page(body: Html, *, status: int = 200, back: str = "") -> Response:
    # A browser holds a form's redirect to form-action as well, so the place it leads back to must be named.
    parts = urlsplit(back)
    forms = f"'self' {parts.scheme}://{parts.netloc}" if back else "'self'"
    policy = f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    title = "Something went wrong" if status != 200 else "Log in with Facebook"
    return HTMLResponse(fill("facebook/dialog_page", title=title, body=body), status_code=status, headers=headers)
