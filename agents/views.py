"""Signing in and out."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from agents import attempts
from agents.access import to_sign_in
from contactcentre.lib import realtime


class SignInForm(forms.Form):
    """Email and password."""

    email = forms.EmailField(label=gettext_lazy("Email"), max_length=254)
    password = forms.CharField(label=gettext_lazy("Password"), max_length=200, strip=False, widget=forms.PasswordInput)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. A wrong password and an unknown email read the same."""
    following = _following(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(following)
    form, error, status = SignInForm(request.POST or None), "", 200
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if not attempts.allowed(request, email):
            error, status = _("Too many wrong passwords. Please wait five minutes, then try again."), 429
        else:
            person = authenticate(request, username=email, password=form.cleaned_data["password"])
            if person is not None:
                login(request, person)
                attempts.succeeded(request, email)
                answer = HttpResponseRedirect(following)
                attempts.remember(answer, email)
                return answer
            attempts.failed(request, email)
            error, status = _("Email and password do not match. Please try again."), 200
    shown = {"form": form, "next": following, "error": error, "was_writing": _was_writing(request)}
    return render(request, "agents/sign_in.html", shown, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and the live stream of this person's browser."""
    if request.user.is_authenticated:
        person_id = request.user.pk
        logout(request)
        realtime.publish(realtime.Event(name=f"person-{person_id}", people=frozenset({person_id})))
    return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)


def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What is answered where a form's token is not the session's (settings.CSRF_FAILURE_VIEW); nothing was done.

    Mostly the form is older than the session, because its owner has signed in again in another tab since. A second
    sign-in page left open is simply done with; whoever has no session is asked to sign in first.
    """
    is_sign_in = request.path == reverse("agents:sign-in")
    if request.user.is_authenticated and is_sign_in:
        return HttpResponseRedirect(_following(request))
    if not request.user.is_authenticated and not is_sign_in:
        return to_sign_in(request)
    return render(request, "403_csrf.html", {"is_sign_in": is_sign_in}, status=403)


def _was_writing(request: HttpRequest) -> bool:
    """Whether the session ended under somebody who was writing: the page they left says so."""
    return (request.POST.get("writing") or request.GET.get("writing")) == "1"


def _following(request: HttpRequest) -> str:
    """Where to go afterwards: a path of this site, or the inbox."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # With its slash in front: anything else would lead to somewhere below the sign-in.
    return wanted if safe and wanted.startswith("/") else str(settings.LOGIN_REDIRECT_URL)
