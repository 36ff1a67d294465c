"""What an attempt to send came to, and which columns hold it. Pure: nothing here touches the database or a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext as _

from channels import backoff
from channels.adapters.base import DeliveryError
from channels.happenings import Sent
from channels.models import Outbound
from contactcentre.lib.secrets import hide
from contactcentre.lib.text import clean_line

_WORDS = 500
_CODE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The state a row came to, when, why in plain words, and the columns to write with it."""

    state: Literal["sending", "sent", "retry", "failed", "unknown", "cancelled"]
    at: datetime
    reason: str = ""
    code: str = ""
    external_id: str = ""
    columns: dict[str, Any] = field(default_factory=dict)


def sent(answer: Sent, *, at: datetime) -> Outcome:
    """The provider took it. Its notes (a Cc that was refused) are kept as words without a code."""
    external_id = answer.external_id[:400]
    notes = clean_line(" ".join(answer.notes), _WORDS)
    columns = {"sent_at": at, "external_id": external_id, "lease_token": None, "error_code": "", "error_text": notes}
    return Outcome(state="sent", at=at, reason=notes, external_id=external_id, columns=columns)


def unknown(reason: str, *, code: str, now: datetime) -> Outcome:
    """It may have arrived: from now on it is looked for.

    The row keeps its token, so that a sender who was taken for dead may still say what became of it.
    """
    columns = {
        "unknown_at": now,
        "looks": 0,
        "next_look_at": backoff.next_look(unknown_at=now, looks=0),
        "error_code": code,
        "error_text": reason,
    }
    return Outcome(state="unknown", at=now, reason=reason, code=code, columns=columns)


def software(error: Exception) -> str:
    """The words for an exception nobody foresaw. Its own may hold the customer's, so only its name is told."""
    return _("Something in this software went wrong (%(kind)s).") % {"kind": type(error).__name__}


def words(error: DeliveryError) -> str:
    """An adapter's words, fit for a column and without a credential."""
    return clean_line(hide(str(error)), _WORDS)


def code(error: DeliveryError) -> str:
    """An adapter's stable word for the books, fit for its column."""
    return clean_line(error.code, _CODE)


def after_error(row: Outbound, error: DeliveryError, *, now: datetime) -> Outcome:
    """What a typed failure of the row's last attempt means (docs/architecture.md, "A reply goes out")."""
    reason = words(error)
    if error.outcome_unknown:
        return unknown(reason, code=code(error), now=now)
    if error.credentials:
        # It goes out once an admin has connected the account again; until then the account's state holds it.
        return _again(row, now, reason=reason, code=code(error), now=now)
    if error.permanent:
        return failed(reason, code=code(error), now=now)
    if row.attempts >= backoff.MAX_ATTEMPTS:
        tried = _("Tried %(times)d times without success. The last time: %(reason)s")
        return failed(tried % {"times": row.attempts, "reason": reason}, code="gave-up", now=now)
    wait = backoff.wait(row_id=row.pk, attempts=row.attempts, retry_after=error.retry_after)
    return _again(row, now + wait, reason=reason, code=code(error), now=now)


def failed(reason: str, *, code: str, now: datetime) -> Outcome:
    """It did not leave, and does not by itself."""
    reason = clean_line(reason, _WORDS)
    columns: dict[str, Any] = {"error_code": code, "error_text": reason, "lease_token": None}
    return Outcome(state="failed", at=now, reason=reason, code=code, columns=columns)


def _again(row: Outbound, at: datetime, *, reason: str, code: str, now: datetime) -> Outcome:
    if at >= row.too_late_at:
        # Known already, so the agent is told now and not when the time is over.
        late = _("It cannot be sent in time. The last reason: %(reason)s") % {"reason": reason}
        return failed(late, code="too-late", now=now)
    columns = {"not_before": at, "error_code": code, "error_text": reason, "lease_token": None}
    return Outcome(state="retry", at=now, reason=reason, code=code, columns=columns)
