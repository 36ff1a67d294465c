"""Writing: replies, notes, drafts, uploads, and what can be done about a reply that is in trouble."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core import signing
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.access import me, works_tickets
from agents.models import Person
from channels import files
from channels.models import ChannelAccount, StoredFile
from channels.surfaces import SURFACES
from contactcentre.lib import presence, realtime
from contactcentre.lib.ids import identifier
from contactcentre.lib.text import file_name
from customers.models import Identity
from tickets import access, drafts, fetching, first, notes, pressing, replies, sends, templates
from tickets.events import ticket_changed
from tickets.models import LIVE, Ticket
from tickets.outgoing import CannotReply, UploadedFile
from tickets.replies import Conflict
from tickets.views.inbox import frame

_SALT = "tickets.uploads"


def _number(request: HttpRequest, name: str) -> int:
    value = identifier(request.POST.get(name, ""))
    if value is None:
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    return value


def _uploads(request: HttpRequest) -> list[UploadedFile]:
    """The attachments of the form: signed for this person, so that nobody attaches what they never uploaded."""
    found = []
    for token in request.POST.getlist("files"):
        try:
            held = signing.loads(token, salt=_SALT, max_age=7 * 24 * 3600)
        except signing.BadSignature as error:
            raise BadRequest(_("An attachment is no longer kept here. Please attach it again.")) from error
        if held["person"] != me(request).pk:
            raise BadRequest(_("An attachment is no longer kept here. Please attach it again."))
        found.append(UploadedFile(held["id"], held["name"]))
    return found


@require_POST
@works_tickets
def reply(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Queue an answer. 200 with the message; 409 with what arrived; 422 with why it cannot be."""
    try:
        with transaction.atomic():
            message = replies.reply(
                person=me(request),
                ticket_id=ticket_id,
                contact_id=_number(request, "contact"),
                text=request.POST.get("text", ""),
                seen=_number(request, "seen"),
                files=_uploads(request),
                cc=request.POST.getlist("cc"),
                then=request.POST.get("then", ""),
                anyway=request.POST.get("anyway") == "1",
                to_reply_to=request.POST.get("to_reply_to") == "1",
                undo=timedelta(seconds=settings.UNDO_SECONDS),
                pressed=request.POST.get("key", "")[:64],
                now=timezone.now(),
            )
    except Conflict as conflict:
        return JsonResponse({"error": str(conflict), "arrived": conflict.arrived}, status=409)
    except CannotReply as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse(
        {
            "message": message.pk,
            "arrival": message.arrival,
            "undo_seconds": settings.UNDO_SECONDS,
            "state": message.ticket.state,
        }
    )


@require_POST
@works_tickets
def note(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Keep an internal note."""
    try:
        with transaction.atomic():
            kept = notes.write(
                person=me(request), ticket_id=ticket_id, text=request.POST.get("text", ""), now=timezone.now()
            )
    except notes.CannotNote as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"note": kept.pk, "arrival": kept.arrival})


@require_POST
@works_tickets
def draft(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Keep what is being written."""
    kind = request.POST.get("kind", "reply")
    if kind not in drafts.KINDS:
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    kept = drafts.save(
        person=me(request), ticket_id=ticket_id, kind=kind, text=request.POST.get("text", ""), now=timezone.now()
    )
    return JsonResponse({"saved_at": timezone.localtime(kept.saved_at).strftime("%H:%M") if kept else ""})


@require_POST
@works_tickets
def upload(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Take one file; the answer's `token` goes back with the reply."""
    person = me(request)
    access.ticket_to_read(access.rights(person), ticket_id)
    given = request.FILES.get("file")
    if given is None:
        raise BadRequest(_("No file came with that."))
    name = file_name(given.name or "")[:160]
    try:
        kept = files.store(cast(BinaryIO, given), name=name, now=timezone.now())
    except files.TooLarge as error:
        return JsonResponse({"error": str(error)}, status=413)
    return JsonResponse(_handed_over(kept, name, person))


def _handed_over(kept: StoredFile, name: str, person: Person) -> dict[str, str | int]:
    """A kept file as the composer holds it: `token` comes back with the reply, and is good for this person alone."""
    token = signing.dumps({"id": kept.pk, "name": name, "person": person.pk}, salt=_SALT)
    return {"token": token, "name": name, "size": kept.size}


def _message_act(request: HttpRequest, act: Any, **given: Any) -> HttpResponse:
    try:
        with transaction.atomic():
            message = act(person=me(request), now=timezone.now(), **given)
    except CannotReply as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"message": message.pk, "state": message.state, "text": message.text})


@require_POST
@works_tickets
def undo_send(request: HttpRequest, message_id: int) -> HttpResponse:
    """Take a reply back before it leaves. Its files come back with its words, as if they had just been uploaded."""
    person = me(request)
    try:
        with transaction.atomic():
            message = sends.undo(person=person, message_id=message_id, now=timezone.now())
            attached = message.attachments.filter(file__isnull=False).select_related("file").order_by("position")
            handed = [_handed_over(cast(StoredFile, one.file), one.name, person) for one in attached]
    except CannotReply as error:
        return JsonResponse({"error": str(error)}, status=422)
    is_public = SURFACES[message.surface].is_public
    way = {"key": str(message.contact_id), "surface": message.surface, "is_public": is_public}
    said = {"message": message.pk, "state": message.state, "text": message.text}
    return JsonResponse({**said, "files": handed, "way": way})


