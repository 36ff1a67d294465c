"""The admin's pages of phone lines: connecting one, and the hook address that is shown once."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.access import admins, me
from channels import access, lines, sealed
from channels.line_forms import LineForm
from channels.lines import NotALine
from channels.models import ChannelAccount
from channels.pages import shown, status_of

_KEY = "hook_token"
# From the button to the page that shows it is one redirect; an address nobody came for is not kept for later.
LASTS = timedelta(minutes=10)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
@sensitive_variables("token")
def connect(request: HttpRequest) -> HttpResponse:
    """Connect a phone line, and go on to the page that shows its hook address once."""
    form = LineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            account, token = lines.connect_line(actor=me(request), now=now, **form.cleaned_data)
        except NotALine as problem:
            form.add_error(None, str(problem))
        else:
            if account.created_at != now:
                messages.info(request, _("This line was connected before: its old hook address works no longer."))
            _keep(request, account, token)
            return redirect("channels:hook-address", account_id=account.pk)
    return shown(request, "line.html", status_of(form), form=form, account=None)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def edit(request: HttpRequest, account_id: int) -> HttpResponse:
    """Change a line's name and country."""
    account = _line(request, account_id)
    form = LineForm(request.POST or None, account=account)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            lines.update_line(
                account=account, actor=me(request), name=typed["name"], region=typed["region"], now=timezone.now()
            )
        except NotALine as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("Saved. The hook address is the same as before."))
            return redirect("channels:account", account_id=account.pk)
    return shown(request, "line.html", status_of(form), form=form, account=account)


@require_POST
@never_cache
@admins
@sensitive_variables("token")
def new_address(request: HttpRequest, account_id: int) -> HttpResponse:
    """Give the line another hook address; the old one is dead from here on."""
    account = _line(request, account_id)
    token = lines.new_token(account=account, actor=me(request), now=timezone.now())
    messages.info(request, _("The old hook address works no longer. Tell the exchange the new one."))
    _keep(request, account, token)
    return redirect("channels:hook-address", account_id=account.pk)


@require_GET
@never_cache
@admins
@sensitive_variables("address")
def hook_address(request: HttpRequest, account_id: int) -> HttpResponse:
    """The hook address, to whoever has just made it, and only the first time they look."""
    account = _line(request, account_id)
    address = _taken(request, account)
    return shown(request, "hook_address.html", account=account, address=address)


def _line(request: HttpRequest, account_id: int) -> ChannelAccount:
    found = access.account(me(request), account_id)
    if found.kind != lines.KIND:
        raise Http404(_("This account is no phone line."))
    return found


def _keep(request: HttpRequest, account: ChannelAccount, token: str) -> None:
    # A page that showed it in answer to the form would make another address whenever it is loaded again.
    sealed.keep(request.session, _KEY, {"account": account.pk, "token": token}, now=timezone.now())


def _taken(request: HttpRequest, account: ChannelAccount) -> str:
    """The whole hook address, taken out of the session; empty where it was shown before or is another line's."""
    told = sealed.take(request.session, _KEY, lasts=LASTS, now=timezone.now())
    return lines.hook_address(told["token"]) if told and told["account"] == account.pk else ""
