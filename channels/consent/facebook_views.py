"""To Facebook's dialog and back, and the choice of Pages: three addresses, all for admins."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from agents.access import admins, me
from channels import sealed
from channels.consent import choosing, connecting, facebook, registering, tokens
from channels.consent.choosing import Chosen
from channels.consent.facebook import Page
from channels.consent.permissions import words_of
from channels.consent.problem import ConsentProblem
from channels.models import AccountState, App, ChannelAccount
from channels.pages import shown

_KEY = "facebook_consent"
_CHOICE = "facebook_pages"
# Long enough for signing in at Facebook with a second factor.
LASTS = timedelta(minutes=10)
# For reading through one's Pages; then their tokens go out of the session, or are worthless there.
CHOICE_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One Page on our page: whether it is connected already, and in words what we lack there."""

    id: str
    name: str
    category: str
    state: str
    lacks: tuple[str, ...]
    is_chosen: bool


@require_GET
@never_cache
@admins
@sensitive_variables("begun")
def start(request: HttpRequest, app_id: int | None = None) -> HttpResponse:
    """Send an admin to Facebook. A link and not a form: our pages' policy lets forms go nowhere but to ourselves."""
    if app_id is None:
        app = registering.current_app("facebook")
    else:
        app = App.objects.filter(kind="facebook", pk=app_id).first()
    if app is None:
        messages.error(request, _("Enter our Facebook app first: its ID and secret stand in Meta's developer console."))
        return redirect("channels:facebook-app")
    begun = facebook.begin(tokens.registration(app), redirect_uri=_redirect_uri())
    sealed.keep(request.session, _KEY, {"state": begun.state, "app": app.pk}, now=timezone.now())
    return redirect(begun.url)


@require_GET
@never_cache
@admins
@sensitive_variables("kept", "token", "pages")
def callback(request: HttpRequest) -> HttpResponse:
    """Take an admin back from Facebook: exchange the code, list the Pages, and go on to choosing among them."""
    now = timezone.now()
    # Taken out whatever happens: it is good for one return.
    kept = sealed.take(request.session, _KEY, lasts=LASTS, now=now)
    given = request.GET.get("state", "")
    if kept is None or not hmac.compare_digest(kept["state"].encode(), given.encode("utf-8", "replace")):
        messages.error(
            request, _("This return from Facebook belongs to no connecting of yours, or came too late. Try again.")
        )
        return redirect("channels:accounts")
    code = request.GET.get("code", "")
    app = App.objects.filter(kind="facebook", pk=kept["app"]).first()
    if request.GET.get("error") or not code or app is None:
        messages.info(request, _("Facebook was not connected: the consent was not given."))
        return redirect("channels:accounts")
    registration = tokens.registration(app)
    try:
        token = facebook.exchange(registration, code=code[:2000], redirect_uri=_redirect_uri())
        pages, more = facebook.pages(registration, token)
    except ConsentProblem as problem:
        messages.error(request, _("Facebook was not connected. %(why)s") % {"why": problem})
        return redirect("channels:accounts")
    if not pages:
        words = _(
            "Facebook was not connected: no Page was opened to us. Go there once more, and tick the Pages in its "
            "dialog. Whoever does so must be allowed to manage them."
        )
        messages.error(request, words)
        return redirect("channels:accounts")
    choice = {"app": app.pk, "pages": [page.kept() for page in pages], "more": more}
    sealed.keep(request.session, _CHOICE, choice, now=now)
    return redirect("consent:facebook-pages")


@require_http_methods(["GET", "POST"])
@never_cache
@admins
@sensitive_variables("kept", "pages", "wanted")
def choose(request: HttpRequest) -> HttpResponse:
    """Which of the Pages to connect; nothing is fetched before each was looked into and switched on."""
    now = timezone.now()
    kept = sealed.read(request.session, _CHOICE, lasts=CHOICE_LASTS, now=now)
    app = App.objects.filter(kind="facebook", pk=kept["app"]).first() if kept else None
    if kept is None or app is None:
        request.session.pop(_CHOICE, None)
        messages.info(request, _("The choice of Pages is no longer open. Click Facebook once more."))
        return redirect("channels:accounts")
    pages = [Page.of(each) for each in kept["pages"]]
    if request.method == "GET":
        return _choices(request, kept, pages, None)
    ids = set(request.POST.getlist("page"))
    wanted = [page for page in pages if page.id in ids]
    if not wanted:
        return _choices(request, kept, pages, ids, problem=_("Tick at least one Page."))
    if len(wanted) > choosing.MOST_AT_ONCE:
        words = _("At most %(count)d at once, please. Connect the others after these.")
        return _choices(request, kept, pages, ids, problem=words % {"count": choosing.MOST_AT_ONCE})
    chosen = choosing.connect_pages(actor=me(request), app=app, pages=wanted, hook=_hook(app), now=now)
    if any(outcome.account is None for outcome in chosen.outcomes):
        # What failed can be tried again without another round through Facebook.
        _say(request, chosen)
        return redirect("consent:facebook-pages")
    request.session.pop(_CHOICE, None)
    return _onwards(request, chosen)


