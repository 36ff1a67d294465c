"""/api/v1/: customers, calls, queues, channel accounts and files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import ChannelAccount
from tickets import calls, handing_out
from tickets.api import answers, bodies, shapes
from tickets.api.authentication import SignedIn
from tickets.api.ticket_views import ACT_REFUSALS, REFUSALS
from tickets.api.view import AnyForm, Endpoint, asked, given
from tickets.queries import selection

FORBIDDEN = {code: problem for code, problem in REFUSALS.items() if code[0] in (401, 403)}


class Customers(Endpoint):
    """The customers of whom one may see a ticket."""

    @extend_schema(
        operation_id="customers_list",
        summary="List customers",
        parameters=[bodies.CustomersAsked],
        responses={200: answers.CustomerPage, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """With their identities, newest first. A search by `q` is capped and not paged."""
        wanted = asked(bodies.CustomersAsked, request)
        found = selection.customers(
            self.rights(), limit=wanted["limit"], q=wanted.get("q", ""), after=wanted.get("after")
        )
        results = [shapes.customer(row, row.identities.all(), _live(row)) for row in found.rows]
        return Response(answers.CustomerPage({"results": results, "next": found.next, "more": found.more}).data)


class Customer(Endpoint):
    """One customer."""

    @extend_schema(
        operation_id="customers_read", summary="Read a customer", responses={200: answers.Customer, **REFUSALS}
    )
    def get(self, request: Request, customer_id: int) -> Response:
        """With every identity known of them."""
        row = selection.customer(self.rights(), customer_id)
        return Response(answers.Customer(shapes.customer(row, row.identities.all(), _live(row))).data)


def _live(row: Any) -> int | None:
    live: int | None = row.live_ticket
    return live


class Calls(Endpoint):
    """Calls, logged by hand."""

    @extend_schema(
        operation_id="calls_create",
        summary="Log a call",
        request=bodies.Call,
        responses={201: answers.Said, **ACT_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """On the live ticket of whoever has the number, or on a new one."""
        wanted, now = given(bodies.Call, request), timezone.now()
        with transaction.atomic():
            message = calls.log(
                person=self.person(),
                account=_line(wanted.get("line")),
                logged=calls.Logged(
                    number=wanted["number"],
                    direction=wanted["direction"],
                    disposition=wanted["disposition"],
                    summary=wanted["summary"],
                    started_at=min(
                        wanted.get("started_at") or now - timedelta(seconds=wanted["duration_seconds"]), now
                    ),
                    duration_seconds=wanted["duration_seconds"],
                    then=wanted["then"],
                ),
                customer_id=wanted.get("customer"),
                name=wanted["name"],
                call_id=wanted.get("call"),
                now=now,
            )
        said = {"message": message.pk, "ticket": message.ticket_id, "arrival": message.arrival, "state": message.state}
        return Response(answers.Said(said).data, status=201)


def _line(chosen: int | None) -> ChannelAccount:
    lines = ChannelAccount.objects.filter(kind="phone").order_by("id")
    line = (lines.filter(pk=chosen) if chosen else lines).first()
    if line is None:
        raise calls.CannotLog(_("There is no such phone line.") if chosen else _("No phone line is connected yet."))
    return line


class Queues(Endpoint):
    """All queues."""

    @extend_schema(operation_id="queues_list", summary="List queues", responses={200: answers.QueueList, **FORBIDDEN})
    def get(self, request: Request) -> Response:
        """In their order, whoever serves them: a ticket may be moved anywhere."""
        results = [
            {"id": one.id, "name": one.name, "is_confidential": one.is_confidential, "is_served": one.is_served}
            for one in self.rights().all_queues
        ]
        return Response(answers.QueueList({"results": results}).data)


class ChannelAccounts(Endpoint):
    """The connected accounts."""

    permission_classes = [SignedIn]

    @extend_schema(
        operation_id="channel_accounts_list",
        summary="List channel accounts",
        parameters=[bodies.PageAsked],
        responses={200: answers.AccountPage, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """For everybody with a role, admins too; without anything secret."""
        wanted = asked(bodies.PageAsked, request)
        rows, after = selection.accounts(limit=wanted["limit"], after=wanted.get("after"))
        results = [shapes.account(row, queue) for row, queue in rows]
        return Response(answers.AccountPage({"results": results, "next": after, "more": after is not None}).data)


class Attachment(Endpoint):
    """A file of a message."""

    content_negotiation_class = AnyForm

    @extend_schema(
        operation_id="attachments_read",
        summary="Fetch a file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **REFUSALS},
    )
    def get(self, request: Request, attachment_id: int) -> FileResponse:
        """Its bytes, to be saved: for whoever may read the message it came with."""
        return handing_out.attachment(self.rights(), attachment_id, save=True)
