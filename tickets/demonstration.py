"""The demonstration: Acme, its people and queues, on the practice networks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.urls import reverse

from agents.models import Membership, Person, Team
from channels import lines
from channels.consent import facebook, registering, tokens
from channels.models import App, ChannelAccount
from contactcentre.lib import env
from tickets.beginning import TARGETS
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
MAILBOXES = [
    # address, name, queue, password
    ("care@acme.example", "Acme Care", "General", "practice-care"),
    ("returns@acme.example", "Acme Returns", "Returns", "practice-returns"),
]
LINES = [
    # number, name, queue
    ("+442079460100", "Support line", "General"),
    ("+442079460101", "Returns line", "Returns"),
]
# Our app as the practice X knows it (docs/practice.md); its secret opens nothing else.
X_APP = {
    "name": "Acme contact centre",
    "client_id": "practice-x-client",
    "client_secret": "practice-x-secret",
}
# Our app as the practice Facebook knows it; its secret, too, opens nothing else.
FACEBOOK_APP = {
    "name": "Acme contact centre",
    "client_id": "1700000000000001",
    "client_secret": "practice-facebook-secret",
}
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
    _lines(now)
    _apps(now)
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


def _lines(now: datetime) -> None:
    """The practice exchange's lines, connected; their hooks are told to the exchange by tell_networks."""
    admin = Person.objects.filter(is_admin=True).order_by("id").first()
    if admin is None:
        return
    for number, name, queue in LINES:
        if ChannelAccount.objects.filter(kind="phone", address=number).exists():
            continue
        account, _token = lines.connect_line(actor=admin, number=number, name=name, region="GB", now=now)
        AccountFeed.objects.get_or_create(account=account, defaults={"queue": Queue.objects.get(name=queue)})


def _apps(now: datetime) -> None:
    """Our apps at the practice networks, so that an admin only has to consent there."""
    for port, kind, app in (("PRACTICE_X_PORT", "x", X_APP), ("PRACTICE_FACEBOOK_PORT", "facebook", FACEBOOK_APP)):
        known = App.objects.filter(kind=kind, client_id=app["client_id"])
        if env.number(port, 0) and not known.exists():
            registering.enter_app(actor=None, kind=kind, now=now, **app)


def tell_networks(practice: str) -> None:
    """Tell the practice networks where our doors are; again and again, because ports change from start to start.

    Raises requests.RequestException while they are not there yet, ConsentProblem where Facebook does not take it.
    """
    for account in ChannelAccount.objects.filter(kind="phone", address__in=[number for number, _name, _queue in LINES]):
        token = account.credentials.get("hook_token", "")
        answer = requests.post(
            f"{practice}/practice/telephony/lines",
            json={"number": account.address, "hook_url": lines.hook_address(token)},
            timeout=5,
        )
        answer.raise_for_status()
    app = App.objects.filter(kind="facebook", client_id=FACEBOOK_APP["client_id"], accounts__isnull=False).first()
    if app is not None:
        _tell_facebook(practice, app)


def _tell_facebook(practice: str, app: App) -> None:
    """Register our hook address anew where the practice Facebook has that of an earlier start."""
    ours = f"{settings.BASE_URL}{reverse('hooks:facebook', kwargs={'app_id': app.client_id})}"
    answer = requests.get(f"{practice}/practice/facebook/callback", timeout=5)
    answer.raise_for_status()
    # None where somebody took it back on purpose, on the practice page.
    if answer.json().get("callback_url") not in (None, "", ours):
        facebook.register_callback(
            tokens.registration(app), address=ours, verify_token=str(app.secrets.get("verify_token") or "")
        )
