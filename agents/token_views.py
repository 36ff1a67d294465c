"""The page where a person makes and revokes the tokens of programs that act for them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from agents import tokens
from agents.access import me, signed_in


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def mine(request: HttpRequest) -> HttpResponse:
    """The person's tokens; a new one is shown once, in the answer to the form that made it."""
    person, made, error = me(request), "", ""
    if request.method == "POST":
        try:
            _token, made = tokens.make(person=person, name=request.POST.get("name", ""), now=timezone.now())
        except tokens.CannotMake as problem:
            error = str(problem)
    return render(
        request,
        "agents/tokens.html",
        {"tokens": tokens.of(person), "made": made, "error": error, "given": request.POST, "section": "tokens"},
        status=422 if error else 200,
    )


@require_POST
@signed_in
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token at once."""
    token = tokens.revoke(person=me(request), token_id=token_id, now=timezone.now())
    messages.success(request, _("“%(name)s” opens nothing any more.") % {"name": token.name})
    return redirect("agents:tokens")
