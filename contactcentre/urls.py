"""Where every address goes."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

handler400 = "contactcentre.errors.bad_request"
handler500 = "contactcentre.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("contactcentre.health")),
    path("", include("tickets.urls")),
    path("", include("agents.urls")),
    path("api/", include("tickets.api.urls")),
    path("hooks/", include("channels.hook_urls")),
    path("settings/accounts/connect/", include("channels.consent.urls")),
    path("settings/accounts/", include("channels.urls")),
    path("settings/", include("tickets.settings_urls")),
]
