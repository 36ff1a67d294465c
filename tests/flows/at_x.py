"""X in flow tests: our handles connected through the consent page, and people who write there as themselves."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from itertools import count
from typing import Any

import requests

from tests.running import Browser, Never, Running, until

CARE = "1780000000000000201"
DEALS = "1780000000000000202"
_names = count(1)


@dataclass
class Customer:
    """Somebody on X, with a token of their own."""

    product: Running
    origin: str
    handle: str
    id: str
    token: str

    def act(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """One call of X's API in their name."""
        answer = requests.request(
            method, f"{self.origin}{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=30, **sent
        )
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def post(self, text: str, **more: Any) -> str:
        """Post; returns the id."""
        return str(self.act("POST", "/2/tweets", json={"text": text, **more})["data"]["id"])

    def message(self, text: str, to: str = CARE, **more: Any) -> None:
        """Send a direct message."""
        self.act("POST", f"/2/dm_conversations/with/{to}/messages", json={"text": text, **more})

    def picture(self, content: bytes, category: str = "tweet_image") -> str:
        """Upload a picture; returns what a post names it by."""
        answer = self.act(
            "POST", "/2/media/upload", files={"media": content}, data={"media_category": category}
        )
        return str(answer["data"]["id"])

    def answers(self, post: str) -> list[str]:
        """What our handles said below a post, as everybody sees it."""
        query = {"query": f"conversation_id:{post} from:AcmeCare"}
        return [one["text"] for one in self.act("GET", "/2/tweets/search/recent", params=query).get("data", [])]

    def messages(self) -> list[str]:
        """What was said between them and @AcmeCare, newest first."""
        events = self.act("GET", f"/2/dm_conversations/with/{CARE}/dm_events").get("data", [])
        return [one["text"] for one in events]


@dataclass
class AtX:
    """The practice X beside a started product."""

    product: Running
    origin: str

    def customer(self, name: str = "") -> Customer:
        """Somebody new who is on X and nowhere else."""
        number = next(_names)
        handle = f"flow_{number}"
        made = self.product.act("/practice/people", name=name or f"Flow {number}", mail="", x_handle=handle, phone="")
        people = self.product.got("/people.json")["people"]
        one = next(each for each in people if each["x_handle"] == handle)
        assert made["key"] == one["key"]
        return Customer(self.product, self.origin, handle, one["x_id"], one["x_token"])

    def person(self, key: str) -> Customer:
        """One of the cast."""
        one = next(each for each in self.product.got("/people.json")["people"] if each["key"] == key)
        return Customer(self.product, self.origin, one["x_handle"], one["x_id"], one["x_token"])

    def connect(self, user_id: str) -> int:
        """Connect one of our handles through the consent page and switch it on; returns the account's id."""
        account = self.consent(user_id)
        self.product.signed_in("admin").post(f"/settings/accounts/{account}/resume/")
        state = self.product.value("SELECT state FROM channels_channelaccount WHERE id = %s", account)
        assert state == "active"
        return account

    def consent(self, user_id: str) -> int:
        """Connect one of our handles through the consent page; returns the id of the account, which is not on yet."""
        admin = self.product.signed_in("admin")
        page = admin.get("/settings/accounts/connect/x/")
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        shown = admin.session.post(
            f"{self.origin}/i/oauth2/authorize", data={**fields, "user_id": user_id, "decision": "allow"}, timeout=30
        )
        assert "What would come in" in shown.text
        return int(
            self.product.value("SELECT id FROM channels_channelaccount WHERE kind = 'x' AND address = %s", user_id)
        )

    def misbehave(self, switch: str, **more: object) -> None:
        """X does something it should not."""
        self.product.mischief(switch, network="x", **more)

    def behave(self) -> None:
        """X keeps its rules again, but for its rate limits, which nobody would wait for."""
        self.product.behave("x")
        self.product.mischief("x_unlimited", network="x")

    def outcome(self, message: int) -> tuple[str, int, bool]:
        """A reply's state in the outbox, how often it was tried, and whether it ever was unknown."""
        row = self.product.rows(
            "SELECT state, attempts, unknown_at IS NOT NULL FROM channels_outbound WHERE reference = %s",
            f"message:{message}",
        )[0]
        return row[0], row[1], row[2]

    def reason(self, message: int) -> str:
        """Why a reply is where it is, as its bubble says it."""
        return str(self.product.value("SELECT state_reason FROM tickets_message WHERE id = %s", message))


def becomes(lead: Browser, message: int, state: str) -> None:
    """Wait until a reply's bubble shows this state."""
    try:
        until(lambda: lead.state(message) == state, what=f"reply {message} is {state}")
    except Never as error:
        outbox = lead.running.rows(
            "SELECT state, attempts, error_code, error_text, not_before, lease_until FROM channels_outbound"
            " WHERE reference = %s",
            f"message:{message}",
        )
        raise Never(f"{error}: it is {lead.state(message)}, and in the outbox {outbox}") from error


# Half a red and half a white field, 8 by 8.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR42mM4IScHR/+RAMPQkgAAqpiAIeLdqrsAAAAASUVORK5CYII="
)
