"""Every address of the product, asked by every role: nobody finds a door open that is not theirs.

The addresses are read from the resolver, so that a new one without a line here fails. What each door answers stands
in DOORS; which door an address has, in ADDRESSES. Answers of POST are those to an empty form: what matters is that
strangers and other roles are turned away before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agents.models import Person, Team
from channels import adapters
from channels.models import App, ChannelAccount, LedgerItem
from tests.channels.conftest import ScriptedAdapter
from tests.conftest import NOW, House, person
from tickets.models import Attachment, CallDetails, Message, Queue, ReplyTemplate

# Those whom the doors of "ticket" let in at all, some tickets or none.
INSIDE = ("agent", "other", "lead")
ROLES = ("nobody", "agent", "other", "lead", "admin", "all")

# What a door answers to: nobody, an agent who serves the queue, an agent of another team, a lead, a mere admin, and
# somebody with all roles. "yes": the view itself answered, whatever it said; never a 302 to the sign-in, never a 403.
DOORS: dict[str, dict[str, str]] = {
    "open": dict.fromkeys(ROLES, "yes"),
    "signed_in": {**dict.fromkeys(ROLES, "yes"), "nobody": "302"},
    # Whoever works tickets; which ones, the view decides.
    "works": {**dict.fromkeys(ROLES, "yes"), "nobody": "302", "admin": "403"},
    # One ticket, or something on it, in a queue that the other team does not serve.
    "ticket": {**dict.fromkeys(ROLES, "yes"), "nobody": "302", "admin": "403", "other": "403"},
    # Something confidential on a ticket that the agent may see.
    "secret": {"nobody": "302", "agent": "403", "other": "403", "lead": "yes", "admin": "403", "all": "yes"},
    # Taking a reply back is for its author, who is none of these.
    "author": {**dict.fromkeys(ROLES, "403"), "nobody": "302"},
    "leads": {"nobody": "302", "agent": "403", "other": "403", "lead": "yes", "admin": "403", "all": "yes"},
    "admins": {"nobody": "302", "agent": "403", "other": "403", "lead": "403", "admin": "yes", "all": "yes"},
    # What customers wrote, from the ledger: an admin who is also agent or lead.
    "words": {"nobody": "302", "agent": "403", "other": "403", "lead": "403", "admin": "403", "all": "yes"},
    # For programs: nobody is led to a page to sign in.
    "api": {**dict.fromkeys(ROLES, "yes"), "nobody": "401"},
    "api works": {**dict.fromkeys(ROLES, "yes"), "nobody": "401", "admin": "403"},
    "api ticket": {**dict.fromkeys(ROLES, "yes"), "nobody": "401", "admin": "403", "other": "403"},
    # What is under /api/ and nothing else is: nobody learns more from it than that it is not there.
    "nowhere": dict.fromkeys(ROLES, "yes"),
}

ADDRESSES: dict[str, str] = {
    "open": "health-live health-ready agents:sign-in agents:sign-out agents:choose-password hooks:phone hooks:facebook",
    "signed_in": "tickets:inbox agents:tokens agents:revoke-token api:page",
    "works": """
        tickets:list tickets:sidebar tickets:search tickets:call tickets:who-calls tickets:assignees tickets:colleagues
        tickets:lost
        tickets:take-back tickets:take-back-join tickets:take-back-move
    """,
    "ticket": """
        tickets:ticket tickets:head tickets:timeline tickets:reply tickets:note tickets:draft tickets:upload
        tickets:looking tickets:templates tickets:ringing tickets:act-assign tickets:act-move tickets:act-solve
        tickets:act-wait tickets:act-snooze tickets:act-reopen tickets:act-no-reply tickets:act-tag
        tickets:act-priority tickets:act-block tickets:write-first tickets:choose-for-identity tickets:join
        tickets:share tickets:move-contact tickets:customer-kind tickets:let-through tickets:retry tickets:settle
        tickets:mail-html tickets:attachment tickets:fetch
    """,
    "author": "tickets:undo-send",
    "leads": "tickets:board tickets:preview",
    "admins": """
        agents:people agents:add-person agents:person agents:activate agents:new-link agents:password-link
        consent:x-start consent:x-start-app consent:x-callback consent:facebook-start consent:facebook-start-app
        consent:facebook-callback consent:facebook-pages
        channels:accounts channels:alarm channels:connect-mailbox channels:test-mailbox channels:connect-line
        channels:x-app channels:facebook-app channels:register-hook channels:new-verify-token
        channels:ledger channels:process-again
        channels:account
        channels:edit channels:test-account channels:try-account channels:edit-line channels:hook-address
        channels:new-address channels:preview channels:resume channels:pause channels:poll-now
        channels:account-ledger channels:process-all-again
        settings:deactivate settings:teams settings:make-team settings:team settings:delete-team
        settings:queues settings:make-queue settings:progress settings:queue settings:queue-up settings:queue-down
        settings:default-queue settings:confidential settings:remove-queue settings:bring-back settings:feeds
        settings:targets settings:targets-of-queue settings:templates settings:make-template
        settings:preview-template settings:put-back settings:template settings:remove-template
        settings:books settings:history
    """,
    "words": "channels:content",
    "api": "api:channel-accounts api:schema",
    # Bodies are checked before tickets are looked for: that each act asks for the ticket's own door is tested with
    # whole bodies where the API is. A customer nobody here may know of is not there.
    "api works": """
        api:tickets api:take-back api:customers api:customer api:calls api:queues
        api:reply api:note api:assign api:move api:solve api:snooze
    """,
    "api ticket": "api:ticket api:timeline api:attachment",
    "nowhere": "api:nowhere",
}

# What a form needs for the view to look at the ticket at all.
FORMS: dict[str, dict[str, Any]] = {
    "tickets:reply": {"contact": "{contact_id}", "text": "Hello", "seen": "99"},
    "tickets:note": {"text": "Hello", "seen": "99"},
    "tickets:act-move": {"queue": "{queue_id}"},
    "tickets:act-priority": {"priority": "1"},
    "tickets:act-snooze": {"until": "week"},
    "tickets:act-tag": {"add": "late"},
    "tickets:settle": {"is_there": "1"},
    "tickets:draft": {"surface": "note", "text": "Hello"},
}
# The message of these is one of ours, and of that one a call.
OURS = ("tickets:undo-send", "tickets:retry", "tickets:settle")
A_CALL = "tickets:ringing"
# Of these, the ones about one message or contact: its own queue decides, whoever may see the ticket.
OF_A_MESSAGE = "tickets:mail-html tickets:attachment tickets:fetch tickets:retry tickets:settle"


@cache
def patterns() -> dict[str, str]:
    """Every address of the resolver by its name, as a path with {arguments}."""
    found: dict[str, str] = {}

    def walk(resolver: URLResolver, prefix: str, namespace: str) -> None:
        for each in resolver.url_patterns:
            path = prefix + str(each.pattern)
            if isinstance(each, URLPattern):
                assert each.name, f"{path} has no name"
                written = re.sub(r"\^?\(\?P<(\w+)>[^)]*\)\$?", r"{\1}", path)
                found[f"{namespace}{each.name}"] = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", written)
            else:
                walk(each, path, f"{each.namespace}:" if each.namespace else namespace)

    walk(get_resolver(), "", "")
    return found


def test_every_address_stands_in_the_table_once() -> None:
    named = [name for names in ADDRESSES.values() for name in names.split()]
    assert sorted(named) == sorted(patterns())


def test_every_view_behind_a_door_of_roles_says_so_itself() -> None:
    """The decorators of agents/access.py, and not a line somewhere inside."""

    def doors(resolver: URLResolver) -> Iterator[tuple[str, bool]]:
        for each in resolver.url_patterns:
            if isinstance(each, URLPattern):
                yield f"{each.callback.__module__}.{each.name}", hasattr(each.callback, "door")
            else:
                yield from doors(each)

    without = {name for name, has_door in doors(get_resolver()) if not has_door}
    assert {name for name in without if "api" not in name} == {
        "contactcentre.health.health-live",
        "contactcentre.health.health-ready",
        "agents.views.sign-in",
        "agents.views.sign-out",
        "agents.people_views.choose-password",
        "channels.hooks.phone",
        "channels.hooks.facebook",
    }


@dataclass(frozen=True)
class Scene:
    """Who is here, and for each argument of an address something that is there."""

    people: dict[str, Person | None]
    samples: dict[str, Any]
    # The same for a ticket in a confidential queue that neither agent's team serves.
    secret: dict[str, Any]
    # A contact of that queue on a ticket that the agent does see.
    hidden: dict[str, Any]


@pytest.fixture
def scene(house: House, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A general, a confidential and a mixed ticket, and one of everything that an address names."""
    scripted = ScriptedAdapter()
    monkeypatch.setattr(adapters, "import_string", lambda path: lambda: scripted)
    adapters.adapter.cache_clear()
    html = {"html": "<p>Hello</p>"}
    house.mail("Plain", **html)
    house.mail("Court", author="tom@post.example", account=house.legal_mailbox, **html)
    house.mail("Order", author="mia@post.example", **html)
    house.mail("Lawsuit", author="mia@post.example", account=house.legal_mailbox, **html)
    team, queue = Team.objects.create(name="Empty"), Queue.objects.create(name="Spare", position=7)
    line = ChannelAccount.objects.create(kind="phone", address="+442079460199", begins_at=NOW, created_at=NOW)
    app = App.objects.create(kind="x", name="Ours", client_id="practice", created_at=NOW)
    item = LedgerItem.objects.create(
        account=house.mailbox, kind="email", happening="message", digest=b"1", source="poll", state="quarantined",
        reason="Not understood.", size=1, received_at=NOW, due_at=NOW,
    )  # fmt: skip
    samples = {
        "account_id": house.mailbox.pk, "app_id": app.pk, "item_id": item.pk, "state": "seen", "token": "no-such-token",
        "person_id": house.ben.pk, "team_id": team.pk, "queue_id": queue.pk, "merge_id": 1, "move_id": 1,
        "token_id": 1, "template_id": ReplyTemplate.objects.create(name="Hello", text="Hello").pk,
        "line_id": line.pk, "rest": "nowhere",
    }  # fmt: skip
    return Scene(
        people={
            "nobody": None,
            "agent": house.anna,
            "other": house.hana,
            "lead": house.leo,
            "admin": house.ada,
            "all": person("Max Lund", is_agent=True, is_lead=True, is_admin=True),
        },
        samples={**samples, **_of_message(house.message("Plain"))},
        secret={**samples, **_of_message(house.message("Court"))},
        hidden={**samples, **_of_message(house.message("Lawsuit"))},
    )


