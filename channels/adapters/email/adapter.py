"""The email adapter: the interface of every channel kind, each method one translation done next door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from channels.adapters.base import Connection, DeliveryError, Looked, Opener, Polled, Tried
from channels.adapters.email import folders, polling, sent, trying
from channels.adapters.email.compose import date_header, letter
from channels.adapters.email.headers import mail_key
from channels.adapters.email.hosts import Deadline
from channels.adapters.email.mailbox import Misconfigured, mailbox
from channels.adapters.email.parsing import inbound
from channels.adapters.email.smtp import connected, deliver
from channels.happenings import Happening, Outgoing, RawItem, Sent


class EmailAdapter:
    """Mail over IMAP and SMTP. The limits are whole conversations, in seconds."""

    kind = "email"

    def __init__(
        self,
        *,
        poll_seconds: float = 60.0,
        send_seconds: float = 120.0,
        look_seconds: float = 30.0,
        page: int = polling.PAGE,
    ) -> None:
        self._poll_seconds = poll_seconds
        self._send_seconds = send_seconds
        self._look_seconds = look_seconds
        self._mails_a_page = page

    def poll(self, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        """Mails received since the cursor, in the order of their UIDs, then those we sent. Raises PollError."""
        return folders.poll(connection, cursor, now=now, seconds=self._poll_seconds, page=self._mails_a_page)

    def parse(self, item: RawItem, connection: Connection) -> Iterator[Happening]:
        """The one message that a mail is. Raises PayloadError, NotOurs."""
        yield inbound(item, connection)

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        """Hand the mail to the provider in one transaction. Raises DeliveryError."""
        try:
            box = mailbox(connection)
        except Misconfigured as error:
            raise DeliveryError(str(error), code="settings") from error
        # The clock is read at this edge: the Date field says when the mail left, not when it was written.
        built = letter(box, outgoing, opener=opener, date=date_header(datetime.now(UTC)))
        with Deadline(self._send_seconds) as deadline, connected(box, deadline=deadline) as transport:
            notes = deliver(transport, built, still_ours=still_ours, deadline=deadline)
        return Sent(external_id=mail_key(built.data), reference=built.reference, notes=notes)

    def look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        """Whether the provider keeps this mail among those sent. Raises DeliveryError where the look failed."""
        return sent.look(connection, outgoing, since=since, seconds=self._look_seconds)

    def try_out(self, connection: Connection) -> Tried:
        """Whether the mailbox can be read and sent from; nothing is fetched, marked or sent."""
        return trying.try_out(connection, seconds=self._look_seconds)
