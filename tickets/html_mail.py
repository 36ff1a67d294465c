"""A mail's HTML with its own pictures: cid: addresses become addresses of our attachments."""

from __future__ import annotations

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from contactcentre.lib.html import place_pictures
from tickets.models import Message


def shown(message: Message) -> SafeString:
    """The sanitised HTML, its cid: pictures pointing at our attachments; those that are missing stay empty."""
    attachments = message.attachments.filter(file__isnull=False).exclude(content_id="")
    by_cid = {attachment.content_id: reverse("tickets:attachment", args=[attachment.pk]) for attachment in attachments}
    # Sanitised at intake by contactcentre.lib.html; what is put in here are addresses of our own making.
    return mark_safe(place_pictures(message.html, by_cid))  # noqa: S308
