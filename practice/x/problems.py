"""How X says no: problem details (RFC 7807) with the titles, words and addresses of its own documents and threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PROBLEMS = "https://api.twitter.com/2/problems/"


class Problem(Exception):
    """A whole answer that is an error. `status` is HTTP's, `body` what is sent, `headers` come with it."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(body.get("detail", status)))
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def plain(status: int, title: str, detail: str) -> Problem:
    """Return a problem that has no address of its own."""
    return Problem(status, {"title": title, "detail": detail, "type": "about:blank", "status": status})


def forbidden(detail: str = "Forbidden") -> Problem:
    """Return a 403. Without words it is what a missing scope is answered with."""
    return plain(403, "Forbidden", detail)


def unauthorized() -> Problem:
    """Return the answer to a token that is none."""
    return plain(401, "Unauthorized", "Unauthorized")


def not_found_address() -> Problem:
    """Return the answer to an address that does not exist."""
    return plain(404, "Not Found", "Not Found")


def invalid(message: str, parameters: Mapping[str, Sequence[str]]) -> Problem:
    """Return the answer to a request that makes no sense; `parameters` are the values complained of, by name."""
    return Problem(
        400,
        {
            "errors": [{"parameters": {name: list(each) for name, each in parameters.items()}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{_PROBLEMS}invalid-request",
        },
    )


def application_only() -> Problem:
    """Return the answer to an app that asks without a user where only users may."""
    return Problem(
        403,
        {
            "title": "Unsupported Authentication",
            "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported "
            "authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
            "type": f"{_PROBLEMS}unsupported-authentication",
            "status": 403,
        },
    )


def not_enrolled(client_id: str) -> Problem:
    """Return the answer to an app that its owner forgot to attach to a project."""
    return Problem(
        403,
        {
            "client_id": client_id,
            "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from "
            "a Twitter developer App that is attached to a Project. You can create a project via the developer portal.",
            "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": f"{_PROBLEMS}client-forbidden",
        },
    )


def too_many(headers: Mapping[str, str] | None = None) -> Problem:
    """Return a 429; the headers say until when, if they say anything."""
    answer = plain(429, "Too Many Requests", "Too Many Requests")
    answer.headers.update(headers or {})
    return answer


def credits_depleted(account: str) -> Problem:
    """Return the answer of pay-per-use when nothing is left (seen since February 2026)."""
    return Problem(
        402,
        {
            "title": "CreditsDepleted",
            "detail": f"Your enrolled account [{account}] does not have any credits to fulfill this request.",
            "type": f"{_PROBLEMS}credits",
        },
    )


def usage_cap(account: str) -> Problem:
    """Return the 429 that no waiting for a window mends: the month's reads are used up."""
    return Problem(
        429,
        {
            "account_id": account,
            "product_name": "standard-basic",
            "title": "UsageCapExceeded",
            "period": "Monthly",
            "scope": "Product",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": f"{_PROBLEMS}usage-capped",
        },
    )


def missing(kind: str, parameter: str, value: str) -> dict[str, Any]:
    """Return the error that stands beside the rest of an answer for a thing that is not there (any more)."""
    return {
        "value": value,
        "detail": f"Could not find {kind} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}resource-not-found",
    }


def hidden(kind: str, parameter: str, value: str, section: str = "data") -> dict[str, Any]:
    """Return the error that stands beside the rest for a thing the caller may not see: a protected post."""
    return {
        "value": value,
        "detail": f"Sorry, you are not authorized to see the Tweet with {parameter}: [{value}].",
        "title": "Authorization Error",
        "section": section,
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}not-authorized-for-resource",
    }
