"""Attachments that came as links: fetched once the message is stored, and shown where they stand on its bubble.

The message does not wait for them. A hint after the commit starts the fetching at once and a sweep finds what was
missed; a try is claimed by moving its time on, so that two workers never fetch the same and a killed one is followed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from agents.models import Person
from channels import files, files_fetching, trouble
from channels.connections import ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.files_fetching import NotFetched
from channels.models import ChannelAccount, StoredFile
from contactcentre.lib import realtime
from contactcentre.lib.secrets import CannotDecrypt, Credentials
from contactcentre.lib.text import clean_line
from tickets import access
from tickets.events import ticket_changed
from tickets.models import Attachment, Ticket

log = logging.getLogger(__name__)

# A try that takes longer is taken for dead: its own limit, and what storing and a new token may take.
LEASE = timedelta(seconds=settings.FETCH_SECONDS + 60)
# So many are handed out by one sweep: fewer than the workers that polling has, which wait for the same machines.
AT_ONCE = 4

Clock = Callable[[], datetime]


class CannotFetch(Exception):
    """This file is not waiting to be fetched again. The text says why to a person."""


def due(*, now: datetime) -> list[int]:
    """The attachments whose next try is due, the longest waiting first, at most AT_ONCE."""
    waiting = Attachment.objects.filter(fetch_at__isnull=False, fetch_at__lte=now)
    return list(waiting.order_by("fetch_at", "id").values_list("pk", flat=True)[:AT_ONCE])


def soon(attachment_ids: Iterable[int]) -> None:
    """Have these fetched once the present transaction is committed; a broker that is away costs seconds, no file."""
    for attachment_id in attachment_ids:
        transaction.on_commit(_hint(attachment_id), robust=True)


def _hint(attachment_id: int) -> Callable[[], None]:
    def send() -> None:
        current_app.send_task("tickets.tasks.fetch", kwargs={"attachment_id": attachment_id}, retry=False)

    return send


def fetch(*, attachment_id: int, now: datetime, clock: Clock) -> str | None:
    """Fetch one attachment if a try is due: "fetched", "again" or "given up", None where none was due.

    `clock` tells the time after the call. Never inside a transaction.
    """
    row = _claim(attachment_id, now=now)
    if row is None:
        return None
    try:
        kept = _fetched(row, now=now)
    except NotFetched as error:
        return _failed(row, error, now=clock())
    except Exception as error:  # noqa: BLE001
        # Whatever one odd file brings up must not end the worker that fetches the others.
        log.error("attachment %s: %s at %s", row.pk, trouble.of(error), trouble.where(error.__traceback__))
        unforeseen = NotFetched(_("this was not expected (%(kind)s)") % {"kind": type(error).__name__})
        return _failed(row, unforeseen, now=clock())
    return _keep(row, kept)


def again(*, person: Person, attachment_id: int, now: datetime) -> Attachment:
    """Have a file fetched that was given up. Raises CannotFetch, and like access.py; the caller holds a transaction."""
    row = Attachment.objects.select_related("message__contact").filter(pk=attachment_id).first()
    if row is None:
        raise Http404
    have = access.rights(person)
    ticket = access.ticket_to_act(have, row.message.ticket_id)
    if not have.may_read_contact(row.message.contact.entry_queue_id):
        raise PermissionDenied
    given_up = Attachment.objects.filter(pk=row.pk, file__isnull=True, fetch_at__isnull=True).exclude(url="")
    if not given_up.update(fetch_at=now, fetch_attempts=0, fetch_error=""):
        raise CannotFetch(_("This file is not waiting to be fetched."))
    soon([row.pk])
    realtime.publish(*ticket_changed(ticket))
    return row


def _claim(attachment_id: int, *, now: datetime) -> Attachment | None:
    row = (
        Attachment.objects.select_related("message")
        .filter(pk=attachment_id, fetch_at__isnull=False, fetch_at__lte=now)
        .first()
    )
    if row is None:
        return None
    # The count is the guard: of two who read the same one only the first moves it. A try that is killed counts too.
    mine = Attachment.objects.filter(pk=row.pk, fetch_at=row.fetch_at, fetch_attempts=row.fetch_attempts)
    row.fetch_at, row.fetch_attempts = now + LEASE, row.fetch_attempts + 1
    return row if mine.update(fetch_at=row.fetch_at, fetch_attempts=row.fetch_attempts) else None


def _fetched(row: Attachment, *, now: datetime) -> StoredFile:
    kind = row.message.channel_kind
    credentials = Credentials()
    if files_fetching.needs_credentials(row.url, kind=kind):
        account = ChannelAccount.objects.get(pk=row.message.account_id)
        try:
            credentials = ready_connection_of(account, now=now).credentials
        except (ConsentProblem, CannotDecrypt) as error:
            raise NotFetched(_("our account is not connected to the network just now")) from error
    try:
        return files_fetching.fetch(row.url, kind=kind, credentials=credentials, name=row.name, now=now)
    except files.TooLarge as error:
        raise NotFetched(str(error), permanent=True) from error


def _keep(row: Attachment, kept: StoredFile) -> str | None:
    with transaction.atomic():
        # The link is let go: some carry a right to read in themselves.
        if not _mine(row).update(file=kept, url="", fetch_at=None, fetch_error=""):
            return None
        _tell(row)
    return "fetched"


def _failed(row: Attachment, error: NotFetched, *, now: datetime) -> str | None:
    waits = () if error.permanent else settings.FETCH_AGAIN_SECONDS[row.fetch_attempts - 1 :]
    at = now + max(timedelta(seconds=waits[0]), error.retry_after or timedelta()) if waits else None
    with transaction.atomic():
        if not _mine(row).update(fetch_at=at, fetch_error=clean_line(str(error))):
            return None
        if at is None:
            _tell(row)
    log.info("attachment %s: attempt %s did not come through: %s", row.pk, row.fetch_attempts, error)
    return "again" if at else "given up"


def _mine(row: Attachment) -> QuerySet[Attachment]:
    """The row as this try left it; nobody's any more where a later try took it over."""
    return Attachment.objects.filter(pk=row.pk, fetch_at=row.fetch_at, fetch_attempts=row.fetch_attempts)


def _tell(row: Attachment) -> None:
    ticket = Ticket.objects.filter(messages=row.message_id).first()
    if ticket is not None:
        realtime.publish(*ticket_changed(ticket))