def _of_message(message: Message) -> dict[str, Any]:
    attachment = Attachment.objects.create(message=message, name="a.txt", note="Too large.")
    shared = {
        "ticket": message.ticket, "contact": message.contact, "customer": message.customer, "account": message.account,
        "channel_kind": message.channel_kind, "said_at": NOW, "received_at": NOW,
    }  # fmt: skip
    sent = Message.objects.create(
        **shared, surface=message.surface, direction="out", state="failed", arrival=1000 + message.pk, text="Sorry"
    )
    call = Message.objects.create(
        **shared, surface="phone", direction="out", state="missed", arrival=2000 + message.pk, text=""
    )
    CallDetails.objects.create(message=call, started_at=NOW, source="cti")
    return {
        "sent_id": sent.pk,
        "call_id": call.pk,
        "ticket_id": message.ticket_id,
        "message_id": message.pk,
        "contact_id": message.contact_id,
        "identity_id": message.contact.identity_id,
        "customer_id": message.customer_id,
        "attachment_id": attachment.pk,
    }


class Walker:
    """One role's browser. Whatever an address changes is undone before the next."""

    def __init__(self, who: Person | None) -> None:
        self.browser = Client()
        if who is not None:
            self.browser.force_login(who)
        self.cookies = dict(self.browser.cookies)

    def ask(self, path: str, given: dict[str, Any]) -> list[str]:
        """What GET and POST are answered: 302 to the sign-in, 401, 403, 405, or "yes" for what the view said."""
        return [self._one("get", path, {}), self._one("post", path, given)]

    def _one(self, method: str, path: str, given: dict[str, Any]) -> str:
        self.browser.cookies.clear()
        self.browser.cookies.update(self.cookies)
        with transaction.atomic():
            answer = getattr(self.browser, method)(path, given)
            if answer.streaming:
                answer.close()
            transaction.set_rollback(True)
        if answer.status_code == 302:
            return "302" if answer["Location"].startswith("/sign-in/?next=") else "yes"
        return str(answer.status_code) if answer.status_code in (401, 403, 405) else "yes"


