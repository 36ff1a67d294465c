"""Whether a mail whose sending ended in the dark is in the folder where the provider keeps sent mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from channels.adapters.base import Connection, DeliveryError, Looked
from channels.adapters.email.headers import HEADER_LIMIT, Headers, mail_key, message_id, message_ids
from channels.adapters.email.hosts import Deadline
from channels.adapters.email.mailbox import Misconfigured, mailbox
from channels.adapters.email.session import Client, ImapProblem, select, session
from channels.happenings import Outgoing

_NAMES = (
    "sent",
    "sent items",
    "sent mail",
    "sent messages",
    "sent-mail",
    "gesendet",
    "gesendete elemente",
    "gesendete objekte",
    "éléments envoyés",
    "messages envoyés",
    "enviados",
    "elementos enviados",
    "posta inviata",
    "verzonden items",
)


def look(connection: Connection, outgoing: Outgoing, *, since: datetime, seconds: float) -> Looked:
    """The sent mail with our Message-ID. Its absence proves nothing: many providers file nothing there.

    Raises DeliveryError where the look itself failed.
    """
    wanted = next(iter(message_ids(outgoing.marker)), "")
    if not wanted or not wanted.isascii() or '"' in wanted:
        return Looked()
    try:
        box = mailbox(connection)
        with Deadline(seconds) as deadline, session(box, deadline=deadline) as client:
            folder = sent_folder(client)
            if not folder:
                return Looked()
            select(client, folder)
            return _found(client, wanted, since)
    except Misconfigured as error:
        raise DeliveryError(str(error), code="settings") from error
    except ImapProblem as error:
        raise DeliveryError(str(error), code=error.code, credentials=error.credentials) from error


def sent_folder(client: Client) -> str:
    """The folder for sent mail: the one marked so (RFC 6154), else the first with a usual name, else empty."""
    listed = [({bytes(flag).lower() for flag in flags}, by, str(name)) for flags, by, name in client.list_folders()]
    # What is there for the sake of others inside it alone cannot be opened (RFC 3501, 7.2.2; RFC 5258, 3).
    folders = [each for each in listed if each[0].isdisjoint({rb"\noselect", rb"\nonexistent"})]
    for flags, _delimiter, name in folders:
        if rb"\sent" in flags:
            return name
    for wanted in _NAMES:
        for _flags, delimiter, name in folders:
            separator = delimiter.decode() if isinstance(delimiter, bytes) else "/"
            if name.rpartition(separator)[2].casefold() == wanted:
                return name
    return ""


def _found(client: Client, wanted: str, since: datetime) -> Looked:
    day = (since.astimezone(UTC) - timedelta(days=2)).date()
    # The header search is for a substring, so each hit is read and compared.
    for uid in sorted(client.search(["SINCE", day, "HEADER", "Message-ID", wanted]), reverse=True)[:10]:
        answer = client.fetch([uid], [f"BODY.PEEK[HEADER]<0.{HEADER_LIMIT}>"]).get(uid, {})
        for name, value in answer.items():
            if (
                name.upper().startswith(b"BODY[")
                and isinstance(value, bytes)
                and message_id(Headers.read(value)) == wanted
            ):
                return Looked(external_id=mail_key(value), reference=wanted)
    return Looked()
