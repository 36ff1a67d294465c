"""The product's settings with a few pages of our own behind the doors, for tests that start a real server."""

from __future__ import annotations

import os

from contactcentre.settings import *  # noqa: F403

ROOT_URLCONF = "tests.contactcentre.door_urls"
LIVE_TOPICS = "tests.contactcentre.door_urls.topics"
INSTALLED_APPS = [
    "contactcentre.apps.ContactCentreConfig",
    "agents",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
WEB_THREADS = int(os.environ.get("WEB_THREADS", "4"))
# Sessions in the database, so that a dead Valkey costs nobody the session.
SESSION_ENGINE = os.environ.get("DOOR_SESSION_ENGINE", "django.contrib.sessions.backends.db")
