"""Reading: lists, tickets, timelines, attachments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from agents.access import me, signed_in, works_tickets
from agents.models import Person
from contactcentre.lib import realtime
from contactcentre.lib.ids import identifier
from tickets import access, features, handing_out, html_mail, list_html, page_html, panes_html, reading
from tickets.access import Rights
from tickets.measures import Standing
from tickets.models import Message
from tickets.queries import figures, lists, timeline
from tickets.queries import ticket as ticket_query


def where(params: QueryDict) -> dict[str, Any]:
    """Which list the address names. Raises BadRequest for a queue that is no number."""
    queue = params.get("queue", "")
    queue_id = identifier(queue)
    if queue and queue_id is None:
        raise BadRequest(_("That queue does not exist."))
    return {"view": params.get("view") or "open", "queue_id": queue_id}


def frame(
    person: Person,
    have: Rights,
    *,
    current: str,
    now: datetime,
    stream: str,
    counted: Sequence[Standing] | None = None,
) -> dict[str, Any]:
    """What every page of the inbox shows around itself; `counted` where the page knows the figures already."""
    views, queues = figures.sidebar(person, have, current=current, now=now, counted=counted)
    return {
        "person": person,
        "views": views,
        "queues": queues,
        "all_queues": have.all_queues,
        "stream": stream,
        "now": now,
        "features": features.of(person),
    }


def _list(request: HttpRequest, person: Person, have: Rights, stream: str) -> Any:
    try:
        return lists.page(
            person,
            have,
            **where(request.GET),
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
            stream=stream,
        )
    except lists.BadCursor as error:
        raise BadRequest(_("That place in the list does not exist.")) from error


@never_cache
@require_GET
@signed_in
def inbox(request: HttpRequest) -> HttpResponse:
    """The inbox with a list and no ticket open. A mere admin has no tickets and is led to the accounts."""
    if me(request).is_admin and not me(request).works_tickets:
        return redirect("channels:accounts")
    person, now, stream = me(request), timezone.now(), realtime.position()
    have = access.rights(person)
    shown = _list(request, person, have, stream)
    around = frame(person, have, current=shown.view, now=now, stream=stream)
    return HttpResponse(page_html.render(request, listed=shown, page=None, place=place(request.GET), **around))


@never_cache
@require_GET
@works_tickets
def ticket(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """One ticket in the inbox: the whole page, or its two panes for htmx. A merged number leads to where it went."""
    person, now, stream = me(request), timezone.now(), realtime.position()
    opened = access.opened(person, ticket_id)
    have, found = opened.rights, opened.ticket
    if found.merged_into_id and found.state == "merged":
        query = request.GET.urlencode()
        return HttpResponseRedirect(
            reverse("tickets:ticket", args=[found.merged_into_id]) + (f"?{query}" if query else "")
        )
    reading.look(person=person, opened=opened, now=now)
    shown = ticket_query.page(person, have, found, now=now, read=opened.read or 0, stream=stream)
    kept = place(request.GET)
    if request.headers.get("HX-Request"):
        panes = panes_html.render(
            shown,
            person=person,
            features=features.of(person),
            all_queues=have.all_queues,
            place=kept,
            token=get_token(request),
            now=now,
        )
        return HttpResponse(panes)
    listed = _list(request, person, have, stream)
    around = frame(person, have, current=listed.view, now=now, stream=stream)
    return HttpResponse(page_html.render(request, listed=listed, page=shown, place=kept, **around))


@never_cache
@require_GET
@works_tickets
def head(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The head of a ticket by itself, for live refreshing."""
    person, now = me(request), timezone.now()
    have = access.rights(person)
    found = access.ticket_to_read(have, ticket_id)
    context = {"page": ticket_query.head(person, have, found), "place": place(request.GET)}
    return render(
        request,
        "inbox/_head.html",
        {**context, "person": person, "now": now, "features": features.of(person), "all_queues": have.all_queues},
    )


@never_cache
@require_GET
@works_tickets
def list_fragment(request: HttpRequest) -> HttpResponse:
    """A list by itself: for htmx, for live refreshing, for the next page."""
    person, now, stream = me(request), timezone.now(), realtime.position()
    have = access.rights(person)
    listed, opened = _list(request, person, have, stream), identifier(request.GET.get("open", ""))
    return HttpResponse(list_html.render(listed, place=place(request.GET), current_id=opened, now=now))


@never_cache
@require_GET
@works_tickets
def sidebar(request: HttpRequest) -> HttpResponse:
    """The views and queues with their figures, for live refreshing."""
    person, now = me(request), timezone.now()
    have = access.rights(person)
    current = f"queue-{request.GET['queue']}" if request.GET.get("queue") else request.GET.get("view", "open")
    return render(
        request, "inbox/_sidebar_lists.html", frame(person, have, current=current, now=now, stream=realtime.position())
    )


@never_cache
@require_GET
@works_tickets
def timeline_fragment(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The timeline by itself: the newest stretch for live refreshing, an older one with ?before=."""
    person, now = me(request), timezone.now()
    opened = access.opened(person, ticket_id)
    have, found = opened.rights, opened.ticket
    before = request.GET.get("before", "")
    try:
        stretch = timeline.page(person, have, found, before=before, now=now)
    except lists.BadCursor as error:
        raise BadRequest(_("That place in the timeline does not exist.")) from error
    if not before:
        reading.look(person=person, opened=opened, now=now)
    return render(
        request,
        "inbox/_timeline.html",
        {
            "entries": stretch.entries,
            "older": stretch.older,
            "ticket_id": found.pk,
            "arrivals": found.arrivals,
            "person": person,
            "now": now,
            "features": features.of(person),
        },
    )


@never_cache
@require_GET
@works_tickets
def attachment(request: HttpRequest, attachment_id: int) -> FileResponse:
    """An attachment's bytes, for those who may see the ticket; never run by the browser."""
    return handing_out.attachment(access.rights(me(request)), attachment_id, save="save" in request.GET)


@never_cache
@xframe_options_sameorigin
@require_GET
@works_tickets
def mail_html(request: HttpRequest, message_id: int) -> HttpResponse:
    """A mail as it was sent: sanitised at intake, in a sandboxed frame, loading nothing from elsewhere.

    The frame keeps our origin and may run no script. Without an origin its requests carry no cookie (RFC 6265bis,
    5.2.1: such a document is same-site with nobody), and no picture of a mail would open.
    """
    have = access.rights(me(request))
    message = get_object_or_404(Message.objects.select_related("contact"), pk=message_id)
    access.message_to_read(have, message)
    if not message.html:
        raise Http404
    answer = render(request, "inbox/mail.html", {"html": html_mail.shown(message)})
    answer["Content-Security-Policy"] = (
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self'; "
        "style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    return answer


def place(params: QueryDict) -> str:
    """The list's part of an address, to keep it in links: "?view=mine" or nothing."""
    kept = {name: params[name] for name in ("view", "queue") if params.get(name)}
    return f"?{urlencode(kept)}" if kept else ""
