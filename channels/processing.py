"""From the ledger to the house above: waiting rows are read, handed over and settled, each by itself.

Every row is claimed in one transaction and worked on in the next. The claim counts the attempt before the
work begins, so that an item which takes its whole process down is given up after a few attempts too; it
costs no commit of its own, since a row is claimed by the transaction that settles the one before it.
A claim passes by rows that somebody holds (SKIP LOCKED), so that two workers never take turns at one row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from agents import history
from agents.models import Person
from channels import hints, ledger, overtaken, trouble, waiting
from channels.adapters import ADAPTERS, adapter
from channels.adapters.base import NotOurs, PayloadError
from channels.books import Change, write
from channels.connections import reading_connection_of
from channels.happenings import Call, Deleted, DeliveryReceipt, Edited, Happening, InboundMessage
from channels.models import ChannelAccount, LedgerBody, LedgerItem, LedgerState
from channels.receiver import Answer, CannotReceive, receiver
from channels.waiting import ATTEMPTS, Claimed, Held
from contactcentre.lib import faults
from contactcentre.lib.plans import Asked
from contactcentre.lib.text import clean_line

logger = logging.getLogger(__name__)

# The loser of a race (one live ticket per customer) wins the next round at once; more than a few rounds
# mean that something else is wrong.
ROUNDS = 4
AGAIN_LIMIT = 1000
# Stands beside an item's content once somebody decided that it is no automatic mail (docs/one-ticket.md, row 28).
BY_HAND = "by_hand"
# Why a mail that no person wrote becomes no ticket, as the receiver says it.
AUTOMATIC = "automatic"

# What a filtered or quarantined row says; shown translated, stored as it stands here.
UNKNOWN_ACCOUNT = gettext_noop("unknown account")
BEFORE_BEGINNING = gettext_noop("before the account began")
UNSUPPORTED = gettext_noop("unsupported event")
EARLY = gettext_noop("waits for what came in before it")
NOTHING_IN_IT = gettext_noop("nothing in it")
NOT_SPOKEN = gettext_noop("a channel this installation does not speak")
NO_CONTENT = gettext_noop("its content is no longer kept")
ENDED_ITS_PROCESS = gettext_noop("each attempt ended the process that made it")

# SQLSTATE classes that speak of the connection or the server, not of the item (PostgreSQL, appendix A).
_OUTAGE = ("08", "57P", "58", "53")
_RACE = ("40001", "40P01", "55P03")


@dataclass(frozen=True, slots=True)
class Done:
    """How many rows one drain settled, how many it put off, and whether it stopped at its limit."""

    settled: int = 0
    put_off: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: LedgerState
    reason: str = ""
    # What is written with the settling.
    also: Sequence[Asked] = ()


def process(*, now: datetime, limit: int = 50, clock: Callable[[], datetime] = timezone.now) -> Done:
    """Work through the waiting rows that are due, at most `limit` of them.

    Raises nothing an item could cause; only losing the database comes out (OperationalError, InterfaceError),
    and then the rows are simply still waiting.
    """
    settled = put_off = 0
    # Our own addresses, by channel kind, for the length of this drain.
    own: dict[str, frozenset[str]] = {}
    # One statement, and so a transaction of its own.
    claimed = waiting.claim(now)
    while claimed is not None:
        last = settled + put_off + 1 >= limit
        was_settled, claimed = _work(claimed, claim_next=not last, own=own, clock=clock)
        faults.point("intake.after_commit")
        settled, put_off = settled + was_settled, put_off + (not was_settled)
        if last:
            return Done(settled, put_off, more=True)
    return Done(settled, put_off)


def process_again(
    *,
    actor: Person,
    now: datetime,
    item_ids: Iterable[int] = (),
    account: ChannelAccount | None = None,
    by_hand: bool = False,
) -> int:
    """Make quarantined rows wait again, with their attempts counted anew, and return how many there were.

    Either the named rows (quarantined or filtered), or every quarantined row of the account; at most 1,000 a
    call. Rows whose content is gone, or that belong to no account, stay as they are. `by_hand`: somebody has looked
    and says that a person is waiting for an answer; what looked automatic is then a message like any other.
    """
    rows = LedgerItem.objects.filter(account__isnull=False)
    if account is not None:
        rows = rows.filter(account=account, state=LedgerState.QUARANTINED)
    else:
        settled = [LedgerState.QUARANTINED, LedgerState.FILTERED]
        rows = rows.filter(pk__in=list(item_ids)[:AGAIN_LIMIT], state__in=settled)
    with transaction.atomic():
        chosen = list(rows.order_by("id").select_for_update(skip_locked=True, of=("self",))[:AGAIN_LIMIT])
        readable = set(LedgerBody.objects.filter(pk__in=[row.pk for row in chosen]).values_list("pk", flat=True))
        chosen = [row for row in chosen if row.pk in readable]
        if not chosen:
            return 0
        LedgerItem.objects.filter(pk__in=[row.pk for row in chosen]).update(
            state=LedgerState.PENDING, reason="", attempts=0, due_at=now, done_at=None
        )
        if by_hand:
            for body in LedgerBody.objects.filter(pk__in=[row.pk for row in chosen]).only("meta"):
                LedgerBody.objects.filter(pk=body.pk).update(meta={**body.meta, BY_HAND: True})
        write(
            change
            for row in chosen
            for change in (
                Change(row.account_id, row.received_at, row.state, -1),
                Change(row.account_id, row.received_at, LedgerState.PENDING, 1),
            )
        )
        for account_id in sorted({row.account_id for row in chosen if row.account_id is not None}):
            history.record(
                at=now,
                act="ledger.processed_again",
                actor=actor,
                account_id=account_id,
                items=[row.pk for row in chosen if row.account_id == account_id],
                **({"by_hand": True} if by_hand else {}),
            )
        hints.process_soon()
    return len(chosen)


def _work(
    claimed: Claimed, *, claim_next: bool, own: dict[str, frozenset[str]], clock: Callable[[], datetime]
) -> tuple[bool, Claimed | None]:
    """Settle one claimed row, or put it off; returns which, and the next claimed row."""
    problem = ""
    faults.point("intake.before_item")
    for round_ in range(1, ROUNDS + 1):
        try:
            with transaction.atomic():
                now = clock()
                held = waiting.lock(claimed, own)
                if held is None:
                    # Settled by somebody else, or claimed again after we were slow: no longer ours.
                    return True, waiting.claim(now) if claim_next else None
                outcome = _handled(held, own, now)
                faults.point("intake.after_receive")
                return True, waiting.settle(
                    held.item, outcome.state, outcome.reason, claim_next=claim_next, now=now, before=outcome.also
                )
        except overtaken.TooEarly as error:
            problem = str(error)
            break
        except (PayloadError, CannotReceive) as error:
            reason = clean_line(str(error), trouble.REASON_LENGTH)
            return True, _quarantine(claimed, reason, claim_next=claim_next, now=clock())
        except DatabaseError as error:
            code = _sqlstate(error)
            if isinstance(error, OperationalError) and (not code or code.startswith(_OUTAGE)):
                raise
            problem = trouble.of(error)
            if not isinstance(error, IntegrityError) and code not in _RACE:
                break
            logger.info("ledger item %s lost a race, round %s: %s", claimed.item_id, round_, problem)
        except InterfaceError:
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever an item makes its readers do wrong must not hold up the next one.
            problem = trouble.of(error)
            logger.error(
                "ledger item %s, attempt %s: %s at %s",
                claimed.item_id, claimed.attempt, problem, trouble.where(error.__traceback__),
            )  # fmt: skip
            break
    if claimed.attempt >= ATTEMPTS:
        return True, _quarantine(claimed, problem, claim_next=claim_next, now=clock())
    with transaction.atomic():
        LedgerItem.objects.filter(pk=claimed.item_id, attempts=claimed.attempt, state=LedgerState.PENDING).update(
            reason=problem
        )
        return False, waiting.claim(clock()) if claim_next else None


def _handled(held: Held, own: dict[str, frozenset[str]], now: datetime) -> _Outcome:
    """What the item's happenings came to. Raises whatever reading or receiving them raises."""
    item, account, body = held.item, held.account, held.body
    if item.attempts > ATTEMPTS:
        return _Outcome(LedgerState.QUARANTINED, ENDED_ITS_PROCESS)
    if account is None:
        return _Outcome(LedgerState.FILTERED, UNKNOWN_ACCOUNT)
    if item.kind not in ADAPTERS:
        return _Outcome(LedgerState.QUARANTINED, NOT_SPOKEN)
    if body is None:
        return _Outcome(LedgerState.QUARANTINED, NO_CONTENT)
    told = reading_connection_of(account, own=own[item.kind])
    raw = ledger.raw_item(item.happening, body)
    deletion = overtaken.digest(account, raw, now=now)
    happenings = adapter(item.kind).parse(raw, told)
    if body.meta.get(BY_HAND) is True:
        happenings = (
            replace(each, automatic="") if isinstance(each, InboundMessage) else each for each in happenings
        )
    # An adapter that can prove by order what came later (a mailbox's UIDs) is believed more than two clocks.
    is_later = raw.meta.get("after_beginning") is True
    try:
        answers = [_received(happening, account, is_later, now) for happening in happenings]
    except NotOurs as error:
        return _Outcome(LedgerState.FILTERED, clean_line(str(error), trouble.REASON_LENGTH))
    if not answers:
        return _Outcome(LedgerState.FILTERED, NOTHING_IN_IT)
    if any(not answer.reason for answer in answers):
        return _Outcome(LedgerState.PROCESSED, also=overtaken.letting_in(raw, deletion, now=now))
    if overtaken.is_early(item, answers[0].reason, now=now):
        raise overtaken.TooEarly(EARLY)
    return _Outcome(LedgerState.FILTERED, clean_line(answers[0].reason, trouble.REASON_LENGTH))


