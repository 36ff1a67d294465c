"""Logging a call: who is it, what was said, what comes next."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from agents.access import me, works_tickets
from channels.models import ChannelAccount
from contactcentre.lib import realtime
from contactcentre.lib.ids import HIGHEST_ID, identifier
from tickets import access, calls, pressing
from tickets.access import Rights
from tickets.models import CallDetails, Message, Ticket
from tickets.queries import callers
from tickets.views.inbox import frame

DISPOSITIONS = [
    ("answered", gettext_lazy("We talked")),
    ("call-back-promised", gettext_lazy("We talked, a call back is promised")),
    ("missed", gettext_lazy("Missed, to be called back")),
    ("voicemail", gettext_lazy("Voicemail")),
    ("busy", gettext_lazy("Busy")),
    ("wrong-number", gettext_lazy("Wrong number")),
    ("failed", gettext_lazy("The call failed")),
]


class CallForm(forms.Form):
    """What an agent writes down of a call."""

    call = forms.IntegerField(required=False, min_value=1, max_value=HIGHEST_ID, widget=forms.HiddenInput)
    line = forms.IntegerField(required=False, min_value=1, max_value=HIGHEST_ID)
    number = forms.CharField(label=gettext_lazy("Number"), max_length=60, required=False)
    direction = forms.ChoiceField(
        choices=[("in", gettext_lazy("They called us")), ("out", gettext_lazy("We called them"))]
    )
    customer = forms.IntegerField(required=False, min_value=1, max_value=HIGHEST_ID)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, required=False)
    disposition = forms.ChoiceField(choices=DISPOSITIONS)
    summary = forms.CharField(
        label=gettext_lazy("Summary"), max_length=calls.LONGEST_SUMMARY, required=False, widget=forms.Textarea
    )
    started_at = forms.DateTimeField(required=False)
    minutes = forms.IntegerField(required=False, min_value=0, max_value=1440)
    seconds = forms.IntegerField(required=False, min_value=0, max_value=86400)
    then = forms.ChoiceField(
        required=False,
        choices=[
            ("", gettext_lazy("Leave it open")),
            ("wait", gettext_lazy("Wait for the customer")),
            ("solve", gettext_lazy("Solve it")),
        ],
    )


def _lines() -> list[ChannelAccount]:
    return list(ChannelAccount.objects.filter(kind="phone").order_by("id")[:50])


@never_cache
@require_http_methods(["GET", "POST"])
@works_tickets
def call(request: HttpRequest) -> HttpResponse:
    """The form: empty, for a number, or for a call the exchange told of. What was typed stays on a mistake."""
    person, now, stream = me(request), timezone.now(), realtime.position()
    have = access.rights(person)
    lines, error, refused = _lines(), "", 422
    known = _told_of(have, request.POST.get("call") or request.GET.get("call", ""))
    if request.method == "POST":
        form = CallForm(request.POST)
        line = _line(lines, form.cleaned_data.get("line")) if form.is_valid() else _line(lines, None)
        if not form.errors and line:
            try:
                key = pressing.key_of(request.POST.lists())
                with transaction.atomic():
                    message = pressing.made_before(person, key)
                    if message is None:
                        message = calls.log(
                            person=person,
                            account=line,
                            logged=_logged(form.cleaned_data, known, now=now),
                            customer_id=form.cleaned_data["customer"],
                            name=form.cleaned_data["name"],
                            call_id=known.pk if known else None,
                            now=now,
                        )
                        pressing.mark(message, key)
                if not have.may_read(Ticket.objects.get(pk=message.ticket_id)):
                    messages.success(request, _("The call is written down on a ticket of another queue."))
                    return redirect("tickets:inbox")
                messages.success(request, _("The call is written down."))
                return redirect("tickets:ticket", message.ticket_id)
            except calls.CannotLog as problem:
                error = str(problem)
            except calls.NotTheirs as problem:
                error, refused = str(problem), 403
        elif line is None:
            error = _("No phone line is connected yet. An admin can connect one under Accounts.")
        else:
            error = _("Something is missing or does not fit. Nothing was kept yet; what you typed is still here.")
    else:
        line = _line(lines, None)
        start = {"number": request.GET.get("number", ""), "direction": request.GET.get("direction", "in")}
        if known is not None:
            start |= {"number": known.call.number, "direction": known.direction}
        form = CallForm(initial=start | {"disposition": _became(known)})
    return render(
        request,
        "inbox/call.html",
        {
            **frame(person, have, current="", now=now, stream=stream),
            "section": "call",
            "form": form,
            "lines": lines,
            "error": error,
            "known_call": known,
            "chosen_line": line.pk if line else None,
            "key": secrets.token_hex(16),
            "who": _who(have, line, form["number"].value() or "", form["direction"].value() or "in", now=now),
        },
        status=refused if error else 200,
    )


@never_cache
@require_GET
@works_tickets
def who_calls(request: HttpRequest) -> HttpResponse:
    """Whose number it is, while it is typed: known, maybe, or new; and the call it probably is."""
    have, lines, chosen = access.rights(me(request)), _lines(), request.GET.get("line", "")
    line, direction = _line(lines, identifier(chosen)), request.GET.get("direction", "in")
    return render(
        request,
        "inbox/_who_calls.html",
        {"who": _who(have, line, request.GET.get("number", ""), direction, now=timezone.now())},
    )


@never_cache
@require_GET
@works_tickets
def ringing(request: HttpRequest, message_id: int) -> HttpResponse:
    """The screen pop: who is calling, with the way to their ticket. 204 once nobody is any more."""
    have = access.rights(me(request))
    message = get_object_or_404(
        Message.objects.select_related("contact", "call", "ticket__customer", "ticket__queue"),
        pk=message_id,
        surface="phone",
    )
    access.message_to_read(have, message)
    if message.call.ended_at is not None:
        return HttpResponse(status=204)
    return render(request, "inbox/_ringing.html", {"message": message, "call": message.call})


def _told_of(have: Rights, text: str) -> Message | None:
    """The call the exchange told of, that is to be written down."""
    if not text:
        return None
    call_id = identifier(text)
    if call_id is None:
        raise BadRequest(_("That call does not exist."))
    message = get_object_or_404(Message.objects.select_related("call", "contact"), pk=call_id, surface="phone")
    access.message_to_read(have, message)
    return message


def _line(lines: list[ChannelAccount], chosen: int | None) -> ChannelAccount | None:
    """The chosen line, else the first, by whose country a number is read; None where no line is connected."""
    return next((line for line in lines if line.pk == chosen), lines[0] if lines else None)


def _logged(data: dict[str, Any], known: Message | None, *, now: datetime) -> calls.Logged:
    length = timedelta(minutes=data["minutes"] or 0, seconds=data["seconds"] or 0)
    started = data["started_at"] or now - length
    details = CallDetails.objects.filter(message=known).first() if known else None
    return calls.Logged(
        number=data["number"] or (details.number if details else ""),
        direction=data["direction"],
        disposition=data["disposition"],
        summary=data["summary"],
        started_at=min(started, now),
        duration_seconds=int(length.total_seconds()),
        then=data["then"],
    )


def _became(known: Message | None) -> str:
    """What the form says became of a call before anybody has chosen: what is known, else that they talked.

    A missed call that somebody only notes something on must not be taken for answered, and its clock not stop.
    """
    if known is None or known.call.ended_at is None:
        return "answered"
    return known.call.disposition or "answered"


def _who(
    have: Rights, line: ChannelAccount | None, number: str, direction: str, *, now: datetime
) -> dict[str, Any]:
    region = str(line.settings.get("region", "")) if line else ""
    known, maybe = callers.lookup(number, region=region, have=have)
    recent = callers.recent(number=number, region=region, direction=direction, now=now) if number else None
    if recent is not None and not (
        have.may_read(recent.ticket) and have.may_read_contact(recent.contact.entry_queue_id)
    ):
        recent = None
    return {"number": number, "known": known, "maybe": maybe, "recent": recent}
