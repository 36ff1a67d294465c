"""The loop on X: an admin consents, a customer posts, is answered in public and by message, edits and deletes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.running import Running, until

CARE = "1780000000000000201"


@pytest.fixture(scope="module")
def x(product: Running) -> Callable[..., dict[str, Any]]:
    """X as the customer Carla uses it, once @AcmeCare is connected through the consent page."""
    admin = product.signed_in("admin")
    page = admin.get("/settings/accounts/connect/x/")
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    origin = re.match(r"https?://[^/]+", page.url)
    assert origin is not None
    shown = admin.session.post(
        f"{origin[0]}/i/oauth2/authorize", data={**fields, "user_id": CARE, "decision": "allow"}, timeout=30
    )
    assert "What would come in" in shown.text
    account = product.value("SELECT id FROM channels_channelaccount WHERE kind = 'x'")
    admin.post(f"/settings/accounts/{account}/resume/")
    assert product.value("SELECT state FROM channels_channelaccount WHERE id = %s", account) == "active"
    people = product.got("/people.json")
    carla = next(person for person in people["people"] if person["name"] == "Carla Hughes")

    def act(method: str, path: str, **sent: Any) -> dict[str, Any]:
        answer = requests.request(
            method,
            f"{people['networks']['x']['origin']}{path}",
            headers={"Authorization": f"Bearer {carla['x_token']}"},
            timeout=30,
            **sent,
        )
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return act


def test_a_post_is_answered_in_public_in_its_thread_once(product: Running, x: Callable[..., dict[str, Any]]) -> None:
    post = x("POST", "/2/tweets", json={"text": "@AcmeCare my router is dead"})["data"]["id"]
    ticket = product.ticket_with("my router is dead")
    lead = product.signed_in("lead")
    message = lead.reply(ticket, "Sorry! We look into it right away.")
    until(lambda: lead.state(message) == "sent", what="the answer is sent")
    answers = x("GET", "/2/tweets/search/recent", params={"query": f"conversation_id:{post} from:AcmeCare"})["data"]
    assert [one["text"] for one in answers] == ["@carla_hughes Sorry! We look into it right away."]


def test_a_direct_message_of_the_same_person_is_on_the_same_ticket_and_answered_there(
    product: Running, x: Callable[..., dict[str, Any]]
) -> None:
    x("POST", "/2/tweets", json={"text": "@AcmeCare where do I send my postcode?"})
    ticket = product.ticket_with("where do I send my postcode")
    path = f"/2/dm_conversations/with/{CARE}"
    x("POST", f"{path}/messages", json={"text": "My postcode is SE15 4QX"})
    # X lets direct messages be asked for once a minute.
    until(
        lambda: product.value("SELECT ticket_id FROM tickets_message WHERE text = 'My postcode is SE15 4QX'"),
        what="the direct message",
        seconds=90,
    )
    assert product.ticket_with("My postcode is SE15 4QX") == ticket
    lead = product.signed_in("lead")
    message = lead.reply(ticket, "Thank you, Carla.")
    until(lambda: lead.state(message) == "sent", what="the answer is sent")
    assert "Thank you, Carla." in str(x("GET", f"{path}/dm_events"))


def test_what_x_refuses_is_said_in_words(product: Running, x: Callable[..., dict[str, Any]]) -> None:
    x("POST", "/2/tweets", json={"text": "@AcmeCare is anybody there?"})
    ticket = product.ticket_with("is anybody there")
    lead = product.signed_in("lead")
    row = product.rows(
        "SELECT c.id, t.arrivals FROM tickets_contact c JOIN tickets_ticket t ON t.id = c.ticket_id"
        " JOIN tickets_message m ON m.contact_id = c.id WHERE m.text LIKE '%%is anybody there%%'"
    )[0]
    long = "x" * 281
    answer = lead.post(f"/t/{ticket}/reply/", contact=row[0], seen=row[1], text=long)
    assert (answer.status_code, "280" in answer.json()["error"]) == (422, True)


def test_a_deleted_post_is_marked_and_its_words_are_kept(product: Running, x: Callable[..., dict[str, Any]]) -> None:
    post = x("POST", "/2/tweets", json={"text": "@AcmeCare you are all thieves"})["data"]["id"]
    product.ticket_with("you are all thieves")
    x("DELETE", f"/2/tweets/{post}")
    until(
        lambda: product.value("SELECT deleted_at FROM tickets_message WHERE external_id = %s", post),
        what="the deletion is noticed",
        seconds=60,
    )
    assert product.value("SELECT text FROM tickets_messageversion") == "@AcmeCare you are all thieves"
