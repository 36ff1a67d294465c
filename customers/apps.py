"""Customers, their identities, and what joins them."""

from __future__ import annotations

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Stands between channels and tickets."""

    name = "customers"
