"""The first admin of a new installation comes by the command line, and with them the first queue."""

from __future__ import annotations

from collections import defaultdict
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from agents import tokens
from agents.models import HistoryEntry, Person
from channels import ledger, processing
from channels.happenings import RawItem
from channels.models import ChannelAccount, LedgerItem
from tests.conftest import NOW, TARGETS, House, person
from tests.test_every_url import patterns
from tickets import intake, settings_queues
from tickets.models import Queue, ServiceTarget, Ticket

PASSWORD = "a-new-and-long-one"
MAIL = (
    "From: Carla Hughes <carla@post.example>\r\nTo: care@acme.example\r\nSubject: My kettle\r\n"
    "Message-ID: <NUMBER@post.example>\r\n\r\nIt does not boil.\r\n"
)


def link(*words: str) -> str:
    """The path of the link that the command prints, in its last line."""
    return urlsplit(printed(*words).splitlines()[-1]).path


def printed(*words: str) -> str:
    """All that the command prints."""
    out = StringIO()
    call_command("first_admin", *words, stdout=out)
    return out.getvalue().strip()


def a_mail(number: int) -> tuple[str, str]:
    """Record a mail to care@acme.example, work through what waits, and return what became of it."""
    account, _made = ChannelAccount.objects.get_or_create(
        kind="email", address="care@acme.example", defaults={"begins_at": NOW, "created_at": NOW}
    )
    body = MAIL.replace("NUMBER", str(number)).encode()
    told = {"internaldate": NOW.isoformat(), "uid": number, "uidvalidity": 1}
    item = RawItem(happening="message", external_id=f"<{number}@post.example>", body=body, meta=told)
    [item_id] = ledger.record(account, "email", [item], source="poll", now=NOW)
    processing.process(now=NOW, clock=lambda: NOW)
    return LedgerItem.objects.values_list("state", "reason").get(pk=item_id)


def test_the_first_admin_chooses_a_password_by_the_printed_link_and_comes_in(db: None) -> None:
    path = link("Grace@acme.example", "Grace Admin")
    grace = Person.objects.get()
    assert (grace.email, grace.is_admin, grace.works_tickets) == ("grace@acme.example", True, False)
    assert not grace.has_usable_password()
    client = Client()
    client.post(path, {"password": PASSWORD, "again": PASSWORD})
    grace.refresh_from_db()
    assert grace.check_password(PASSWORD)
    assert client.get(path).status_code == 410
    assert HistoryEntry.objects.filter(act="person.added").exists()


def test_an_admin_who_is_there_gets_a_new_link_and_a_colleague_who_is_none_is_refused(house: House) -> None:
    assert link("ada@acme.example")
    assert Person.objects.get(pk=house.ada.pk).name == house.ada.name
    with pytest.raises(CommandError, match="no admin"):
        link("anna@acme.example", "Anna")
    with pytest.raises(CommandError, match="name"):
        link("new@acme.example")
    with pytest.raises(CommandError, match="no email"):
        link("nonsense", "Somebody")


def test_after_migrate_and_first_admin_a_mail_that_comes_in_is_a_ticket(db: None) -> None:
    told = printed("grace@acme.example", "Grace Admin")
    assert "Made the queue General" in told
    assert [*Queue.objects.values_list("name", "is_default")] == [("General", True)]
    assert dict(ServiceTarget.objects.filter(queue=None).values_list("surface", "minutes")) == TARGETS
    assert a_mail(1) == ("processed", "")
    assert (Ticket.objects.get().queue.name, Ticket.objects.get().awaiting) == ("General", "us")
    # A second time it only prints another link.
    assert len(printed("grace@acme.example").splitlines()) == 1
    assert Queue.objects.count() == 1


def test_without_a_queue_mail_is_kept_with_a_reason_until_the_first_one_is_made(db: None) -> None:
    ada = person("Ada Lowe", is_admin=True, is_lead=True)
    assert a_mail(1) == ("quarantined", intake.NO_QUEUE)
    assert "makes one under Settings, Queues" in intake.NO_QUEUE
    settings_queues.make(actor=ada, name="Care", reopen_days=7, teams=(), now=NOW)
    assert Queue.objects.get().is_default
    processing.process_again(actor=ada, now=NOW, account=ChannelAccount.objects.get())
    processing.process(now=NOW, clock=lambda: NOW)
    assert LedgerItem.objects.get().state == "processed"
    assert Ticket.objects.get().queue.name == "Care"
    # The next queue takes nothing from the first.
    settings_queues.make(actor=ada, name="Returns", reopen_days=7, teams=(), now=NOW)
    assert Queue.objects.get(is_default=True).name == "Care"


def test_without_a_queue_no_page_and_no_address_of_the_api_falls_over(db: None) -> None:
    ada = person("Ada Lowe", is_admin=True, is_lead=True)
    a_mail(1)
    account = ChannelAccount.objects.get()
    client = Client()
    client.force_login(ada)
    ones = defaultdict(lambda: 1, account_id=account.pk, person_id=ada.pk, token="no-such", rest="", state="seen")
    answers = {name: client.get(path.format_map(ones)).status_code for name, path in patterns().items()}
    assert {name: status for name, status in answers.items() if status >= 500} == {}
    account = ChannelAccount.objects.create(kind="phone", address="+442079460100", begins_at=NOW, created_at=NOW)
    _token, text = tokens.make(person=ada, name="a program", now=NOW)
    call = {"number": "+44 20 7946 0142", "direction": "in", "disposition": "answered"}
    answer = client.post(
        "/api/v1/calls/", call, content_type="application/json", headers={"Authorization": f"Bearer {text}"}
    )
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "There is no queue yet. An admin has to make one first.",
    )
    assert client.post("/calls/new/", {**call, "started_at": NOW.strftime("%Y-%m-%dT%H:%M")}).status_code == 422
