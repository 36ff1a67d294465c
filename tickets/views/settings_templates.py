"""The admin's pages of reply templates."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.access import admins, me
from agents.pages import shown, status_of
from agents.people import CannotChange
from agents.people_forms import explain
from channels.surfaces import SURFACES
from tickets import settings_templates as acts
from tickets import templates as filling
from tickets.acts import TAKE_BACK
from tickets.models import ReplyTemplate
from tickets.settings_forms import TemplateForm

PART = "templates"
_KEY = "removed_template"


@require_GET
@never_cache
@admins
def templates(request: HttpRequest) -> HttpResponse:
    """All templates by name; and the one just removed, while it can be put back."""
    rows = ReplyTemplate.objects.order_by("name")[: acts.MOST]
    removed = _removed(request)
    return shown(
        request,
        "settings/templates.html",
        part=PART,
        templates=[(row, [SURFACES[name].label for name in row.surfaces if name in SURFACES]) for row in rows],
        removed=removed["name"] if removed else "",
    )


@require_http_methods(["GET", "POST"])
@never_cache
@admins
def edit(request: HttpRequest, template_id: int | None = None) -> HttpResponse:
    """Make a template, or change one."""
    found = None
    if template_id is not None:
        found = ReplyTemplate.objects.filter(pk=template_id).first()
        if found is None:
            raise Http404
    form = TemplateForm(request.POST or None, template=found)
    if request.method == "POST" and form.is_valid():
        try:
            kept = acts.save(actor=me(request), template_id=template_id, now=timezone.now(), **form.cleaned_data)
        except CannotChange as problem:
            explain(form, problem)
        else:
            messages.success(request, _("%(name)s is saved.") % {"name": kept.name})
            return redirect("settings:templates")
    return shown(
        request,
        "settings/template.html",
        part=PART,
        status=status_of(form),
        form=form,
        template=found,
        variables=[(f"{{{{ {name} }}}}", value) for name, value in filling.VARIABLES.items()],
        preview=filling.fill(str(form["text"].value() or ""), filling.VARIABLES),
    )


@require_POST
@never_cache
@admins
def preview(request: HttpRequest) -> HttpResponse:
    """What the text in the form would say to an invented customer; saves nothing."""
    text = request.POST.get("text", "")[: acts.LONGEST]
    return shown(
        request,
        "settings/_template_preview.html",
        part=PART,
        preview=filling.fill(text, filling.VARIABLES),
        unknown=[f"{{{{ {name} }}}}" for name in filling.unknown(text)],
    )


@require_POST
@admins
def remove(request: HttpRequest, template_id: int) -> HttpResponse:
    """Remove a template. It can be put back for ten minutes, from the same browser."""
    kept = acts.remove(actor=me(request), template_id=template_id, now=timezone.now())
    request.session[_KEY] = signing.dumps(kept, salt=_KEY, compress=True)
    return redirect("settings:templates")


@require_POST
@admins
def put_back(request: HttpRequest) -> HttpResponse:
    """Put back the template that was just removed."""
    removed = _removed(request)
    if removed is None:
        messages.error(request, _("It is too late to put it back."))
        return redirect("settings:templates")
    try:
        acts.put_back(actor=me(request), kept=removed, now=timezone.now())
    except CannotChange as problem:
        messages.error(request, str(problem))
        return redirect("settings:templates")
    request.session.pop(_KEY, None)
    messages.success(request, _("%(name)s is back.") % {"name": removed["name"]})
    return redirect("settings:templates")


def _removed(request: HttpRequest) -> dict[str, Any] | None:
    """What was removed last, while it can be put back. Signed for its age."""
    try:
        kept: dict[str, Any] = signing.loads(str(request.session.get(_KEY, "")), salt=_KEY, max_age=TAKE_BACK)
    except signing.BadSignature:
        return None
    return kept
