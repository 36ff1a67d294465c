"""The mail adapter against practice mail: every field it reads of sent mail, over real IMAP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from channels.adapters.base import Connection, NotOurs, Polled
from channels.adapters.email import EmailAdapter
from channels.happenings import InboundMessage
from contactcentre.lib.secrets import Credentials
from tests.practice.running import CARLA, TOM, Practice

RETURNS = "returns@acme.example"


class Mailbox:
    """returns@ as the product reads it, from now on."""

    def __init__(self, practice: Practice) -> None:
        began = datetime.now(UTC)
        self.connection = Connection(
            account_id=1,
            kind="email",
            address=RETURNS,
            name="Returns",
            settings={"imap_host": "127.0.0.1", "imap_port": practice.imap_port, "imap_security": "none",
                      "smtp_host": "127.0.0.1", "smtp_port": practice.smtp_port, "smtp_security": "none"},
            credentials=Credentials(password="practice-returns"),
            begins_at=began,
            own=frozenset({RETURNS, "care@acme.example"}),
        )  # fmt: skip
        self.cursor: Mapping[str, object] = {}
        self.new()

    def poll(self) -> Polled:
        polled = EmailAdapter().poll(self.connection, self.cursor, now=datetime.now(UTC))
        self.cursor = polled.cursor
        return polled

    def new(self) -> list[tuple[str, InboundMessage]]:
        """What came in and what was sent since the last time, each with what the ledger calls it."""
        found = []
        for item in self.poll().items:
            (message,) = EmailAdapter().parse(item, self.connection)
            assert isinstance(message, InboundMessage)
            found.append((item.happening, message))
        return found


@pytest.fixture
def returns(practice: Practice) -> Mailbox:
    return Mailbox(practice)


def test_an_answer_from_the_mailboxs_own_program_is_read_with_all_that_tells_where_it_belongs(
    practice: Practice, returns: Mailbox
) -> None:
    asked = practice.mail(to=[RETURNS], subject="The lid", text="Is it in stock?").body["message_id"]
    told = {"person": "carla", "mailbox": RETURNS, "text": "Yes, it is.", "cc": TOM, "quote": True, "picture": True}
    sent = practice.ask("/practice/mail/mailbox", told).body
    (_, question), (happening, answer) = returns.new()
    assert (question.direction, happening, answer.direction) == ("in", "sent", "out")
    assert answer.reference == sent["message_id"]
    assert answer.references[0] == asked == question.reference
    assert answer.recipient is not None
    assert (answer.author.value, answer.recipient.value) == (RETURNS, CARLA)
    assert [each.value for each in answer.participants] == [CARLA, TOM]
    assert (answer.text, answer.subject, answer.automatic) == ("Yes, it is.", "Re: The lid", "")
    assert "Is it in stock?" in answer.quoted
    assert [each.name for each in answer.files] == ["dent.png"]
    assert abs(answer.said_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert returns.new() == []
    assert practice.with_subject(CARLA, "Re: The lid")[0]["references"] == [asked]


def test_a_copy_that_is_filed_late_was_said_before_it_and_one_of_a_machine_is_told(
    practice: Practice, returns: Mailbox
) -> None:
    practice.mail(to=[RETURNS], subject="Late", text="Anybody?")
    practice.misbehave("sent_late")
    practice.ask("/practice/mail/mailbox", {"person": "carla", "mailbox": RETURNS, "text": "Yes", "automatic": True})
    assert [happening for happening, _ in returns.new()] == ["message"]
    practice.misbehave("sent_late", on=False)
    ((happening, answer),) = returns.new()
    assert (happening, answer.automatic) == ("sent", "out-of-office")
    filed = practice.letters(RETURNS, "Sent")[0]["arrived_at"]
    assert answer.said_at <= datetime.fromtimestamp(filed, UTC)


def test_new_numbers_of_the_folder_for_sent_mail_bring_nothing_twice(practice: Practice, returns: Mailbox) -> None:
    practice.mail(to=[RETURNS], subject="Twice", text="Hello?")
    practice.ask("/practice/mail/mailbox", {"person": "carla", "mailbox": RETURNS, "text": "Here."})
    (sent,) = [item for item in returns.poll().items if item.happening == "sent"]
    assert practice.ask(f"/practice/mail/{RETURNS}/recreate", {"folder": "Sent"}).status == 200
    again = returns.poll().items
    # The ledger knows it by the same key; nothing from before the mailbox began, in whole seconds, is among it.
    assert [item.external_id for item in again].count(sent.external_id) == 1
    began = returns.connection.begins_at.replace(microsecond=0)
    assert all(datetime.fromisoformat(str(item.meta["internaldate"])) >= began for item in again)


def test_a_draft_that_a_program_left_among_sent_mail_is_told_apart(practice: Practice, returns: Mailbox) -> None:
    with practice.imap() as client:
        draft = b"From: care@acme.example\r\nTo: carla.hughes@post.example\r\nMessage-ID: <d@acme.example>\r\n\r\nHm"
        client.append("Sent", draft, flags=(b"\\Draft", b"\\Seen"))
        uid = client.folder_status("Sent", ["UIDNEXT"])[b"UIDNEXT"] - 1
    care = Connection(
        **{name: getattr(returns.connection, name) for name in ("account_id", "kind", "name", "begins_at", "own")},
        address="care@acme.example", settings=returns.connection.settings,
        credentials=Credentials(password="practice-care"),
    )  # fmt: skip
    items = EmailAdapter().poll(care, {}, now=datetime.now(UTC)).items
    (item,) = [item for item in items if item.happening == "sent" and item.meta["uid"] == uid]
    with pytest.raises(NotOurs):
        list(EmailAdapter().parse(item, care))