@require_POST
@works_tickets
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send a failed reply again."""
    return _message_act(request, sends.retry, message_id=message_id)


@require_POST
@works_tickets
def settle(request: HttpRequest, message_id: int) -> HttpResponse:
    """Say what became of a reply that perhaps went out."""
    answer = request.POST.get("is_there", "")
    if answer not in ("0", "1"):
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    return _message_act(request, sends.settle, message_id=message_id, is_there=answer == "1")


@require_POST
@works_tickets
def fetch(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Try again to fetch a file that did not come."""
    try:
        with transaction.atomic():
            fetching.again(person=me(request), attachment_id=attachment_id, now=timezone.now())
    except fetching.CannotFetch as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"attachment": attachment_id})


@require_POST
@works_tickets
def looking(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The page's sign of life: this person has the ticket open, and writes or not. Answers with who else does."""
    person, now = me(request), timezone.now()
    ticket = access.ticket_to_read(access.rights(person), ticket_id)
    if request.POST.get("gone") == "1":
        changed = presence.leave(ticket_id=ticket.pk, person_id=person.pk)
    else:
        writing = request.POST.get("writing") == "1"
        changed = presence.look(ticket_id=ticket.pk, person_id=person.pk, writing=writing, now=now)
    if changed:
        looked_at = [
            realtime.Event(name=f"looking-{ticket.pk}", queues=event.queues, people=event.people)
            for event in ticket_changed(ticket)[:1]
        ]
        realtime.publish(*looked_at)
    return JsonResponse({"others": others(ticket, person)})


def others(ticket: Ticket, person: Person) -> list[dict[str, object]]:
    """Who else has the ticket open, writers first."""
    found = presence.lookers(ticket_ids=[ticket.pk], now=timezone.now()).get(ticket.pk, ())
    here = {one.person_id: one.writing for one in found if one.person_id != person.pk}
    people = Person.objects.in_bulk(list(here)) if here else {}
    return [
        {"name": people[key].first_name, "initials": people[key].initials, "writing": writing}
        for key, writing in here.items()
        if key in people
    ]


@never_cache
@require_GET
@works_tickets
def colleagues(request: HttpRequest) -> HttpResponse:
    """Whom a note can mention."""
    people = Person.objects.filter(is_active=True).exclude(pk=me(request).pk).order_by("name")[:200]
    return JsonResponse(
        {"people": [{"name": one.name, "first_name": one.first_name, "initials": one.initials} for one in people]}
    )


@never_cache
@require_GET
@works_tickets
def templates_for(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The prepared answers, their variables filled in for this ticket."""
    person = me(request)
    ticket = access.ticket_to_read(access.rights(person), ticket_id)
    surface = request.GET.get("surface", "")
    return JsonResponse({"templates": templates.filled(ticket, person, surface=surface)})


@never_cache
@require_http_methods(["GET", "POST"])
@works_tickets
def write_first(request: HttpRequest, identity_id: int) -> HttpResponse:
    """A first mail to a customer's address; what was typed stays where it cannot be sent."""
    person, now, stream = me(request), timezone.now(), realtime.position()
    have = access.rights(person)
    identity = get_object_or_404(Identity.objects.select_related("customer"), pk=identity_id, kind="email")
    if not access.visible(have, Ticket.objects.filter(customer=identity.customer)).exists():
        raise PermissionDenied
    live = Ticket.objects.filter(customer=identity.customer, state__in=LIVE).first()
    if live is not None and not have.may_read(live):
        # Said before anything is typed; first.write() asks again.
        raise PermissionDenied
    accounts = list(ChannelAccount.objects.filter(kind="email", state="active").order_by("id")[:50])
    error = ""
    if request.method == "POST":
        try:
            key = pressing.key_of(request.POST.lists())
            with transaction.atomic():
                message = pressing.made_before(person, key)
                if message is None:
                    message = first.write(
                        person=person,
                        identity_id=identity.pk,
                        account_id=_number(request, "account"),
                        subject=request.POST.get("subject", ""),
                        text=request.POST.get("text", ""),
                        undo=timedelta(seconds=settings.UNDO_SECONDS),
                        now=now,
                    )
                    pressing.mark(message, key)
            return redirect("tickets:ticket", message.ticket_id)
        except CannotReply as problem:
            error = str(problem)
    context = {"identity": identity, "accounts": accounts, "error": error, "given": request.POST, "section": "write"}
    context |= {"key": secrets.token_hex(16)}
    return render(
        request,
        "inbox/write.html",
        {**frame(person, have, current="", now=now, stream=stream), **context},
        status=422 if error else 200,
    )
