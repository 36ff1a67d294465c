"""Starting, ending, and starting again."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.practice.running import CARE, Practice, start


def test_it_refuses_to_start_unless_practice_is_wished_for(tmp_path: Path) -> None:
    process = start({"PRACTICE_DATA": str(tmp_path), "PRACTICE_WEB_PORT": "0"})
    out, complaint = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")
    assert "PRACTICE=1" in complaint
    assert len(complaint.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_everything_is_still_there_after_a_kill(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "data")
    try:
        sent = practice.mail(subject="Before the kill").body
        practice.misbehave("late")
        practice.mail(subject="Held through the kill")
        person = practice.ask("/practice/people", {"name": "Zoë O’Brien-Ng"}).body
        with practice.imap() as client:
            before = client.select_folder("INBOX", readonly=True)
        practice.end(signal.SIGKILL)
        practice.start_again()
        with practice.imap() as client:
            after = client.select_folder("INBOX", readonly=True)
            assert client.search(["HEADER", "Message-ID", sent["message_id"]]) == [1]
        assert (after[b"UIDVALIDITY"], after[b"UIDNEXT"]) == (before[b"UIDVALIDITY"], before[b"UIDNEXT"])
        practice.misbehave("late", on=False)
        assert practice.with_subject(CARE, "Held through the kill")
        assert person in practice.ask("/people.json").body["people"]

        second = start(practice.environ)
        assert "stop them first" in second.communicate(timeout=10)[1]
        assert second.returncode == 1
    finally:
        practice.end()


def test_a_taken_port_is_said_in_one_line(practice: Practice, tmp_path: Path) -> None:
    second = start({**practice.environ, "PRACTICE_DATA": str(tmp_path)})
    _, complaint = second.communicate(timeout=10)
    assert second.returncode == 1
    assert len(complaint.splitlines()) == 1
    assert "in use" in complaint
