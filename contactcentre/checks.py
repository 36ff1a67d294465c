"""System checks with ids and hints: `manage.py check` and `check --deploy`."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def encryption_keys(**_: Any) -> list[CheckMessage]:
    """contactcentre.E001: without usable keys, no credential could be stored or read."""
    if not settings.ENCRYPTION_KEYS:
        return [
            Error(
                "CONTACTCENTRE_ENCRYPTION_KEYS is empty.",
                hint="A key is 32 random bytes in URL-safe base64, as cryptography's Fernet.generate_key() makes them.",
                id="contactcentre.E001",
            )
        ]
    for key in settings.ENCRYPTION_KEYS:
        try:
            Fernet(key)
        except ValueError:
            return [Error("A key in CONTACTCENTRE_ENCRYPTION_KEYS is not a Fernet key.", id="contactcentre.E001")]
    return []


@register()
def doors_agree(**_: Any) -> list[CheckMessage]:
    """contactcentre.E003: what the hooks take must come through the web process, which refuses unrecorded."""
    if settings.WEB_MAX_BODY_BYTES < settings.HOOK_MAX_BYTES:
        return [
            Error(
                "WEB_MAX_BODY_BYTES is below HOOK_MAX_BYTES: large posts of networks would be refused unrecorded.",
                hint="Leave WEB_MAX_BODY_BYTES well above HOOK_MAX_BYTES; attachments need that as well.",
                id="contactcentre.E003",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def practice_is_off(**_: Any) -> list[CheckMessage]:
    """contactcentre.E002: practice mode opens loopback mail hosts and demonstration sign-ins."""
    if settings.PRACTICE:
        return [Error("PRACTICE is set.", hint="Unset it on a server.", id="contactcentre.E002")]
    return []
