"""Addresses of connecting by consent, under /settings/accounts/connect/."""

from __future__ import annotations

from django.urls import path

from channels.consent import facebook_views, x_views

app_name = "consent"
urlpatterns = [
    path("x/", x_views.start, name="x-start"),
    path("x/app/<id:app_id>/", x_views.start, name="x-start-app"),
    path("x/callback/", x_views.callback, name="x-callback"),
    path("facebook/", facebook_views.start, name="facebook-start"),
    path("facebook/app/<id:app_id>/", facebook_views.start, name="facebook-start-app"),
    path("facebook/callback/", facebook_views.callback, name="facebook-callback"),
    path("facebook/pages/", facebook_views.choose, name="facebook-pages"),
]
