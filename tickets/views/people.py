"""Whose is it? Joining an address to a customer, giving a contact to one, sharing, and taking each back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from agents.access import me, works_tickets
from channels.surfaces import SURFACES
from contactcentre.lib import realtime
from contactcentre.lib.ids import identifier
from customers.models import Identity
from tickets import access, blocking, merging, moving, sharing
from tickets.access import Rights
from tickets.merging import CannotJoin
from tickets.models import LIVE, Contact, State, Ticket
from tickets.moving import CannotMove
from tickets.queries import people
from tickets.sharing import CannotShare
from tickets.views.inbox import frame

CANNOT = (CannotJoin, CannotMove, CannotShare)


@never_cache
@require_http_methods(["GET"])
@works_tickets
def choose_for_identity(request: HttpRequest, identity_id: int) -> HttpResponse:
    """Find the customer an address belongs to as well; for htmx the results alone."""
    have = access.rights(me(request))
    identity = get_object_or_404(Identity.objects.select_related("customer"), pk=identity_id)
    merging.may_act(have, identity.customer_id)
    found = people.find(have, request.GET.get("q", ""), without=identity.customer_id)
    context = {"found": found, "identity": identity, "customer": identity.customer}
    return _choose(request, have, {**context, "back": _latest(have, identity.customer_id)})


@never_cache
@require_http_methods(["GET", "POST"])
@works_tickets
def join(request: HttpRequest, identity_id: int, customer_id: int) -> HttpResponse:
    """What joining would do, and doing it: then to the ticket that holds both."""
    person, now = me(request), timezone.now()
    have = access.rights(person)
    error = ""
    if request.method == "POST":
        try:
            merging.join(
                person=person,
                identity_id=identity_id,
                into_customer_id=customer_id,
                evidence=merging.BY_HAND,
                now=now,
            )
            messages.success(request, _("Joined. It can be taken back from the customer’s card at any time."))
            return _to_customer(have, customer_id)
        except CannotJoin as problem:
            error = str(problem)
    shown = None
    try:
        shown = merging.preview(person=person, identity_id=identity_id, into_customer_id=customer_id)
    except CannotJoin as problem:
        error = error or str(problem)
    around = frame(person, have, current="", now=now, stream=realtime.position())
    context = {"preview": shown, "error": error, "identity_id": identity_id, "customer_id": customer_id}
    return render(request, "inbox/join.html", {**around, **context}, status=422 if error else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@works_tickets
def move(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Find whose contact it is, or name somebody new, and give it to them: then to the ticket it is on."""
    person, now = me(request), timezone.now()
    have = access.rights(person)
    contact = get_object_or_404(
        Contact.objects.select_related("customer", "identity", "ticket", "account"), pk=contact_id
    )
    access.ticket_to_read(have, contact.ticket_id)
    if not have.may_read_contact(contact.entry_queue_id):
        raise PermissionDenied
    error = ""
    if request.method == "POST":
        try:
            done = moving.move_contact(
                person=person,
                contact_id=contact_id,
                to_customer_id=_number(request, "customer"),
                name=request.POST.get("name", ""),
                now=now,
            )
            messages.success(request, _("The contact has moved. It can be taken back from the customer’s card."))
            return redirect("tickets:ticket", done.to_ticket_id)
        except CannotMove as problem:
            error = str(problem)
    found = people.find(have, request.GET.get("q", ""), without=contact.customer_id)
    given = request.POST.get("name", "")
    return _choose(
        request,
        have,
        {
            "found": found,
            "contact": contact,
            "surface": SURFACES[contact.surface],
            "customer": contact.customer,
            "name": given,
            "error": error,
        },
    )


@require_POST
@works_tickets
def take_back_join(request: HttpRequest, merge_id: int) -> HttpResponse:
    """Undo a joining, and back to the ticket one came from."""
    words = _("The joining is taken back: the address is with whom it was before.")
    return _do(request, words, lambda now: merging.take_back(person=me(request), merge_id=merge_id, now=now))


@require_POST
@works_tickets
def take_back_move(request: HttpRequest, move_id: int) -> HttpResponse:
    """Let a moved contact return, and back to the ticket one came from."""
    words = _("The contact is back with whom it was before.")
    return _do(request, words, lambda now: moving.take_back_move(person=me(request), move_id=move_id, now=now))


@require_POST
@works_tickets
def share(request: HttpRequest, identity_id: int) -> HttpResponse:
    """Say that several people use an address, or that it is one person's."""
    shared = request.POST.get("shared") == "1"
    words = (
        _("Shared: whoever writes or calls from there next begins as somebody new.")
        if shared
        else _("Used by one person: what comes from there next is theirs.")
    )
    return _do(
        request,
        words,
        lambda now: sharing.mark_shared(person=me(request), identity_id=identity_id, shared=shared, now=now),
    )


@require_POST
@works_tickets
def kind(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Say whether a customer is a person or an organisation."""
    word = request.POST.get("kind", "")
    words = _("Marked as an organisation.") if word == "organisation" else _("Marked as a person.")
    return _do(
        request, words, lambda now: sharing.set_kind(person=me(request), customer_id=customer_id, kind=word, now=now)
    )


@require_POST
@works_tickets
def let_through(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Let a blocked customer and their addresses through again, whatever became of their tickets."""
    words = _("The sender is let through again.")
    return _do(request, words, lambda now: blocking.let_through(person=me(request), customer_id=customer_id, now=now))


def _do(request: HttpRequest, words: str, act: Callable[[datetime], object]) -> HttpResponse:
    """One act of the card's menus, and back to the ticket with `words` of it; on a page of its own why it cannot be."""
    have, now = access.rights(me(request)), timezone.now()
    ticket_id = _number(request, "ticket")
    try:
        act(now)
    except CANNOT as problem:
        around = frame(me(request), have, current="", now=now, stream=realtime.position())
        return render(request, "inbox/join.html", {**around, "error": str(problem), "ticket_id": ticket_id}, status=422)
    messages.success(request, words)
    ticket = Ticket.objects.filter(pk=ticket_id).first() if ticket_id else None
    if ticket is None or not have.may_read(ticket):
        return redirect("tickets:inbox")
    return redirect("tickets:ticket", ticket.pk)


def _choose(request: HttpRequest, have: Rights, context: dict[str, Any]) -> HttpResponse:
    status = 422 if context.get("error") else 200
    if request.headers.get("HX-Request"):
        return render(request, "inbox/_choose_customer.html", context, status=status)
    around = frame(me(request), have, current="", now=timezone.now(), stream=realtime.position())
    return render(request, "inbox/choose.html", {**around, **context}, status=status)


def _to_customer(have: Rights, customer_id: int) -> HttpResponse:
    """To the customer's live ticket, else the latest; to the inbox where that is not theirs to see."""
    found = _latest(have, customer_id)
    return redirect("tickets:ticket", found.pk) if found else redirect("tickets:inbox")


def _latest(have: Rights, customer_id: int) -> Ticket | None:
    tickets = access.visible(have, Ticket.objects.filter(customer_id=customer_id)).exclude(state=State.MERGED)
    return tickets.filter(state__in=LIVE).first() or tickets.order_by("-id").first()


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.POST.get(name, "")
    number = identifier(value)
    if value and number is None:
        raise BadRequest(_("The page sent something that is not understood. Please load it again."))
    return number
