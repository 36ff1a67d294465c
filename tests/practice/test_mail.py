"""Mail there and back, with smtplib and IMAPClient."""

from __future__ import annotations

import hashlib
import smtplib
from base64 import b64encode
from email.message import EmailMessage

import pytest
from imapclient import IMAPClient, imapclient
from imapclient.exceptions import LoginError

from tests.practice.running import CARE, CARLA, TOM, Practice


def letter(to: str, subject: str, **headers: str) -> EmailMessage:
    """A letter from care."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Acme <{CARE}>", to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Good news.")
    return message


def test_a_mail_goes_to_us_and_the_answer_goes_back_into_the_same_thread(practice: Practice) -> None:
    asked = practice.mail(subject="There and back ☕", text="Where is it?").body
    assert asked["accepted"] == [CARE]
    with practice.imap() as client:
        client.select_folder("INBOX", readonly=True)
        uid = client.search(["HEADER", "Message-ID", asked["message_id"]])[0]
        found = client.fetch([uid], ["RFC822.SIZE", "BODY.PEEK[]", "INTERNALDATE", "FLAGS"])[uid]
    assert found[b"RFC822.SIZE"] == len(found[b"BODY[]"])
    assert b"\r\nSubject: There and back =?utf-8?" in found[b"BODY[]"]
    assert found[b"BODY[]"].startswith(b"Return-Path: <carla.hughes@post.example>\r\n")

    answer = letter(CARLA, "Re: There and back ☕", In_Reply_To=asked["message_id"], References=asked["message_id"])
    with practice.smtp() as server:
        assert server.send_message(answer) == {}
    got = practice.with_subject(CARLA, "Re: There and back ☕")[0]
    assert got["references"] == [asked["message_id"]]
    assert got["text"] == "Good news.\n"
    assert practice.with_subject(CARE, "Re: There and back ☕", "Sent")[0]["seen"]


def test_a_letter_is_given_out_byte_for_byte_however_broken(practice: Practice) -> None:
    head = b"From: x\r\nSubject: caf\xe9 =?x-foo?B?w6k=?=\r\nMessage-ID:\r\n <broken.1@post.example>\r\n\r\n"
    raw = head + b"\x00\xff no end"
    assert practice.mail(raw=b64encode(raw).decode()).status == 200
    with practice.imap() as client:
        client.select_folder("INBOX", readonly=True)
        uid = client.search(["HEADER", "Message-ID", "<broken.1@post.example>"])[-1]
        got = client.fetch([uid], ["BODY.PEEK[]", "BODY.PEEK[HEADER]"])[uid]
    assert got[b"BODY[]"].endswith(raw + b"\r\n")
    assert got[b"BODY[HEADER]"].endswith(head)


def test_reading_with_peek_leaves_a_mail_unseen_for_everybody_else(practice: Practice) -> None:
    practice.mail(subject="Unseen")
    with practice.imap() as one, practice.imap() as other:
        one.select_folder("INBOX", readonly=True)
        other.select_folder("INBOX")
        uid = one.search("ALL")[-1]
        one.fetch([uid], ["BODY.PEEK[]"])
        assert b"\\Seen" not in other.fetch([uid], ["FLAGS"])[uid][b"FLAGS"]
        other.add_flags([uid], [b"\\Seen"])
        assert b"\\Seen" in one.fetch([uid], ["FLAGS"])[uid][b"FLAGS"]


def test_two_clients_at_once_see_what_arrives_while_they_are_there(practice: Practice) -> None:
    with practice.imap() as polling, practice.imap() as idling:
        before = polling.select_folder("INBOX", readonly=True)
        idling.select_folder("INBOX", readonly=True)
        idling.idle()
        practice.mail(subject="While you wait")
        assert any(line[1] == b"EXISTS" for line in idling.idle_check(timeout=10))
        idling.idle_done()
        polling.noop()
        new = [uid for uid in polling.search(["UID", f"{before[b'UIDNEXT']}:*"]) if uid >= before[b"UIDNEXT"]]
        assert new == [before[b"UIDNEXT"]]


def test_sent_is_marked_as_such_and_uidplus_and_move_are_there(practice: Practice) -> None:
    with practice.imap() as client:
        assert client.find_special_folder(imapclient.SENT) == "Sent"
        assert {b"UIDPLUS", b"MOVE", b"IDLE"} <= set(client.capabilities())
        client.create_folder("Old")
        client.select_folder("INBOX")
        assert b"APPENDUID" in client.append("Old", b"Subject: kept\r\n\r\nkept\r\n")
        client.delete_folder("Old")


def test_a_recreated_folder_has_another_uidvalidity_and_uids_from_one(practice: Practice) -> None:
    practice.mail()
    with practice.imap() as client:
        before = client.select_folder("INBOX", readonly=True)
        answer = practice.ask(f"/practice/mail/{CARE}/recreate", {"folder": "INBOX"}).body
        with pytest.raises(IMAPClient.Error):
            client.search("ALL")
    with practice.imap() as client:
        after = client.select_folder("INBOX", readonly=True)
        assert after[b"UIDVALIDITY"] == answer["uid_validity"] > before[b"UIDVALIDITY"]
        assert client.search("ALL") == list(range(1, after[b"EXISTS"] + 1))


def test_only_the_right_password_opens_a_mailbox(practice: Practice) -> None:
    with practice.imap(login=False) as client, pytest.raises(LoginError):
        client.login(CARE, "practice-carla")
    with smtplib.SMTP("127.0.0.1", practice.smtp_port, timeout=10) as server:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            server.login(CARE, "practice-carla")
        assert refused.value.smtp_code == 535
        with pytest.raises(smtplib.SMTPSenderRefused) as unknown:
            server.sendmail(CARE, [CARLA], b"Subject: x\r\n\r\nx")
        assert unknown.value.smtp_code == 530


def test_each_recipient_gets_their_own_answer(practice: Practice) -> None:
    with practice.smtp() as server:
        refused = server.send_message(letter(f"{CARLA}, nobody@post.example, {TOM}, x@elsewhere.example", "To many"))
    assert {address: code for address, (code, _) in refused.items()} == {
        "nobody@post.example": 550,
        "x@elsewhere.example": 550,
    }
    assert practice.with_subject(CARLA, "To many")
    assert practice.with_subject(TOM, "To many")


def test_nobody_sends_in_another_name_and_a_tag_still_arrives(practice: Practice) -> None:
    with practice.smtp() as server, pytest.raises(smtplib.SMTPSenderRefused) as refused:
        server.sendmail(CARLA, [TOM], b"Subject: x\r\n\r\nx")
    assert refused.value.smtp_code == 553
    assert practice.mail(to=["care+t123@acme.example"], subject="Tagged").body["accepted"]
    assert ["Delivered-To", "care+t123@acme.example"] in practice.with_subject(CARE, "Tagged")[0]["headers"]


def test_the_size_limit_is_announced_and_kept(practice: Practice) -> None:
    with practice.smtp() as server:
        limit = int(server.esmtp_features["size"])
        assert limit == 35 * 1024 * 1024
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            server.sendmail(CARE, [CARLA], b"x" * (limit + 1))
    assert refused.value.smtp_code == 552


def test_attachments_copies_html_and_headers_of_ones_own_arrive(practice: Practice) -> None:
    content = bytes(range(256)) * 40
    sent = practice.mail(
        cc=[TOM],
        subject="Everything",
        html="<p>Hello <b>you</b></p>",
        headers={"Reply-To": TOM, "X-Mood": "cross"},
        attachments=[{"name": "dent.bin", "type": "application/x-dent", "content": b64encode(content).decode()}],
        message_id="<everything@post.example>",
    )
    assert sent.body["message_id"] == "<everything@post.example>"
    for address in (CARE, TOM):
        got = practice.with_subject(address, "Everything")[0]
        assert got["cc"] == [TOM]
        assert got["reply_to"] == TOM
        assert ["X-Mood", "cross"] in got["headers"]
        assert "<b>you</b>" in got["html"]
        assert got["attachments"] == [
            {
                "name": "dent.bin",
                "type": "application/x-dent",
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        ]
    file = practice.ask(f"/practice/mail/{TOM}/{got['id']}/files/0")
    assert file.body == content


def test_a_field_that_is_not_known_is_refused_rather_than_forgotten(practice: Practice) -> None:
    answer = practice.mail(subjekt="x")
    assert answer.status == 400
    assert "subjekt" in answer.body["error"]
    assert practice.mail(**{"from": "nobody@post.example"}).status == 404
    assert practice.mail(to=["nobody@post.example"]).status == 422


def test_somebody_away_answers_each_sender_once_and_no_machine(practice: Practice) -> None:
    assert practice.ask(f"/practice/mail/{TOM}/away", {"away": True}).body["away"]
    try:
        with practice.smtp() as server:
            server.send_message(letter(TOM, "Are you there?", Auto_Submitted="auto-generated"))
            assert practice.with_subject(CARE, "Automatic reply: Are you there?") == []
            server.send_message(letter(TOM, "Are you there?"))
            server.send_message(letter(TOM, "Are you there?"))
        answers = practice.with_subject(CARE, "Automatic reply: Are you there?")
        assert len(answers) == 1
        assert ["Auto-Submitted", "auto-replied"] in answers[0]["headers"]
        assert ["Return-Path", "<>"] in answers[0]["headers"]
    finally:
        practice.ask(f"/practice/mail/{TOM}/away", {"away": False})
