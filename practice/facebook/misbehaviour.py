"""What the switches do to a request of our app: before it is looked at, after it was done, and to its answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import HTMLResponse, Response

from practice.facebook.pages import page_of
from practice.facebook.signing import written
from practice.facebook.spoiling import doubled, reversed_lists, standing_still, with_first_text, without_field
from practice.facebook.switches import HUGE, MADE_UP_WAIT, NETWORK
from practice.mischief import Mischief
from practice.network import World
from practice.x.wire import Drip, Half, Reset, Silence

_GATEWAY = (
    "<html><head><title>503</title></head><body><h1>Sorry, something went wrong.</h1>"
    "<p>We're working on getting this fixed as soon as we can.</p></body></html>"
)

#: The first half of an emoji.
ODD = "a\0b\ud83e"


@dataclass(frozen=True)
class _Refusal:
    """One of Meta's refusals: numbers and words as in "Graph API, Handle Errors" and the Messenger error codes."""

    code: int
    words: str
    subcode: int | None = None
    status: int = 400
    transient: bool = False
    kind: str = "OAuthException"


_THROTTLES = {
    "fb_throttle_app": _Refusal(4, "(#4) Application request limit reached", status=403, transient=True),
    "fb_throttle_user": _Refusal(17, "(#17) User request limit reached", transient=True),
    "fb_throttle_page": _Refusal(32, "(#32) Page request limit reached", status=403, transient=True),
    "fb_throttle_613": _Refusal(613, "(#613) Calls to this api have exceeded the rate limit.", subcode=1996),
}
_SESSION = "Error validating access token: "
_REFUSALS = {
    "fb_190_expired": _Refusal(190, f"{_SESSION}Session has expired on Tuesday, 01-Sep-26 09:00:00 PDT.", 463),
    "fb_190_password": _Refusal(
        190,
        f"{_SESSION}The session has been invalidated because the user changed their password or Facebook has "
        "changed the session for security reasons.",
        460,
    ),
    "fb_190_removed": _Refusal(190, f"{_SESSION}The user has not authorized application 1700000000000001.", 458),
    "fb_190_checkpoint": _Refusal(
        190, f"{_SESSION}You cannot access the app till you log in to www.facebook.com and follow the instructions.",
        459,
    ),
    "fb_190_unconfirmed": _Refusal(190, f"{_SESSION}Sessions for the user are not allowed: not confirmed.", 464),
    "fb_190_invalid": _Refusal(190, f"{_SESSION}This may be because the user logged out.", 467),
    "fb_190_bare": _Refusal(
        190, "Any of the pages_read_engagement permission(s) must be granted before impersonating a user's page."
    ),
    "fb_permission": _Refusal(
        200, "(#200) If posting to a page, requires both pages_read_engagement and pages_manage_engagement", status=403
    ),
    "fb_blocked": _Refusal(
        368, "The action attempted has been deemed abusive or is otherwise disallowed", subcode=1390008
    ),
    "fb_code_1": _Refusal(1, "An unknown error has occurred.", status=500),
    "fb_code_2": _Refusal(
        2, "An unexpected error has occurred. Please retry your request later.", status=500, transient=True
    ),
}  # fmt: skip
_MESSAGE_REFUSALS = {
    "fb_unavailable": _Refusal(551, "(#551) This person isn't available right now.", subcode=1545041),
    "fb_outside_window": _Refusal(
        10, "(#10) This message is sent outside of allowed window.", subcode=2018278, status=403
    ),
}


