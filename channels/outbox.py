"""The outbox: what people do to it. Rows are put here inside the caller's transaction and leave by delivery.py.

Whoever calls from the house above holds the ticket's lock, while delivery holds a row's lock and then asks for the
ticket's. So nothing here ever waits for a row: a row that is locked is being worked on, and the answer is "too late".
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from celery import current_app
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from agents.models import Person
from channels import backoff, frozen, outcomes
from channels.happenings import Address, DeliveryReceipt
from channels.models import ChannelAccount, Outbound, OutboxState, StoredFile
from channels.outcomes import Outcome
from channels.receiver import receiver
from channels.surfaces import surface as surface_named
from contactcentre.lib.prepared import insert

log = logging.getLogger(__name__)

# What has not left yet and may be taken by a worker.
WAITING = (OutboxState.QUEUED, OutboxState.RETRY)

# An answer that comes days later does harm: after this a person decides anew.
LONGEST = timedelta(hours=24)

# So many are tried again at once: how the first ones fare says whether it is mended.
SOON = 1000

# A hint that was lost is made good by the sweep after this.
HINT_COUNTS = timedelta(seconds=5)

_MESSAGE = re.compile(r"message:[1-9][0-9]*")
_LANE_LENGTH = 400


class NotAMessage(ValueError):
    """Something other than a message was about to leave the house, such as an internal note."""


class TooLate(ValueError):
    """The network would not let it through by the time it leaves."""


class NotPossible(Exception):
    """The row is not, or no longer, in a state that allows this. The text says so in plain words."""


def put(
    *,
    account: ChannelAccount,
    surface: str,
    recipient: Address,
    text: str,
    reference: str,
    marker: str,
    lane: str,
    not_before: datetime,
    now: datetime,
    too_late_at: datetime | None = None,
    html: str = "",
    subject: str = "",
    thread: str = "",
    parent_id: str = "",
    references: Sequence[str] = (),
    cc: Sequence[Address] = (),
    reply_to: str = "",
    files: Sequence[frozen.NamedFile] = (),
) -> Outbound:
    """Freeze one provider call and queue it, inside the caller's transaction; the new row comes back.

    `reference` is "message:<id>", `marker` unique and kept on every retry, `lane` what `lane()` made; rows of a lane
    leave in the order they were put. `too_late_at` is the end of the reply window; 24 hours where there is none.
    `files` are ids of stored files, each with the name it goes under. Once committed, a row that is due is handed
    to a worker at once; any other is found by the sweep.

    Raises NotAMessage, TooLate, and ValueError for what can never be sent (another channel's surface, nobody to
    send it to, a file that is not stored).
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("the outbox takes a row only together with its message")
    if not _MESSAGE.fullmatch(reference):
        raise NotAMessage(f"only messages leave the house, not {reference!r}")
    if surface_named(surface).kind != account.kind:
        raise ValueError(f"{surface} does not go out by an account of {account.kind}")
    if not recipient.value or not marker or not lane:
        raise ValueError("a row needs a recipient, a marker and a lane")
    late = min(too_late_at or now + LONGEST, now + LONGEST)
    if late <= not_before:
        raise TooLate(_("The time in which the network takes an answer ends before this would leave."))
    file_ids = [file_id for file_id, _name in files]
    if file_ids and StoredFile.objects.filter(pk__in=file_ids).count() < len(set(file_ids)):
        raise ValueError("a file to send is not stored")
    is_due = not_before <= now
    row = Outbound(
        account=account,
        surface=surface,
        recipient=asdict(recipient),
        lane=lane,
        payload=frozen.payload(
            text=text,
            html=html,
            subject=subject,
            thread=thread,
            parent_id=parent_id,
            references=references,
            cc=cc,
            reply_to=reply_to,
            files=files,
        ),
        files=file_ids,
        reference=reference,
        marker=marker,
        not_before=not_before,
        too_late_at=late,
        enqueued_until=now + HINT_COUNTS if is_due else None,
        created_at=now,
    )
    insert(row)
    if is_due:
        _hint(row.pk)
    return row


def lane(*, account_id: int, surface: str, recipient: Address, thread: str) -> str:
    """The name under which rows to one person in one thread wait for each other; at most 400 characters."""
    name = f"{account_id}|{surface}|{recipient.kind}|{recipient.scope}|{recipient.value}|{thread}"
    if len(name) <= _LANE_LENGTH:
        return name
    # Cutting alone would throw different long threads into one lane.
    return f"{name[: _LANE_LENGTH - 65]}|{hashlib.sha256(name.encode()).hexdigest()}"


