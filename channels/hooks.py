"""Where networks and exchanges post to us. Verify, store, answer; the thinking comes after the answer.

Ours to handle or not, what could be stored is answered 200. Our own failure comes out as 500, so that the other
side tries again; what it then tells twice is one row in the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q, QuerySet
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
from contactcentre.lib.by_hand import ByHand, made, selected
from contactcentre.lib.prepared import Prepared, columns

# A call event is a few hundred bytes.
LARGEST_EVENT = 64 * 1024
# What is larger than its door keeps is read past in pieces of this size, so that it never stands in memory as a whole.
PIECE = 256 * 1024
# Posts that are larger than this are cut one at a time: cut into single happenings, a post takes some ten times its
# size, and after a bad hour Facebook sends everything at once.
LARGE = 1024 * 1024
# Facebook's challenge is a number; nothing longer is said back to a stranger.
LONGEST_CHALLENGE = 200
SOURCE = "webhook"
# How exactly the health card knows when we last heard: hooks come by the hundred, and each would write the same row.
HEARD_EVERY = timedelta(seconds=1)

PAUSED = gettext_noop("the line was paused")
TOO_LARGE = gettext_noop("too large: it was told and signed, but its content was not kept")

_one_large_at_a_time = threading.Lock()
_no_lock = nullcontext()


@csrf_exempt
@require_POST
def phone(request: HttpRequest, token: str) -> HttpResponse:
    """Take one call event of the line whose token this is: 200 stored, 404 no such line.

    What is larger than any event is a quarantined row without its content. 400 only where the sender went away before
    its body had come. The token is the signature: no cookie counts here.
    """
    account = lines.line_of(token)
    if account is None:
        return HttpResponseNotFound()
    try:
        body = request.read(LARGEST_EVENT + 1)
        too_large = _rest(request, body, "") if len(body) > LARGEST_EVENT else None
    except UnreadablePostError:
        return HttpResponse(status=400)
    if too_large is not None:
        batch = Batch(account, (too_large.item("call"),), "", LedgerState.QUARANTINED, TOO_LARGE)
        ledger.record_all([batch], account.kind, source=SOURCE, now=timezone.now())
        return HttpResponse()
    _take_call(account, body, content_type=request.META.get("CONTENT_TYPE", "")[:200])
    return HttpResponse()


@csrf_exempt
@require_http_methods(["GET", "POST"])
@sensitive_variables("secrets")
def facebook(request: HttpRequest, app_id: str) -> HttpResponse:
    """Facebook's door, one per app: GET proves that the address is ours, POST brings happenings of any of its Pages.

    POST: 200 stored, 400 not signed with the app's secret (or broken off), 404 no app of ours. What is signed and
    larger than HOOK_MAX_BYTES is a quarantined row without its content: refused, Facebook would tell it again for a
    day and a half and then switch the webhook off, and nobody here would know why.
    GET: 200 with the challenge, or 403 (Meta, Graph API, "Webhooks", "Getting started").
    """
    app = _app(app_id[:120].replace("\0", ""))
    if app is None:
        return HttpResponseNotFound()
    secrets = app.secrets
    if request.method == "GET":
        return _challenge(request, str(secrets.get("verify_token") or ""))
    signature, secret = request.headers.get("X-Hub-Signature-256", ""), str(secrets.get("client_secret") or "")
    if not secret or not signature:
        return HttpResponse(status=400)
    try:
        body = request.read(settings.HOOK_MAX_BYTES + 1)
        too_large = _rest(request, body, secret) if len(body) > settings.HOOK_MAX_BYTES else None
    except UnreadablePostError:
        return HttpResponse(status=400)
    if too_large is not None:
        if not _is_same(too_large.signature, signature):
            return HttpResponse(status=400)
        batch = Batch(None, (too_large.item("webhook"),), f"app:{app.pk}", LedgerState.QUARANTINED, TOO_LARGE)
        ledger.record_all([batch], app.kind, source=SOURCE, now=timezone.now())
        return HttpResponse()
    if not _is_signed(body, signature, secret):
        return HttpResponse(status=400)
    with _one_large_at_a_time if len(body) > LARGE else _no_lock:
        _take_happenings(app, body, now=timezone.now())
    return HttpResponse()


@dataclass(frozen=True, slots=True)
class _TooLarge:
    """A body of which nothing is kept but its size, its SHA-256, by which it is known again, and its signature."""

    size: int
    sha256: str
    signature: str

    def item(self, happening: str) -> RawItem:
        return RawItem(happening=happening, external_id=self.sha256, body=b"", bytes_told=self.size)


@sensitive_variables("secret")
def _rest(request: HttpRequest, begun: bytes, secret: str) -> _TooLarge:
    """Read to the end what began like this, a piece at a time. How long it may be the web process decides
    (WEB_MAX_BODY_BYTES). Raises UnreadablePostError."""
    digest, mac = hashlib.sha256(begun), hmac.new(secret.encode(), begun, hashlib.sha256)
    size = len(begun)
    while piece := request.read(PIECE):
        digest.update(piece)
        mac.update(piece)
        size += len(piece)
    return _TooLarge(size, digest.hexdigest(), mac.hexdigest())


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
    return _is_same(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), given)


def _is_same(expected: str, given: str) -> bool:
    return hmac.compare_digest(f"sha256={expected}".encode(), given.encode("utf-8", "replace"))


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


def _app(client_id: str) -> App | None:
    found = _APP.rows(client_id=client_id)
    return made(App, columns(App), found[0]) if found else None


def _app_of(*, client_id: str) -> QuerySet[App, tuple[Any, ...]]:
    return App.objects.filter(kind="facebook", client_id=client_id).values_list(*columns(App))


_APP = Prepared(_app_of)


def _accounts(app: App, pages: set[str]) -> dict[str, ChannelAccount]:
    """The accounts of these Pages that were connected with this app, by Page id."""
    rows = _ACCOUNTS.rows(app.pk, sorted(pages))
    found = [ChannelAccount.from_db(DEFAULT_DB_ALIAS, _ACCOUNT, row) for row in rows]
    paused = [account.pk for account in found if account.state == AccountState.PAUSED]
    if paused:
        # Locked, so that nobody switches one on between this look and our rows: they would be held for ever. Asked
        # again, because somebody may have done so before we had the lock.
        ours = ChannelAccount.objects.only(*_ACCOUNT).filter(pk__in=paused)
        again = {row.pk: row for row in ours.order_by("pk").select_for_update(of=("self",), no_key=True)}
        found = [again.get(account.pk, account) for account in found]
    return {account.address: account for account in found}


# Without the credentials: a lost encryption key must not lose what a customer wrote.
_ACCOUNT = columns(ChannelAccount, "id", "kind", "address", "state", "heard_at")
_ACCOUNTS = ByHand(
    "accounts_of_hook",
    f"""
SELECT {selected(ChannelAccount, _ACCOUNT, "account")} FROM channels_channelaccount account
WHERE kind = 'facebook' AND app_id = %s AND address = ANY (%s::text[])
""",  # noqa: S608  (names of our own)
)


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
