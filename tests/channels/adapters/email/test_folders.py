"""The folder for sent mail beside the inbox: what is new in it, and that it never holds the inbox up."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from channels.adapters.base import NotOurs, PollError
from channels.adapters.email import EmailAdapter, folders, mail_key

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
LATER = "21-Nov-2026 10:31:00 +0000"


def mail(number: int, who: str = "c@mail.example") -> bytes:
    return f"From: {who}\r\nMessage-ID: <m{number}@mail.example>\r\n\r\nbody {number}".encode()


def answer(number: int) -> bytes:
    return mail(number, "care@shop.example")


@pytest.fixture
def poll(imap, at):
    def polling(cursor=None, *, minutes=0.0, seconds=5.0, page=50, **settings):
        connection = at(**{"imap_port": imap.port, **settings})
        imap.seen.clear()
        now = NOW + timedelta(minutes=minutes)
        polled = EmailAdapter(poll_seconds=seconds, page=page).poll(connection, cursor or {}, now=now)
        # As the database keeps it.
        json.dumps(polled.cursor)
        return polled

    return polling


def told(polled) -> list[tuple[str, object]]:
    return [(item.happening, item.meta["uid"]) for item in polled.items]


def verbs(imap) -> list[str]:
    words = [line.split(" ") for line in imap.seen]
    return [" ".join(each[1:3]) if each[1] == "UID" else each[1] for each in words]


def test_sent_mail_is_read_after_what_came_in_each_a_row_of_its_own(imap, sent, poll, stored):
    imap.mails = [stored(1, mail(1))]
    sent.mails = [stored(4, answer(9))]
    polled = poll()
    assert told(polled) == [("message", 1), ("sent", 4)]
    assert (polled.items[1].external_id, polled.items[1].body) == (mail_key(answer(9)), answer(9))
    assert told(poll(polled.cursor)) == []


def test_a_new_mailbox_begins_with_its_inbox_and_one_from_before_begins_now(imap, sent, poll, stored):
    sent.mails = [
        stored(1, answer(1), at="21-Nov-2026 08:59:59 +0000"),
        stored(2, answer(2), at="21-Nov-2026 09:00:01 +0000"),
        stored(3, answer(3), at=LATER),
    ]
    assert told(poll()) == [("sent", 2), ("sent", 3)]
    before = poll({"uidvalidity": 7, "uid": 0, "baseline": 0})
    assert told(before) == [("sent", 3)]
    sent.mails.append(stored(4, answer(4), at="21-Nov-2026 10:20:30 +0000"))
    assert told(poll(before.cursor, minutes=1)) == [("sent", 4)]


def test_a_folder_in_which_nothing_is_new_is_not_opened(imap, sent, poll, stored):
    sent.mails = [stored(1, answer(1))]
    first = poll()
    assert verbs(imap).count("LIST") == 1
    second = poll(first.cursor, minutes=1)
    assert [verb for verb in verbs(imap) if verb not in {"CAPABILITY", "LOGIN", "LOGOUT"}] == [
        "EXAMINE", "UID SEARCH", "STATUS",
    ]  # fmt: skip
    # Nor an empty one; which folder it is is asked anew now and then.
    sent.mails, sent.uid_next = [], 1
    sent.uid_validity = 4
    third = poll(poll(second.cursor, minutes=2).cursor, minutes=3)
    assert verbs(imap).count("EXAMINE") == 1
    poll(third.cursor, minutes=90)
    assert "LIST" in verbs(imap)


def test_new_numbers_are_read_from_the_last_look_on_and_nothing_older(imap, sent, poll, stored):
    sent.mails = [stored(8, answer(1))]
    first = poll(minutes=30)
    sent.uid_validity = 4
    sent.mails = [
        stored(1, answer(1)),
        stored(2, answer(2), at="21-Nov-2026 10:30:00 +0000"),
        stored(3, answer(3), at="21-Nov-2026 10:59:30 +0000"),
        stored(4, answer(4), at="21-Nov-2026 11:00:30 +0000"),
    ]
    assert told(poll(first.cursor, minutes=31)) == [("sent", 3), ("sent", 4)]


def test_without_such_a_folder_nothing_changes_until_there_is_one(imap, sent, poll, stored):
    imap.folders = [rb'() "/" "INBOX"']
    imap.mails = [stored(1, mail(1))]
    first = poll()
    assert (told(first), first.quota["words"]) == ([("message", 1)], [])
    imap.folders.append(rb'() "/" "Gesendet"')
    imap.folders.append(rb'(\Sent) "/" "Sent"')
    sent.mails = [stored(1, answer(1)), stored(2, answer(2), at=LATER)]
    assert told(poll(first.cursor, minutes=2)) == [("sent", 2)]


def test_a_folder_that_only_holds_others_is_none(imap, sent, poll, stored):
    imap.folders = [rb'(\Noselect \Sent) "/" "Gesendet"', rb'(\Noselect) "/" "Sent Items"', rb'() "/" "Sent"']
    sent.mails = [stored(1, answer(1))]
    assert told(poll()) == [("sent", 1)]


def test_sent_mail_waits_until_all_that_came_in_is_read(imap, sent, poll, stored):
    imap.mails = [stored(number, mail(number)) for number in range(1, 6)]
    sent.mails = [stored(number, answer(number)) for number in range(1, 4)]
    found, cursor = [], {}
    for _page in range(10):
        polled = poll(cursor, page=3)
        assert len(polled.items) <= 3
        found += told(polled)
        cursor = polled.cursor
        if not polled.more:
            break
    assert found == [("message", number) for number in range(1, 6)] + [("sent", number) for number in range(1, 4)]


def test_a_mailbox_from_before_that_gets_another_login_begins_now_as_well(imap, sent, poll, stored):
    sent.mails = [stored(1, answer(1), at="21-Nov-2026 09:30:00 +0000")]
    before = {"uidvalidity": 7, "uid": 0}
    first = poll(before)
    assert told(first) == []
    assert told(poll(first.cursor, username="another", minutes=1)) == []


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("STATUS", "NO [NONEXISTENT] no such folder"),
        ("STATUS", "BAD what"),
        ("STATUS", "* STATUS (\r\n"),
        ("EXAMINE", "NO [SERVERBUG] internal error"),
        ("UID", "NO [SERVERBUG] internal error"),
        ("STATUS", "drip"),
    ],
)
def test_a_broken_folder_for_sent_mail_never_holds_up_the_inbox(imap, sent, poll, stored, monkeypatch, verb, said):
    monkeypatch.setattr(folders, "SENT_SECONDS", 0.3)
    imap.mails = [stored(1, mail(1))]
    sent.mails = [stored(1, answer(1))]
    sent.answers = {verb: said}
    start = time.monotonic()
    first = poll()
    assert told(first) == [("message", 1)]
    assert (first.cursor["uid"], first.more) == (1, False)
    assert time.monotonic() - start < 4
    # One bad moment is told to nobody, and the folder has its rest.
    assert poll(first.cursor, minutes=0.5).quota["words"] == first.quota["words"] == []
    assert "STATUS" not in verbs(imap)
    second = poll(first.cursor, minutes=2)
    assert "Sent mail cannot be read" in second.quota["words"][0]
    poll(second.cursor, minutes=3)
    assert "STATUS" not in verbs(imap)
    sent.answers = {}
    monkeypatch.setattr(folders, "SENT_SECONDS", 5.0)
    mended = poll(second.cursor, minutes=5)
    assert (told(mended), mended.quota["words"]) == ([("sent", 1)], [])


def test_a_folder_whose_name_no_database_holds_is_none(imap, sent, poll, stored):
    imap.folders = [rb'(\Sent) "/" "Se&AAA-nt"']
    imap.mails = [stored(1, mail(1))]
    polled = poll()
    assert told(polled) == [("message", 1)]
    assert "\\u0000" not in json.dumps(polled.cursor)


def test_a_cursor_that_makes_no_sense_begins_anew(imap, sent, poll, stored):
    sent.mails = [stored(1, answer(1), at=LATER)]
    for part in ([], "x", {"begins_at": 5, "read_at": "x", "uid": "y", "rests_until": "2999-01-01T00:00:00+00:00"}):
        assert told(poll({"uidvalidity": 7, "uid": 0, "sent": part})) == [("sent", 1)]


def test_a_draft_among_sent_mail_is_none_of_our_business_and_its_mail_comes_all_the_same(
    imap, sent, poll, stored, connection
):
    sent.mails = [stored(1, answer(1), flags=r"\Seen \Draft"), stored(2, answer(1))]
    draft, mailed = poll().items
    assert draft.external_id == mailed.external_id
    assert draft.revision != mailed.revision
    with pytest.raises(NotOurs, match="draft"):
        list(EmailAdapter().parse(draft, connection))
    (message,) = EmailAdapter().parse(mailed, connection)
    assert message.direction == "out"


def test_the_inbox_s_own_trouble_is_still_told(imap, sent, poll, stored):
    imap.mails = [stored(1, mail(1))]
    imap.fetch_refused = True
    with pytest.raises(PollError):
        poll()


def test_nothing_among_sent_mail_is_touched(imap, sent, poll, stored):
    sent.mails = [stored(1, answer(1))]
    poll()
    said = " ".join(imap.seen).upper()
    for word in ("STORE", "EXPUNGE", "COPY", "MOVE", "SELECT ", "APPEND", " CLOSE", "RFC822 ", "BODY[]"):
        assert word not in said
