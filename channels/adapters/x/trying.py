"""The "test" button of an X account: who it is, and what it may do, in words. Nothing is written."""

from __future__ import annotations

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, Tried
from channels.adapters.x import api, fields
from channels.adapters.x.api import Api
from channels.adapters.x.problems import XProblem

# What each permission is for (X, "OAuth 2.0 scopes"). Without offline.access the connection ends after two hours.
SCOPES = ("tweet.read", "tweet.write", "users.read", "dm.read", "dm.write", "offline.access")


def try_out(access: Api, connection: Connection) -> Tried:
    """What works and what does not, a line each: who we are, reading, answering, direct messages."""
    try:
        me = fields.inner(access.read(api.ME).body, "data")
    except XProblem as problem:
        return Tried(ok=False, words=(str(problem),))
    number, handle = fields.as_ident(me.get("id")), fields.line(me, "username", 50)
    if number != connection.address:
        words = _("X says this is @%(handle)s, another account than the one connected here.") % {"handle": handle}
        return Tried(ok=False, words=(words,))
    granted = set(str(connection.credentials.get("scope") or "").split())
    reads = {"tweet.read", "users.read"} <= granted
    writes = "tweet.write" in granted
    lasts = "offline.access" in granted
    lines = [
        _("X knows us as @%(handle)s.") % {"handle": handle},
        _("Mentions may be read.") if reads else _("Mentions may not be read: the permission is missing."),
        _("Posts may be answered.") if writes else _("Posts may not be answered: the permission is missing."),
        _messages(access, granted),
    ]
    if not lasts:
        lines.append(_("The connection ends by itself within two hours: the permission to stay is missing."))
    return Tried(ok=reads and writes and lasts, words=tuple(lines))


def _messages(access: Api, granted: set[str]) -> str:
    if not {"dm.read", "dm.write"} <= granted:
        return _("Direct messages are not connected: the permission is missing.")
    try:
        access.read(api.MESSAGES, event_types="MessageCreate", max_results=1)
    except XProblem as problem:
        return _("Direct messages cannot be read just now. %(why)s") % {"why": problem}
    return _("Direct messages may be read and answered, but for the encrypted ones, which X shows to no app.")
