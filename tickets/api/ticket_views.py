"""/api/v1/tickets/: lists, one ticket, its timeline, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tickets import access, acts, notes, replies
from tickets.api import answers, bodies, shapes
from tickets.api.problems import CONTENT_TYPE, Problem
from tickets.api.view import Endpoint, asked, given
from tickets.queries import selection, timeline

REFUSALS: dict[Any, Any] = {(code, CONTENT_TYPE): Problem for code in (400, 401, 403, 404)}
ACT_REFUSALS = {**REFUSALS, (422, CONTENT_TYPE): Problem}
Method = TypeVar("Method", bound=Callable[..., Response])
KEY = "Idempotency-Key"
LONGEST_KEY = 60


class Tickets(Endpoint):
    """All tickets one may see."""

    @extend_schema(
        operation_id="tickets_list",
        summary="List tickets",
        parameters=[bodies.TicketsAsked],
        responses={200: answers.TicketPage, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Open tickets come most urgent first, all others newest first; what a search finds, best first."""
        wanted = asked(bodies.TicketsAsked, request)
        have = self.rights()
        found = selection.tickets(
            self.person(),
            have,
            limit=wanted["limit"],
            q=wanted.get("q", ""),
            queue_id=wanted.get("queue"),
            status=wanted.get("status", ""),
            customer_id=wanted.get("customer"),
            after=wanted.get("after", ""),
        )
        results = [shapes.ticket(have, row) for row in found.rows]
        page = {"results": results, "next": found.next or None, "more": found.more}
        return Response(answers.TicketPage(page).data)


class Ticket(Endpoint):
    """One ticket."""

    @extend_schema(
        operation_id="tickets_read", summary="Read a ticket", responses={200: answers.TicketDetail, **REFUSALS}
    )
    def get(self, request: Request, ticket_id: int) -> Response:
        """With its contacts. A merged ticket answers too, and says where it leads to."""
        have = self.rights()
        ticket = access.ticket_to_read(have, ticket_id)
        contacts = [shapes.contact(have, row) for row in selection.contacts(have, ticket)]
        return Response(answers.TicketDetail({**shapes.ticket(have, ticket), "contacts": contacts}).data)


class TicketTimeline(Endpoint):
    """The customer's whole history."""

    @extend_schema(
        operation_id="tickets_timeline",
        summary="Read the customer's timeline",
        parameters=[bodies.TimelineAsked],
        responses={200: answers.Timeline, **REFUSALS},
    )
    def get(self, request: Request, ticket_id: int) -> Response:
        """All tickets and channels of the ticket's customer, oldest first; the newest stretch where `before` is left
        out."""
        wanted = asked(bodies.TimelineAsked, request)
        have = self.rights()
        ticket = access.ticket_to_read(have, ticket_id)
        stretch = timeline.page(
            self.person(),
            have,
            ticket,
            before=wanted.get("before", ""),
            limit=wanted["limit"],
            now=timezone.now(),
        )
        body = {"results": shapes.entries(stretch.entries), "older": stretch.older or None}
        return Response(answers.Timeline(body).data)


class Reply(Endpoint):
    """An answer to the customer."""

    @extend_schema(
        operation_id="tickets_reply",
        summary="Reply to the customer",
        request=bodies.Reply,
        parameters=[
            OpenApiParameter(
                KEY,
                str,
                OpenApiParameter.HEADER,
                description="Your name for this reply, up to 60 characters: sent twice, it goes out once. With another "
                "ticket, contact or body than the first time it is refused (422, `urn:problem:key-reused`).",
            )
        ],
        responses={201: answers.Said, (409, CONTENT_TYPE): Problem, **ACT_REFUSALS},
    )
    def post(self, request: Request, ticket_id: int) -> Response:
        """Goes to the contact's author, whoever that was when this was called, and to nobody else. A reply to an
        unassigned ticket takes it."""
        wanted = given(bodies.Reply, request)
        key = request.headers.get(KEY, "")
        if len(key) > LONGEST_KEY:
            raise BadRequest(_("The Idempotency-Key is longer than 60 characters."))
        with transaction.atomic():
            message = replies.reply(
                person=self.person(),
                ticket_id=ticket_id,
                contact_id=wanted["contact"],
                text=wanted["text"],
                seen=wanted["seen"],
                cc=wanted["cc"],
                then=wanted["then"],
                anyway=wanted["anyway"],
                to_reply_to=wanted["to_reply_to"],
                undo=timedelta(seconds=wanted["undo_seconds"]),
                # A program's keys and a page's never meet.
                pressed=f"api:{key}" if key else "",
                now=timezone.now(),
            )
        said = {"message": message.pk, "ticket": message.ticket_id, "arrival": message.arrival, "state": message.state}
        return Response(answers.Said(said).data, status=201)


