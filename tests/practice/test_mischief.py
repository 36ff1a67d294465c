"""Each way to misbehave, met once by a real client."""

from __future__ import annotations

import imaplib
import smtplib
import socket
from email import message_from_bytes
from email.message import EmailMessage, Message

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from tests.practice.running import CARE, CARLA, Practice


def send(practice: Practice, subject: str, to: str = CARLA, *, timeout: float = 10) -> dict[str, tuple[int, bytes]]:
    """Send from care as our product would."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = CARE, to, subject
    message.set_content("Good news.")
    with practice.smtp(timeout=timeout) as server:
        return server.send_message(message)


def test_an_expired_password_is_refused_by_imap_as_often_as_was_asked(practice: Practice) -> None:
    practice.misbehave("imap_refuse_login", times=1)
    with pytest.raises(LoginError, match="expired"):
        practice.imap()
    practice.imap().logout()


def test_a_switch_can_be_meant_for_one_mailbox_only(practice: Practice) -> None:
    practice.misbehave("imap_refuse_login", address="returns@acme.example")
    practice.imap().logout()
    with practice.imap(login=False) as client, pytest.raises(LoginError):
        client.login("returns@acme.example", "practice-returns")


def test_the_line_is_dropped_in_the_middle_of_a_fetch(practice: Practice) -> None:
    practice.mail(text="A long story. " * 100)
    practice.misbehave("imap_drop", times=1)
    client = practice.imap()
    client.select_folder("INBOX", readonly=True)
    uid = client.search("ALL")[-1]
    assert client.fetch([uid], ["RFC822.SIZE"])[uid][b"RFC822.SIZE"] > 1400
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        client.fetch([uid], ["BODY.PEEK[]"])
    client.shutdown()


def test_a_dripping_server_keeps_sending_and_takes_too_long(practice: Practice) -> None:
    practice.misbehave("imap_drip", times=1)
    with socket.create_connection(("127.0.0.1", practice.imap_port), timeout=5) as line:
        assert [len(line.recv(100)) for _ in range(3)] == [1, 1, 1]


def test_a_silent_server_takes_the_connection_and_says_nothing(practice: Practice) -> None:
    practice.misbehave("imap_silent", times=1)
    with pytest.raises(TimeoutError):
        practice.imap(timeout=0.5, login=False)


def test_a_web_page_is_no_greeting(practice: Practice) -> None:
    practice.misbehave("imap_html", times=1)
    with pytest.raises(imaplib.IMAP4.error, match=r"502|unexpected"):
        practice.imap(login=False)


@pytest.mark.parametrize(("switch", "words"), [("imap_no", "SERVERBUG|Internal"), ("imap_bad", "Refer to server log")])
def test_an_internal_error_is_answered_in_both_ways(practice: Practice, switch: str, words: str) -> None:
    with practice.imap() as client:
        practice.misbehave(switch, times=1)
        with pytest.raises(IMAPClient.Error, match=words):
            client.select_folder("INBOX")
        client.select_folder("INBOX")


def test_each_mail_arrives_twice_with_one_message_id(practice: Practice) -> None:
    practice.misbehave("duplicate", times=1)
    sent = practice.mail(subject="Twice").body
    twice = practice.with_subject(CARE, "Twice")
    assert [letter["message_id"] for letter in twice] == [sent["message_id"]] * 2
    assert twice[0]["uid"] == twice[1]["uid"] + 1


def test_held_mails_come_late_and_the_newest_first(practice: Practice) -> None:
    practice.misbehave("late")
    for subject in ("Late 1", "Late 2", "Late 3"):
        practice.mail(subject=subject)
    assert practice.with_subject(CARE, "Late 1") == []
    assert practice.ask("/people.json").body["networks"]["mail"]["held"]["late"] == 3
    practice.misbehave("late", on=False)
    newest_first = [letter["subject"] for letter in practice.letters(CARE)[:3]]
    assert newest_first == ["Late 1", "Late 2", "Late 3"]


def test_smtp_refuses_for_the_moment_and_for_good(practice: Practice) -> None:
    for switch, code in (("smtp_451", 451), ("smtp_550", 550)):
        practice.misbehave(switch, times=1)
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(practice, "Refused")
        assert refused.value.recipients[CARLA][0] == code
    practice.misbehave("smtp_552", times=1)
    with pytest.raises(smtplib.SMTPDataError) as too_large:
        send(practice, "Refused")
    assert too_large.value.smtp_code == 552
    assert practice.with_subject(CARLA, "Refused") == []
    assert practice.with_subject(CARE, "Refused", "Sent") == []


def test_smtp_refuses_our_password_and_never_the_customers(practice: Practice) -> None:
    practice.misbehave("smtp_refuse_login", times=1)
    assert practice.mail(subject="Customers are spared").status == 200
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(practice, "Refused")


def test_a_time_out_before_leaves_nothing_and_one_after_leaves_the_mail(practice: Practice) -> None:
    # smtplib words a time-out as a disconnection once it waits for the answer to DATA.
    practice.misbehave("smtp_silent_before", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send(practice, "Before", timeout=0.5)
    practice.misbehave("smtp_silent_after", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send(practice, "After", timeout=0.5)
    practice.misbehave("smtp_drop_after", times=1)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(practice, "Dropped")
    for subject, copies in (("Before", 0), ("After", 1), ("Dropped", 1)):
        assert len(practice.with_subject(CARLA, subject)) == copies
        assert len(practice.with_subject(CARE, subject, "Sent")) == copies


def test_the_copy_in_sent_can_be_missing_or_late(practice: Practice) -> None:
    practice.misbehave("files_sent", on=False, times=1)
    send(practice, "Not filed")
    practice.misbehave("sent_late")
    send(practice, "Filed late")
    assert practice.with_subject(CARE, "Filed late", "Sent") == []
    practice.misbehave("sent_late", on=False)
    assert len(practice.with_subject(CARE, "Filed late", "Sent")) == 1
    assert practice.with_subject(CARE, "Not filed", "Sent") == []
    assert practice.with_subject(CARLA, "Not filed")


def test_a_bounce_comes_back_as_a_report_that_machines_can_read(practice: Practice) -> None:
    practice.misbehave("bounce", times=1)
    assert send(practice, "Is anybody there?", to="nobody@post.example") == {}
    bounce = practice.with_subject(CARE, "Undelivered Mail Returned to Sender")[0]
    message = message_from_bytes(practice.ask(f"/practice/mail/{CARE}/{bounce['id']}/raw").body)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    _, status, returned = message.get_payload()
    assert isinstance(status, Message)
    about_them = status.get_payload()[1]
    assert about_them["Final-Recipient"] == "rfc822; nobody@post.example"
    assert (about_them["Action"], about_them["Status"]) == ("failed", "5.1.1")
    assert "Subject: Is anybody there?" in returned.get_payload(decode=True).decode()
    assert message["Return-Path"] == "<>"


def test_the_switches_tell_how_they_stand_and_refuse_nonsense(practice: Practice) -> None:
    practice.misbehave("duplicate", times=3, address=CARE)
    switches = {each["switch"]: each for each in practice.ask("/practice/mischief").body["switches"]["mail"]}
    assert switches["duplicate"]["on"]
    assert (switches["duplicate"]["times_left"], switches["duplicate"]["address"]) == (3, CARE)
    assert switches["files_sent"]["on"]
    for wrong in (
        {"switch": "earthquake"},
        {"switch": "duplicate", "times": 0},
        {"switch": "imap_drop", "address": CARE},
    ):
        assert practice.ask("/practice/mischief", {"network": "mail", "on": True, **wrong}).status == 400
    assert practice.ask("/practice/mischief", {"network": "telegraph", "switch": "x", "on": True}).status == 400
