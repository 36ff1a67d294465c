"""Acts on tickets, one or many: each answers with what changed and the token that takes it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from agents.access import me, works_tickets
from contactcentre.lib.ids import identifier
from tickets import access, acts
from tickets.models import Ticket

# What the snooze menu offers, by the word the page sends.
SNOOZES: dict[str, Callable[[datetime], datetime]] = {
    "hour": lambda now: now + timedelta(hours=1),
    "evening": lambda now: _at(now, 0, 17),
    "tomorrow": lambda now: _at(now, 1, 9),
    "monday": lambda now: _at(now, 7 - timezone.localtime(now).weekday(), 9),
    "week": lambda now: _at(now, 7, 9),
}


def _at(now: datetime, days: int, hour: int) -> datetime:
    """So many days on, at this hour of the viewer's clock; always in the future."""
    local = timezone.localtime(now)
    chosen = (local + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return chosen if chosen > local else chosen + timedelta(days=1)


def _tickets(request: HttpRequest) -> list[int]:
    values = [identifier(value) for value in request.POST.getlist("ticket")]
    chosen = [value for value in values if value is not None]
    if not chosen or len(chosen) < len(values):
        raise BadRequest(_("No ticket was chosen."))
    return chosen


def _id(request: HttpRequest, name: str) -> int | None:
    value = request.POST.get(name, "")
    number = identifier(value)
    if value and number is None:
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    return number


def _assign(request: HttpRequest, now: datetime) -> dict[str, Any]:
    owner = request.POST.get("owner", "")
    return {"owner_id": me(request).pk if owner == "me" else _id(request, "owner")}


def _move(request: HttpRequest, now: datetime) -> dict[str, Any]:
    return {"queue_id": _id(request, "queue") or 0}


def _snooze(request: HttpRequest, now: datetime) -> dict[str, Any]:
    word = request.POST.get("until", "")
    if word in SNOOZES:
        return {"until": SNOOZES[word](now)}
    try:
        chosen = parse_datetime(word)
    except ValueError:
        chosen = None
    if chosen is None:
        raise BadRequest(_("Choose a time."))
    return {"until": chosen if timezone.is_aware(chosen) else timezone.make_aware(chosen)}


def _no_reply(request: HttpRequest, now: datetime) -> dict[str, Any]:
    reason, contact = request.POST.get("reason", "other"), _id(request, "contact")
    return {"reason": reason, "contact_id": contact, "queue_id": _id(request, "queue")}


def _tag(request: HttpRequest, now: datetime) -> dict[str, Any]:
    return {"add": request.POST.getlist("add"), "remove": request.POST.getlist("remove")}


def _priority(request: HttpRequest, now: datetime) -> dict[str, Any]:
    value = request.POST.get("priority", "")
    if value not in ("-1", "0", "1"):
        raise BadRequest(_("There is no such priority."))
    return {"priority": int(value)}


def _block(request: HttpRequest, now: datetime) -> dict[str, Any]:
    return {"blocked": request.POST.get("blocked", "1") == "1"}


def _nothing(request: HttpRequest, now: datetime) -> dict[str, Any]:
    return {}


ACTS: dict[str, tuple[Callable[..., acts.Done], Callable[[HttpRequest, datetime], dict[str, Any]]]] = {
    "assign": (acts.assign, _assign),
    "move": (acts.move, _move),
    "solve": (acts.solve, _nothing),
    "wait": (acts.wait, _nothing),
    "snooze": (acts.snooze, _snooze),
    "reopen": (acts.reopen, _nothing),
    "no-reply": (acts.no_reply_needed, _no_reply),
    "tag": (acts.tag, _tag),
    "priority": (acts.prioritise, _priority),
    "block": (acts.block, _block),
}


@require_POST
@works_tickets
def act(request: HttpRequest, name: str) -> HttpResponse:
    """Do one act to the chosen tickets. 200 with what changed; 422 with why it cannot be."""
    now = timezone.now()
    do, given = ACTS[name]
    try:
        done = do(person=me(request), tickets=_tickets(request), now=now, **given(request, now))
    except acts.CannotAct as error:
        return JsonResponse({"error": str(error)}, status=422)
    told = "let-through" if name == "block" and not given(request, now)["blocked"] else name
    return JsonResponse(_answer(request, done, _words(told, len(done.changed))))


@require_POST
@works_tickets
def take_back(request: HttpRequest) -> HttpResponse:
    """Restore what an act changed."""
    try:
        done = acts.take_back(person=me(request), token=request.POST.get("token", ""), now=timezone.now())
    except acts.CannotAct as error:
        return JsonResponse({"error": str(error)}, status=422)
    words = ngettext("%(n)s ticket is as it was.", "%(n)s tickets are as they were.", len(done.changed))
    return JsonResponse(_answer(request, done, words % {"n": len(done.changed)}))


def _answer(request: HttpRequest, done: acts.Done, words: str) -> dict[str, Any]:
    """What the page needs: the words for its toast, the token, what was refused, and whether it may still look."""
    have = access.rights(me(request))
    seen = {ticket.pk for ticket in Ticket.objects.filter(pk__in=done.changed) if have.may_read(ticket)}
    return {
        "changed": done.changed,
        "refused": [{"ticket": ticket, "why": why} for ticket, why in done.refused.items()],
        "undo": done.undo,
        "words": words,
        "gone": [ticket for ticket in done.changed if ticket not in seen],
    }


def _words(name: str, count: int) -> str:
    if not count:
        return _("Nothing had to be changed.")
    words = {
        "assign": ngettext("%(n)s ticket assigned.", "%(n)s tickets assigned.", count),
        "move": ngettext("%(n)s ticket moved.", "%(n)s tickets moved.", count),
        "solve": ngettext("%(n)s ticket solved.", "%(n)s tickets solved.", count),
        "wait": ngettext("%(n)s ticket waits for its customer.", "%(n)s tickets wait for their customers.", count),
        "snooze": ngettext("%(n)s ticket snoozed.", "%(n)s tickets snoozed.", count),
        "reopen": ngettext("%(n)s ticket is open again.", "%(n)s tickets are open again.", count),
        "no-reply": ngettext("%(n)s ticket needs no reply.", "%(n)s tickets need no reply.", count),
        "tag": ngettext("Tags of %(n)s ticket changed.", "Tags of %(n)s tickets changed.", count),
        "priority": ngettext("Priority of %(n)s ticket changed.", "Priority of %(n)s tickets changed.", count),
        "block": ngettext(
            "The sender is blocked, and the ticket solved.",
            "%(n)s senders are blocked, and their tickets solved.",
            count,
        ),
        "let-through": ngettext("The sender is let through again.", "%(n)s senders are let through again.", count),
    }
    return words[name] % {"n": count}
