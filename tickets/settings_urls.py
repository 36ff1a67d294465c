"""Addresses of the admin's pages that know tickets, under /settings/."""

from __future__ import annotations

from django.urls import path

from tickets.views import (
    settings_books,
    settings_people,
    settings_queues,
    settings_targets,
    settings_teams,
    settings_templates,
)

app_name = "settings"
urlpatterns = [
    path("people/<id:person_id>/deactivate/", settings_people.deactivate, name="deactivate"),
    path("teams/", settings_teams.teams, name="teams"),
    path("teams/new/", settings_teams.make, name="make-team"),
    path("teams/<id:team_id>/", settings_teams.team, name="team"),
    path("teams/<id:team_id>/delete/", settings_teams.delete, name="delete-team"),
    path("queues/", settings_queues.queues, name="queues"),
    path("queues/new/", settings_queues.make, name="make-queue"),
    path("queues/progress/", settings_queues.progress, name="progress"),
    path("queues/<id:queue_id>/", settings_queues.queue, name="queue"),
    path("queues/<id:queue_id>/up/", settings_queues.place, {"up": True}, name="queue-up"),
    path("queues/<id:queue_id>/down/", settings_queues.place, {"up": False}, name="queue-down"),
    path("queues/<id:queue_id>/default/", settings_queues.make_default, name="default-queue"),
    path("queues/<id:queue_id>/confidential/", settings_queues.confidential, name="confidential"),
    path("queues/<id:queue_id>/remove/", settings_queues.remove, name="remove-queue"),
    path("queues/<id:queue_id>/bring-back/", settings_queues.bring_back, name="bring-back"),
    path("feeds/", settings_queues.feeds, name="feeds"),
    path("targets/", settings_targets.targets, name="targets"),
    path("targets/<id:queue_id>/", settings_targets.targets, name="targets-of-queue"),
    path("templates/", settings_templates.templates, name="templates"),
    path("templates/new/", settings_templates.edit, name="make-template"),
    path("templates/preview/", settings_templates.preview, name="preview-template"),
    path("templates/put-back/", settings_templates.put_back, name="put-back"),
    path("templates/<id:template_id>/", settings_templates.edit, name="template"),
    path("templates/<id:template_id>/remove/", settings_templates.remove, name="remove-template"),
    path("books/", settings_books.books, name="books"),
    path("history/", settings_books.history, name="history"),
]
