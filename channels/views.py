"""The admin's account pages: parse, one call, translate the answer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.access import admins, me
from channels import access, anew, lines, queries
from channels import accounts as acts
from channels import alarm as alarms
from channels.anew import Again
from channels.forms import MailboxForm
from channels.health import title
from channels.models import AccountState, App, ChannelAccount
from channels.pages import shown, status_of
from contactcentre.lib import realtime
from contactcentre.lib.ids import identifier

# How much of an item's content a page shows; the rest is said to be there.
SHOWN_BYTES = 200_000


@require_GET
@never_cache
@admins
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts with their health; alone (for the live page) the part of it that changes."""
    stream = realtime.position()
    page = queries.accounts_page(now=timezone.now())
    template = "_accounts.html" if request.headers.get("HX-Request") else "accounts.html"
    apps = set(App.objects.values_list("kind", flat=True).distinct())
    return shown(
        request, template, page=page, stream=stream, has_x_app="x" in apps, has_facebook_app="facebook" in apps
    )


@require_GET
@never_cache
@admins
def alarm(request: HttpRequest) -> HttpResponse:
    """How many accounts are in trouble, for the navigation of a page that has heard of a change."""
    count = alarms.of(queries.accounts_page(now=timezone.now()))
    return shown(request, "_alarm.html", count=count)


@require_GET
@never_cache
@admins
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """One account."""
    stream = realtime.position()
    page = queries.account_page(access.account(me(request), account_id), now=timezone.now())
    template = "_account.html" if request.headers.get("HX-Request") else "account.html"
    return shown(request, template, page=page, card=page.card, stream=stream)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@never_cache
@admins
def connect_mailbox(request: HttpRequest) -> HttpResponse:
    """Connect a mailbox: stored, looked into, and only then switched on."""
    form = MailboxForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = acts.connect_mailbox(
            actor=me(request), data=form.mailbox(), now=timezone.now(), begins_at=form.beginning()
        )
        return redirect("channels:preview", account_id=made.pk)
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@never_cache
@admins
def edit(request: HttpRequest, account_id: int) -> HttpResponse:
    """Change how a mailbox is reached, or connect it again; a phone line has a page of its own."""
    found = access.account(me(request), account_id)
    if found.kind == lines.KIND:
        return redirect("channels:edit-line", account_id=found.pk)
    _must_be_mailbox(found)
    form = MailboxForm(request.POST or None, account=found)
    if request.method == "POST" and form.is_valid():
        acts.update_mailbox(account=found, actor=me(request), data=form.mailbox(), now=timezone.now())
        messages.success(request, _("Saved. It goes on from where it stopped."))
        return redirect("channels:account", account_id=found.pk)
    return _form(request, form, found)


def _must_be_mailbox(account: ChannelAccount) -> None:
    # Its stored credentials would be sent to whatever mail server stands in the form.
    if account.kind != "email":
        raise Http404(_("This account is no mailbox."))


def _form(request: HttpRequest, form: MailboxForm, found: ChannelAccount | None, **values: Any) -> HttpResponse:
    is_again = found is not None and found.state == AccountState.REFUSED
    return shown(request, "mailbox.html", status_of(form), form=form, account=found, is_again=is_again, **values)


@require_POST
@sensitive_post_parameters("password")
@never_cache
@admins
def try_mailbox(request: HttpRequest, account_id: int | None = None) -> HttpResponse:
    """Try what is in the form without saving it; a fragment for htmx, else the form with the answer on it."""
    found = access.account(me(request), account_id) if account_id is not None else None
    if found is not None:
        _must_be_mailbox(found)
    form = MailboxForm(request.POST, account=found)
    tried = None
    if form.is_valid():
        tried = acts.try_out_mailbox(data=form.mailbox(), now=timezone.now(), account=found)
    if request.headers.get("HX-Request"):
        return shown(request, "_tried.html", tried=tried, form=form)
    return _form(request, form, found, tried=tried)


@require_POST
@never_cache
@admins
def try_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Try a connected account; a fragment for htmx, else the account's page with the answer on it."""
    found = access.account(me(request), account_id)
    tried = acts.try_out(account=found, now=timezone.now())
    if request.headers.get("HX-Request"):
        return shown(request, "_tested.html", tried=tried)
    stream = realtime.position()
    page = queries.account_page(found, now=timezone.now())
    return shown(request, "account.html", page=page, card=page.card, stream=stream, tried=tried)


@require_GET
@never_cache
@admins
def preview(request: HttpRequest, account_id: int) -> HttpResponse:
    """What would come in if the account were switched on now."""
    found = access.account(me(request), account_id)
    return shown(
        request,
        "preview.html",
        account=found,
        title=title(found),
        preview=acts.preview(account=found, now=timezone.now()),
    )