class Misbehaviour:
    """Asks the switches. Each that is on and limited by `times` is used up by being met.

    `page` is the id of the Page in whose name is asked, "" for nobody's. Switches can be limited to one Page by its id
    or its name.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def before(
        self, page: str, headers: Mapping[str, str], *, method: str = "GET", message: bool = False
    ) -> Response | None:
        """Return what is answered in place of everything else, or None. Nothing is done in that case.

        `message` says whether the request is a message to be sent (`POST /{page}/messages` with a message in it).
        """
        if self._take("fb_silent", page):
            return Silence()
        if self._take("fb_503", page):
            return HTMLResponse(_GATEWAY, 503)
        for switch, refusal in _THROTTLES.items():
            if self._take(switch, page):
                return _refused(refusal, {**headers, **self._usage(switch, page)})
        for switch, refusal in _REFUSALS.items():
            if self._take(switch, page):
                return _refused(refusal, headers)
        if message and method == "POST":
            for switch, refusal in _MESSAGE_REFUSALS.items():
                if self._take(switch, page):
                    return _refused(refusal, headers)
        return None

    def after(self, method: str, page: str, body: Any, headers: Mapping[str, str]) -> Response:
        """Return the answer to something that was done, spoilt as the switches say."""
        if method != "GET":
            if self._take("fb_silent_after", page):
                return Silence()
            if self._take("fb_drop_after", page):
                return Reset()
            if self._take("fb_503_after", page):
                return HTMLResponse(_GATEWAY, 503)
            for code in ("fb_code_1", "fb_code_2"):
                if self._take(f"{code}_after", page):
                    return _refused(_REFUSALS[code], headers)
        told = self._spoilt(page, body)
        if self._take("fb_array", page):
            told = [told]
        content = written(told)
        if self._take("fb_not_json", page):
            content = content[: len(content) * 2 // 3]
        kind: type[Response] = Response
        if self._take("fb_drop", page):
            kind = Half
        elif self._take("fb_drip", page):
            kind = Drip
        typed = {} if self._take("fb_no_type", page) else {"content-type": "application/json; charset=UTF-8"}
        return kind(content, 200, headers={**headers, **typed})

    def nameless(self, page: str) -> bool:
        """Return whether everybody's comments come without `from`. Asking uses nothing up."""
        return self._stands("fb_nameless", page)

    def any_time(self, page: str) -> bool:
        """Return whether messages are taken outside the reply window. Asking uses nothing up."""
        return self._stands("fb_any_time", page)

    def unlimited(self, page: str) -> bool:
        """Return whether rate limits are not counted. Asking uses nothing up."""
        return self._stands("fb_unlimited", page)

    def _spoilt(self, page: str, body: Any) -> Any:
        if self._take("fb_twice", page):
            body = doubled(body)
        if self._take("fb_shuffled", page):
            body = reversed_lists(body)
        if self._take("fb_stuck", page):
            body = standing_still(body)
        if self._take("fb_huge", page):
            body = with_first_text(body, "x" * HUGE)
        if self._take("fb_odd_text", page):
            body = with_first_text(body, ODD)
        for switch, renamed in (("fb_drop_field", False), ("fb_rename_field", True)):
            position = self._world.mischief.position(NETWORK, switch)
            # These two are limited to a field where the others are limited to a Page.
            if self._world.mischief.take(NETWORK, switch, address=position.address):
                body = without_field(body, position.address or "created_time", renamed=renamed)
        return body

    def _usage(self, switch: str, page: str) -> dict[str, str]:
        """Return the headers that tell how much is used up, and for how long; none when the switch says so."""
        if self._take("fb_throttle_no_time", page):
            return {"x-app-usage": "", "x-business-use-case-usage": ""}
        full = {"call_count": 100, "total_cputime": 25, "total_time": 31}
        if switch in ("fb_throttle_app", "fb_throttle_user"):
            return {"x-app-usage": json.dumps(full)}
        used = {
            "type": "messenger" if switch == "fb_throttle_613" else "pages",
            **full,
            "estimated_time_to_regain_access": MADE_UP_WAIT,
        }
        return {"x-business-use-case-usage": json.dumps({page or "0": [used]})}

    def _stands(self, switch: str, page: str) -> bool:
        position = self._world.mischief.position(NETWORK, switch)
        return position.on and position.address in (None, page, name_of(page))

    def _take(self, switch: str, page: str) -> bool:
        taken = meets(self._world.mischief, switch, page)
        if taken:
            self._world.happenings.note(NETWORK, "mischief", f"{switch}: our app met it.")
        return taken


def meets(mischief: Mischief, switch: str, page: str) -> bool:
    """Return whether what concerns a Page meets a switch this time; asking uses up one of its times."""
    limited_to = mischief.position(NETWORK, switch).address
    return mischief.take(NETWORK, switch, address=page if limited_to == page else name_of(page))


def name_of(page: str) -> str:
    """Return a Page's name as switches are limited to it, "" for no Page of ours."""
    found = page_of(page)
    return found.name.lower() if found else ""


def _refused(refusal: _Refusal, headers: Mapping[str, str]) -> Response:
    """Return an error in Meta's shape. Headers that are "" are left out."""
    error: dict[str, object] = {"message": refusal.words, "type": refusal.kind, "code": refusal.code}
    if refusal.subcode is not None:
        error["error_subcode"] = refusal.subcode
    error.update(is_transient=refusal.transient, fbtrace_id="A" + secrets.token_urlsafe(17))
    kept = {name: value for name, value in headers.items() if value}
    kept["www-authenticate"] = f'OAuth "Facebook Platform" "invalid_request" "{refusal.words}"'
    return Response(
        json.dumps({"error": error}),
        status_code=refusal.status,
        headers={**kept, "content-type": "application/json; charset=UTF-8"},
    )
