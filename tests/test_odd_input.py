"""Whatever stands where a number, a word or a place in a list should be: an answer, and never a fault of ours."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from agents import tokens
from agents.models import Person
from channels.models import ChannelAccount
from tests.conftest import NOW, House, person
from tests.test_every_url import patterns

# A digit that int() refuses, one of another script, more than a bigint, more than int() reads, and NUL.
ODD = ("²", "٣", "9" * 30, "9" * 5000, "1\x00", "-1")

# Where an address reads something out of its query; {} is the odd value.
QUERIES = """
    /?queue={}  /?view={}  /?after={}  /?before={}  /?after=1-{}  /list/?open={}  /list/?queue={}  /list/?after={}-1
    /list/?before={}-{}  /sidebar/?queue={}  /t/TICKET/?queue={}  /t/TICKET/timeline/?before={}
    /t/TICKET/timeline/?before=1-{}  /t/TICKET/templates/?surface={}  /search/?q=ab{}  /board/preview/?ticket={}
    /board/preview/?ticket=TICKET&queue={}  /board/preview/?ticket=TICKET&owner={}  /lost/?ticket={}
    /lost/?ticket=TICKET&queue={}  /calls/new/?call={}  /calls/new/?number={}  /calls/who/?number={}
    /calls/who/?number=1&line={}  /identities/IDENTITY/join/?q=ab{}  /contacts/CONTACT/move/?q=ab{}  /sign-in/?next={}
    /sign-in/?next=/{}  /password/{}/  /settings/people/?after={}  /settings/people/?q=ab{}
    /settings/history/?before={}
    /settings/history/?person={}
    /settings/accounts/ledger/seen/?after={}  /settings/accounts/ledger/seen/?before={}
    /settings/books/?account={}  /api/v1/tickets/?after={}  /api/v1/tickets/?status=open&after=1-{}
    /api/v1/tickets/?queue={}  /api/v1/tickets/?customer={}  /api/v1/tickets/?q=ab{}  /api/v1/tickets/?limit={}
    /api/v1/tickets/TICKET/timeline/?before=1-{}  /api/v1/customers/?after={}  /api/v1/customers/?q=ab{}
    /api/v1/channel-accounts/?after={}  /api/v1/{}/
