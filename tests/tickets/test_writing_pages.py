"""What the page that writes is answered: files that come back, and what is due no more."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.models import Person
from tests.conftest import House
from tickets.models import Attachment, Message

SignsIn = Callable[[Person], Client]


def test_the_files_of_a_reply_come_back_with_its_words_and_can_be_sent_again(
    house: House, sign_in: SignsIn
) -> None:
    house.mail("Where is the form?")
    ticket, browser = house.ticket(), sign_in(house.anna)
    given = {"file": SimpleUploadedFile("form.txt", b"Name:")}
    token = browser.post(f"/t/{ticket.pk}/upload/", given).json()["token"]
    fields = {"contact": house.contact().pk, "text": "Here it is", "seen": ticket.arrivals}
    sent = browser.post(f"/t/{ticket.pk}/reply/", {**fields, "files": token}).json()
    undone = browser.post(f"/messages/{sent['message']}/undo/").json()
    assert undone["text"] == "Here it is"
    assert [(one["name"], one["size"]) for one in undone["files"]] == [("form.txt", 5)]
    assert undone["way"] == {"key": str(house.contact().pk), "surface": "email", "is_public": False}
    again = browser.post(f"/t/{ticket.pk}/reply/", {**fields, "seen": 99, "files": undone["files"][0]["token"]}).json()
    kept = Attachment.objects.get(message=Message.objects.get(pk=again["message"]))
    assert kept.name == "form.txt"
    assert kept.file is not None


def test_a_reply_on_a_snoozed_ticket_is_undone_over_the_page(house: House, sign_in: SignsIn) -> None:
    house.mail("Where is the form?")
    ticket, browser = house.ticket(), sign_in(house.anna)
    browser.post("/act/snooze/", {"ticket": ticket.pk, "until": "week"})
    ticket.refresh_from_db()
    fields = {"contact": house.contact().pk, "text": "Here it is", "seen": ticket.arrivals, "then": "wait"}
    sent = browser.post(f"/t/{ticket.pk}/reply/", fields).json()
    assert browser.post(f"/messages/{sent['message']}/undo/").json()["state"] == "cancelled"
    after = house.ticket()
    assert (after.state, after.snoozed_until) == ("snoozed", ticket.snoozed_until)


def test_nothing_is_due_on_a_solved_ticket_and_it_is_again_when_it_opens(house: House, sign_in: SignsIn) -> None:
    house.mail("Are you there?")
    ticket, browser = house.ticket(), sign_in(house.anna)

    def due() -> list[str | None]:
        listed = browser.get("/api/v1/tickets/", {"status": ticket.state}).json()["results"]
        return [browser.get(f"/api/v1/tickets/{ticket.pk}/").json()["due_at"], *(one["due_at"] for one in listed)]

    before = due()
    assert None not in before
    browser.post("/act/solve/", {"ticket": ticket.pk})
    ticket.refresh_from_db()
    assert due() == [None, None]
    assert 'class="due' not in browser.get(f"/t/{ticket.pk}/").content.decode()
    browser.post("/act/reopen/", {"ticket": ticket.pk})
    ticket.refresh_from_db()
    assert due() == before
