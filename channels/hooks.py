"""Where networks and exchanges post to us. Verify, store, answer; the thinking comes after the answer.

Ours to handle or not, what could be stored is answered 200. Our own failure comes out as 500, so that the other
side tries again; what it then tells twice is one row in the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotFound, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext_noop
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from channels import held, ledger, lines
from channels.adapters.base import PayloadError
from channels.adapters.facebook import Part, split
from channels.adapters.phone import HAPPENINGS, read
from channels.happenings import RawItem
from channels.ledger import Batch
from channels.models import AccountState, App, ChannelAccount, LedgerState
from channels.processing import NOTHING_IN_IT, UNKNOWN_ACCOUNT, UNSUPPORTED
from contactcentre.lib import faults

# A call event is a few hundred bytes.
LARGEST_BODY = 64 * 1024
# Facebook puts up to a thousand changes of many Pages into one post.
LARGEST_BATCH = 1024 * 1024
# Facebook's challenge is a number; nothing longer is said back to a stranger.
LONGEST_CHALLENGE = 200
SOURCE = "webhook"
# How exactly the health card knows when we last heard: hooks come by the hundred, and each would write the same row.
HEARD_EVERY = timedelta(seconds=1)

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
        body = _body(request, LARGEST_BODY)
    except UnreadablePostError:
        return HttpResponse(status=400)
    if body is None:
        return HttpResponse(status=413)
    _take_call(account, body, content_type=request.META.get("CONTENT_TYPE", "")[:200])
    return HttpResponse()


@csrf_exempt
@require_http_methods(["GET", "POST"])
@sensitive_variables("secrets")
def facebook(request: HttpRequest, app_id: str) -> HttpResponse:
    """Facebook's door, one per app: GET proves that the address is ours, POST brings happenings of any of its Pages.

    POST: 200 stored, 400 not signed with the app's secret (or broken off), 413 too large, 404 no app of ours.
    GET: 200 with the challenge, or 403 (Meta, Graph API, "Webhooks", "Getting started").
    """
    app = App.objects.filter(kind="facebook", client_id=app_id[:120].replace("\0", "")).first()
    if app is None:
        return HttpResponseNotFound()
    secrets = app.secrets
    if request.method == "GET":
        return _challenge(request, str(secrets.get("verify_token") or ""))
    try:
        body = _body(request, LARGEST_BATCH)
    except UnreadablePostError:
        return HttpResponse(status=400)
    if body is None:
        return HttpResponse(status=413)
    if not _is_signed(body, request.headers.get("X-Hub-Signature-256", ""), str(secrets.get("client_secret") or "")):
        return HttpResponse(status=400)
    _take_happenings(app, body, now=timezone.now())
    return HttpResponse()


def _body(request: HttpRequest, most: int) -> bytes | None:
    """The raw bytes, or None where there are too many of them, of which at most one too many is read."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if told.isascii() and told.isdigit() and int(told[:20]) > most:
        return None
    body = request.read(most + 1)
    return body if len(body) <= most else None


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
        faults.point("hook.before_commit")
    faults.point("hook.after_commit")


def _challenge(request: HttpRequest, token: str) -> HttpResponse:
    """Facebook's question whether this address is ours: its challenge said back, to whoever knows the verify token."""
    given = request.GET.get("hub.verify_token", "")
    is_known = bool(token) and hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
    if not is_known or request.GET.get("hub.mode") != "subscribe":
        return HttpResponseForbidden()
    challenge = request.GET.get("hub.challenge", "")[:LONGEST_CHALLENGE]
    return HttpResponse(challenge, content_type="text/plain; charset=utf-8")


def _is_signed(body: bytes, given: str, secret: str) -> bool:
    """Whether these are Facebook's bytes. Over the bytes as they came: parsed and written anew they differ."""
    if not secret:
        return False
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _take_happenings(app: App, body: bytes, *, now: datetime) -> None:
    """Everything a signed post says, each item for the Page it names, in one transaction and one INSERT."""
    origin = f"app:{app.pk}"
    whole = RawItem(happening="webhook", external_id=hashlib.sha256(body).hexdigest(), body=body, meta={})
    try:
        parts = split(body)
    except PayloadError as error:
        batches = [Batch(None, (whole,), origin, LedgerState.QUARANTINED, str(error))]
        with transaction.atomic():
            ledger.record_all(batches, app.kind, source=SOURCE, now=now)
        return
    with transaction.atomic():
        accounts = _accounts(app, {part.page_id for part in parts})
        batches = list(_batches(parts, accounts, origin))
        if not parts:
            batches = [Batch(None, (whole,), origin, LedgerState.FILTERED, NOTHING_IN_IT)]
        ledger.record_all(batches, app.kind, source=SOURCE, now=now)
        # Nor is one asked about that was heard within the second: what we read can only be older than what stands.
        running = sorted(
            account.pk
            for account in accounts.values()
            if account.state != AccountState.PAUSED
            and (account.heard_at is None or account.heard_at < now - HEARD_EVERY)
        )
        # A paused account is not counted as heard: it looks new until somebody switches it on.
        if running:
            stale = Q(heard_at__isnull=True) | Q(heard_at__lt=now - HEARD_EVERY)
            ChannelAccount.objects.filter(stale, pk__in=running).update(heard_at=now)
        faults.point("hook.before_commit")
    faults.point("hook.after_commit")


def _accounts(app: App, pages: set[str]) -> dict[str, ChannelAccount]:
    """The accounts of these Pages that were connected with this app, by Page id."""
    # Without the credentials: a lost encryption key must not lose what a customer wrote.
    ours = ChannelAccount.objects.defer("credentials").filter(kind=app.kind, app=app)
    found = list(ours.filter(address__in=pages))
    paused = [account.pk for account in found if account.state == AccountState.PAUSED]
    if paused:
        # Locked, so that nobody switches one on between this look and our rows: they would be held for ever. Asked
        # again, because somebody may have done so before we had the lock.
        locked = ours.filter(pk__in=paused).order_by("pk").select_for_update(of=("self",), no_key=True)
        again = {account.pk: account for account in locked}
        found = [again.get(account.pk, account) for account in found]
    return {account.address: account for account in found}


def _batches(parts: tuple[Part, ...], accounts: dict[str, ChannelAccount], origin: str) -> Iterator[Batch]:
    by_page: defaultdict[str, list[RawItem]] = defaultdict(list)
    for part in parts:
        by_page[part.page_id].append(part.item)
    for page_id, items in by_page.items():
        account = accounts.get(page_id)
        if account is None:
            yield Batch(None, tuple(items), f"{origin}/page:{page_id}", LedgerState.FILTERED, UNKNOWN_ACCOUNT)
        elif account.state == AccountState.PAUSED:
            yield Batch(account, tuple(items), "", LedgerState.FILTERED, held.PAUSED)
        else:
            yield Batch(account, tuple(items))
