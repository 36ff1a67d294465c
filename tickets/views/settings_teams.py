"""The admin's pages of teams: who is in, which queues they serve."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from agents import teams as acts
from agents.access import admins, me
from agents.models import Team
from agents.pages import shown, status_of
from agents.people import CannotChange
from agents.people_forms import explain
from tickets import settings_queues
from tickets.queries import settings as queries
from tickets.settings_forms import TeamForm

PART = "teams"


@require_GET
@never_cache
@admins
def teams(request: HttpRequest) -> HttpResponse:
    """All teams by name."""
    return shown(request, "settings/teams.html", part=PART, teams=queries.teams())


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def make(request: HttpRequest) -> HttpResponse:
    """Make a team, with its members and queues."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := _saved(request, form, None)):
        messages.success(request, _("%(name)s is made.") % {"name": made.name})
        return redirect("settings:teams")
    return shown(request, "settings/team.html", part=PART, status=status_of(form), form=form, team=None)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def team(request: HttpRequest, team_id: int) -> HttpResponse:
    """One team."""
    found = _team(team_id)
    form = TeamForm(request.POST or None, team=found)
    if request.method == "POST" and form.is_valid() and _saved(request, form, found):
        messages.success(request, _("Saved."))
        return redirect("settings:team", team_id=found.pk)
    return shown(request, "settings/team.html", part=PART, status=status_of(form), form=form, team=found)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def delete(request: HttpRequest, team_id: int) -> HttpResponse:
    """What stands in the way of deleting a team, or that nothing does; then it is deleted."""
    found = _team(team_id)
    members = list(found.people.order_by("name").values_list("name", flat=True)[:20])
    queues = list(found.queues.filter(successor=None).order_by("position").values_list("name", flat=True)[:20])
    problem = ""
    if request.method == "POST":
        try:
            settings_queues.delete_team(actor=me(request), team_id=found.pk, now=timezone.now())
        except CannotChange as error:
            problem = str(error)
        else:
            messages.success(request, _("%(name)s is deleted.") % {"name": found.name})
            return redirect("settings:teams")
    return shown(
        request,
        "settings/delete_team.html",
        part=PART,
        status=409 if problem else 200,
        team=found,
        members=members,
        queues=queues,
        problem=problem,
    )


def _saved(request: HttpRequest, form: TeamForm, found: Team | None) -> Team | None:
    """The team as it is now; None with the reason on the form. All of it is saved or nothing."""
    typed, now, actor = form.cleaned_data, timezone.now(), me(request)
    try:
        with transaction.atomic():
            kept = found or acts.make(actor=actor, name=typed["name"], now=now)
            acts.change(actor=actor, team_id=kept.pk, name=typed["name"], members=typed["members"], now=now)
            settings_queues.serve(actor=actor, team_id=kept.pk, queues=typed["queues"], now=now)
    except CannotChange as problem:
        explain(form, problem)
        return None
    return kept


def _team(team_id: int) -> Team:
    found = Team.objects.filter(pk=team_id).first()
    if found is None:
        raise Http404
    return found
