"""The hook addresses alone, where the product has them."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("hooks/", include("channels.hook_urls"))]
