"""The demonstration: Acme, its people and queues, on the practice networks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from agents.models import Membership, Person, Team
from channels.models import ChannelAccount
from contactcentre.lib import env
from tickets.models import AccountFeed, Queue, ReplyTemplate, ServiceTarget

# Known to everybody who reads this file, which is why nothing here runs outside practice mode.
PASSWORD = "practice-only-1"  # noqa: S105

PEOPLE = [
    # email, name, agent, lead, admin, teams
    ("anna@acme.example", "Anna Reid", True, False, False, ("Care", "Returns desk")),
    ("ben@acme.example", "Ben Tallis", True, False, False, ("Care",)),
    ("hana@acme.example", "Hana Kim", True, False, False, ("Billing desk",)),
    ("leo@acme.example", "Leo Marsh", False, True, False, ("Care",)),
    ("ada@acme.example", "Ada Lowe", False, False, True, ()),
]
QUEUES = [
    # name, teams, default, confidential
    ("General", ("Care",), True, False),
    ("Returns", ("Care", "Returns desk"), False, False),
    ("Billing", ("Billing desk",), False, False),
]
TARGETS = {
    "x:mention": 15,
    "x:dm": 15,
    "facebook:comment": 15,
    "facebook:messenger": 15,
    "phone": 15,
    "email": 240,
}
MAILBOXES = [
    # address, name, queue, password
    ("care@acme.example", "Acme Care", "General", "practice-care"),
    ("returns@acme.example", "Acme Returns", "Returns", "practice-returns"),
]
TEMPLATES = [
    (
        "Sorry, and what happens next",
        "Hello {{ customer.first_name }},\n\nI am sorry about this. I have looked into it. What happens next:\n\n"
        "Kind regards\n{{ me.first_name }}",
    ),
    (
        "Ask for the order number",
        "Hello {{ customer.first_name }}, could you send me your order number? It begins with AC-. {{ me.first_name }}",
    ),
    ("Thank you", "Thank you, {{ customer.first_name }}. Have a good day! {{ me.first_name }}"),
]


def load(*, now: datetime) -> dict[str, Any]:
    """Make what is missing, inside the caller's transaction, and return who to sign in as for each role."""
    if not Person.objects.exists():
        _people(now)
    if not Queue.objects.exists():
        _queues()
    _mailboxes(now)
    return {
        role: {"username": email, "password": PASSWORD}
        for role, email in (("agent", PEOPLE[0][0]), ("lead", PEOPLE[3][0]), ("admin", PEOPLE[4][0]))
    }


def _people(now: datetime) -> None:
    password = make_password(PASSWORD)
    for email, name, agent, lead, admin, teams in PEOPLE:
        person = Person.objects.create(
            email=email, name=name, is_agent=agent, is_lead=lead, is_admin=admin, password=password, created_at=now
        )
        for team in teams:
            Membership.objects.create(team=Team.objects.get_or_create(name=team)[0], person=person)


def _queues() -> None:
    for position, (name, teams, is_default, is_confidential) in enumerate(QUEUES):
        queue = Queue.objects.create(
            name=name, is_default=is_default, is_confidential=is_confidential, position=position
        )
        queue.teams.set([Team.objects.get_or_create(name=team)[0] for team in teams])
    ServiceTarget.objects.bulk_create(
        [ServiceTarget(surface=surface, minutes=minutes) for surface, minutes in TARGETS.items()]
    )
    ReplyTemplate.objects.bulk_create([ReplyTemplate(name=name, text=text) for name, text in TEMPLATES])


def _mailboxes(now: datetime) -> None:
    """The practice mailboxes, connected; their ports are those of this start."""
    imap, smtp = env.number("PRACTICE_IMAP_PORT", 0), env.number("PRACTICE_SMTP_PORT", 0)
    if not (imap and smtp):
        return
    for address, name, queue, password in MAILBOXES:
        account, made = ChannelAccount.objects.get_or_create(
            kind="email",
            address=address,
            defaults={"name": name, "begins_at": now, "created_at": now, "next_poll_at": now},
        )
        account.settings = {
            **account.settings,
            "imap_host": "127.0.0.1",
            "imap_port": imap,
            "imap_security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp,
            "smtp_security": "none",
            "username": address,
        }
        if made:
            account.credentials = {"password": password}
            AccountFeed.objects.create(account=account, queue=Queue.objects.get(name=queue))
        account.save()
