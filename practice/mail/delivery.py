"""What becomes of a letter that was taken: filed, held, doubled, bounced, answered by somebody on holiday."""

from __future__ import annotations

import email.message
import email.utils
import sqlite3
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText

from practice.database import transaction
from practice.happenings import Happenings
from practice.mail.accounts import Account, Accounts
from practice.mail.reading import header_of
from practice.mail.store import INBOX, SENT, MailStore
from practice.mail.switches import NETWORK
from practice.mischief import Mischief

#: The name our server goes by in trace headers and reports.
SERVER_NAME = "mail.practice.example"
#: The envelope sender of mail that nobody may answer (RFC 5321 section 4.5.5).
NULL_SENDER = "<>"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail_away (
    address TEXT PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS mail_away_answered (
    address TEXT NOT NULL REFERENCES mail_away (address) ON DELETE CASCADE,
    sender TEXT NOT NULL,
    PRIMARY KEY (address, sender)
);
"""


class Delivery:
    """Delivers what was submitted."""

    def __init__(
        self,
        *,
        db: sqlite3.Connection,
        accounts: Accounts,
        store: MailStore,
        mischief: Mischief,
        happenings: Happenings,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._store = store
        self._mischief = mischief
        self._happenings = happenings
        db.executescript(_SCHEMA)

    def take(self, *, login: Account, sender: str, recipients: Sequence[str], raw: bytes, helo: str) -> None:
        """Deliver a letter that `login` handed in, and file their copy. All of it, or, when it raises, none of it.

        `sender` is the envelope sender, NULL_SENDER for automatic mail; `recipients` were each accepted before.
        """
        with transaction(self._db):
            for recipient in recipients:
                account = self._accounts.find(recipient)
                if account is None:
                    self._bounce(sender, recipient, raw)
                else:
                    self._deliver(account, sender, recipient, raw, helo)
            if not login.ours or not self._mischief.take(NETWORK, "files_sent", address=login.address):
                self._file_copy(login, raw)

    def release(self, switch: str) -> int:
        """Deliver what a switch made us hold, newest first, and return how many letters that were."""
        folder = {"late": INBOX, "sent_late": SENT}.get(switch)
        if folder is None:
            return 0
        with transaction(self._db):
            letters = self._store.take_held(folder)
            for address, raw in letters:
                self._store.open_mailbox(address)
                self._store.file(address, folder, raw, flags=["\\Seen"] if folder == SENT else [])
        if letters:
            self._happenings.note(NETWORK, "released", f"{len(letters)} held letters were delivered, newest first.")
        return len(letters)

    def set_away(self, address: str, away: bool) -> None:
        """Let somebody leave, or come back. Leaving again answers everybody once again."""
        self._db.execute("DELETE FROM mail_away WHERE address = ?", (address,))
        if away:
            self._db.execute("INSERT INTO mail_away (address) VALUES (?)", (address,))

    def is_away(self, address: str) -> bool:
        """Return whether somebody is away."""
        return self._db.execute("SELECT 1 FROM mail_away WHERE address = ?", (address,)).fetchone() is not None

    def _deliver(self, account: Account, sender: str, recipient: str, raw: bytes, helo: str) -> None:
        stamped = _trace(sender, recipient, helo) + raw
        subject = header_of(raw, "Subject") or "(no subject)"
        words = f"{sender} → {recipient}: {subject}"
        if account.ours and self._mischief.take(NETWORK, "late", address=account.address):
            self._store.hold(account.address, INBOX, stamped)
            self._happenings.note(NETWORK, "held", f"{words} (held)")
            return
        self._store.file(account.address, INBOX, stamped)
        self._happenings.note(NETWORK, "delivered", words)
        if account.ours and self._mischief.take(NETWORK, "duplicate", address=account.address):
            self._store.file(account.address, INBOX, stamped)
            self._happenings.note(NETWORK, "delivered", f"{words} (again)")
        self._answer_for_the_absent(account, sender, raw)

    def _file_copy(self, login: Account, raw: bytes) -> None:
        if login.ours and self._mischief.take(NETWORK, "sent_late", address=login.address):
            self._store.hold(login.address, SENT, raw)
            self._happenings.note(NETWORK, "sent_held", f"{login.address}: the copy for Sent is held back.")
            return
        self._store.open_mailbox(login.address)
        self._store.file(login.address, SENT, raw, flags=["\\Seen"], is_recent=False)

    def _bounce(self, sender: str, recipient: str, raw: bytes) -> None:
        """Report to the sender that there is nobody of that name. A report about a report is never made (RFC 3464)."""
        home = self._accounts.find(sender)
        self._happenings.note(NETWORK, "bounced", f"{sender} → {recipient}: nobody of that name, reported back.")
        if sender == NULL_SENDER or home is None:
            return
        self._deliver(home, NULL_SENDER, sender, _report(sender, recipient, raw), SERVER_NAME)

    def _answer_for_the_absent(self, account: Account, sender: str, raw: bytes) -> None:
        """Answer each sender once, never automatic mail, and with an empty envelope sender (RFC 3834 sections 2, 3)."""
        automatic = header_of(raw, "Auto-Submitted").lower() not in ("", "no")
        home = self._accounts.find(sender)
        if not self.is_away(account.address) or automatic or home is None:
            return
        answered = self._db.execute(
            "INSERT OR IGNORE INTO mail_away_answered (address, sender) VALUES (?, ?)",
            (account.address, sender.lower()),
        )
        if answered.rowcount:
            self._deliver(home, NULL_SENDER, sender, _away_answer(account, sender, raw), SERVER_NAME)


def _trace(sender: str, recipient: str, helo: str) -> bytes:
    """Return the lines a server puts on top on final delivery (RFC 5321 section 4.4)."""
    envelope = sender if sender == NULL_SENDER else f"<{sender}>"
    return (
        f"Return-Path: {envelope}\r\n"
        f"Delivered-To: {recipient}\r\n"
        f"Received: from {_one_line(helo)} by {SERVER_NAME} (Practice) with ESMTPA id {uuid.uuid4().hex[:12]}\r\n"
        f"\tfor <{recipient}>; {_now()}\r\n"
    ).encode("utf-8", "replace")


def _now() -> str:
    return email.utils.format_datetime(datetime.now(UTC))


def _one_line(words: str) -> str:
    return "".join(letter for letter in words if letter.isprintable())[:100]


def _report(sender: str, recipient: str, raw: bytes) -> bytes:
    """Return a delivery status notification (RFC 3464): words for people, fields for machines, the returned header."""
    why = f"550 5.1.1 <{recipient}>: there is nobody of that name here"
    report = MIMEMultipart("report")
    report.set_param("report-type", "delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{SERVER_NAME}>"
    report["To"] = sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = _now()
    report["Message-ID"] = email.utils.make_msgid(domain=SERVER_NAME)
    report["Auto-Submitted"] = "auto-replied"
    words = f"Your message could not be delivered to {recipient}.\n\n{why}\n"
    report.attach(MIMEText(words, "plain", "us-ascii"))
    fields = MIMENonMultipart("message", "delivery-status")
    about_us, about_them = email.message.Message(), email.message.Message()
    about_us["Reporting-MTA"] = f"dns; {SERVER_NAME}"
    about_us["Arrival-Date"] = _now()
    about_them["Final-Recipient"] = f"rfc822; {recipient}"
    about_them["Action"] = "failed"
    about_them["Status"] = "5.1.1"
    about_them["Diagnostic-Code"] = f"smtp; {why}"
    fields.set_payload([about_us, about_them])
    report.attach(fields)
    returned = MIMENonMultipart("text", "rfc822-headers")
    header = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    returned.set_payload(header.decode("ascii", "replace"), "utf-8")
    report.attach(returned)
    return report.as_bytes(policy=report.policy.clone(linesep="\r\n"))


def _away_answer(account: Account, sender: str, raw: bytes) -> bytes:
    answer = EmailMessage()
    answer["From"] = email.utils.formataddr((account.name, account.address))
    answer["To"] = sender
    answer["Subject"] = "Automatic reply: " + (header_of(raw, "Subject") or "your mail")
    answer["Date"] = _now()
    answer["Message-ID"] = email.utils.make_msgid(domain=account.address.rpartition("@")[2])
    answer["Auto-Submitted"] = "auto-replied"
    asked = header_of(raw, "Message-ID")
    if asked.isascii() and asked:
        answer["In-Reply-To"] = asked
        answer["References"] = asked
    answer.set_content("Thank you for your mail. I am away until Monday and read it then.\n")
    return answer.as_bytes(policy=answer.policy.clone(linesep="\r\n"))