def wrong(walker: Walker, names: str, expected: str, samples: dict[str, Any]) -> dict[str, list[str]]:
    """The addresses that did not answer as expected. 405 is no answer, unless nothing else is."""
    found = {}
    for name in names.split():
        given = dict(samples)
        if name in ("channels:edit-line", "channels:hook-address", "channels:new-address"):
            given["account_id"] = samples["line_id"]
        if name in OURS:
            given["message_id"] = samples["sent_id"]
        if name == A_CALL:
            given["message_id"] = samples["call_id"]
        form = {key: value.format(**given) for key, value in FORMS.get(name, {}).items()}
        if ":act-" in name:
            form["ticket"] = str(given["ticket_id"])
        answers = walker.ask(patterns()[name].format(**given), form)
        if set(answers) - {"405"} != {expected}:
            found[name] = answers
    return found


@pytest.mark.parametrize("role", ROLES)
def test_every_door_opens_for_its_roles_and_for_nobody_else(scene: Scene, role: str) -> None:
    walker = Walker(scene.people[role])
    problems = {
        door: unlike
        for door, answers in DOORS.items()
        if (unlike := wrong(walker, ADDRESSES.get(door, ""), answers[role], scene.samples))
    }
    assert problems == {}


@pytest.mark.parametrize("role", INSIDE)
def test_a_confidential_queues_tickets_open_for_leads_only(scene: Scene, role: str) -> None:
    walker = Walker(scene.people[role])
    assert wrong(walker, ADDRESSES["ticket"], DOORS["secret"][role], scene.secret) == {}


@pytest.mark.parametrize("role", INSIDE)
def test_confidential_words_on_a_ticket_one_may_see_stay_shut(scene: Scene, role: str) -> None:
    walker = Walker(scene.people[role])
    assert wrong(walker, OF_A_MESSAGE, DOORS["secret"][role], scene.hidden) == {}
