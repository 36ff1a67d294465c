"""The first admin of a new installation comes by the command line."""

from __future__ import annotations

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from agents.models import HistoryEntry, Person
from tests.conftest import House

PASSWORD = "a-new-and-long-one"


def link(*words: str) -> str:
    """The path of the link that the command prints."""
    out = StringIO()
    call_command("first_admin", *words, stdout=out)
    return urlsplit(out.getvalue().strip()).path


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
