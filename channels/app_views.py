"""The admin's page of our X app: entering and replacing it. Its secret is never shown again."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from agents.access import admins, me
from channels.app_forms import AppForm
from channels.consent import registering
from channels.pages import shown, status_of


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("client_secret")
@never_cache
@admins
def x_app(request: HttpRequest) -> HttpResponse:
    """Enter our X app, or replace it."""
    app = registering.current_app("x")
    form = AppForm(request.POST or None, kind="x", app=app)
    if request.method == "POST" and form.is_valid():
        registering.enter_app(actor=me(request), kind="x", now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Our X app is saved. Now connect an account with it."))
        return redirect(f"{reverse('channels:accounts')}#connect")
    # To the letter what X compares with what its console has (RFC 6749, section 3.1.2.3).
    callback = f"{settings.BASE_URL}{reverse('consent:x-callback')}"
    return shown(request, "app.html", status_of(form), form=form, app=app, callback=callback)
