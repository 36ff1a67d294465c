"""The addresses that networks and exchanges post to. A line's last part is a secret: lib/secrets masks it in logs."""

from __future__ import annotations

from django.urls import path

from channels import hooks

app_name = "hooks"

urlpatterns = [
    path("phone/<str:token>/", hooks.phone, name="phone"),
    # Facebook's own number for our app, which is no secret: the signature is what counts.
    path("facebook/<str:app_id>/", hooks.facebook, name="facebook"),
]
