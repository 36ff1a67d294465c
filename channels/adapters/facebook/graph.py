"""Talking to Facebook with facebook-sdk: its GraphAPI with time limits, a proof of the app, and errors that tell all.

facebook-sdk 3.1 is used as it is. What it does not do is done around it: it takes no version beyond 3.1 (so `version`
is set after it was made), mangles nested values in forms (they go as JSON), has no time limits (the session has), and
loses status and headers of errors (a hook keeps the answer).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote

import facebook
import requests
from django.conf import settings

from channels.adapters.base import Connection
from channels.adapters.facebook import fields, problems
from channels.adapters.facebook.problems import GraphProblem, Usage
from contactcentre.lib.http import TOTAL_SECONDS, RedirectAdapter, session

log = logging.getLogger(__name__)

# The host that facebook-sdk has written into its code.
PUBLIC_ORIGIN = "https://graph.facebook.com"
# Sending 25 MB, which is Messenger's limit, may take this long on a slow line; well inside the lease of a delivery.
UPLOAD_SECONDS = 100.0

Files = Mapping[str, tuple[str, IO[bytes], str]]


class Graph(facebook.GraphAPI):  # type: ignore[misc]
    """Access to Graph in the name of one token. Every method raises GraphProblem and nothing else.

    `proof` is the appsecret_proof of the token where it was made before, `app_secret` makes it for every token.
    """

    def __init__(
        self, token: str = "", *, proof: str = "", app_secret: str = "", seconds: float = TOTAL_SECONDS
    ) -> None:
        super().__init__(access_token=token or None, session=requests.Session())
        session(PUBLIC_ORIGIN, RedirectAdapter(settings.FACEBOOK_GRAPH_ORIGIN, total=seconds), self.session)
        self.session.hooks["response"].append(self._remember)
        self.version = settings.FACEBOOK_GRAPH_VERSION
        self._proof = proof
        self._app_secret = app_secret
        self._here = threading.local()

    @property
    def usage(self) -> Usage:
        """What the answer to this thread's last call said about our use of Facebook."""
        response: requests.Response | None = getattr(self._here, "response", None)
        return problems.usage(_headers(response)) if response is not None else Usage()

    def get(self, path: str, **given: object) -> dict[str, Any]:
        """Read an object or an edge, such as "me/accounts". None values are left out."""
        return self.request(f"{self.version}/{path}", args=_without_none(given))

    def post(self, path: str, files: Files | None = None, **given: object) -> dict[str, Any]:
        """Write to an object or an edge; files go as multipart/form-data."""
        return self.request(f"{self.version}/{path}", post_args=_without_none(given), files=files, method="POST")

    def delete(self, path: str, **given: object) -> dict[str, Any]:
        """Delete an object or what stands on an edge."""
        return self.request(f"{self.version}/{path}", args=_without_none(given), method="DELETE")

    def pages(self, path: str, *, most: int = 10, **given: object) -> Iterator[dict[str, Any]]:
        """The pages of an edge, at most so many. Ends too where a cursor does not move: Facebook has answered the
        same page without end (facebook-sdk, issue 510)."""
        seen: set[str] = set()
        after: object = given.pop("after", None)
        for _number in range(most):
            page = self.get(path, after=after, **given)
            yield page
            after = next_cursor(page)
            if not after or after in seen:
                return
            seen.add(str(after))

    def request(
        self,
        path: str,
        args: Mapping[str, object] | None = None,
        post_args: Mapping[str, object] | None = None,
        files: Files | None = None,
        method: str | None = None,
    ) -> dict[str, Any]:
        """One call, as every method of facebook-sdk makes it: a JSON object comes back. Raises GraphProblem."""
        query, form = _as_form(args or {}), None if post_args is None else _as_form(post_args)
        proof = self._proof_of(query.get("access_token") or self.access_token)
        if proof:
            query["appsecret_proof"] = proof
        self._here.response = None
        try:
            made = super().request(path, args=query, post_args=form, files=files, method=method)
        except Exception as error:  # noqa: BLE001
            # facebook-sdk's own error, those of requests, and what it falls over itself: KeyError where an answer has
            # no type, ValueError for broken JSON. Which it was the kept answer tells. The cause is cut off: requests
            # writes the whole address into its errors, and the address holds the token.
            raise self._problem(error) from None
        response = self._here.response
        if not isinstance(made, dict) or response is None:
            raise problems.unreadable(response.status_code if response is not None else 0)
        if response.status_code >= 300:
            raise problems.of_answer(response.status_code, made, _headers(response))
        return made

    def close(self) -> None:
        """Give the connections back. Only for an access that is not kept."""
        self.session.close()

    def _proof_of(self, token: object) -> str:
        if not isinstance(token, str) or not token or "|" in token:
            # An app's own token ("id|secret") proves the app by itself.
            return ""
        if self._app_secret:
            return proof_of(self._app_secret, token)
        return self._proof if token == self.access_token else ""

    def _problem(self, error: Exception) -> GraphProblem:
        response: requests.Response | None = self._here.response
        if response is None:
            return problems.of_failure(error)
        body = error.result if isinstance(error, facebook.GraphAPIError) else None
        if not isinstance(body, dict):
            body = _json(response)
        return problems.of_answer(response.status_code, body, _headers(response))

    def _remember(self, response: requests.Response, *_: object, **__: object) -> None:
        self._here.response = response


