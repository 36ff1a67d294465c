"""Facebook in flow tests: our Pages connected through the login dialog, and people who write there as themselves."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import psycopg2

from tests.running import Browser, Running, until

CARE = "6100000000000201"
OUTLET = "6100000000000202"
# What the dialog offers and our app asks for.
PERMISSIONS = (
    *("pages_show_list", "pages_read_engagement", "pages_read_user_content"),
    *("pages_manage_engagement", "pages_manage_metadata", "pages_messaging"),
)
_names = count(1)


@dataclass
class Friend:
    """Somebody on Facebook, by their key on the practice networks."""

    product: Running
    key: str

    def comment(self, text: str, to: str, **more: object) -> str:
        """Comment on a post or answer a comment; returns the comment's id."""
        return str(self._write(do="comment", to=to, text=text, **more)["id"])

    def message(self, text: str, page: str = CARE, **more: object) -> list[str]:
        """Write to a Page on Messenger; returns the ids of its messages, of which a file is one by itself."""
        return [str(one["mid"]) for one in self._write(do="message", page=page, text=text, **more)["messages"]]

    def edit(self, thing: str, text: str) -> None:
        """Change a comment or message."""
        self._write(do="edit", to=thing, text=text)

    def touch(self, do: str, **more: object) -> None:
        """Read, delete, react."""
        self.product.act("/practice/facebook/touch", person=self.key, do=do, **more)

    def chat(self, page: str = CARE) -> list[dict[str, Any]]:
        """What stands in their conversation with a Page, oldest first."""
        shown = self.product.got(f"/practice/facebook/conversation?person={self.key}&page={page}")
        return list(reversed(shown["messages"]))

    def answers(self, page: str = CARE) -> list[str]:
        """What they got from a Page on Messenger, oldest first: words, and files by their names."""
        ours = [one for one in self.chat(page) if one["by_page"]]
        return [one["text"] or ", ".join(file["name"] for file in one["files"]) for one in ours]

    def _write(self, **fields: object) -> dict[str, Any]:
        return self.product.act("/practice/facebook/write", person=self.key, **fields)


