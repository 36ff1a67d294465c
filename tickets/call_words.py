"""A call in words: what a person reads of it in a list and on its card."""

from __future__ import annotations

from django.utils.translation import gettext as _

from tickets.models import CallDetails


def words(details: CallDetails, direction: str, summary: str) -> str:
    """A call in a line, for the list."""
    if summary:
        return summary
    if details.ended_at is None and details.answered_at is None:
        return _("Ringing …") if direction == "in" else _("We are calling …")
    if details.ended_at is None:
        return _("On the phone …")
    return {
        "answered": _("We talked"),
        "missed": _("Missed call") if direction == "in" else _("We called, nobody answered"),
        "voicemail": _("Voicemail"),
        "busy": _("The line was busy"),
        "failed": _("The call failed"),
        "wrong-number": _("Wrong number"),
        "call-back-promised": _("A call back was promised"),
    }.get(details.disposition, _("A call"))
