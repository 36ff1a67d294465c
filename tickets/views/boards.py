"""The lead's board, and search."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.access import leads, me, works_tickets
from agents.models import Person
from contactcentre.lib import realtime
from contactcentre.lib.ids import identifier
from tickets import access
from tickets.acts import MOST
from tickets.queries import board as boards
from tickets.queries import lists, sight
from tickets.queries import search as searching
from tickets.views.inbox import frame


@never_cache
@require_GET
@leads
def board(request: HttpRequest) -> HttpResponse:
    """Queues side by side; the columns alone for live refreshing."""
    person, now, stream = me(request), timezone.now(), realtime.position()
    have = access.rights(person)
    shown = boards.board(person, have, now=now)
    if request.headers.get("X-Requested-With") == "fetch":
        return render(request, "inbox/_board_whole.html", {"board": shown, "now": now})
    return render(
        request,
        "inbox/board.html",
        {
            **frame(person, have, current="", now=now, stream=stream, counted=shown.standing),
            "board": shown,
            "section": "board",
            "colleagues": shown.colleagues,
        },
    )


@never_cache
@require_GET
@leads
def preview(request: HttpRequest) -> HttpResponse:
    """What an act on the chosen tickets will mean, before it is done."""
    person, now = me(request), timezone.now()
    owner = str(person.pk) if request.GET.get("owner") == "me" else request.GET.get("owner", "")
    numbers = [*request.GET.getlist("ticket"), request.GET.get("queue", ""), owner]
    if any(identifier(value) is None for value in numbers if value):
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    shown = boards.preview(
        access.rights(person),
        tickets=[int(value) for value in request.GET.getlist("ticket")[:200]],
        queue_id=int(request.GET["queue"]) if request.GET.get("queue") else None,
        owner_id=int(owner) if owner else None,
        now=now,
    )
    return render(request, "inbox/_preview.html", {"preview": shown})


@never_cache
@require_GET
@works_tickets
def lost(request: HttpRequest) -> HttpResponse:
    """Which of the chosen tickets one will no longer see by an act on them, before it is done."""
    numbers = [*request.GET.getlist("ticket")[:MOST], request.GET.get("queue") or "0"]
    if any(identifier(value) is None for value in numbers):
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    *tickets, queue = (int(value) for value in numbers)
    shown = sight.lost(access.rights(me(request)), tickets, queue_id=queue or None)
    return render(request, "inbox/_lost.html", {"lost": shown})


@never_cache
@require_GET
@works_tickets
def assignees(request: HttpRequest) -> HttpResponse:
    """Whom a ticket can be given to, for the assign menu."""
    return render(request, "inbox/_assignees.html", {"colleagues": _colleagues(me(request))})


@never_cache
@require_GET
@works_tickets
def search(request: HttpRequest) -> HttpResponse:
    """Search: the whole page, or the results alone while one types."""
    person, now, stream = me(request), timezone.now(), realtime.position()
    have = access.rights(person)
    found = searching.search(person, have, request.GET.get("q", ""))
    if request.headers.get("X-Requested-With") == "fetch":
        return render(request, "inbox/_search.html", {"found": found, "now": now})
    return render(
        request,
        "inbox/search.html",
        {**frame(person, have, current="", now=now, stream=stream), "found": found, "section": "search"},
    )


def _colleagues(person: Person) -> list[Any]:
    """Agents and leads who are active, at most two hundred."""
    people = Person.objects.filter(is_active=True).exclude(pk=person.pk).order_by("name")[:200]
    return [lists.colleague(one, person) for one in people if one.works_tickets]
