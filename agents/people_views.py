"""The admin's pages of people, and the page where a person chooses their password."""

from __future__ import annotations

import json
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents import attempts, passwords, queries, tokens
from agents import people as acts
from agents.access import admins, me
from agents.models import Person
from agents.pages import number, shown, status_of
from agents.people import CannotChange
from agents.people_forms import PasswordForm, PersonForm, explain
from contactcentre.lib.secrets import fernet

PART = "people"
_KEY = "password_link"
# From the button to the page that shows it is one redirect; a link nobody came for is not kept for later.
KEPT = timedelta(minutes=10)


@require_GET
@never_cache
@admins
def people(request: HttpRequest) -> HttpResponse:
    """Everybody by name, or whom a search finds; those who left are a list of their own."""
    page = queries.people(
        query=request.GET.get("q", ""),
        is_left=request.GET.get("left") == "1",
        after=number(request, "after"),
        before=number(request, "before"),
    )
    return shown(request, "agents/people.html", part=PART, list=page)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
@sensitive_variables("token")
def add(request: HttpRequest) -> HttpResponse:
    """Add somebody, and go on to the page that shows the link for their first password once."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            made = acts.add(actor=me(request), now=now, **form.values())
        except CannotChange as problem:
            explain(form, problem)
        else:
            _keep(request, made, passwords.new_link(actor=me(request), person=made, now=now))
            return redirect("agents:password-link", person_id=made.pk)
    return shown(request, "agents/person.html", part=PART, status=status_of(form), form=form, row=None)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person: who they are, what they may do, their teams."""
    found = _person(person_id)
    form = PersonForm(request.POST or None, person=found)
    if request.method == "POST" and form.is_valid():
        try:
            changed = acts.change(actor=me(request), person_id=found.pk, now=timezone.now(), **form.values())
        except CannotChange as problem:
            explain(form, problem)
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was changed."))
            return redirect("agents:person", person_id=found.pk)
    row = queries.person(found.pk)
    return shown(request, "agents/person.html", part=PART, status=status_of(form), form=form, row=row)


@require_POST
@never_cache
@admins
def activate(request: HttpRequest, person_id: int) -> HttpResponse:
    """Let somebody in again; they need a new password."""
    found = _person(person_id)
    if acts.activate(actor=me(request), person_id=found.pk, now=timezone.now()):
        messages.success(
            request, _("%(name)s may come in again, and needs a link for a new password.") % {"name": found.name}
        )
    else:
        messages.info(request, _("%(name)s was active already.") % {"name": found.name})
    return redirect("agents:person", person_id=found.pk)


@require_POST
@never_cache
@admins
@sensitive_variables("token")
def new_link(request: HttpRequest, person_id: int) -> HttpResponse:
    """Make a link for a new password; the one before works no longer."""
    found = _person(person_id)
    try:
        token = passwords.new_link(actor=me(request), person=found, now=timezone.now())
    except CannotChange as problem:
        messages.error(request, str(problem))
        return redirect("agents:person", person_id=found.pk)
    _keep(request, found, token)
    return redirect("agents:password-link", person_id=found.pk)


@require_GET
@never_cache
@admins
@sensitive_variables("link")
def password_link(request: HttpRequest, person_id: int) -> HttpResponse:
    """The link, to whoever has just made it, and only the first time they look."""
    found = _person(person_id)
    return shown(request, "agents/password_link.html", part=PART, person_shown=found, link=_taken(request, found))


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "again")
@sensitive_variables("token")
@never_cache
def choose_password(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link chooses the password of the person it is for; then it is used up. Open to nobody's role."""
    found = passwords.whose(token)
    if found is None:
        return render(request, "agents/choose_password.html", {"form": None}, status=410)
    form = PasswordForm(request.POST or None, person=found)
    if request.method == "POST" and form.is_valid():
        if passwords.choose(token, form.cleaned_data["password"], now=timezone.now()) is None:
            return render(request, "agents/choose_password.html", {"form": None}, status=410)
        messages.success(request, _("Your password is set. Please sign in with it."))
        answer = redirect("agents:sign-in")
        # So that nobody's guessing at this address can be in the way of the first sign-in.
        attempts.remember(answer, found.email)
        return answer
    return render(
        request,
        "agents/choose_password.html",
        {"form": form, "whose": found, "token": token, "tokens": len(tokens.of(found))},
        status=status_of(form),
    )


def _person(person_id: int) -> Person:
    found = Person.objects.filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


def _keep(request: HttpRequest, person: Person, token: str) -> None:
    # Encrypted, because a session is a row that whoever reads the database reads.
    told = json.dumps({"person": person.pk, "token": token})
    request.session[_KEY] = fernet().encrypt(told.encode()).decode()


def _taken(request: HttpRequest, person: Person) -> str:
    """The whole link, taken out of the session; empty where it was shown before or is somebody else's."""
    sealed = request.session.pop(_KEY, "")
    if not isinstance(sealed, str) or not sealed:
        return ""
    try:
        told = json.loads(fernet().decrypt(sealed.encode(), ttl=int(KEPT.total_seconds())))
    except InvalidToken:
        return ""
    if told["person"] != person.pk:
        return ""
    return settings.BASE_URL + reverse("agents:choose-password", kwargs={"token": told["token"]})
