"""Where networks and exchanges post to us. Verify, store, answer; the thinking comes after the answer.

Ours to handle or not, what could be stored is answered 200. Our own failure comes out as 500, so that the other
side tries again; what it then tells twice is one row in the ledger.
"""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext_noop
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from channels import ledger, lines
from channels.adapters.base import PayloadError
from channels.adapters.phone import HAPPENINGS, read
from channels.happenings import RawItem
from channels.models import AccountState, ChannelAccount, LedgerState
from channels.processing import UNSUPPORTED

# A call event is a few hundred bytes.
LARGEST_BODY = 64 * 1024
SOURCE = "webhook"

PAUSED = gettext_noop("the line was paused")


@csrf_exempt
@require_POST
def phone(request: HttpRequest, token: str) -> HttpResponse:
    """Take one call event of the line whose token this is: 200 stored, 404 no such line, 413 too large.

    400 only where the sender went away before its body had come. The token is the signature: no cookie counts here.
    """
    account = lines.line_of(token)
    if account is None:
        return HttpResponseNotFound()
    try:
        body = _body(request)
    except UnreadablePostError:
        return HttpResponse(status=400)
    if body is None:
        return HttpResponse(status=413)
    _take_call(account, body, content_type=request.META.get("CONTENT_TYPE", "")[:200])
    return HttpResponse()


def _body(request: HttpRequest) -> bytes | None:
    """The raw bytes, or None where there are too many of them, of which at most one too many is read."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if told.isascii() and told.isdigit() and int(told[:20]) > LARGEST_BODY:
        return None
    body = request.read(LARGEST_BODY + 1)
    return body if len(body) <= LARGEST_BODY else None


def _take_call(account: ChannelAccount, body: bytes, *, content_type: str) -> None:
    now = timezone.now()
    state, reason = LedgerState.PENDING, ""
    meta: dict[str, object] = {"content_type": content_type, "received_at": now.isoformat()}
    try:
        told = read(body, content_type)
    except PayloadError as error:
        # The token was right, so this is kept for somebody to look at; it is known again by its own bytes.
        item = RawItem(happening="call", external_id=hashlib.sha256(body).hexdigest(), body=body, meta=meta)
        state, reason = LedgerState.QUARANTINED, str(error)
    else:
        happening = HAPPENINGS.get(told.name)
        item = RawItem(
            happening=happening or "call-other",
            external_id=told.call_id,
            revision="" if happening else told.name,
            body=body,
            meta=meta,
        )
        if happening is None:
            state, reason = LedgerState.FILTERED, UNSUPPORTED
        elif account.state == AccountState.PAUSED:
            # Kept all the same: an admin who paused the wrong line has these rows processed again.
            state, reason = LedgerState.FILTERED, PAUSED
    with transaction.atomic():
        ledger.record(account, account.kind, [item], source=SOURCE, now=now, state=state, reason=reason)
        ChannelAccount.objects.filter(pk=account.pk).update(heard_at=now)
