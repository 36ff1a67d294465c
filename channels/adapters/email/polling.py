"""What is new in a folder of a mailbox, a page at a time, without touching anything in it.

The cursor is ours (UIDVALIDITY and the last UID, RFC 3501 2.3.1.1), never \\Seen: whoever else reads the
mailbox would take mails away from us. Nothing is flagged, moved or expunged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, ProtocolError

from channels.adapters.base import Polled
from channels.adapters.email.headers import HEADER_LIMIT, mail_key
from channels.adapters.email.hosts import Deadline
from channels.adapters.email.session import Client, Selected
from channels.happenings import OUR_MAIL, RawItem

# A page ends at so many mails or bytes, whichever comes first: all of it is in memory at once.
PAGE = 50
PAGE_BYTES = 48 * 1024 * 1024
# Below this the page is handed over as it is, rather than lost at the deadline together with the next mail.
RESERVE_SECONDS = 5.0
_CHUNK = 200
# Some programs keep what is not sent yet among what is sent.
_ASKED_OF_SENT = ("INTERNALDATE", "RFC822.SIZE", "FLAGS")
# A mail server's clock may be behind ours. What lies above the UIDs of the first poll has surely come after
# it, so a mail that seems this much older than the account's beginning is taken all the same.
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reading of a folder stands. `baseline` is the last UID there was at the first poll, `happening` what
    its mails are called in the ledger."""

    uid_validity: int
    uid: int
    baseline: int
    happening: str = "message"

    @classmethod
    def read(cls, cursor: Mapping[str, object], selected: Selected, *, happening: str = "message") -> Place:
        """The cursor's place, or the very beginning where there is none or the server renumbered its mails.

        Beginning anew reads whatever came since the account's beginning once more; the ledger's key absorbs it.
        """
        if _whole(cursor.get("uidvalidity")) == selected.uid_validity and "uid" in cursor:
            uid = _whole(cursor.get("uid"))
            return cls(selected.uid_validity, uid, _whole(cursor.get("baseline"), uid), happening)
        return cls(selected.uid_validity, 0, max(0, selected.uid_next - 1), happening)

    def cursor(self, uid: int) -> dict[str, object]:
        """The cursor of this folder at a UID."""
        return {"uidvalidity": self.uid_validity, "uid": uid, "baseline": self.baseline}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a mail before it is fetched. `problem` is set where not even that could be read."""

    uid: int
    at: datetime
    size: int
    problem: str = ""
    is_draft: bool = False


class _Reading:
    """One page being read: what is complete, and what could not be had at the first attempt."""

    def __init__(self, client: Client, place: Place, beginning: datetime, deadline: Deadline, *, taken: int) -> None:
        self._client = client
        self._place = place
        self._beginning = beginning
        self._deadline = deadline
        self.items: list[RawItem] = []
        self.bytes = taken
        self.uid = place.uid
        self._refused: list[Envelope] = []

    def is_full(self, page: int) -> bool:
        """Whether the page ends here: enough mails, enough bytes, or hardly any time."""
        count = len(self.items) + len(self._refused)
        return (
            count >= page
            or self.bytes >= PAGE_BYTES
            or (count > 0 and self._deadline.remaining() < min(RESERVE_SECONDS, self._deadline.seconds / 4))
        )

    def take(self, envelope: Envelope) -> bool:
        """Fetch one mail; False where the page ends behind it because the connection is gone.

        Raises what ended the connection where nothing is complete yet: the cursor then stays where it is.
        """
        allowed = self._beginning - CLOCK_SKEW if envelope.uid > self._place.baseline else self._beginning
        if envelope.at >= allowed:
            try:
                self._add(_item(self._client, envelope, self._place))
            except (IMAPClientAbortError, OSError):
                if self._client.too_much:
                    # This mail would end every connection; it is noted, and the next poll begins behind it.
                    why = _("The server handed over more than it had said.")
                    self.items.append(_unreadable(envelope, self._place, why))
                    self.uid = envelope.uid
                    return False
                if not self.items:
                    raise
                return False
            except IMAPClientError:
                self._refused.append(envelope)
        self.uid = envelope.uid
        return True

    def settle(self) -> None:
        """Try once more what the server refused (NO, BAD).

        A refusal is that mail's own where others were handed over; then it becomes an item that says so. Where
        nothing was, the server itself is in trouble: the error is raised and every mail is still to come.
        """
        for envelope in self._refused:
            try:
                self._add(_item(self._client, envelope, self._place))
            except (IMAPClientAbortError, OSError):
                raise
            except IMAPClientError as error:
                if not self.items:
                    raise
                self.items.append(_unreadable(envelope, self._place, _short(error)))

    def _add(self, item: RawItem | None) -> None:
        if item is not None:
            self.items.append(item)
            self.bytes += len(item.body)


def read(
    client: Client,
    place: Place,
    selected: Selected,
    beginning: datetime,
    deadline: Deadline,
    *,
    now: datetime,
    page: int,
    taken: int = 0,
) -> Polled:
    """The next page of the open folder: mails above the place's UID, received since `beginning`.

    `taken`: bytes that other folders hold of this page already. Raises what a conversation raises.
    """
    uids = _uids(client, place, beginning)
    # INTERNALDATE has whole seconds.
    reading = _Reading(client, place, beginning.replace(microsecond=0), deadline, taken=taken)
    asked = ["INTERNALDATE", "RFC822.SIZE"] if place.happening != OUR_MAIL else [*_ASKED_OF_SENT]
    for start in range(0, len(uids), _CHUNK):
        for envelope in _envelopes(client, uids[start : start + _CHUNK], asked, now=now):
            if reading.is_full(page):
                reading.settle()
                return Polled(items=tuple(reading.items), cursor=place.cursor(reading.uid), more=True)
            if not reading.take(envelope):
                return Polled(items=tuple(reading.items), cursor=place.cursor(reading.uid), more=True)
    reading.settle()
    return Polled(items=tuple(reading.items), cursor=place.cursor(max(reading.uid, selected.uid_next - 1)))


def _uids(client: Client, place: Place, begins_at: datetime) -> list[int]:
    """UIDs above the cursor's, rising. `UID n:*` names the last mail even where n is beyond it (RFC 3501 6.4.8).

    SINCE looks at the date in the server's own zone, so two days of margin are searched and the exact moment
    is compared later; without it a mailbox of years would be asked for the dates of all its mails.
    """
    since = (begins_at.astimezone(UTC) - timedelta(days=2)).date()
    found = client.search(["UID", f"{place.uid + 1}:*", "SINCE", since])
    return sorted({int(uid) for uid in found if int(uid) > place.uid})


def _envelopes(client: Client, uids: list[int], asked: list[str], *, now: datetime) -> list[Envelope]:
    """Date and size of some mails, in their order. A mail that the server lost meanwhile is left out."""
    try:
        answers = client.fetch(uids, asked)
    except (IMAPClientAbortError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever the library raises over one mail's answer
        # (ProtocolError, ValueError, AssertionError …) must not hide the others: each is asked alone.
        if len(uids) > 1:
            return [each for uid in uids for each in _envelopes(client, [uid], asked, now=now)]
        if isinstance(error, IMAPClientError) and not isinstance(error, ProtocolError):
            # Refused by the server: asked again with the mail itself, which decides whose trouble it is.
            return [Envelope(uid=uids[0], at=now, size=0)]
        return [Envelope(uid=uids[0], at=now, size=0, problem=_short(error))]
    return [_envelope(uid, answers[uid], now=now) for uid in uids if uid in answers]


def _envelope(uid: int, answer: Mapping[bytes, object], *, now: datetime) -> Envelope:
    at = answer.get(b"INTERNALDATE")
    when = at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else now
    told = answer.get(b"FLAGS")
    flags = {each.lower() for each in told if isinstance(each, bytes)} if isinstance(told, tuple) else set()
    return Envelope(uid=uid, at=when, size=_whole(answer.get(b"RFC822.SIZE")), is_draft=rb"\draft" in flags)


def _item(client: Client, envelope: Envelope, place: Place) -> RawItem | None:
    """The mail as a ledger item; None where it is gone.

    Raises what ends a connection, and IMAPClientError where the server refuses to hand it over. An answer
    that cannot be read becomes an item that says so.
    """
    if envelope.problem:
        return _unreadable(envelope, place, envelope.problem)
    too_large = envelope.size > settings.MAIL_MAX_BYTES
    # BODY.PEEK leaves \Seen alone.
    section = f"BODY.PEEK[HEADER]<0.{HEADER_LIMIT}>" if too_large or envelope.is_draft else "BODY.PEEK[]"
    try:
        answer = client.fetch([envelope.uid], [section]).get(envelope.uid)
        if answer is None and not client.search(["UID", str(envelope.uid)]):
            return None
    except ProtocolError as error:
        return _unreadable(envelope, place, _short(error))
    except (IMAPClientError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - as above: the mails behind this one go on.
        return _unreadable(envelope, place, _short(error))
    body = next((value for name, value in (answer or {}).items() if name.upper().startswith(b"BODY[")), None)
    if not isinstance(body, bytes) or not body:
        return _unreadable(envelope, place, _("The server handed over no bytes for this mail."))
    meta = _meta(envelope, place)
    if envelope.uid > place.baseline:
        # Came after the first poll: the server's clock may be behind ours, its numbering is not.
        meta["after_beginning"] = True
    if too_large:
        meta["too_large"] = envelope.size
    if envelope.is_draft:
        meta["draft"] = True
    # A draft is known apart: it may be sent under the same Message-ID.
    revision = "draft" if envelope.is_draft else ""
    return RawItem(happening=place.happening, external_id=mail_key(body), revision=revision, body=body, meta=meta)


def _unreadable(envelope: Envelope, place: Place, why: str) -> RawItem:
    """An item without a body, so that the mail is in the books and somebody looks at it."""
    return RawItem(
        happening=place.happening,
        external_id=f"uid:{place.uid_validity}:{envelope.uid}",
        body=b"",
        meta={**_meta(envelope, place), "error": _("This mail could not be fetched: %(why)s") % {"why": why}},
    )


def _meta(envelope: Envelope, place: Place) -> dict[str, object]:
    return {
        "internaldate": envelope.at.isoformat(),
        "uid": envelope.uid,
        "uidvalidity": place.uid_validity,
        "size": envelope.size,
    }


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _whole(value: object, default: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
