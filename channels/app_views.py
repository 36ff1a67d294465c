"""The admin's pages of our apps at X and Facebook: entering and replacing them. A secret is never shown again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from agents.access import admins, me
from channels.app_forms import AppForm
from channels.consent import choosing, registering
from channels.models import App
from channels.pages import shown, status_of
from contactcentre.lib.ids import identifier


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("client_secret")
@never_cache
@admins
def x_app(request: HttpRequest) -> HttpResponse:
    """Enter our X app, or replace it."""
    app = _meant(request, "x")
    form = AppForm(request.POST or None, kind="x", app=app)
    if _is_entered(request, form):
        messages.success(request, _("Our X app is saved. Now connect an account with it."))
        return redirect(f"{reverse('channels:accounts')}#connect")
    return _shown(request, "app.html", form, app, callback=_address("consent:x-callback"))


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("client_secret")
@sensitive_variables("verify_token")
@never_cache
@admins
def facebook_app(request: HttpRequest) -> HttpResponse:
    """Enter our Facebook app, or replace it; and what its console wants to know of us."""
    app = _meant(request, "facebook")
    form = AppForm(request.POST or None, kind="facebook", app=app)
    if _is_entered(request, form):
        messages.success(request, _("Our Facebook app is saved. Now connect Pages with it."))
        return redirect(f"{reverse('channels:accounts')}#connect")
    # The verify token is ours and opens nothing: whoever knows it could only have Facebook told that this address is
    # ours, which it is.
    verify_token = str(app.secrets.get("verify_token") or "") if app else ""
    return _shown(
        request,
        "facebook_app.html",
        form,
        app,
        callback=_address("consent:facebook-callback"),
        hook=hook_address(app) if app else "",
        verify_token=verify_token,
    )


@require_POST
@admins
def register_hook(request: HttpRequest) -> HttpResponse:
    """Tell Facebook our callback address once more, for whoever has opened the way to it."""
    app = _meant(request, "facebook")
    if app is not None:
        why = choosing.register(app=app, actor=me(request), hook=hook_address(app), now=timezone.now())
        _say_registered(request, why)
    return redirect(_form_of(app))


@require_POST
@admins
def new_verify_token(request: HttpRequest) -> HttpResponse:
    """Make the verify token anew, where somebody else has seen it."""
    app = _meant(request, "facebook")
    if app is not None:
        hook, now = hook_address(app), timezone.now()
        why = choosing.renew_verify_token(app=app, actor=me(request), hook=hook, now=now)
        messages.info(request, _("The verify token is a new one. The old one proves nothing any more."))
        _say_registered(request, why)
    return redirect(_form_of(app))


def _say_registered(request: HttpRequest, why: str) -> None:
    if why:
        messages.error(request, _("Facebook did not take the callback address. %(why)s") % {"why": why})
    else:
        messages.success(request, _("Facebook knows the callback address and tells us at once from now on."))


def _form_of(app: App | None) -> str:
    """The page of just this app, which is not always the one entered last."""
    return reverse("channels:facebook-app") + (f"?app={app.pk}" if app else "")


def hook_address(app: App) -> str:
    """Where Facebook must post what happens on the Pages of this app."""
    return _address("hooks:facebook", app_id=app.client_id)


def _meant(request: HttpRequest, kind: str) -> App | None:
    """The app that an account's card led here for, else the one that new accounts are connected with."""
    number = identifier(request.GET.get("app", ""))
    named = App.objects.filter(kind=kind, pk=number).first() if number is not None else None
    return named or registering.current_app(kind)


def _is_entered(request: HttpRequest, form: AppForm) -> bool:
    """Store what was typed; False where nothing was, or where it cannot be meant."""
    if request.method != "POST" or not form.is_valid():
        return False
    registering.enter_app(actor=me(request), kind=form.kind, now=timezone.now(), **form.cleaned_data)
    return True


def _address(name: str, **parts: str) -> str:
    """An address of ours with its host: to the letter what a network compares with (RFC 6749, section 3.1.2.3)."""
    return f"{settings.BASE_URL}{reverse(name, kwargs=parts)}"


def _shown(request: HttpRequest, template: str, form: AppForm, app: App | None, **values: Any) -> HttpResponse:
    return shown(request, template, status_of(form), form=form, app=app, **values)
