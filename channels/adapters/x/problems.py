"""What X's refusals and failures mean: one reading of an answer, translated for polling and for sending.

Nothing here depends on words alone where a status says it: X's `type` and `detail` change, the status codes stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from channels.adapters.base import DeliveryError, PollError
from channels.adapters.x import fields
from channels.adapters.x.fields import Object
from contactcentre.lib.http import NotSent, TooLarge, TooSlow
from contactcentre.lib.secrets import hide
from contactcentre.lib.text import clean_line

# A monthly cap does not come back by waiting a minute: the month has to end, or somebody has to buy more.
CAPPED_AGAIN = timedelta(hours=1)
LONGEST_RESET = timedelta(hours=24)
_WORDS = 400

# What became of the request: it was surely not done and never will be; surely not done this time; nobody knows.
Done = Literal["refused", "not yet", "unknown"]


class XProblem(Exception):
    """A call to X that did not come through. `done` says what became of what it asked for."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        done: Done,
        status: int = 0,
        credentials: bool = False,
        retry_after: timedelta | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.done = done
        self.status = status
        self.credentials = credentials
        self.retry_after = retry_after
        self.detail = detail

    def for_polling(self) -> PollError:
        """The same for a poll: nothing is lost whatever it was."""
        return PollError(str(self), code=self.code, credentials=self.credentials, retry_after=self.retry_after)

    def for_sending(self) -> DeliveryError:
        """The same for a send."""
        return DeliveryError(
            str(self),
            permanent=self.done == "refused" and not self.credentials,
            retry_after=self.retry_after,
            outcome_unknown=self.done == "unknown",
            code=self.code,
            credentials=self.credentials,
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """One sort of 403: a part of X's `detail` in lower case, our stable word, and the words for an agent."""

    detail: str
    code: str
    words: str


def of_answer(response: requests.Response, *, now: datetime) -> XProblem:
    """What an answer that is no success means."""
    status, body = response.status_code, _body(response)
    said = _said(body)
    if status == 401:
        return XProblem(
            _("X no longer accepts our access to this account."),
            code="unauthorised",
            done="not yet",
            status=status,
            credentials=True,
            detail=said,
        )
    if status == 402:
        return XProblem(
            _("The credits of our X plan are used up. An admin has to buy some at X."),
            code="no-credits",
            done="not yet",
            status=status,
            retry_after=timedelta(seconds=settings.X_NO_CREDITS_SECONDS),
            detail=said,
        )
    if status == 429:
        return _too_many(response.headers, body, said, now=now)
    if status >= 500:
        return XProblem(
            _("X had a failure of its own (%(status)d).") % {"status": status},
            code="server-error",
            done="unknown",
            status=status,
        )
    if status == 403:
        return _forbidden(said)
    if status == 404:
        words = _("What this belongs to is no longer there at X.")
        return XProblem(words, code="gone", done="refused", status=status, detail=said)
    if 400 <= status < 500:
        words = _("X refuses it: %(why)s") % {"why": said or status}
        return XProblem(words, code=f"refused-{status}", done="refused", status=status, detail=said)
    # A redirect, or a success that is none of ours: nobody knows what was done behind it.
    return unreadable(status)


def of_failure(error: Exception) -> XProblem:
    """What it means that no answer came."""
    if isinstance(error, NotSent):
        return XProblem(_("X cannot be reached just now."), code="unreachable", done="not yet")
    if isinstance(error, TooLarge):
        return XProblem(_("X answered with far more than was asked for."), code="too-large", done="unknown")
    if isinstance(error, TooSlow | requests.Timeout):
        return XProblem(_("X did not answer in time."), code="timeout", done="unknown")
    if isinstance(error, requests.JSONDecodeError):
        return unreadable(0)
    if isinstance(error, requests.RequestException):
        return XProblem(_("The connection to X broke before it answered."), code="connection-lost", done="unknown")
    return unreadable(0)


def unreadable(status: int) -> XProblem:
    """An answer that cannot be understood."""
    words = _("X answered with something that cannot be read.")
    return XProblem(words, code="odd-answer", done="unknown", status=status)


def not_connected() -> XProblem:
    """There is no token to ask with."""
    words = _("This account is not connected to X.")
    return XProblem(words, code="not-connected", done="not yet", credentials=True)


def _forbidden(said: str) -> XProblem:
    lowered = said.lower()
    for refusal in _refusals():
        if refusal.detail in lowered:
            return XProblem(refusal.words, code=refusal.code, done="refused", status=403, detail=said)
    if said and lowered != "forbidden":
        words = _("X does not allow it: %(why)s") % {"why": said}
    else:
        # All that X says where a permission is missing from the token (RFC 6749 calls it insufficient_scope).
        words = _("X does not allow it and does not say why. Connecting the account again asks for every permission.")
    return XProblem(words, code="forbidden", done="refused", status=403, detail=said)


def _refusals() -> tuple[Refusal, ...]:
    not_summoned = _("X lets us answer publicly only those who mentioned us. Use a direct message or another channel.")
    dm_closed = _("This person takes no direct messages from us. Use another channel.")
    not_permitted = _("Our X app is not allowed to do this. An admin has to connect the account with that permission.")
    no_project = _("X lets our app do nothing: it belongs to no project. An admin has to mend that at X.")
    return (
        Refusal(
            "duplicate content",
            "duplicate",
            _("X does not take the same words twice. Change a word and send it again."),
        ),
        Refusal("not been mentioned", "not-summoned", not_summoned),
        Refusal("reply to this conversation is not allowed", "not-summoned", not_summoned),
        Refusal("deleted or not visible", "gone", _("The post this answers was deleted, or is hidden from us.")),
        Refusal("cannot send messages to this user", "dm-closed", dm_closed),
        Refusal("do not have permission to dm", "dm-closed", dm_closed),
        Refusal("not allowed to send direct messages", "dm-closed", dm_closed),
        Refusal("user is suspended", "suspended", _("X has suspended an account that takes part in this.")),
        Refusal("account is suspended", "suspended", _("X has suspended our account. An admin has to ask X why.")),
        Refusal("attached to a project", "no-project", no_project),
        Refusal("not permitted to use oauth2", "not-permitted", not_permitted),
        Refusal("missing required scope", "not-permitted", not_permitted),
        Refusal("not permitted to perform this action", "not-permitted", not_permitted),
        Refusal("oauth2 app permissions", "not-permitted", not_permitted),
    )


def _too_many(headers: Mapping[str, str], body: Object, said: str, *, now: datetime) -> XProblem:
    kind = f"{fields.line(body, 'title')} {fields.line(body, 'type')}".lower()
    if "usagecapexceeded" in kind or "usage-capped" in kind:
        return XProblem(
            _("The monthly limit of our X plan is used up. An admin has to raise it at X."),
            code="usage-cap",
            done="not yet",
            status=429,
            retry_after=CAPPED_AGAIN,
            detail=said,
        )
    return XProblem(
        _("X asks us to wait: too many calls in a short time."),
        code="rate-limit",
        done="not yet",
        status=429,
        retry_after=_until_reset(headers, now=now),
        detail=said,
    )


def _until_reset(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """How long until X counts anew, None where it did not say. A used-up day counts before a used-up quarter hour."""
    if headers.get("x-app-limit-24hour-remaining") == "0":
        day = reset_at(headers.get("x-app-limit-24hour-reset"))
        if day is not None:
            return min(max(day - now, timedelta()), LONGEST_RESET)
    if headers.get("x-user-limit-24hour-remaining") == "0":
        day = reset_at(headers.get("x-user-limit-24hour-reset"))
        if day is not None:
            return min(max(day - now, timedelta()), LONGEST_RESET)
    reset = reset_at(headers.get("x-rate-limit-reset"))
    return None if reset is None else min(max(reset - now, timedelta()), LONGEST_RESET)


def reset_at(header: str | None) -> datetime | None:
    """The moment in one of X's reset headers (seconds since 1970); None for anything else."""
    if not header or not header.isascii() or not header.isdigit() or len(header) > 11:
        return None
    return datetime.fromtimestamp(int(header), UTC)


def _body(response: requests.Response) -> Object:
    try:
        made = response.json()
    except (ValueError, RecursionError):
        # HTML, or nothing at all: the status has to say it.
        return {}
    return made if isinstance(made, dict) else {}


def _said(body: Object) -> str:
    """X's own words, of whichever of its four shapes of errors this is."""
    found = fields.line(body, "detail", _WORDS)
    inner = [
        fields.line(each, "message", _WORDS) or fields.line(each, "detail", _WORDS)
        for each in fields.objects(body, "errors")
    ]
    useful = [each for each in (*inner, found) if each]
    said = useful[0] if useful else fields.line(body, "title", _WORDS) or fields.line(body, "error_description", _WORDS)
    return clean_line(hide(said), _WORDS)
