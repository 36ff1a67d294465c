"""The Facebook adapter: the interface of every channel kind, each method one translation done next door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, Looked, NotOurs, Opener, PayloadError, Polled, Tried
from channels.adapters.facebook import comments, fields, looking, messages, polling, profiles, sending, trying, webhooks
from channels.adapters.facebook.graph import Accesses
from channels.adapters.facebook.problems import GraphProblem
from channels.adapters.facebook.profiles import Profile
from channels.happenings import Happening, Outgoing, RawItem, Sent
from contactcentre.lib.http import TOTAL_SECONDS

_READERS = {
    webhooks.CHANGE: comments.of_change,
    webhooks.COMMENT: comments.of_comment,
    webhooks.MESSAGING: messages.of_event,
    webhooks.STANDBY: messages.of_event,
    webhooks.MESSAGE: messages.of_conversation,
    # After the comment, which names its post beside it.
    webhooks.POST: comments.of_post,
}


class FacebookAdapter:
    """A Facebook Page by the Graph API: comments, visitors' posts and Messenger, with the Page's own token.

    Comments and posts are known by their ids; messages by theirs within the Page. `seconds` is the longest one call
    may take; a file may take longer.
    """

    kind = "facebook"

    def __init__(self, *, seconds: float = TOTAL_SECONDS) -> None:
        self._accesses = Accesses(seconds=seconds)

    def poll(self, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        """What is new in the feed and in conversations. Raises PollError."""
        try:
            return polling.poll(self._accesses.of(connection), connection, cursor, now=now)
        except GraphProblem as problem:
            raise problem.for_polling() from problem

    def parse(self, item: RawItem, connection: Connection) -> Iterator[Happening]:
        """What one event of a webhook, or one comment, post or message of a poll says. Raises PayloadError, NotOurs."""
        body = fields.loads(item.body)
        name = next((name for name in _READERS if name in body), "")
        if name:
            yield from _READERS[name](body, connection)
        elif webhooks.OTHER in body:
            raise NotOurs(comments.UNSUPPORTED)
        else:
            raise PayloadError(_("This is neither a comment nor a message."))

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        """Answer below a comment or by Messenger. Raises DeliveryError."""
        try:
            return sending.send(self._accesses, connection, outgoing, opener=opener, still_ours=still_ours)
        except GraphProblem as problem:
            raise problem.for_sending() from problem

    def look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        """Whether a reply of unknown fate stands at Facebook. Raises DeliveryError where the look itself failed."""
        try:
            return looking.look(self._accesses.of(connection), connection, outgoing, since=since)
        except GraphProblem as problem:
            raise problem.for_sending() from problem

    def profile(self, connection: Connection, psid: str) -> Profile | None:
        """What somebody on Messenger is called; None where Facebook does not tell. Raises PollError."""
        try:
            return profiles.profile(self._accesses.of(connection), psid)
        except GraphProblem as problem:
            raise problem.for_polling() from problem

    def try_out(self, connection: Connection) -> Tried:
        """Which Page it is and what we may do there; nothing is written."""
        try:
            return trying.try_out(self._accesses.of(connection), connection)
        except GraphProblem as problem:
            return Tried(ok=False, words=(str(problem),))