"""
# Forms: the address, and its fields of which one at a time is odd.
FORMS: dict[str, dict[str, str]] = {
    "/act/solve/": {"ticket": "TICKET"},
    "/act/assign/": {"ticket": "TICKET", "owner": "PERSON"},
    "/act/move/": {"ticket": "TICKET", "queue": "QUEUE"},
    "/act/no-reply/": {"ticket": "TICKET", "contact": "CONTACT", "queue": "QUEUE", "reason": "other"},
    "/act/tag/": {"ticket": "TICKET", "add": "late"},
    "/act/snooze/": {"ticket": "TICKET", "until": "week"},
    "/act/priority/": {"ticket": "TICKET", "priority": "1"},
    "/act/take-back/": {"token": ""},
    "/t/TICKET/reply/": {"contact": "CONTACT", "seen": "99", "text": "Hello", "key": "k", "cc": "a@b.example"},
    "/t/TICKET/draft/": {"kind": "reply", "text": "Hello"},
    "/t/TICKET/note/": {"text": "Hello"},
    "/write/IDENTITY/": {"account": "ACCOUNT", "subject": "Hello", "text": "Hello"},
    "/calls/new/": {
        "number": "020", "direction": "in", "disposition": "answered", "name": "Carla", "call": "", "customer": "",
        "line": "", "started_at": "", "minutes": "",
    },
    "/contacts/CONTACT/move/": {"customer": "", "name": "Carla"},
    "/settings/feeds/": {"queue-ACCOUNT": "QUEUE", "was-ACCOUNT": ""},
}


@pytest.fixture
def names(house: House) -> dict[str, int]:
    """What stands for each name in capitals."""
    house.mail()
    contact = house.contact()
    ChannelAccount.objects.create(kind="phone", address="+442079460100", begins_at=NOW, created_at=NOW)
    return {
        "TICKET": contact.ticket_id,
        "CONTACT": contact.pk,
        "IDENTITY": contact.identity_id,
        "QUEUE": house.general.pk,
        "ACCOUNT": house.mailbox.pk,
        "PERSON": house.anna.pk,
    }


@pytest.fixture
def max_lund(house: House) -> Person:
    """Somebody with all roles."""
    return person("Max Lund", is_agent=True, is_lead=True, is_admin=True)


class Asker:
    """A browser that collects faults; whatever a request changes is undone before the next."""

    def __init__(self, who: Person) -> None:
        self.browser = Client(raise_request_exception=False)
        self.browser.force_login(who)
        self.faults: dict[str, int] = {}

    def ask(self, method: str, path: str, form: dict[str, Any] | None = None) -> int:
        with transaction.atomic():
            answer = getattr(self.browser, method)(path, form)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            self.faults[f"{method} {path[:90]} {str(form)[:90]}"] = answer.status_code
        return int(answer.status_code)


def filled(text: str, names: dict[str, int]) -> str:
    for name, value in names.items():
        text = text.replace(name, str(value))
    return text


def test_no_query_makes_an_address_fall_over(max_lund: Person, names: dict[str, int]) -> None:
    asker = Asker(max_lund)
    for query in QUERIES.split():
        for odd in ODD:
            asker.ask("get", filled(query, names).replace("{}", quote(odd)))
    assert asker.faults == {}


def test_no_number_in_a_path_makes_an_address_fall_over(max_lund: Person) -> None:
    asker = Asker(max_lund)
    for value in ("0", "9" * 19, "9" * 30, "9" * 5000):
        arguments: dict[str, str] = defaultdict(lambda value=value: value, state="seen")  # type: ignore[misc]
        for path in patterns().values():
            if "{" in path:
                asker.ask("get", path.format_map(arguments))
                asker.ask("post", path.format_map(arguments), {})
    assert asker.faults == {}


def forms(names: dict[str, int]) -> Iterator[tuple[str, dict[str, str]]]:
    for path, fields in FORMS.items():
        whole = {filled(name, names): filled(value, names) for name, value in fields.items()}
        for name in whole:
            for odd in ODD:
                yield filled(path, names), {**whole, name: odd}
        yield filled(path, names), {**whole, "queue-\x00": "1"}


def test_no_field_of_a_form_makes_an_address_fall_over(max_lund: Person, names: dict[str, int]) -> None:
    asker = Asker(max_lund)
    for path, form in forms(names):
        asker.ask("post", path, form)
    assert asker.faults == {}


@pytest.mark.parametrize("charset", ["rot13", "zlib", "utf-16"])
def test_a_form_with_files_in_another_encoding_than_utf_8_is_refused(house: House, charset: str) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.example\r\n--x--\r\n'
    browser = Client(raise_request_exception=False)
    for given, status in ((charset, 400), ("UTF-8", 200)):
        kind = f"multipart/form-data; boundary=x; charset={given}"
        assert browser.generic("POST", "/sign-in/", form, content_type=kind).status_code == status
    # What an exchange posts is read by its own rules: here there is no such line.
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    assert browser.generic("POST", "/hooks/phone/no-such-line/", form, content_type=kind).status_code == 404


def test_words_around_a_nul_are_kept(house: House, max_lund: Person, names: dict[str, int]) -> None:
    browser = Client()
    browser.force_login(max_lund)
    form = {"contact": names["CONTACT"], "seen": "99", "text": "Hel\x00lo", "key": "k\x00"}
    assert browser.post(f"/t/{names['TICKET']}/reply/", form).status_code == 200
    assert house.message("Hello").direction == "out"


def test_a_body_of_the_api_that_is_no_body_is_refused(max_lund: Person, names: dict[str, int]) -> None:
    _token, text = tokens.make(person=max_lund, name="a program", now=timezone.now())
    client = Client(raise_request_exception=False)
    whole = {"contact": names["CONTACT"], "seen": 99, "text": "Hello"}
    bodies = [
        "[" * 100_000,
        '{"a":' * 100_000,
        "NaN",
        '"x"',
        "[]",
        "",
        '{"owner": 1e400}',
        '{"owner": ' + "9" * 5000 + "}",
        *(json.dumps({**whole, name: odd}) for name in whole for odd in ("\x00", "\ud800", "9" * 5000, "²")),
    ]
    for path in ("reply", "note", "assign", "snooze"):
        for body in bodies:
            with transaction.atomic():
                answer = client.post(
                    f"/api/v1/tickets/{names['TICKET']}/{path}/",
                    body,
                    content_type="application/json",
                    headers={"Authorization": f"Bearer {text}"},
                )
                transaction.set_rollback(True)
            assert answer.status_code < 500, (path, body[:60])
            if answer.status_code >= 400:
                assert answer["Content-Type"] == "application/problem+json"


def test_the_sign_in_leads_to_paths_of_this_site_only(house: House, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    house.anna.set_password("good-password-1")
    house.anna.save()
    browser = Client()
    browser.force_login(house.anna)
    given = {"email": house.anna.email, "password": "good-password-1"}
    for asked in ("foo", "foo/bar", "a.b", "//evil.example", "https:evil.example", "javascript:x()", "", "/\\x"):
        assert browser.get("/sign-in/", {"next": asked})["Location"] == "/", asked
        assert Client().post("/sign-in/", {**given, "next": asked})["Location"] == "/", asked
    assert Client().post("/sign-in/", {**given, "next": "/t/1/?view=mine"})["Location"] == "/t/1/?view=mine"
