"""X as our app and its customers meet it: real tweepy, sent to the practice origin, every answer held to its schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import requests
import tweepy
from jsonschema import Draft202012Validator
from requests.adapters import HTTPAdapter

from practice.x.schemas import answer_schema, operations
from tests.practice.running import Practice

CALLBACK = "http://127.0.0.1:8000/accounts/x/back"
SCOPES = [
    *("tweet.read", "tweet.write", "users.read", "dm.read", "dm.write", "tweet.moderate.write", "offline.access"),
    "media.write",
]
CARE_ID = "1780000000000000201"
DEALS_ID = "1780000000000000202"
CARLA_ID = "1790000000000000101"
GRACE_ID = "1790000000000000106"


class ToPractice(HTTPAdapter):
    """Sends to the practice origin what is meant for X, with a time limit, and checks the answers' shape."""

    def __init__(self, origin: str, timeout: float = 5) -> None:
        self.origin, self.timeout, self.checked = urlsplit(origin), timeout, True
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url
        asked = urlsplit(request.url)
        request.url = urlunsplit((self.origin.scheme, self.origin.netloc, asked.path, asked.query, ""))
        more["timeout"] = self.timeout
        answer = super().send(request, *args, **more)
        if self.checked and answer.headers["content-type"].startswith("application/json"):
            check(str(request.method), asked.path, answer)
        return answer


def check(method: str, path: str, answer: requests.Response) -> None:
    """Hold an answer to the schema of its operation."""
    fixed_first = sorted(operations().values(), key=lambda each: each.path.count("{"))
    for operation in fixed_first:
        if operation.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", operation.path), path):
            assert answer.status_code == operation.status
            Draft202012Validator(answer_schema(operation.answer)).validate(answer.json())
            return


@dataclass
class X:
    """The X network of a running practice."""

    practice: Practice

    @property
    def facts(self) -> dict[str, Any]:
        """What /people.json says about X."""
        facts: dict[str, Any] = self.practice.ask("/people.json").body["networks"]["x"]
        return facts

    def client(self, token: str, *, timeout: float = 5, checked: bool = True) -> tweepy.Client:
        """A tweepy client whose answers are plain dicts."""
        client = tweepy.Client(token, return_type=dict)
        adapter = ToPractice(self.facts["origin"], timeout)
        adapter.checked = checked
        client.session.mount("https://api.twitter.com/", adapter)
        return client

    def person(self, key: str) -> tweepy.Client:
        """A client with a person's own token."""
        return self.client(f"practice-x-{key}")

    def handler(
        self, *, secret: str = "practice-x-secret", scopes: list[str] | None = None
    ) -> tweepy.OAuth2UserHandler:
        """tweepy's own OAuth 2.0 client."""
        handler = tweepy.OAuth2UserHandler(
            client_id="practice-x-client", redirect_uri=CALLBACK, scope=scopes or SCOPES, client_secret=secret
        )
        handler.mount("https://api.twitter.com/", ToPractice(self.facts["origin"]))
        return handler

    def consent(self, handler: tweepy.OAuth2UserHandler, user_id: str = CARE_ID, decision: str = "allow") -> str:
        """Say yes (or no) on the consent page, as a browser would, and return where it leads back to."""
        asked, origin = urlsplit(handler.get_authorization_url()), self.facts["origin"]
        page = requests.get(f"{origin}{asked.path}?{asked.query}", timeout=5)
        assert page.status_code == 200, page.text
        fields = {name: value for name, (value,) in parse_qs(asked.query).items()}
        answer = requests.post(
            f"{origin}{asked.path}",
            data={**fields, "user_id": user_id, "decision": decision},
            allow_redirects=False,
            timeout=5,
        )
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def tokens(self, user_id: str = CARE_ID, scopes: list[str] | None = None) -> dict[str, Any]:
        """The tokens after a whole consent."""
        handler = self.handler(scopes=scopes)
        # oauthlib wants the address that came back to be https; the code in it is all that is read.
        back = self.consent(handler, user_id).replace("http://", "https://")
        tokens: dict[str, Any] = handler.fetch_token(back)
        return tokens

    def ours(self, user_id: str = CARE_ID, *, timeout: float = 5, checked: bool = True) -> tweepy.Client:
        """A client of our app that acts for one of our handles."""
        return self.client(self.tokens(user_id)["access_token"], timeout=timeout, checked=checked)

    def misbehave(self, switch: str, on: bool = True, **limits: object) -> None:
        """Move a switch."""
        answer = self.practice.ask("/practice/mischief", {"network": "x", "switch": switch, "on": on, **limits})
        assert answer.status == 200, answer

    def act(self, path: str, **fields: object) -> Any:
        """Turn a knob below /practice/x/."""
        answer = self.practice.ask(f"/practice/x/{path}", fields)
        assert answer.status == 200, answer
        return answer.body


def post(client: tweepy.Client, text: str, **more: Any) -> str:
    """Post, and return the id."""
    return str(client.create_tweet(text=text, user_auth=False, **more)["data"]["id"])


def ids(answer: dict[str, Any]) -> list[str]:
    """The ids of a list's items."""
    return [each["id"] for each in answer.get("data", [])]


def newest(client: tweepy.Client, user_id: str = CARE_ID) -> str:
    """An id above which nothing is yet in the mentions."""
    return str(client.get_users_mentions(user_id)["meta"].get("newest_id", "1"))


def said(refusal: Any) -> dict[str, Any]:
    """The JSON of a refusal that pytest caught."""
    told: dict[str, Any] = refusal.value.response.json()
    return told