def cancel(*, reference: str, now: datetime) -> bool:
    """Undo a send: True where this call took the whole message back, so that its other effects may be undone too.

    False where it is too late, or where it was taken back before. All of a message's rows or none: half a message is
    worse than a whole one.
    """
    return _take_back(reference, {OutboxState.QUEUED}, now=now)


def withdraw(*, reference: str, now: datetime) -> bool:
    """Take back a message whose words turned out to be there already; True where this call did.

    Unlike cancel() also where it waits for another try. False where any of its rows is under way or has been dealt
    with: then it leaves, or has left.
    """
    return _take_back(reference, set(WAITING), now=now)


def _take_back(reference: str, states: Collection[str], *, now: datetime) -> bool:
    with transaction.atomic():
        rows = list(Outbound.objects.select_for_update(skip_locked=True).filter(reference=reference).order_by("id"))
        if not rows or any(row.state not in states for row in rows):
            return False
        if len(rows) < Outbound.objects.filter(reference=reference).count():
            return False
        for row in rows:
            move(row.pk, states, OutboxState.CANCELLED, enqueued_until=None)
        tell(rows[0], Outcome(state="cancelled", at=now), now=now)
        return True


def try_soon(*, account_id: int, now: datetime) -> int:
    """Let the account's rows that wait for another try be due now, and return how many there were: somebody has mended
    what they were refused for, and knows better than the wait that was chosen then. The sweep hands them out."""
    waiting = Outbound.objects.filter(account_id=account_id, state=OutboxState.RETRY, not_before__gt=now)
    free = list(waiting.order_by("id").select_for_update(skip_locked=True).values_list("pk", flat=True)[:SOON])
    return Outbound.objects.filter(pk__in=free).update(not_before=now)


def retry_by_hand(*, outbound_id: int, actor: Person, now: datetime, too_late_at: datetime | None = None) -> Outbound:
    """Queue a failed row again, because a person said so, and hand it to a worker. The changed row comes back.

    `too_late_at` is the end of the reply window where the caller knows it. Raises NotPossible where the row is not
    failed (any more), and TooLate where its surface's window is over.
    """
    with transaction.atomic():
        row = _row(outbound_id)
        if row is None or row.state != OutboxState.FAILED:
            raise NotPossible(_("This message is not waiting for another try."))
        moved = move(
            row.pk,
            {OutboxState.FAILED},
            OutboxState.QUEUED,
            not_before=now,
            too_late_at=_limit(row, too_late_at, now=now),
            attempts=0,
            retried_after_absence=False,
            enqueued_until=now + HINT_COUNTS,
            error_code="",
            error_text="",
        )
        if not moved:
            raise NotPossible(_("Somebody else has just dealt with this message."))
        log.info("outbox row %s: queued again by person %s", row.pk, actor.pk)
        tell(row, Outcome(state="retry", at=now), now=now)
        _hint(row.pk)
        row.refresh_from_db()
        return row


def settle(*, outbound_id: int, is_there: bool, actor: Person, now: datetime) -> Outbound:
    """Take a person's word on a row whose outcome nobody knows: it arrived, or it did not and goes out again.

    The changed row comes back: `sent`, or `retry`, or `failed` where it is too late to send it again. Raises
    NotPossible where the outcome is known by now, and while we are still looking ourselves and "it did not" is said.
    """
    with transaction.atomic():
        row = _row(outbound_id)
        if row is None or row.state != OutboxState.UNKNOWN:
            raise NotPossible(_("It is known by now what became of this message."))
        if not is_there and _is_looked_for(row, now=now):
            raise NotPossible(_("We are still looking whether it arrived. Try again in a minute or two."))
        log.info("outbox row %s: is_there=%s by the word of person %s", row.pk, is_there, actor.pk)
        if is_there:
            _settled_as_sent(row, external_id="", now=now)
        else:
            _settled_as_absent(row, now=now)
        row.refresh_from_db()
        return row


