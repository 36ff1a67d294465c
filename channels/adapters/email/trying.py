"""The "test" button of a mailbox: whether it can be read and written, in words, changing nothing."""

from __future__ import annotations

from datetime import UTC, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.adapters.base import Connection, DeliveryError, Tried
from channels.adapters.email.hosts import Deadline
from channels.adapters.email.mailbox import Mailbox, Misconfigured, mailbox
from channels.adapters.email.sent import sent_folder
from channels.adapters.email.session import Client, ImapProblem, select, session
from channels.adapters.email.smtp import connected

# Enough to say "many": the dates of all mails of a chosen beginning are not asked for.
_COUNTED = 500


def try_out(connection: Connection, *, seconds: float) -> Tried:
    """What works and what does not, one line each: reading, the folder for sent mail, sending."""
    try:
        box = mailbox(connection)
    except Misconfigured as error:
        return Tried(ok=False, words=(str(error),))
    reads, words = _reading(box, connection, seconds)
    sends, sending = _sending(box, seconds)
    return Tried(ok=reads and sends, words=(*words, sending))


def _reading(box: Mailbox, connection: Connection, seconds: float) -> tuple[bool, list[str]]:
    try:
        with Deadline(seconds) as deadline, session(box, deadline=deadline) as client:
            exists = select(client, box.folder).exists
            due = _due(client, connection)
            found = ngettext(
                "Reading works: %(count)d mail in %(folder)s, %(due)s.",
                "Reading works: %(count)d mails in %(folder)s, %(due)s.",
                exists,
            ) % {"count": exists, "folder": box.folder, "due": _fetched(due)}
            folder = sent_folder(client)
    except ImapProblem as error:
        return False, [_("Reading does not work: %(why)s") % {"why": error}]
    if folder:
        kept = _("Sent mail is kept in %(folder)s; answers written in a mail program are read there.")
        return True, [found, kept % {"folder": folder}]
    none = _(
        "There is no folder for sent mail: answers written in a mail program are not seen, and a mail whose fate is "
        "unclear is shown to a person."
    )
    return True, [found, none]


def _due(client: Client, connection: Connection) -> int:
    """How many mails since the account's beginning there are, up to _COUNTED."""
    since = (connection.begins_at.astimezone(UTC) - timedelta(days=2)).date()
    uids = sorted(client.search(["SINCE", since]))[-_COUNTED:]
    beginning = connection.begins_at.replace(microsecond=0)
    dates = [answer.get(b"INTERNALDATE") for answer in client.fetch(uids, ["INTERNALDATE"]).values()]
    return sum(1 for date in dates if date is not None and date >= beginning)


def _fetched(due: int) -> str:
    if not due:
        return _("none of them will be fetched")
    return ngettext("%(due)d of them will be fetched", "%(due)d of them will be fetched", due) % {"due": due}


def _sending(box: Mailbox, seconds: float) -> tuple[bool, str]:
    try:
        with Deadline(seconds) as deadline, connected(box, deadline=deadline):
            return True, _("Sending works: %(host)s lets us in. No mail was sent.") % {"host": box.smtp.host}
    except DeliveryError as error:
        return False, _("Sending does not work: %(why)s") % {"why": error}