@dataclass
class AtFacebook:
    """The practice Facebook beside a started product."""

    product: Running
    origin: str
    # The accounts of our Pages, by the Page's id.
    accounts: dict[str, int] = field(default_factory=dict)

    @cached_property
    def lead(self) -> Browser:
        """The lead, signed in once for all tests: a password takes its time."""
        return self.product.signed_in("lead")

    @cached_property
    def admin(self) -> Browser:
        """The admin, likewise."""
        return self.product.signed_in("admin")

    def friend(self, name: str = "") -> Friend:
        """Somebody new who is on Facebook and nowhere else."""
        name = name or f"Friend {next(_names)}"
        made = self.product.act("/practice/people", name=name, mail="", x_handle="", phone="", facebook=True)
        return Friend(self.product, made["key"])

    def connect(self, *pages: str) -> None:
        """Connect Pages through the login dialog and our page of choice, and switch on those that are not on."""
        admin = self.admin
        dialog = admin.get("/settings/accounts/connect/facebook/")
        fields: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', dialog.text))
        consent = {**fields, "decision": "allow", "page": list(pages), "permission": list(PERMISSIONS)}
        choice = admin.session.post(dialog.url.partition("?")[0], data=consent, timeout=30)
        assert all(page in choice.text for page in pages), choice.text[-2000:]
        connected = admin.post("/settings/accounts/connect/facebook/pages/", page=list(pages))
        assert connected.status_code == 200, connected.text[-2000:]
        for page in pages:
            self.accounts[page] = int(
                self.product.value(
                    "SELECT id FROM channels_channelaccount WHERE kind = 'facebook' AND address = %s", page
                )
            )
            self.set(page, "resume")
            assert self.state(page) == "active"

    def set(self, page: str, act: str) -> None:
        """Press a button of a Page's account: pause, resume, poll-now."""
        answer = self.admin.post(f"/settings/accounts/{self.accounts[page]}/{act}/")
        assert answer.status_code == 200, answer.text

    def state(self, page: str) -> str:
        """Whether a Page's account is active, paused or refused."""
        return str(self._account(page, "state"))

    def poll(self, page: str = CARE) -> None:
        """Have us ask Facebook for what is new on a Page, and wait until that was done."""
        before = self._account(page, "caught_up_at")
        self.set(page, "poll-now")
        until(lambda: self._account(page, "caught_up_at") != before, what=f"a look at {page}")

    def post(self, page: str = CARE) -> str:
        """A post of ours that stands on a Page from the start."""
        pages = self.product.got("/people.json")["networks"]["facebook"]["pages"]
        return str(next(one for one in pages if one["id"] == page)["posts"][-1])

    def below(self, comment: str, page: str = CARE) -> list[str]:
        """What stands below a comment, as everybody sees it."""
        feed = self.product.got(f"/practice/facebook/feed?page={page}&limit=200")
        return [
            each["text"] for post in feed["posts"] for each in post["comments"] if each["parent"] == comment
        ]

    def our_people(self, do: str, **more: object) -> dict[str, Any]:
        """Our own people write in Facebook's own app, past the inbox; what they made."""
        return self.product.act("/practice/facebook/page", do=do, **more)

    def told(self) -> None:
        """Wait until every webhook was taken."""
        until(lambda: self.product.got("/practice/facebook/webhooks?limit=1")["waiting"] == 0, what="the webhooks")

    def tellings(self, thing: str) -> int:
        """How often webhooks with this id in them were posted to us."""
        posts = self.product.got("/practice/facebook/webhooks?limit=50")["posts"]
        about = [post for post in posts if thing in json.dumps(post["body"])]
        # Attempts are those that were not taken.
        return sum(post["attempts"] + (post["state"] == "delivered") for post in about)

    def ledger(self, thing: str) -> list[tuple[str, str, str, str]]:
        """What the ledger has of an id: happening, source, state and reason of each row, in their order."""
        rows = self.product.rows(
            "SELECT i.happening, i.source, i.state, i.reason FROM channels_ledgeritem i"
            " JOIN channels_ledgerbody b ON b.item_id = i.id WHERE b.meta->>'external_id' = %s ORDER BY i.id",
            thing,
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def settled(self, thing: str, times: int = 1) -> list[tuple[str, str, str, str]]:
        """The same, once so many rows are there and none of them waits."""
        return until(
            lambda: [
                each
                for each in [self.ledger(thing)]
                if len(each) >= times and all(state != "pending" for _how, _source, state, _why in each)
            ],
            what=f"{times} rows of {thing} are through",
        )[0]

    def misbehave(self, switch: str, **more: object) -> None:
        """Facebook does something it should not."""
        self.product.mischief(switch, network="facebook", **more)

    def three_times(self) -> None:
        """What is posted next comes three times: doubled, and once more because the answer is not waited for."""
        self.misbehave("fb_hook_twice", times=1)
        self.misbehave("fb_hook_timeout", times=1)

    def behave(self) -> None:
        """Facebook keeps its rules again, and has counted none of our calls."""
        self.product.behave("facebook")
        self.product.act("/practice/facebook/limits")

    def mend(self) -> None:
        """Connect what a test that failed has left paused or refused, so that the next does not fail with it."""
        if any(self.state(page) != "active" for page in self.accounts):
            self.connect(*self.accounts)

    def rows(self, message: int) -> list[tuple[str, int, bool]]:
        """The provider calls of a reply: state, attempts, and whether it ever was unknown, in their order."""
        found = self.product.rows(
            "SELECT state, attempts, unknown_at IS NOT NULL FROM channels_outbound WHERE reference = %s ORDER BY id",
            f"message:{message}",
        )
        return [(row[0], row[1], row[2]) for row in found]

    def reason(self, message: int) -> str:
        """Why a reply is where it is, as its bubble says it."""
        return str(self.product.value("SELECT state_reason FROM tickets_message WHERE id = %s", message))

    def change(self, sql: str, *values: object) -> None:
        """Change a row, for moments that nobody would wait for."""
        connection = psycopg2.connect(self.product.file()["database_url"], connect_timeout=3)
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute(sql, values)

    def _account(self, page: str, column: str) -> Any:
        return self.product.value(
            f"SELECT {column} FROM channels_channelaccount WHERE id = %s",
            self.accounts[page],
        )


def contact(product: Running, ticket: int, surface: str) -> int:
    """The id of a ticket's latest contact on a surface; waits for it."""
    return int(
        until(
            lambda: product.value(
                "SELECT id FROM tickets_contact WHERE ticket_id = %s AND surface = %s ORDER BY id DESC LIMIT 1",
                ticket,
                surface,
            ),
            what=f"the contact on {surface}",
        )
    )


def uploaded(lead: Browser, ticket: int, name: str, content: bytes) -> str:
    """Attach a picture to what is being written; returns what the reply names it by."""
    answer = lead.session.post(
        f"{lead.running.inbox}/t/{ticket}/upload/", files={"file": (name, content, "image/png")}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])
