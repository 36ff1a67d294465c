"""To X's consent page and back: two links, both for admins."""

from __future__ import annotations

import hmac
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from agents.access import admins, me
from channels import sealed
from channels.consent import connecting, registering, tokens, x
from channels.consent.problem import ConsentProblem
from channels.models import AccountState, App

_KEY = "x_consent"
# Long enough for signing in at X with a second factor.
LASTS = timedelta(minutes=10)


@require_GET
@never_cache
@admins
@sensitive_variables("begun")
def start(request: HttpRequest, app_id: int | None = None) -> HttpResponse:
    """Send an admin to X. A link and not a form: our pages' policy lets forms go nowhere but to ourselves."""
    app = App.objects.filter(kind="x", pk=app_id).first() if app_id is not None else registering.current_app("x")
    if app is None:
        messages.error(request, _("Enter our X app first: its client id and secret stand in X's developer console."))
        return redirect("channels:x-app")
    begun = x.begin(tokens.registration(app), redirect_uri=_redirect_uri())
    kept = {"state": begun.state, "verifier": begun.verifier, "app": app.pk}
    sealed.keep(request.session, _KEY, kept, now=timezone.now())
    return redirect(begun.url)


@require_GET
@never_cache
@admins
@sensitive_variables("kept", "credentials")
def callback(request: HttpRequest) -> HttpResponse:
    """Take an admin back from X: exchange the code, see whose it is, store it, and show what would come in."""
    now = timezone.now()
    # Taken out whatever happens: it is good for one return.
    kept = sealed.take(request.session, _KEY, lasts=LASTS, now=now)
    given = request.GET.get("state", "")
    if kept is None or not hmac.compare_digest(kept["state"].encode(), given.encode("utf-8", "replace")):
        messages.error(request, _("This return from X belongs to no connecting of yours, or came too late. Try again."))
        return redirect("channels:accounts")
    code = request.GET.get("code", "")
    app = App.objects.filter(kind="x", pk=kept["app"]).first()
    if request.GET.get("error") or not code or app is None:
        messages.info(request, _("X was not connected: the consent was not given."))
        return redirect("channels:accounts")
    try:
        credentials = x.exchange(
            tokens.registration(app), code=code[:2000], verifier=kept["verifier"], redirect_uri=_redirect_uri(), now=now
        )
        handle = x.who(credentials)
    except ConsentProblem as problem:
        messages.error(request, _("X was not connected. %(why)s") % {"why": problem})
        return redirect("channels:accounts")
    account = connecting.connect(
        actor=me(request),
        app=app,
        address=handle.id,
        name=f"@{handle.handle}",
        settings={"handle": handle.handle, "capabilities": x.capabilities(credentials)},
        credentials=credentials,
        now=timezone.now(),
    )
    stopped = connecting.still_stopped("x")
    if stopped:
        # X lets in whoever is signed in there, which is easily the wrong one of several handles.
        words = _(
            "Still stopped: %(names)s. You came back from X as %(name)s. "
            "Sign in there as the one that is to go on, then connect again."
        )
        messages.warning(request, words % {"names": stopped, "name": account.name})
    if account.state == AccountState.ACTIVE:
        messages.success(
            request, _("%(name)s is connected. It goes on from where it stopped.") % {"name": account.name}
        )
        return redirect("channels:account", account_id=account.pk)
    return redirect("channels:preview", account_id=account.pk)


def _redirect_uri() -> str:
    """Where X sends people back to: to the letter what is registered there as the app's callback."""
    return f"{settings.BASE_URL}{reverse('consent:x-callback')}"