def _choices(
    request: HttpRequest, kept: Mapping[str, Any], pages: Sequence[Page], ticked: set[str] | None, *, problem: str = ""
) -> HttpResponse:
    known = {
        account.address: account
        for account in ChannelAccount.objects.defer("credentials").filter(
            kind="facebook", address__in=[page.id for page in pages]
        )
    }
    choices = [_choice(page, known.get(page.id), ticked) for page in pages]
    return shown(
        request,
        "pages.html",
        422 if problem else 200,
        choices=choices,
        more=kept["more"],
        most=facebook.MOST_PAGES,
        problem=problem,
    )


def _choice(page: Page, account: ChannelAccount | None, ticked: set[str] | None) -> Choice:
    state, is_open = _("Not connected yet"), True
    if account is not None:
        is_open = account.state == AccountState.REFUSED or bool(account.settings.get("missing"))
        states = {
            AccountState.ACTIVE: _("Connected; it goes on from where it is"),
            AccountState.REFUSED: _("Stopped; it goes on from where it stopped"),
            AccountState.PAUSED: _("Connected, but switched off; it begins anew now"),
        }
        state = states[AccountState(account.state)]
    return Choice(
        id=page.id,
        name=page.name,
        category=page.category,
        state=state,
        lacks=tuple(words_of(scope) for scope in page.missing),
        is_chosen=page.id in ticked if ticked is not None else is_open,
    )


def _onwards(request: HttpRequest, chosen: Chosen) -> HttpResponse:
    """To what would come in; to the account, where it simply goes on; to all of them, where there were several."""
    accounts = [outcome.account for outcome in chosen.outcomes if outcome.account is not None]
    _say(request, chosen)
    if len(accounts) > 1:
        return redirect("channels:accounts")
    name = "channels:account" if accounts[0].state == AccountState.ACTIVE else "channels:preview"
    return redirect(name, account_id=accounts[0].pk)


def _say(request: HttpRequest, chosen: Chosen) -> None:
    accounts = [outcome.account for outcome in chosen.outcomes if outcome.account is not None]
    running = [account.name for account in accounts if account.state == AccountState.ACTIVE]
    waiting = [account.name for account in accounts if account.state != AccountState.ACTIVE]
    if running:
        words = ngettext(
            "%(names)s is connected. It goes on from where it stopped.",
            "%(names)s are connected. They go on from where they stopped.",
            len(running),
        )
        messages.success(request, words % {"names": ", ".join(running)})
    if waiting:
        words = ngettext(
            "%(names)s is connected and not switched on yet.",
            "%(names)s are connected and not switched on yet.",
            len(waiting),
        )
        messages.success(request, words % {"names": ", ".join(waiting)})
    stopped = connecting.still_stopped("facebook")
    if stopped and accounts:
        words = _("Still stopped: %(names)s. Connect again, and tick it in Facebook's dialog and on our page.")
        messages.warning(request, words % {"names": stopped})
    for outcome in chosen.outcomes:
        if outcome.account is None:
            told = {"name": outcome.page.name, "why": outcome.words}
            messages.error(request, _("%(name)s was not connected. %(why)s") % told)
    if chosen.deaf:
        words = _(
            "Facebook does not tell us at once, because it did not take our hook address: %(why)s Until then we ask it "
            "every minute. What to paste in its developer console stands under “Replace our Facebook app”."
        )
        messages.warning(request, words % {"why": chosen.deaf})


def _hook(app: App) -> str:
    """Where Facebook must post what happens on the Pages of this app."""
    return f"{settings.BASE_URL}{reverse('hooks:facebook', kwargs={'app_id': app.client_id})}"


def _redirect_uri() -> str:
    """Where Facebook sends people back to: to the letter what is registered there as a valid redirect address."""
    return f"{settings.BASE_URL}{reverse('consent:facebook-callback')}"
