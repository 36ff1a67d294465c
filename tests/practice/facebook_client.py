"""facebook-sdk as it is, against the Graph of a running practice: consent, tokens, and a client for each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import facebook
import requests
from jsonschema import Draft202012Validator
from requests.adapters import HTTPAdapter

from practice.facebook.schemas import answer_schema, error_schema
from tests.practice.running import Practice

CALLBACK = "http://127.0.0.1:8000/accounts/facebook/back"
APP_ID = "1700000000000001"
SECRET = "practice-facebook-secret"
CARE = "6100000000000201"
OUTLET = "6100000000000202"
ADA = "7000000000000001"
CARLA_PSID, CARLA_ID = "7200000000000101", "7100000000000101"
PERMISSIONS = [
    *("pages_show_list", "pages_read_engagement", "pages_read_user_content", "pages_manage_engagement"),
    *("pages_manage_metadata", "pages_messaging"),
]


class ToPractice(HTTPAdapter):
    """Sends to the practice origin what is meant for Facebook, with a time limit, and checks the answers' shape."""

    def __init__(self, origin: str, timeout: float = 5, *, checked: bool = True) -> None:
        self.origin, self.timeout, self.checked = urlsplit(origin), timeout, checked
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url
        asked = urlsplit(request.url)
        request.url = urlunsplit((self.origin.scheme, self.origin.netloc, asked.path, asked.query, ""))
        more["timeout"] = self.timeout
        answer = super().send(request, *args, **more)
        if self.checked and answer.headers.get("content-type", "").startswith("application/json"):
            check(str(request.method), asked.path, answer)
        return answer


def check(method: str, path: str, answer: requests.Response) -> None:
    """Hold an answer to the schema of its address."""
    body = answer.json()
    if answer.status_code != 200:
        Draft202012Validator(error_schema()).validate(body)
        assert answer.headers["www-authenticate"].startswith('OAuth "Facebook Platform" ')
        return
    schema = answer_schema(method, path)
    assert schema is not None, f"no schema for {method} {path}"
    Draft202012Validator(schema).validate(body)


class Graph(facebook.GraphAPI):  # type: ignore[misc]
    """facebook-sdk with the version of today, nested values as JSON, and the last answer kept."""

    def __init__(self, token: str, origin: str, *, timeout: float = 5, checked: bool = True) -> None:
        session = requests.Session()
        session.mount("https://graph.facebook.com/", ToPractice(origin, timeout, checked=checked))
        session.hooks["response"].append(self._keep)
        super().__init__(token, session=session)
        self.version = "v25.0"
        self.last = requests.Response()

    def request(self, path: str, args: Any = None, post_args: Any = None, files: Any = None, method: Any = None) -> Any:
        return super().request(path, _written(args), _written(post_args), files, method)

    def post(self, node: str, **fields: Any) -> Any:
        """Write to a node itself, for which facebook-sdk has no method."""
        return self.request(f"{self.version}/{node}", post_args=fields)

    def send(self, page: str, recipient: Mapping[str, str], message: object, **more: Any) -> Any:
        """Send a message."""
        return self.put_object(page, "messages", recipient=dict(recipient), message=message, **more)

    def everything(self, node: str, edge: str, **args: Any) -> Iterator[dict[str, Any]]:
        """Turn all pages of a list."""
        while True:
            page = self.get_connections(node, edge, **args)
            yield from page["data"]
            if "next" not in page.get("paging", {}):
                return
            args["after"] = page["paging"]["cursors"]["after"]

    def _keep(self, answer: requests.Response, *args: Any, **more: Any) -> None:
        self.last = answer


def _written(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        name: json.dumps(value) if isinstance(value, dict | bool) else value for name, value in given.items()
    }


@dataclass
class Facebook:
    """The Facebook network of a running practice."""

    practice: Practice
    # A whole consent is a dozen requests; what nobody chose differently is kept.
    tokens: dict[str, str] = field(default_factory=dict)
    known_origin: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What /people.json says about Facebook."""
        facts: dict[str, Any] = self.practice.ask("/people.json").body["networks"]["facebook"]
        return facts

    @property
    def origin(self) -> str:
        """Where the Graph is."""
        self.known_origin = self.known_origin or str(self.facts["origin"])
        return self.known_origin

    def client(self, token: str = "", **more: Any) -> Graph:
        """A client with a token."""
        return Graph(token, self.origin, **more)

    def consent(
        self,
        *,
        pages: Sequence[str] = (CARE, OUTLET),
        permissions: Sequence[str] = PERMISSIONS,
        decision: str = "allow",
        callback: str = CALLBACK,
    ) -> dict[str, str]:
        """Decide in the dialog, as a browser would, and return the parameters it leads back with."""
        self.tokens.clear()
        url = self.client().get_auth_url(APP_ID, callback, PERMISSIONS, state="s-1", response_type="code")
        asked = urlsplit(url)
        assert asked.path == "/v25.0/dialog/oauth"
        page = requests.get(f"{self.origin}{asked.path}?{asked.query}", timeout=5)
        assert page.status_code == 200, page.text
        fields = {name: value for name, (value,) in parse_qs(asked.query).items()}
        answer = requests.post(
            f"{self.origin}{asked.path}",
            data={**fields, "page": list(pages), "permission": list(permissions), "decision": decision},
            allow_redirects=False,
            timeout=5,
        )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert back._replace(query="", fragment="").geturl() == callback
        return {name: value for name, (value,) in parse_qs(back.query).items()}

    def user_token(self, **chosen: Any) -> str:
        """A person's long-lived token after a whole consent."""
        client = self.client()
        code = self.consent(**chosen)["code"]
        client.access_token = client.get_access_token_from_code(code, CALLBACK, APP_ID, SECRET)["access_token"]
        return str(client.extend_access_token(APP_ID, SECRET)["access_token"])

    def page(self, page_id: str = CARE, **chosen: Any) -> Graph:
        """A client with a Page's token that never ends."""
        if chosen or page_id not in self.tokens:
            listed = self.client(self.user_token(**chosen)).get_connections("me", "accounts")["data"]
            found = {each["id"]: each["access_token"] for each in listed}
            if not chosen:
                self.tokens.update(found)
            return self.client(found[page_id])
        return self.client(self.tokens[page_id])

    def act(self, path: str, **fields: object) -> Any:
        """Do something below /practice/facebook/."""
        if path == "revoke":
            self.tokens.clear()
        answer = self.practice.ask(f"/practice/facebook/{path}", fields)
        assert answer.status == 200, answer
        return answer.body


def error(caught: Any) -> dict[str, Any]:
    """The error of a refusal that pytest caught."""
    told: dict[str, Any] = caught.value.result["error"]
    return told
