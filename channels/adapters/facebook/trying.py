"""The "test" button of a Page: what it is called and what we may do there, in words. Nothing is written."""

from __future__ import annotations

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, Tried
from channels.adapters.facebook import fields, graph
from channels.adapters.facebook.graph import Graph
from channels.adapters.facebook.problems import GraphProblem

# What each permission is for stands in Meta's "Permissions reference".
SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_messaging",
)
# What a Page's webhooks are to tell of.
SUBSCRIBED = (
    "feed",
    "messages",
    "message_echoes",
    "message_edits",
    "message_deliveries",
    "message_reads",
    "messaging_postbacks",
    "message_reactions",
)


def try_out(access: Graph, connection: Connection) -> Tried:
    """What works and what does not, a line each: which Page it is, comments, Messenger, webhooks."""
    try:
        page = access.get(graph.path(connection.address), fields="id,name")
    except GraphProblem as problem:
        return Tried(ok=False, words=(str(problem),))
    if fields.as_ident(page.get("id")) != connection.address:
        return Tried(ok=False, words=(_("Facebook answers for another Page than the one connected here."),))
    granted = _granted(access, connection)
    reads = {"pages_read_engagement", "pages_read_user_content"} <= granted
    writes, talks = "pages_manage_engagement" in granted, "pages_messaging" in granted
    chats, chats_words = _chats(access, connection, is_allowed=talks)
    told, told_words = _told(access, connection)
    lines = (
        _("Facebook knows the Page as %(name)s.") % {"name": fields.line(page, "name", 100) or connection.address},
        _("Comments may be read.") if reads else _("Comments may not be read: the permission is missing."),
        _("Comments may be answered.") if writes else _("Comments may not be answered: the permission is missing."),
        chats_words,
        told_words,
    )
    return Tried(ok=reads and writes and chats and told, words=lines)


def _granted(access: Graph, connection: Connection) -> set[str]:
    """The permissions we have; what was given at connecting where Facebook does not tell now."""
    token = str(connection.credentials.get("access_token") or "")
    try:
        scopes = fields.inner(access.get("debug_token", input_token=token), "data").get("scopes")
    except GraphProblem:
        # Not every token may be asked for by itself.
        scopes = None
    if not isinstance(scopes, list):
        scopes = connection.settings.get("permissions")
    return {str(each) for each in scopes} if isinstance(scopes, list) else set()


def _chats(access: Graph, connection: Connection, *, is_allowed: bool) -> tuple[bool, str]:
    if not is_allowed:
        return False, _("Messenger is not connected: the permission is missing.")
    try:
        access.get(graph.path(connection.address, "conversations"), platform="messenger", fields="id", limit=1)
    except GraphProblem as problem:
        return False, _("Messenger cannot be read just now. %(why)s") % {"why": problem}
    return True, _("Messenger may be read and answered.")


def _told(access: Graph, connection: Connection) -> tuple[bool, str]:
    try:
        answer = access.get(graph.path(connection.address, "subscribed_apps"))
    except GraphProblem as problem:
        return False, _("Whether Facebook tells us of news cannot be seen just now. %(why)s") % {"why": problem}
    named: set[str] = set()
    for app in fields.objects(answer, "data"):
        listed = app.get("subscribed_fields")
        for each in listed if isinstance(listed, list) else []:
            # Newer versions name them as {"name": …}.
            named.add(fields.line(each, "name", 60) if isinstance(each, dict) else str(each))
    lacks = [each for each in SUBSCRIBED if each not in named]
    if not lacks:
        return True, _("Facebook tells us of comments and messages at once.")
    if not named:
        return False, _("Facebook does not tell us of news at once: connect the Page again. Until then we only look.")
    return False, _("Facebook does not tell us of everything at once (%(names)s): connect the Page again.") % {
        "names": ", ".join(lacks)
    }
