"""Reading a mailbox that changes, lies, drips and breaks."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.adapters.base import PayloadError, PollError
from channels.adapters.email import EmailAdapter, hosts, mail_key, session
from channels.happenings import Address, Outgoing
from contactcentre.lib.secrets import Credentials
from tests.channels.adapters.email.conftest import SmallServer

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


def mail(number: int) -> bytes:
    head = f"From: c@mail.example\r\nMessage-ID: <m{number}@mail.example>\r\nSubject: n{number}\r\n"
    return f"{head}\r\nbody {number}".encode()


@pytest.fixture
def poll(imap, at):
    def polling(cursor=None, *, seconds=5.0, page=50, **settings):
        connection = at(**{"imap_port": imap.port, **settings})
        return EmailAdapter(poll_seconds=seconds, page=page).poll(connection, cursor or {}, now=NOW)

    return polling


def uids(polled) -> list[object]:
    return [item.meta["uid"] for item in polled.items]


def test_a_new_account_begins_at_its_beginning(imap, poll, stored):
    imap.mails = [
        stored(1, mail(1), at="20-Nov-2026 23:00:00 +0000"),
        stored(2, mail(2), at="21-Nov-2026 08:59:59 +0000"),
        stored(3, mail(3), at="21-Nov-2026 12:00:01 +0300"),
    ]
    polled = poll()
    assert uids(polled) == [3]
    assert {name: polled.cursor[name] for name in ("uidvalidity", "uid", "baseline")} == {
        "uidvalidity": 7, "uid": 3, "baseline": 3,
    }  # fmt: skip
    (item,) = polled.items
    assert item.external_id == mail_key(mail(3))
    assert item.meta["internaldate"] == "2026-11-21T09:00:01+00:00"
    assert item.body == mail(3)


def test_the_last_mail_that_a_server_names_again_is_not_taken_again(imap, poll, stored):
    imap.mails = [stored(5, mail(5))]
    polled = poll({"uidvalidity": 7, "uid": 5})
    assert (polled.items, polled.more) == ((), False)
    assert polled.cursor["uid"] == 5


def test_pages_follow_each_other_until_all_is_read(imap, poll, stored):
    imap.mails = [stored(number, mail(number)) for number in range(1, 8)]
    first = poll(page=3)
    second = poll(first.cursor, page=3)
    third = poll(second.cursor, page=3)
    assert [uids(first), uids(second), uids(third)] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [first.more, second.more, third.more] == [True, True, False]


def test_a_new_uidvalidity_reads_what_came_since_the_beginning(imap, poll, stored):
    imap.mails = [stored(1, mail(1), at="01-Nov-2026 10:00:00 +0000"), stored(2, mail(2))]
    polled = poll({"uidvalidity": 6, "uid": 900})
    assert uids(polled) == [2]
    assert polled.cursor["uidvalidity"] == 7


def test_another_folder_of_the_same_numbering_is_read_from_the_accounts_beginning(imap, poll, stored):
    imap.mails = [stored(number, mail(number)) for number in (1, 2, 3)]
    first = poll()
    imap.mails = [stored(2, mail(12)), stored(3, mail(13)), stored(4, mail(14))]
    assert uids(poll(first.cursor, imap_folder="Support")) == [2, 3, 4]
    assert uids(poll(first.cursor, username="another")) == [2, 3, 4]
    assert uids(poll(first.cursor)) == [4]


def test_a_server_whose_clock_is_behind_loses_nothing_that_came_later(imap, poll, stored):
    imap.mails = [
        stored(9, mail(9), at="21-Nov-2026 08:55:00 +0000"),
        stored(10, mail(10), at="20-Nov-2026 10:00:00 +0000"),
    ]
    assert uids(poll({"uidvalidity": 7, "uid": 8})) == [9]


def test_nothing_in_the_mailbox_is_touched(imap, poll, stored):
    imap.mails = [stored(1, mail(1))]
    poll()
    said = " ".join(imap.seen).upper()
    assert "EXAMINE" in said
    assert "BODY.PEEK[]" in said
    for word in ("STORE", "EXPUNGE", "COPY", "MOVE", "SELECT ", "APPEND", " CLOSE", "RFC822 ", "BODY[]"):
        assert word not in said


def test_one_refused_mail_becomes_an_item_and_the_others_go_on(imap, poll, stored, connection):
    imap.mails = [
        stored(1, mail(1)),
        stored(2, mail(2), refuse=True),
        stored(3, mail(3)),
        stored(4, mail(4), garbled=True),
    ]
    polled = poll()
    assert sorted(uids(polled)) == [1, 2, 3, 4]
    assert polled.cursor["uid"] == 4
    bad = [item for item in polled.items if "error" in item.meta]
    assert sorted(item.external_id for item in bad) == ["uid:7:2", "uid:7:4"]
    for item in bad:
        with pytest.raises(PayloadError):
            list(EmailAdapter().parse(item, connection))


def test_a_server_that_hands_over_nothing_at_all_keeps_the_cursor(imap, poll, stored):
    imap.mails = [stored(1, mail(1)), stored(2, mail(2))]
    imap.fetch_refused = True
    with pytest.raises(PollError) as failure:
        poll()
    assert (failure.value.code, failure.value.credentials) == ("refused", False)


def test_of_a_mail_that_is_too_large_only_the_head_is_fetched(imap, poll, stored, settings, connection):
    settings.MAIL_MAX_BYTES = 100_000
    imap.mails = [stored(1, mail(1), size=52_000_000)]
    (item,) = poll().items
    assert item.meta["too_large"] == 52_000_000
    assert item.body.endswith(b"\r\n\r\n")
    assert not any("BODY.PEEK[] " in line or line.endswith("BODY.PEEK[])") for line in imap.seen)
    (message,) = EmailAdapter().parse(item, connection)
    assert message.notes


def test_a_mail_larger_than_it_said_is_noted_and_passed(imap, poll, stored, settings):
    settings.MAIL_MAX_BYTES = 1000
    imap.mails = [stored(1, mail(1) + b"x" * 2_000_000, size=10), stored(2, mail(2))]
    first = poll()
    assert "error" in first.items[0].meta
    assert first.more
    assert uids(poll(first.cursor)) == [2]


def test_a_refused_password_needs_a_person(imap, at):
    connection = replace(at(imap_port=imap.port), credentials=Credentials(password="wrong"))
    with pytest.raises(PollError) as failure:
        EmailAdapter().poll(connection, {}, now=NOW)
    assert (failure.value.code, failure.value.credentials) == ("login-refused", True)


def test_a_dripping_server_is_left_at_the_deadline(imap, poll):
    imap.drip = True
    start = time.monotonic()
    with pytest.raises(PollError) as failure:
        poll(seconds=0.6)
    assert failure.value.code == "timeout"
    assert time.monotonic() - start < 3


def test_a_connection_that_ends_amid_signing_in_is_no_refused_password_and_says_so_in_words(at):
    def talk(_server, connection):
        connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        for line in connection.makefile("rb"):
            tag = line.split()[0]
            if b"LOGIN" in line:
                connection.sendall(tag + b" OK [CAPABILITY IMAP4rev1 LITERAL+ ID BIN")
                return
            connection.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")

    with closing(SmallServer(talk)) as server, pytest.raises(PollError) as failure:
        EmailAdapter(poll_seconds=5).poll(at(imap_port=server.port), {}, now=NOW)
    assert (failure.value.code, failure.value.credentials) == ("connection-lost", False)
    assert "LITERAL+" not in str(failure.value)


def test_a_server_that_cannot_encrypt_is_left_with_no_connection_open(poll, monkeypatch):
    opened = []

    def dial(*where, **limits):
        opened.append(hosts.dial(*where, **limits))
        return opened[-1]

    monkeypatch.setattr(session, "dial", dial)
    with pytest.raises(PollError) as failure:
        poll(imap_security="starttls")
    assert failure.value.code == "refused"
    assert [one.fileno() for one in opened] == [-1]


def test_nobody_there(at, imap):
    imap.close()
    with pytest.raises(PollError) as failure:
        EmailAdapter().poll(at(imap_port=imap.port), {}, now=NOW)
    assert (failure.value.code, failure.value.credentials) == ("unreachable", False)


@pytest.mark.parametrize(
    "settings", [{"imap_host": ""}, {"imap_port": "x"}, {"imap_security": "ssl3"}, {"username": "a\r\nb"}]
)
def test_settings_that_cannot_be_meant_are_named(poll, settings):
    with pytest.raises(PollError) as failure:
        poll(**settings)
    assert failure.value.code == "settings"


SENT = Outgoing(
    surface="email", recipient=Address(kind="email", value="c@mail.example"), marker="<t1.a2@shop.example>", text=""
)


@pytest.mark.parametrize(
    "folders",
    [
        [rb'(\HasNoChildren) "." "INBOX"', rb'(\HasNoChildren \Sent) "." "Ausgang"'],
        [rb'() "." INBOX', rb'() "." "INBOX.Sent"'],
        [rb'() "/" "Sent Items"'],
    ],
)
def test_a_mail_is_found_among_those_sent(imap, at, stored, folders):
    raw = b"From: care@shop.example\r\nMessage-ID: <t1.a2@shop.example>\r\n\r\nhi"
    imap.folders = folders
    imap.mails = [stored(1, raw), stored(2, raw.replace(b"<t1", b"<xt1"))]
    looked = EmailAdapter().look(at(imap_port=imap.port), SENT, since=NOW - timedelta(minutes=2))
    assert looked.external_id == mail_key(raw)
    assert looked.reference == "<t1.a2@shop.example>"


def test_absence_proves_nothing(imap, at):
    for folders in ([], [rb'(\Sent) "/" "Sent"']):
        imap.folders = folders
        looked = EmailAdapter().look(at(imap_port=imap.port), SENT, since=NOW)
        assert (looked.external_id, looked.absence_proves) == ("", False)


def test_trying_says_what_works(imap, smtp, at, stored):
    imap.mails = [
        stored(1, mail(1), at="01-Nov-2026 10:00:00 +0000"),
        stored(2, mail(2), at="02-Nov-2026 10:00:00 +0000"),
    ]
    imap.folders = [rb'(\Sent) "/" "Sent"']
    tried = EmailAdapter().try_out(at(imap_port=imap.port, smtp_port=smtp.port))
    assert tried.ok
    assert tried.words[0] == "Reading works: 2 mails in INBOX, none of them will be fetched."
    assert "Sent" in tried.words[1]
    assert "Sending works" in tried.words[2]
    smtp.close()
    failed = EmailAdapter().try_out(at(imap_port=imap.port, smtp_port=smtp.port))
    assert not failed.ok
    assert "Sending does not work" in failed.words[-1]
