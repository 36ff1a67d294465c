"""What is new in a mailbox: what came in, and then what was sent, be it from here or by somebody in a mail program.

The inbox is what must not fail. The folder for sent mail has a share of the time, is left alone for a while after a
failure, and costs one question (STATUS) where nothing new lies in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _
from imapclient.exceptions import IMAPClientError

from channels.adapters.base import Connection, Polled, PollError
from channels.adapters.email.hosts import Deadline
from channels.adapters.email.mailbox import Mailbox, Misconfigured, mailbox
from channels.adapters.email.polling import CLOCK_SKEW, PAGE, Place, read
from channels.adapters.email.sent import sent_folder
from channels.adapters.email.session import Client, ImapProblem, Selected, select, session
from channels.happenings import OUR_MAIL
from contactcentre.lib.text import clean, clean_line

# What came in waits for this at the most: its mails are handed over together with those sent.
SENT_SECONDS = 15.0
# The folder may get another name, or the mark another folder.
LISTED_EVERY = timedelta(hours=1)
# After the first failure in a row; doubled with each.
REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=15)
# One failure is any network's bad moment.
TOLD_AFTER = 2


@dataclass(frozen=True, slots=True)
class SentPlace:
    """Where the reading of the folder for sent mail stands; `given` is its part of the account's cursor.

    `begins_at`: nothing received before it is read. `read_at`: all received before it has been, in whichever folder;
    where the folder or its numbering is another one it is read from there on.
    """

    begins_at: datetime
    read_at: datetime
    given: Mapping[str, object]

    @classmethod
    def of(cls, cursor: Mapping[str, object], connection: Connection, *, now: datetime) -> SentPlace:
        """The place in the account's cursor. A mailbox that was read before we looked at sent mail begins now; a new
        one, or one connected again, where its inbox begins (row 21 of docs/one-ticket.md)."""
        given = cursor.get("sent")
        told = given if isinstance(given, dict) else {}
        begins_at = _moment(told.get("begins_at")) or (now if cursor else min(connection.begins_at, now))
        return cls(begins_at, _moment(told.get("read_at")) or begins_at, told)

    @property
    def folder(self) -> str:
        """The folder that was read last; empty where there was none."""
        name = self.given.get("folder")
        return name if isinstance(name, str) else ""

    @property
    def failures(self) -> int:
        """How many looks in a row failed."""
        count = self.given.get("failures")
        return count if isinstance(count, int) and count > 0 else 0

    def is_listed(self, now: datetime) -> bool:
        """Whether it is known, and not for too long, which folder it is."""
        at = _moment(self.given.get("listed_at"))
        return bool(self.folder) and at is not None and timedelta() <= now - at < LISTED_EVERY

    def rests(self, now: datetime) -> bool:
        """Whether it failed so lately that it is left alone."""
        until = _moment(self.given.get("rests_until"))
        return until is not None and now < until < now + 2 * LONGEST_REST

    def words(self) -> list[str]:
        """What an admin is told, for the account's card."""
        told = self.given.get("words")
        return [told] if isinstance(told, str) and self.failures >= TOLD_AFTER else []

    def cursor(self) -> dict[str, object]:
        """Its part of the account's cursor, as it was."""
        times = {"begins_at": self.begins_at.isoformat(), "read_at": self.read_at.isoformat()}
        return {"sent": {**self.given, **times}}

    def moved(self, *, listed_at: datetime, read_at: datetime, folder: str, uids: Mapping[str, object]) -> SentPlace:
        """The place after a look that came through."""
        return SentPlace(
            self.begins_at, read_at, {"folder": folder, "listed_at": listed_at.isoformat(), **uids} if folder else {}
        )

    def failed(self, why: str, *, now: datetime) -> SentPlace:
        """The place after a look that did not: nothing is passed over, and which folder it is is asked anew."""
        count = self.failures + 1
        rest = min(REST * 2 ** min(count - 1, 16), LONGEST_REST)
        told = {"failures": count, "rests_until": (now + rest).isoformat(), "words": why, "listed_at": ""}
        return replace(self, given={**self.given, **told})


