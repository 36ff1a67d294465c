"""Addresses of the inbox."""

from __future__ import annotations

from django.urls import path

from tickets.views import acting, boards, calling, inbox, people, writing

app_name = "tickets"
urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("list/", inbox.list_fragment, name="list"),
    path("sidebar/", inbox.sidebar, name="sidebar"),
    path("t/<id:ticket_id>/", inbox.ticket, name="ticket"),
    path("t/<id:ticket_id>/head/", inbox.head, name="head"),
    path("t/<id:ticket_id>/timeline/", inbox.timeline_fragment, name="timeline"),
    path("t/<id:ticket_id>/reply/", writing.reply, name="reply"),
    path("t/<id:ticket_id>/note/", writing.note, name="note"),
    path("t/<id:ticket_id>/draft/", writing.draft, name="draft"),
    path("t/<id:ticket_id>/upload/", writing.upload, name="upload"),
    path("t/<id:ticket_id>/looking/", writing.looking, name="looking"),
    path("t/<id:ticket_id>/templates/", writing.templates_for, name="templates"),
    path("search/", boards.search, name="search"),
    path("board/", boards.board, name="board"),
    path("board/preview/", boards.preview, name="preview"),
    path("lost/", boards.lost, name="lost"),
    path("calls/new/", calling.call, name="call"),
    path("calls/who/", calling.who_calls, name="who-calls"),
    path("calls/<id:message_id>/ringing/", calling.ringing, name="ringing"),
    path("assignees/", boards.assignees, name="assignees"),
    *(path(f"act/{name}/", acting.act, {"name": name}, name=f"act-{name}") for name in acting.ACTS),
    path("act/take-back/", acting.take_back, name="take-back"),
    path("write/<id:identity_id>/", writing.write_first, name="write-first"),
    path("identities/<id:identity_id>/join/", people.choose_for_identity, name="choose-for-identity"),
    path("identities/<id:identity_id>/join/<id:customer_id>/", people.join, name="join"),
    path("identities/<id:identity_id>/shared/", people.share, name="share"),
    path("contacts/<id:contact_id>/move/", people.move, name="move-contact"),
    path("merges/<id:merge_id>/take-back/", people.take_back_join, name="take-back-join"),
    path("moves/<id:move_id>/take-back/", people.take_back_move, name="take-back-move"),
    path("customers/<id:customer_id>/kind/", people.kind, name="customer-kind"),
    path("customers/<id:customer_id>/let-through/", people.let_through, name="let-through"),
    path("colleagues/", writing.colleagues, name="colleagues"),
    path("messages/<id:message_id>/undo/", writing.undo_send, name="undo-send"),
    path("messages/<id:message_id>/retry/", writing.retry, name="retry"),
    path("messages/<id:message_id>/settle/", writing.settle, name="settle"),
    path("messages/<id:message_id>/html/", inbox.mail_html, name="mail-html"),
    path("attachments/<id:attachment_id>/", inbox.attachment, name="attachment"),
    path("attachments/<id:attachment_id>/fetch/", writing.fetch, name="fetch"),
]