def proof_of(app_secret: str, token: str) -> str:
    """The appsecret_proof of a token (Meta, "Secure Graph API calls")."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def path(*segments: str) -> str:
    """A path from ids and edges; whatever an id holds stays inside its segment."""
    return "/".join(quote(segment, safe="") for segment in segments)


def rows(page: Mapping[str, object]) -> list[fields.Object]:
    """What a page of an edge holds. Raises GraphProblem where no list is there: an empty edge has an empty one, and
    what has another name by now is not to look like a quiet day."""
    if not isinstance(page.get("data"), list):
        raise problems.unreadable(200)
    return list(fields.objects(page, "data"))


def next_cursor(page: Mapping[str, object]) -> str:
    """Where the next page of an edge begins, empty where this was the last one."""
    paging = fields.inner(page, "paging")
    after = fields.inner(paging, "cursors").get("after")
    return after if paging.get("next") and isinstance(after, str) and len(after) <= 2000 else ""


def _as_form(given: Mapping[str, object]) -> dict[str, Any]:
    """Nested values as JSON. As they are, a form would hold only their keys."""
    return {
        name: json.dumps(value) if isinstance(value, dict | list | tuple | bool) else value
        for name, value in given.items()
    }


def _without_none(given: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if value is not None}


def _headers(response: requests.Response) -> dict[str, str]:
    return dict(response.headers.lower_items())


def _json(response: requests.Response) -> object:
    try:
        return response.json()
    except (ValueError, RecursionError):
        # HTML, or nothing at all: the status has to say it.
        return None


class Accesses:
    """The accesses in use, one for each account; a new token makes a new one."""

    def __init__(self, *, seconds: float = TOTAL_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[tuple[str, str], Graph]] = {}

    def of(self, connection: Connection) -> Graph:
        """The account's access. Raises GraphProblem where it has no token."""
        token, proof = _credentials(connection)
        if not connection.account_id:
            # Somebody tries an account out that is not stored yet.
            return Graph(token, proof=proof, seconds=self._seconds)
        with self._lock:
            kept = self._kept.get(connection.account_id)
            if kept is None or kept[0] != (token, proof):
                # The old one is let go, not closed: another thread may still be in a call with it.
                kept = ((token, proof), Graph(token, proof=proof, seconds=self._seconds))
                self._kept[connection.account_id] = kept
            return kept[1]

    def for_upload(self, connection: Connection) -> Graph:
        """An access of its own with the patience that a file needs; the caller closes it. Raises GraphProblem."""
        token, proof = _credentials(connection)
        return Graph(token, proof=proof, seconds=max(self._seconds, UPLOAD_SECONDS))


def _credentials(connection: Connection) -> tuple[str, str]:
    token, proof = connection.credentials.get("access_token"), connection.credentials.get("appsecret_proof")
    if not isinstance(token, str) or not token:
        raise problems.not_connected()
    return token, proof if isinstance(proof, str) else ""
