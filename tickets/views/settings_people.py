"""Deactivating somebody: what it means first, then the act. It stands here because their tickets go back."""

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
from agents.models import Person
from agents.pages import shown
from agents.people import CannotChange
from tickets import leaving
from tickets.queries import settings as queries


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def deactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    """How many tickets go back to which queues; then nobody signs in with this name any more."""
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise Http404
    if request.method == "POST":
        try:
            returned = leaving.deactivate(actor=me(request), person_id=person.pk, now=timezone.now())
        except CannotChange as problem:
            messages.error(request, str(problem))
            return redirect("agents:person", person_id=person.pk)
        _say(request, person, returned)
        return redirect("agents:person", person_id=person.pk)
    return shown(
        request,
        "settings/deactivate.html",
        part="people",
        leaver=person,
        leaving=queries.leaving(person),
        is_me=person.pk == me(request).pk,
    )


def _say(request: HttpRequest, person: Person, returned: int | None) -> None:
    if returned is None:
        messages.info(request, _("%(name)s was deactivated already.") % {"name": person.name})
        return
    words = ngettext(
        "%(name)s is deactivated. %(count)d ticket went back to its queue.",
        "%(name)s is deactivated. %(count)d tickets went back to their queues.",
        returned,
    )
    messages.success(request, words % {"name": person.name, "count": returned})
    if left := leaving.held(person.pk):
        more = ngettext(
            "%(count)d more follows within a minute.", "%(count)d more follow within a few minutes.", left
        )
        messages.info(request, more % {"count": left})
