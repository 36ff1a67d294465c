"""What Facebook's refusals and failures mean: one reading of an answer, translated for polling and for sending.

By `code` and `error_subcode` (Meta, "Handling errors" of the Graph API and "Error codes" of the Messenger Platform),
never by the words, which change and are translated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import requests
from django.utils.translation import gettext as _

from channels.adapters.base import DeliveryError, PollError
from channels.adapters.facebook import fields
from channels.adapters.facebook.fields import Object
from contactcentre.lib.http import NotSent, TooLarge, TooSlow
from contactcentre.lib.secrets import hide
from contactcentre.lib.text import clean_line

LONGEST_WAIT = timedelta(hours=24)
# A policy block lasts hours or days; asking every minute prolongs it.
BLOCKED_AGAIN = timedelta(hours=1)
_WORDS = 400

TOKEN = {102, 190}
THROTTLE = {4, 17, 32, 341, 613, *range(80000, 80015)}
PASSING = {1, 2}
PERMISSION = {3, 10, *range(200, 300)}
WINDOW = {(10, 2018278), (10, 2534022)}
NOBODY = {(100, 2018001), (551, 1545041)}
NO_PROFILE = (100, 2018218)
RETIRED_TAG = (100, 1893061)
GONE = {(100, 33), (100, 2018028)}

# What became of the request: surely not done and never will be; surely not done this time; nobody knows.
Done = Literal["refused", "not yet", "unknown"]


class GraphProblem(Exception):
    """A call to Facebook that did not come through; the text says why in plain words.

    `number` and `subcode` are Facebook's own (0 where it gave none), `code` is our stable word for them. `done` says
    what became of what a write asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        done: Done,
        number: int = 0,
        subcode: int = 0,
        status: int = 0,
        credentials: bool = False,
        retry_after: timedelta | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.done = done
        self.number = number
        self.subcode = subcode
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
class Usage:
    """How much of what Facebook allows has been used, in percent of it, and how long until it counts anew."""

    percent: int = 0
    wait: timedelta | None = None


def usage(headers: Mapping[str, str]) -> Usage:
    """What the usage headers say: the fullest of all their counters. Nonsense in them counts as nothing."""
    app = _json(headers.get("x-app-usage"))
    business = _json(headers.get("x-business-use-case-usage"))
    counters = [app, *(each for name in business for each in fields.objects(business, name))]
    percents = [
        fields.whole(value)
        for counter in counters
        for name in ("call_count", "total_cputime", "total_time")
        if isinstance(value := counter.get(name), int)
    ]
    minutes = max((fields.whole(each.get("estimated_time_to_regain_access")) for each in counters), default=0)
    wait = min(timedelta(minutes=min(minutes, 100_000)), LONGEST_WAIT) if minutes else None
    return Usage(percent=min(max(percents, default=0), 1000), wait=wait)


def of_answer(status: int, body: object, headers: Mapping[str, str]) -> GraphProblem:
    """What an answer that is no success means."""
    error = fields.inner(body, "error") if isinstance(body, dict) else {}
    if not error:
        if status == 429:
            # From something in front of Graph, in words of its own: refused for now, and surely not done.
            return _throttled(headers)
        if status >= 500:
            return _server(status)
        if 400 <= status < 500:
            words = _("Facebook refuses it (%(status)d).") % {"status": status}
            return GraphProblem(words, code=f"refused-{status}", done="refused", status=status)
        return unreadable(status)
    number, subcode = fields.whole(error.get("code")), fields.whole(error.get("error_subcode"))
    said = _said(error)
    made = _known(number, subcode, said, headers)
    if made is None:
        made = _rest(number, subcode, said, is_transient=error.get("is_transient") is True, status=status)
    made.number, made.subcode, made.status, made.detail = number, subcode, status, said
    return made


def of_failure(error: Exception) -> GraphProblem:
    """What it means that no answer came."""
    if isinstance(error, NotSent):
        return GraphProblem(_("Facebook cannot be reached just now."), code="unreachable", done="not yet")
    if isinstance(error, TooLarge):
        words = _("Facebook answered with far more than was asked for.")
        return GraphProblem(words, code="too-large", done="unknown")
    if isinstance(error, TooSlow | requests.Timeout):
        return GraphProblem(_("Facebook did not answer in time."), code="timeout", done="unknown")
    if isinstance(error, requests.JSONDecodeError):
        return unreadable(0)
    if isinstance(error, requests.RequestException):
        words = _("The connection to Facebook broke before it answered.")
        return GraphProblem(words, code="connection-lost", done="unknown")
    return unreadable(0)