def confirm(*, marker: str, external_id: str, now: datetime) -> Outbound | None:
    """Take the network's own copy of a message of ours as proof that it was sent (row 19 of docs/one-ticket.md).

    The changed row comes back, None where no row with this marker is in doubt.
    """
    doubtful = (OutboxState.SENDING, OutboxState.RETRY, OutboxState.UNKNOWN, OutboxState.FAILED)
    with transaction.atomic():
        row = (
            Outbound.objects.select_for_update(skip_locked=True)
            .filter(marker=marker, state__in=doubtful)
            .exclude(marker="")
            .first()
        )
        if row is None:
            return None
        _settled_as_sent(row, external_id=external_id, now=now)
        row.refresh_from_db()
        return row


def move(row_id: int, from_states: Collection[str], to: str, *, where: Q | None = None, **columns: object) -> bool:
    """The one way a row changes its state: a conditional UPDATE. True where this call moved it.

    `where` are further conditions, on the row's own columns or as Exists(…). Never a join: Django would put
    everything into a subquery, which PostgreSQL does not look at again after waiting for another worker's update,
    and two workers would both believe that the row is theirs. Raises ValueError for a move that Outbound.MOVES
    does not list.
    """
    for state in from_states:
        if to not in Outbound.MOVES[state]:
            raise ValueError(f"an outbox row does not go from {state} to {to}")
    rows = Outbound.objects.filter(pk=row_id, state__in=list(from_states))
    if where is not None:
        rows = rows.filter(where)
    return rows.update(state=to, **columns) == 1


def tell(row: Outbound, outcome: Outcome, *, now: datetime) -> None:
    """Hand the news of a row to the house above, inside the caller's transaction; what it raises undoes both."""
    receiver().receipt(
        DeliveryReceipt(
            state=outcome.state,
            at=outcome.at,
            reference=row.reference,
            channel_kind=surface_named(row.surface).kind,
            external_id=outcome.external_id,
            reason=outcome.reason,
            code=outcome.code,
        ),
        account_id=row.account_id,
        now=now,
    )


def _row(outbound_id: int) -> Outbound | None:
    return Outbound.objects.select_for_update(skip_locked=True).filter(pk=outbound_id).first()


def _is_looked_for(row: Outbound, *, now: datetime) -> bool:
    # Beyond this time nobody looks any more: the account may be paused or refused.
    return row.next_look_at is not None and row.unknown_at is not None and now < row.unknown_at + backoff.HOLDS


def _settled_as_sent(row: Outbound, *, external_id: str, now: datetime) -> None:
    # It left with the last attempt, whenever we came to know it.
    sent_at = row.claimed_at or now
    known = external_id[:400] or row.external_id
    move(
        row.pk,
        {row.state},
        OutboxState.SENT,
        sent_at=sent_at,
        external_id=known,
        next_look_at=None,
        lease_token=None,
        lease_until=None,
        error_code="",
        error_text="",
    )
    tell(row, Outcome(state="sent", at=sent_at, external_id=known), now=now)


def _settled_as_absent(row: Outbound, *, now: datetime) -> None:
    try:
        limit = _limit(row, None, now=now)
    except TooLate as error:
        outcome = outcomes.failed(str(error), code="too-late", now=now)
        move(row.pk, {OutboxState.UNKNOWN}, outcome.state, **outcome.columns)
        tell(row, outcome, now=now)
        return
    move(
        row.pk,
        {OutboxState.UNKNOWN},
        OutboxState.RETRY,
        not_before=now,
        too_late_at=limit,
        lease_token=None,
        enqueued_until=now + HINT_COUNTS,
    )
    tell(row, Outcome(state="retry", at=now), now=now)
    _hint(row.pk)


def _limit(row: Outbound, given: datetime | None, *, now: datetime) -> datetime:
    """Until when a row that a person sends again may leave. Raises TooLate."""
    if given is None and surface_named(row.surface).window is not None:
        # Nothing a person presses opens the network's window again.
        given = row.too_late_at
    limit = min(given or now + LONGEST, now + LONGEST)
    if limit <= now:
        raise TooLate(_("The time in which the network takes an answer is over."))
    return limit


def _hint(row_id: int) -> None:
    """Ask a worker to deliver the row as soon as this is committed. The sweep makes up for a hint that is lost."""
    transaction.on_commit(
        # By name: this file must not import the one that executes. No retrying: a person waits for the page, and a
        # broker that is away loses nothing.
        lambda: current_app.send_task("channels.tasks.deliver", kwargs={"outbound_id": row_id}, retry=False),
        robust=True,
    )
