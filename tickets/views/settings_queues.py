"""The admin's pages of queues, and which account feeds which."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.access import admins, me
from agents.pages import shown, status_of
from agents.people import CannotChange
from agents.people_forms import explain
from contactcentre.lib.ids import identifier
from tickets import settings_feeds
from tickets import settings_queues as acts
from tickets.models import LIVE, AccountFeed, Queue, Ticket
from tickets.queries import settings as queries
from tickets.settings_feeds import Choice
from tickets.settings_forms import QueueForm, RemoveForm

PART = "queues"


@require_GET
@never_cache
@admins
def queues(request: HttpRequest) -> HttpResponse:
    """All queues in their order; below them those that were removed."""
    rows = queries.queues()
    return shown(
        request,
        "settings/queues.html",
        part=PART,
        queues=[row for row in rows if not row.successor],
        removed=[row for row in rows if row.successor],
        progress=queries.progress(),
    )


@require_GET
@never_cache
@admins
def progress(request: HttpRequest) -> HttpResponse:
    """How far long work has come, alone: the page asks again while something is under way."""
    return shown(request, "settings/_progress.html", part=PART, progress=queries.progress())


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def make(request: HttpRequest) -> HttpResponse:
    """Make a queue."""
    form = QueueForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = acts.make(actor=me(request), now=timezone.now(), **form.cleaned_data)
        except CannotChange as problem:
            explain(form, problem)
        else:
            messages.success(request, _("%(name)s is made. No account feeds it yet.") % {"name": made.name})
            return redirect("settings:queue", queue_id=made.pk)
    return shown(request, "settings/queue.html", part=PART, status=status_of(form), form=form, queue=None)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def queue(request: HttpRequest, queue_id: int) -> HttpResponse:
    """One queue: its name, window and teams, and the acts on it."""
    found = _queue(queue_id)
    form = QueueForm(request.POST or None, queue=found)
    if request.method == "POST" and form.is_valid():
        try:
            acts.change(actor=me(request), queue_id=found.pk, now=timezone.now(), **form.cleaned_data)
        except CannotChange as problem:
            explain(form, problem)
        else:
            messages.success(request, _("Saved."))
            return redirect("settings:queue", queue_id=found.pk)
    return shown(
        request,
        "settings/queue.html",
        part=PART,
        status=status_of(form),
        form=form,
        queue=found,
        feeding=AccountFeed.objects.filter(queue=found).order_by("account__address").values_list(
            "account__address", flat=True
        )[:50],
        progress=queries.progress(queue_id=found.pk),
    )


@require_POST
@admins
def place(request: HttpRequest, queue_id: int, up: bool) -> HttpResponse:
    """Move a queue one place up or down."""
    acts.place(actor=me(request), queue_id=queue_id, up=up, now=timezone.now())
    return redirect("settings:queues")


@require_POST
@admins
def make_default(request: HttpRequest, queue_id: int) -> HttpResponse:
    """Let this queue take what no account feeds anywhere else."""
    found = _queue(queue_id)
    if acts.make_default(actor=me(request), queue_id=found.pk, now=timezone.now()):
        messages.success(request, _("%(name)s is the default queue now.") % {"name": found.name})
    return redirect("settings:queue", queue_id=found.pk)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def confidential(request: HttpRequest, queue_id: int) -> HttpResponse:
    """What confidentiality changes, before it is changed; then it is."""
    found = _queue(queue_id)
    if request.method == "POST":
        wanted = request.POST.get("confidential")
        if wanted not in ("0", "1"):
            raise BadRequest(_("The page sent something that is not understood. Please load it again."))
        begun = acts.set_confidential(
            actor=me(request), queue_id=found.pk, confidential=wanted == "1", now=timezone.now()
        )
        if begun is None:
            messages.info(request, _("It was so already, so nothing was changed."))
        elif wanted == "1":
            messages.success(request, _("%(name)s is confidential now.") % {"name": found.name})
        else:
            messages.success(request, _("%(name)s is no longer confidential.") % {"name": found.name})
        return redirect("settings:queue", queue_id=found.pk)
    return shown(
        request, "settings/confidential.html", part=PART, queue=found, tickets=queries.contacts_of(found.pk)
    )


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def remove(request: HttpRequest, queue_id: int) -> HttpResponse:
    """What stands in a queue and where it is to go; then the queue is out of use."""
    found = _queue(queue_id)
    form = RemoveForm(request.POST or None, queue=found)
    if request.method == "POST" and form.is_valid():
        try:
            successor = acts.remove(
                actor=me(request),
                queue_id=found.pk,
                successor_id=form.cleaned_data["successor"],
                now=timezone.now(),
            )
        except CannotChange as problem:
            explain(form, problem)
        else:
            words = _("%(name)s is removed. Its tickets go to %(successor)s now.")
            messages.success(request, words % {"name": found.name, "successor": successor.name})
            return redirect("settings:queues")
    return shown(
        request,
        "settings/remove_queue.html",
        part=PART,
        status=status_of(form),
        form=form,
        queue=found,
        live=Ticket.objects.filter(queue=found, state__in=LIVE).count(),
        feeds=AccountFeed.objects.filter(queue=found).count(),
    )


@require_POST
@admins
def bring_back(request: HttpRequest, queue_id: int) -> HttpResponse:
    """Use a removed queue again."""
    if acts.bring_back(actor=me(request), queue_id=queue_id, now=timezone.now()):
        messages.success(request, _("The queue is in use again, empty and fed by no account."))
    return redirect("settings:queue", queue_id=queue_id)


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def feeds(request: HttpRequest) -> HttpResponse:
    """Which queue each account feeds, all on one page."""
    problem = ""
    if request.method == "POST":
        try:
            changed = settings_feeds.change(actor=me(request), choices=_choices(request), now=timezone.now())
        except CannotChange as error:
            problem = str(error)
        else:
            words = ngettext(
                "Saved. %(count)d account feeds another queue from now on.",
                "Saved. %(count)d accounts feed another queue from now on.",
                len(changed),
            )
            if changed:
                messages.success(request, words % {"count": len(changed)})
            else:
                messages.info(request, _("Nothing was different, so nothing was changed."))
            return redirect("settings:feeds")
    default = Queue.objects.filter(is_default=True).values_list("name", flat=True).first()
    return shown(
        request,
        "settings/feeds.html",
        part="feeds",
        status=409 if problem else 200,
        problem=problem,
        feeds=queries.feeds(),
        queues=queries.queue_choices(),
        default=default or "",
    )


def _choices(request: HttpRequest) -> dict[int, Choice]:
    found: dict[int, Choice] = {}
    for name, value in request.POST.items():
        account = name.removeprefix("queue-")
        if name == account:
            continue
        was = request.POST.get(f"was-{account}", "")
        numbers = [one for one in (account, str(value), was) if one]
        if not account or any(identifier(one) is None for one in numbers):
            raise BadRequest(_("The page sent something that is not understood. Please load it again."))
        found[int(account)] = Choice(was=_number(was), chosen=_number(value))
    return found


def _number(value: Any) -> int | None:
    return int(value) if value else None


def _queue(queue_id: int) -> Queue:
    found = Queue.objects.filter(pk=queue_id, successor=None).first()
    if found is None:
        raise Http404
    return found
