"""Row 28: what was filtered as automatic mail becomes a ticket when somebody says that a person wrote it."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from agents.models import HistoryEntry
from channels import ledger, processing
from channels.models import LedgerItem
from tests.channels.conftest import raw
from tests.conftest import House
from tickets.models import Message, Ticket

MAIL = (
    b"From: Ida <ida@post.example>\r\nTo: care@acme.example\r\nSubject: Away, but please ring\r\n"
    b"Message-ID: <away@post.example>\r\nAuto-Submitted: auto-replied\r\n\r\nPlease ring me about the kettle.\r\n"
)


def test_somebody_makes_a_ticket_of_an_automatic_mail(house: House, client: Client) -> None:
    now = house.clock.now
    told = {"internaldate": now.isoformat(), "uid": 1, "uidvalidity": 1}
    item = raw("<away@post.example>", body=MAIL, meta=told)
    [item_id] = ledger.record(house.mailbox, "email", [item], source="poll", now=now)
    processing.process(now=now, clock=lambda: now)
    assert LedgerItem.objects.values_list("state", "reason").get() == ("filtered", "automatic")
    client.force_login(house.ada)
    page = client.get(reverse("channels:ledger", args=["filtered"])).content.decode()
    assert 'name="by_hand" value="1"' in page

    # Processed again as it is, it is filtered again; as somebody's words it opens a ticket that waits for us.
    again = reverse("channels:process-again", args=[item_id])
    client.post(again)
    _due_now(now)
    processing.process(now=now, clock=lambda: now)
    assert not Ticket.objects.exists()
    client.post(again, {"by_hand": "1"})
    _due_now(now)
    processing.process(now=now, clock=lambda: now)
    assert LedgerItem.objects.values_list("state", "reason").get() == ("processed", "")
    assert Ticket.objects.get().awaiting == "us"
    assert Message.objects.values_list("text", "automatic").get() == ("Please ring me about the kettle.", "")
    marked = [entry.data.get("by_hand") for entry in HistoryEntry.objects.filter(act="ledger.processed_again")]
    assert sorted(marked, key=str) == [None, True]


def _due_now(now: object) -> None:
    """The page's clock is the real one; the test's stands still."""
    LedgerItem.objects.filter(state="pending").update(due_at=now)