def _received(happening: Happening, account: ChannelAccount, is_later: bool, now: datetime) -> Answer:
    if not is_later and _is_older(happening, account):
        return Answer(BEFORE_BEGINNING)
    match happening:
        case InboundMessage():
            return receiver().message(happening, account_id=account.pk, now=now)
        case Edited():
            return receiver().edited(happening, account_id=account.pk, now=now)
        case Deleted():
            return receiver().deleted(happening, account_id=account.pk, now=now)
        case DeliveryReceipt():
            return receiver().receipt(happening, account_id=account.pk, now=now)
        case Call():
            return receiver().call(happening, account_id=account.pk, now=now)
    return Answer(UNSUPPORTED)


def _is_older(happening: Happening, account: ChannelAccount) -> bool:
    """Whether this was said before the account began (docs/one-ticket.md, row 21)."""
    if isinstance(happening, InboundMessage):
        said_at = happening.said_at
    elif isinstance(happening, Call):
        said_at = happening.at
    else:
        # News of a message concerns one that we have, or is nobody's.
        return False
    # INTERNALDATE and X's created_at count whole seconds: what came half a second after the beginning
    # carries a time half a second before it.
    return said_at < account.begins_at.replace(microsecond=0)


def _quarantine(claimed: Claimed, reason: str, *, claim_next: bool, now: datetime) -> Claimed | None:
    with transaction.atomic():
        # The row alone, not what belongs to it: that may be what cannot be read.
        rows = LedgerItem.objects.select_for_update()
        item = rows.filter(pk=claimed.item_id, attempts=claimed.attempt, state=LedgerState.PENDING).first()
        if item is None:
            return waiting.claim(now) if claim_next else None
        reason = reason or "PayloadError"
        return waiting.settle(item, LedgerState.QUARANTINED, reason, claim_next=claim_next, now=now)


def _sqlstate(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "pgcode", "") or "")