def unreadable(status: int) -> GraphProblem:
    """An answer that cannot be understood."""
    words = _("Facebook answered with something that cannot be read.")
    return GraphProblem(words, code="odd-answer", done="unknown", status=status)


def not_connected() -> GraphProblem:
    """There is no token to ask with."""
    words = _("This Page is not connected to Facebook.")
    return GraphProblem(words, code="not-connected", done="not yet", credentials=True)


def _known(number: int, subcode: int, said: str, headers: Mapping[str, str]) -> GraphProblem | None:
    pair = (number, subcode)
    if number in TOKEN:
        return GraphProblem(_token_words(subcode), code="unauthorised", done="not yet", credentials=True)
    if "appsecret_proof" in said:
        # The one thing without a code of its own. Nothing works until the app's secret is entered anew.
        words = _("Facebook does not accept our app's secret. An admin has to enter it again.")
        return GraphProblem(words, code="app-secret", done="not yet", credentials=True)
    if number in THROTTLE:
        return _throttled(headers)
    if pair in WINDOW:
        words = _(
            "Messenger lets us answer within 24 hours of their last message, and these are over. "
            "Use another channel, or wait until they write again."
        )
        return GraphProblem(words, code="window-closed", done="refused")
    if pair in NOBODY or number == 551:
        words = _("This person cannot be reached on Messenger at the moment. Use another channel.")
        return GraphProblem(words, code="recipient-unavailable", done="refused")
    if pair == NO_PROFILE:
        return GraphProblem(_("Facebook shows no profile of this person."), code="no-profile", done="refused")
    if pair == RETIRED_TAG:
        words = _("Facebook no longer takes this kind of message outside the 24 hours.")
        return GraphProblem(words, code="retired-tag", done="refused")
    if pair in GONE or number == 803:
        words = _("What this belongs to is no longer there at Facebook.")
        return GraphProblem(words, code="gone", done="refused")
    if number in PERMISSION:
        words = _("Our Facebook app is not allowed to do this. An admin has to connect the Page with that permission.")
        return GraphProblem(words, code="not-permitted", done="refused")
    if number == 368:
        words = _("Facebook has blocked our Page from this for a while. An admin has to look there why.")
        return GraphProblem(words, code="blocked", done="refused", retry_after=BLOCKED_AGAIN)
    if number == 506:
        words = _("Facebook does not take the same words twice. Change a word and send it again.")
        return GraphProblem(words, code="duplicate", done="refused")
    if number == 1609005:
        words = _("Facebook does not take the link in this message.")
        return GraphProblem(words, code="link-refused", done="refused")
    return None


def _rest(number: int, subcode: int, said: str, *, is_transient: bool, status: int) -> GraphProblem:
    if number in PASSING or is_transient or status >= 500:
        return _server(status)
    words = _("Facebook refuses it: %(why)s") % {"why": said or f"{number}/{subcode}"}
    return GraphProblem(words, code=f"refused-{number or status}", done="refused")


def _throttled(headers: Mapping[str, str]) -> GraphProblem:
    words = _("Facebook asks us to wait: too many calls in a short time.")
    return GraphProblem(words, code="rate-limit", done="not yet", retry_after=usage(headers).wait)


def _server(status: int) -> GraphProblem:
    words = _("Facebook had a failure of its own (%(status)d).") % {"status": status}
    return GraphProblem(words, code="server-error", done="unknown", status=status)


def _token_words(subcode: int) -> str:
    reasons = {
        458: _("The person who connected this Page has removed our app from their Facebook account."),
        459: _("Facebook wants the person who connected this Page to sign in there and confirm something."),
        460: _("The person who connected this Page has changed their Facebook password."),
        463: _("Our access to this Page has run out."),
        464: _("Facebook has not confirmed the person who connected this Page."),
    }
    return reasons.get(subcode) or _("Facebook no longer accepts our access to this Page.")


def _said(error: Object) -> str:
    """Facebook's own words: those it means for people where it has any."""
    found = fields.line(error, "error_user_msg", _WORDS) or fields.line(error, "message", _WORDS)
    return clean_line(hide(found), _WORDS)


def _json(header: str | None) -> Object:
    try:
        made = json.loads(header or "{}")
    except (ValueError, RecursionError):
        return {}
    return made if isinstance(made, dict) else {}
