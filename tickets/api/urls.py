"""Addresses of the API."""

from __future__ import annotations

from django.urls import path, re_path

from tickets.api import other_views, problems, reading, ticket_views

app_name = "api"
urlpatterns = [
    path("", reading.page, name="page"),
    path("schema/", reading.Document.as_view(), name="schema"),
    path("v1/tickets/", ticket_views.Tickets.as_view(), name="tickets"),
    path("v1/tickets/<id:ticket_id>/", ticket_views.Ticket.as_view(), name="ticket"),
    path("v1/tickets/<id:ticket_id>/timeline/", ticket_views.TicketTimeline.as_view(), name="timeline"),
    path("v1/tickets/<id:ticket_id>/reply/", ticket_views.Reply.as_view(), name="reply"),
    path("v1/tickets/<id:ticket_id>/note/", ticket_views.Note.as_view(), name="note"),
    path("v1/tickets/<id:ticket_id>/assign/", ticket_views.Assign.as_view(), name="assign"),
    path("v1/tickets/<id:ticket_id>/move/", ticket_views.Move.as_view(), name="move"),
    path("v1/tickets/<id:ticket_id>/solve/", ticket_views.Solve.as_view(), name="solve"),
    path("v1/tickets/<id:ticket_id>/snooze/", ticket_views.Snooze.as_view(), name="snooze"),
    path("v1/attachments/<id:attachment_id>/", other_views.Attachment.as_view(), name="attachment"),
    path("v1/take-back/", ticket_views.TakeBack.as_view(), name="take-back"),
    path("v1/customers/", other_views.Customers.as_view(), name="customers"),
    path("v1/customers/<id:customer_id>/", other_views.Customer.as_view(), name="customer"),
    path("v1/calls/", other_views.Calls.as_view(), name="calls"),
    path("v1/queues/", other_views.Queues.as_view(), name="queues"),
    path("v1/channel-accounts/", other_views.ChannelAccounts.as_view(), name="channel-accounts"),
    re_path(r"^(?P<rest>.*)$", problems.not_found, name="nowhere"),
]
