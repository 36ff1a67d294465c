"""Times, and lengths of time, as the pages of the accounts say them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from channels.books import day_of


def clock(moment: datetime, now: datetime) -> str:
    """A time of today as 15:12, another as 20 Nov 15:12."""
    local = localtime(moment)
    return date_format(local, "H:i") if day_of(moment) == day_of(now) else date_format(local, "j M H:i")


def span(length: timedelta | None) -> str:
    """A length of time in one or two words: 12 s, 4 min, 1 h 32, 3 days."""
    seconds = max(0, int((length or timedelta()).total_seconds()))
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 2 * 86400:
        return _("%(hours)d h %(minutes)02d") % {"hours": seconds // 3600, "minutes": seconds % 3600 // 60}
    return _("%(n)d days") % {"n": seconds // 86400}