def poll(
    connection: Connection, cursor: Mapping[str, object], *, now: datetime, seconds: float, page: int = PAGE
) -> Polled:
    """The next page of mails received, and where that is the last one of those sent. Raises PollError."""
    try:
        box = mailbox(connection)
        with Deadline(seconds) as deadline, session(box, deadline=deadline) as client:
            selected = select(client, box.folder)
            of = f"{box.username} {box.imap.host} {box.folder}"
            # Many servers number every folder anew and call that numbering 1: of another one these numbers say nothing.
            kept = cursor if cursor.get("of", of) == of else {}
            place = Place.read(kept, selected)
            inbox = read(client, place, selected, connection.begins_at, deadline, now=now, page=page)
            inbox = replace(inbox, cursor={**inbox.cursor, "of": of})
            sent = SentPlace.of(cursor, connection, now=now)
            if kept is not cursor:
                # The times go on, the numbers do not.
                sent = replace(sent, given={})
            if inbox.more:
                # What was asked comes in before what answered it.
                return _together(inbox, Polled(items=(), cursor=sent.cursor(), more=True), sent)
            if sent.rests(now):
                return _together(inbox, Polled(items=(), cursor=sent.cursor()), sent)
            return _with_sent(inbox, client, box, sent, deadline, now=now, page=page)
    except Misconfigured as error:
        raise PollError(str(error), code="settings") from error
    except ImapProblem as error:
        raise PollError(str(error), code=error.code, credentials=error.credentials) from error


def _with_sent(
    inbox: Polled, client: Client, box: Mailbox, sent: SentPlace, deadline: Deadline, *, now: datetime, page: int
) -> Polled:
    """The inbox's page with what is new among sent mail. Raises nothing: what came in is not held up by it."""
    try:
        # All the time there is for another try: one large mail on a slow line would else end the reading for ever.
        with deadline.part(deadline.remaining() if sent.failures else SENT_SECONDS) as limit:
            found, place = _sent(inbox, client, box, sent, limit, now=now, page=page)
    except Exception as error:  # noqa: BLE001
        # A refusal, a connection that broke or was too slow, whatever the library makes of an answer that nobody
        # foresaw: the mails that came in are in our hands and must be written down.
        place = sent.failed(_why(error), now=now)
        found = Polled(items=(), cursor=place.cursor())
    return _together(inbox, found, place)


def _why(error: Exception) -> str:
    is_told = isinstance(error, IMAPClientError | ImapProblem | OSError)
    words = (clean_line(str(error), 160) if is_told else "") or type(error).__name__
    return _("Sent mail cannot be read, so answers written in a mail program are not seen: %(why)s") % {"why": words}


def _together(inbox: Polled, found: Polled, place: SentPlace) -> Polled:
    return Polled(
        items=(*inbox.items, *found.items),
        cursor={**inbox.cursor, **found.cursor},
        more=found.more,
        quota={"words": place.words()},
    )


def _sent(
    inbox: Polled, client: Client, box: Mailbox, sent: SentPlace, deadline: Deadline, *, now: datetime, page: int
) -> tuple[Polled, SentPlace]:
    """What is new in the folder for sent mail, and the place behind it. Raises what a conversation raises."""
    listed = sent.is_listed(now)
    listed_at = (_moment(sent.given.get("listed_at")) or now) if listed else now
    folder = sent.folder if listed else sent_folder(client)
    if not folder or folder == box.folder or clean(folder) != folder:
        # A name that no cursor can hold is none: what came in must be written down.
        place = sent.moved(listed_at=now, read_at=now, folder="", uids={})
        return Polled(items=(), cursor=place.cursor()), place
    told = _status(client, folder)
    uids = sent.given if folder == sent.folder else {}
    before = Place.read(uids, told, happening=OUR_MAIL)
    if _knows(uids, told) and told.uid_next == before.uid + 1:
        place = sent.moved(listed_at=listed_at, read_at=now, folder=folder, uids=before.cursor(before.uid))
        return Polled(items=(), cursor=place.cursor()), place
    selected = select(client, folder)
    before = Place.read(uids, selected, happening=OUR_MAIL)
    # Its numbering says what is new. Where that is another one the time does; the ledger knows what comes twice.
    beginning = sent.begins_at if _knows(uids, selected) else max(sent.begins_at, sent.read_at - CLOCK_SKEW)
    polled = read(
        client, before, selected, beginning, deadline, now=now,
        page=page - len(inbox.items), taken=sum(len(item.body) for item in inbox.items),
    )  # fmt: skip
    place = sent.moved(
        listed_at=listed_at, read_at=sent.read_at if polled.more else now, folder=folder, uids=polled.cursor
    )
    return replace(polled, cursor=place.cursor()), place


def _status(client: Client, folder: str) -> Selected:
    """The numbers of a folder that is not opened."""
    status = client.folder_status(folder, ["UIDNEXT", "UIDVALIDITY"])
    validity, uid_next = (_number(status.get(name)) for name in (b"UIDVALIDITY", b"UIDNEXT"))
    return Selected(uid_validity=validity, uid_next=uid_next, exists=0)


def _knows(uids: Mapping[str, object], selected: Selected) -> bool:
    """Whether these UIDs are of the folder as it is numbered now."""
    return "uid" in uids and uids.get("uidvalidity") == selected.uid_validity


def _number(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _moment(value: object) -> datetime | None:
    """A time as the cursor holds it; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
