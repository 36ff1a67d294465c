"""A tiny Graph of the tests' own: it answers what a test scripts, and remembers what it was asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.adapters.base import Connection
from channels.adapters.facebook import FacebookAdapter, split
from channels.happenings import Address, Happening, Outgoing, RawItem
from contactcentre.lib.secrets import Credentials
from tests.channels.adapters.x.conftest import TinyX, tiny

__all__ = ["tiny"]

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PAGE = "1088800000000001"
OUTLET = "1088800000000002"
ANA = "7000000000000123"
PSID = "5000000000000123"
POST = f"{PAGE}_901"
TOKEN = "practice-page-token"
PROOF = "5c0ffee"
VERSION = "v25.0"

FEED = f"GET /{VERSION}/{PAGE}/feed"
CHATS = f"GET /{VERSION}/{PAGE}/conversations"
COMMENTS = f"GET /{VERSION}/{POST}/comments"
MESSAGES = f"POST /{VERSION}/{PAGE}/messages"

Tiny = TinyX


@pytest.fixture
def facebook(tiny: Tiny, settings: Any) -> Tiny:
    """The tiny Graph in the place of the real one."""
    settings.FACEBOOK_GRAPH_ORIGIN = tiny.origin
    settings.FACEBOOK_GRAPH_VERSION = VERSION
    return tiny


@pytest.fixture
def adapter() -> FacebookAdapter:
    return FacebookAdapter(seconds=10.0)


def connection(**given: Any) -> Connection:
    """Acme Care, connected an hour ago."""
    values: dict[str, Any] = {
        "account_id": 7,
        "kind": "facebook",
        "address": PAGE,
        "name": "Acme Care",
        "settings": {"permissions": []},
        "credentials": Credentials(access_token=TOKEN, appsecret_proof=PROOF),
        "begins_at": NOW - timedelta(hours=1),
        "own": frozenset({PAGE, OUTLET}),
    }
    return Connection(**{**values, **given})


def ago(minutes: float) -> str:
    """A time so many minutes before NOW, as Graph writes it."""
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def ms(minutes: float = 0) -> int:
    """The same in milliseconds since 1970, as Messenger does."""
    return int((NOW - timedelta(minutes=minutes)).timestamp() * 1000)


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def feed_change(**given: Any) -> dict[str, Any]:
    """Ana comments on our post, as a webhook tells of it; None leaves a field out."""
    values: dict[str, Any] = {
        "item": "comment",
        "verb": "add",
        "comment_id": "901_903",
        "post_id": POST,
        "parent_id": POST,
        "from": {"id": ANA, "name": "Ana Baker"},
        "created_time": ms(5) // 1000,
        "message": "where is my order?",
    }
    return {"field": "feed", "value": without_none({**values, **given})}


def event(what: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """Something of Ana's on Messenger, a message where nothing is said."""
    values: dict[str, Any] = {
        "sender": {"id": PSID},
        "recipient": {"id": PAGE},
        "timestamp": ms(5),
        **(what if what is not None else {"message": {"mid": "m_1", "text": "hello"}}),
    }
    return without_none({**values, **given})


def webhook(*, changes: list[Any] | None = None, messaging: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """A POST with one entry."""
    entry: dict[str, Any] = {"id": PAGE, "time": ms() if messaging else ms() // 1000, **more}
    return {
        "object": "page",
        "entry": [entry | without_none({"changes": changes, "messaging": messaging})],
    }


def items_of(given: object) -> list[RawItem]:
    return [part.item for part in split(json.dumps(given).encode())]


def read(item: RawItem, told: Connection | None = None) -> list[Happening]:
    return list(FacebookAdapter().parse(item, told or connection()))


def one(given: object, told: Connection | None = None) -> Any:
    """The one happening of a webhook with one thing in it."""
    (item,) = items_of(given)
    (only,) = read(item, told)
    return only


def comment(number: str = "901_903", *, minutes: float = 5, **given: Any) -> dict[str, Any]:
    """Ana's comment as Graph lists it."""
    values: dict[str, Any] = {
        "id": number,
        "from": {"id": ANA, "name": "Ana Baker"},
        "message": "where is my order?",
        "created_time": ago(minutes),
        "permalink_url": f"https://www.facebook.com/{number}",
    }
    return without_none({**values, **given})


def post(number: str = POST, *, minutes: float = 60 * 24, changed: float = 5, **given: Any) -> dict[str, Any]:
    """A post in our feed, by us unless said otherwise."""
    values: dict[str, Any] = {
        "id": number,
        "from": {"id": PAGE, "name": "Acme Care"},
        "message": "The quiet grinder is here",
        "created_time": ago(minutes),
        "updated_time": ago(changed),
        "permalink_url": f"https://www.facebook.com/{number}",
    }
    return without_none({**values, **given})


def message(number: str = "m_1", *, minutes: float = 5, **given: Any) -> dict[str, Any]:
    """Ana's message as its conversation shows it."""
    values: dict[str, Any] = {
        "id": number,
        "created_time": ago(minutes),
        "from": {"id": PSID, "name": "Ana Baker"},
        "to": {"data": [{"id": PAGE, "name": "Acme Care"}]},
        "message": "hello",
    }
    return without_none({**values, **given})


def chat(*messages: dict[str, Any], changed: float = 5, number: str = "t_1") -> dict[str, Any]:
    people = [{"id": PSID, "name": "Ana Baker"}, {"id": PAGE, "name": "Acme Care"}]
    return {
        "id": number,
        "updated_time": ago(changed),
        "participants": {"data": people},
        "messages": {"data": list(messages)},
    }


def page(*entries: Any, after: str = "") -> dict[str, Any]:
    """A page of an edge; the link to the next one carries host and token, as Facebook's does."""
    made: dict[str, Any] = {"data": list(entries)}
    if after:
        link = f"https://graph.facebook.com/{VERSION}/x?access_token={TOKEN}&after={after}"
        made["paging"] = {"cursors": {"before": "b", "after": after}, "next": link}
    return made


def error(code: int, subcode: int = 0, status: int = 400, **more: Any) -> tuple[Any, ...]:
    """An error as Facebook answers it."""
    headers = more.pop("headers", {})
    given = {"message": f"(#{code}) no", "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}
    if subcode:
        given["error_subcode"] = subcode
    return status, {"error": given}, headers


def quiet(facebook: Tiny) -> None:
    """Nothing new anywhere."""
    for call in (FEED, CHATS, COMMENTS):
        facebook.on(call, (200, page()))


def outgoing(**given: Any) -> Outgoing:
    """Our answer to Ana on Messenger."""
    values: dict[str, Any] = {
        "surface": "facebook:messenger",
        "recipient": Address(kind="fb_psid", value=PSID, scope=PAGE),
        "marker": "message:1.abc",
        "text": "We are looking into it.",
        "thread": PSID,
        "parent_id": "m_1",
    }
    return Outgoing(**{**values, **given})


def answer(**given: Any) -> Outgoing:
    """Our answer to her comment."""
    values: dict[str, Any] = {
        "surface": "facebook:comment",
        "recipient": Address(kind="fb_commenter", value=ANA, scope=PAGE),
        "thread": "901_903",
        "parent_id": "901_903",
    }
    return outgoing(**{**values, **given})