@require_POST
@admins
def resume(request: HttpRequest, account_id: int) -> HttpResponse:
    """Switch an account on."""
    found = access.account(me(request), account_id)
    if acts.resume(account=found, actor=me(request), now=timezone.now()):
        messages.success(request, _("%(address)s is switched on.") % {"address": title(found)})
    else:
        messages.info(request, _("%(address)s was not paused, so nothing was changed.") % {"address": title(found)})
    return redirect("channels:account", account_id=found.pk)


@require_POST
@admins
def pause(request: HttpRequest, account_id: int) -> HttpResponse:
    """Pause an account."""
    found = access.account(me(request), account_id)
    if acts.pause(account=found, actor=me(request), now=timezone.now()):
        messages.success(request, _("%(address)s is paused. Nothing is fetched or sent.") % {"address": title(found)})
    else:
        messages.info(request, _("%(address)s was paused already.") % {"address": title(found)})
    return redirect("channels:account", account_id=found.pk)


@require_POST
@admins
def poll_now(request: HttpRequest, account_id: int) -> HttpResponse:
    """Ask the network at once."""
    found = access.account(me(request), account_id)
    if acts.poll_now(account=found, actor=me(request), now=timezone.now()):
        messages.success(request, _("%(address)s is tried again now.") % {"address": title(found)})
    else:
        messages.info(request, _("%(address)s is not switched on, so it was not tried.") % {"address": title(found)})
    return redirect("channels:account", account_id=found.pk)


@require_GET
@never_cache
@admins
def ledger(request: HttpRequest, state: str, account_id: int | None = None) -> HttpResponse:
    """A list of items: when, what kind, why, how large. Never what they say."""
    person = me(request)
    found = access.account(person, account_id) if account_id is not None else None
    page = queries.ledger_list(
        person=person, state=state, account=found, before=_id(request, "before"), after=_id(request, "after")
    )
    return shown(request, "ledger.html", list=page, account=found, states=queries.LISTS)


@require_POST
@admins
def process_again(request: HttpRequest, item_id: int) -> HttpResponse:
    """Process one item again; `by_hand`: make a ticket of it although it looked automatic."""
    person = me(request)
    item = access.item(person, item_id)
    by_hand = request.POST.get("by_hand") == "1"
    again = anew.process_again(item_ids=[item.pk], actor=person, now=timezone.now(), by_hand=by_hand)
    _say_again(request, again)
    return redirect(_list_of(item.account_id, "quarantined" if item.state == "quarantined" else "filtered"))


@require_POST
@admins
def process_all_again(request: HttpRequest, account_id: int) -> HttpResponse:
    """Process every quarantined item of an account again."""
    person = me(request)
    found = access.account(person, account_id)
    _say_again(request, anew.process_again(account=found, actor=person, now=timezone.now()))
    return redirect(_list_of(found.pk, "quarantined"))


@require_POST
@never_cache
@admins
def content(request: HttpRequest, item_id: int) -> HttpResponse:
    """What an item says, as plain text. A form and not a link, because opening it is noted in the history."""
    item, body = access.body(me(request), item_id, now=timezone.now())
    raw = bytes(body.body) if body else b""
    return shown(
        request,
        "content.html",
        item=item,
        is_kept=body is not None,
        text=raw[:SHOWN_BYTES].decode("utf-8", "replace").replace("\0", "�"),
        hidden_bytes=max(0, len(raw) - SHOWN_BYTES),
        back=_list_of(item.account_id, item.state),
    )


def _say_again(request: HttpRequest, again: Again) -> None:
    if not again.items:
        messages.info(request, _("There was nothing to process again: settled meanwhile, or its content is gone."))
        return
    words = ngettext("%(count)d item is processed again.", "%(count)d items are processed again.", again.items)
    told = [words % {"count": again.items}]
    if again.anew:
        told.append(_("Handed over anew by X: %(count)d.") % {"count": again.anew})
    if again.anew < again.unreadable:
        told.append(_("What X did not hand over anew is processed as it is kept."))
    messages.success(request, " ".join(told))
    if again.why:
        messages.warning(request, _("X did not hand them over anew: %(why)s") % {"why": again.why})


def _list_of(account_id: int | None, state: str) -> str:
    if account_id is None:
        return reverse("channels:ledger", kwargs={"state": state})
    return reverse("channels:account-ledger", kwargs={"account_id": account_id, "state": state})


def _id(request: HttpRequest, name: str) -> int | None:
    """An id from the address; None for none, and for what cannot be one."""
    return identifier(request.GET.get(name, ""))