class Note(Endpoint):
    """An internal note."""

    @extend_schema(
        operation_id="tickets_note",
        summary="Write an internal note",
        request=bodies.NoteBody,
        responses={201: answers.Noted, **ACT_REFUSALS},
    )
    def post(self, request: Request, ticket_id: int) -> Response:
        """Never leaves the house. `@Anna` names a colleague, who is not told of it."""
        wanted = given(bodies.NoteBody, request)
        with transaction.atomic():
            note = notes.write(person=self.person(), ticket_id=ticket_id, text=wanted["text"], now=timezone.now())
        kept = {"note": note.pk, "ticket": note.ticket_id, "arrival": note.arrival}
        return Response(answers.Noted(kept).data, status=201)


class Act(Endpoint):
    """One act on one ticket."""

    def do(self, ticket_id: int, act: Callable[..., acts.Done], **values: Any) -> Response:
        """Do it and answer with what became of the ticket."""
        person = self.person()
        done = act(person=person, tickets=[ticket_id], now=timezone.now(), **values)
        have = self.rights()
        try:
            ticket = shapes.ticket(have, access.ticket_to_read(have, ticket_id))
        except PermissionDenied:
            # Moved to where this person may not look: allowed, and they are told.
            ticket = None
        body = {"changed": bool(done.changed), "take_back": done.undo or None, "ticket": ticket}
        return Response(answers.Done(body).data)


def _act(operation: str, summary: str, body: Any) -> Callable[[Method], Method]:
    described: Callable[[Method], Method] = extend_schema(
        operation_id=f"tickets_{operation}",
        summary=summary,
        request=body,
        responses={200: answers.Done, **ACT_REFUSALS},
    )
    return described


class Assign(Act):
    """To a colleague, or back into the queue."""

    @_act("assign", "Assign a ticket", bodies.Assign)
    def post(self, request: Request, ticket_id: int) -> Response:
        """Give it to an agent or lead, or with `owner` null back into its queue."""
        return self.do(ticket_id, acts.assign, owner_id=given(bodies.Assign, request)["owner"])


class Move(Act):
    """To another queue."""

    @_act("move", "Move a ticket to another queue", bodies.Move)
    def post(self, request: Request, ticket_id: int) -> Response:
        """The owner lets go where they do not serve the other queue. `ticket` is null where you may not look there."""
        return self.do(ticket_id, acts.move, queue_id=given(bodies.Move, request)["queue"])


class Solve(Act):
    """The matter is settled."""

    @_act("solve", "Solve a ticket", bodies.Nothing)
    def post(self, request: Request, ticket_id: int) -> Response:
        """The customer's next words inside the queue's reopen window open it again."""
        given(bodies.Nothing, request)
        return self.do(ticket_id, acts.solve)


class Snooze(Act):
    """Out of the list until a time."""

    @_act("snooze", "Snooze a ticket", bodies.Snooze)
    def post(self, request: Request, ticket_id: int) -> Response:
        """Until the time, or until the customer writes; at most a year."""
        return self.do(ticket_id, acts.snooze, until=given(bodies.Snooze, request)["until"])


class TakeBack(Endpoint):
    """Reverse an act."""

    @extend_schema(
        operation_id="take_back",
        summary="Take an act back",
        request=bodies.TakeBack,
        responses={200: answers.TakenBack, **ACT_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Within ten minutes, by who did it, where nobody has changed the ticket since."""
        done = acts.take_back(
            person=self.person(), token=given(bodies.TakeBack, request)["token"], now=timezone.now()
        )
        refused = {str(ticket): why for ticket, why in done.refused.items()}
        return Response(answers.TakenBack({"changed": done.changed, "refused": refused}).data)
