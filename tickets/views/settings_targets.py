"""The admin's page of service targets: for all queues, or one queue's own."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.access import admins, me
from agents.pages import shown, status_of
from channels.surfaces import SURFACES
from tickets import settings_targets as acts
from tickets.models import Recount
from tickets.queries import settings as queries
from tickets.settings_forms import TargetsForm


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def targets(request: HttpRequest, queue_id: int | None = None) -> HttpResponse:
    """Minutes by surface; a queue's own ones beat those of all queues."""
    queues = queries.queue_choices()
    if queue_id is not None and queue_id not in dict(queues):
        raise Http404
    form = TargetsForm(request.POST or None, of_queue=queue_id is not None, now=acts.now_set(queue_id))
    if request.method == "POST" and form.is_valid():
        changed = acts.change(actor=me(request), queue_id=queue_id, minutes=form.minutes(), now=timezone.now())
        if changed:
            words = ngettext(
                "%(count)d target is saved. What waits is given its new due time just now.",
                "%(count)d targets are saved. What waits is given its new due time just now.",
                len(changed),
            )
            messages.success(request, words % {"count": len(changed)})
        else:
            messages.info(request, _("Nothing was different, so nothing was changed."))
        if queue_id is None:
            return redirect("settings:targets")
        return redirect("settings:targets-of-queue", queue_id=queue_id)
    everywhere = acts.now_set(None) if queue_id is not None else {}
    return shown(
        request,
        "settings/targets.html",
        part="targets",
        status=status_of(form),
        form=form,
        rows=[
            (form[form.field_name(name)], surface.kind, everywhere.get(name)) for name, surface in SURFACES.items()
        ],
        queues=queues,
        queue_id=queue_id,
        progress=queries.progress(kind=Recount.Kind.DUE),
    )
