"""The X adapter: the interface of every channel kind, each method one translation done next door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, Looked, Opener, PayloadError, Polled, Tried
from channels.adapters.x import dms, fields, items, looking, polling, posts, rereading, sending, trying
from channels.adapters.x.api import Accesses
from channels.adapters.x.problems import XProblem
from channels.happenings import Happening, Outgoing, RawItem, Sent
from contactcentre.lib.http import TOTAL_SECONDS


class XAdapter:
    """X by its API v2, with OAuth 2.0 in the name of one of our handles.

    Messages are known by the id of the post's first version, direct messages by `dm:` and the id of their event.
    `seconds` is the longest one call may take.
    """

    kind = "x"

    def __init__(self, *, seconds: float = TOTAL_SECONDS) -> None:
        self._accesses = Accesses(seconds=seconds)

    def poll(self, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        """A page of mentions, of direct messages and of our own posts. Raises PollError."""
        try:
            return polling.poll(self._accesses.of(connection), connection, cursor, now=now)
        except XProblem as problem:
            raise problem.for_polling() from problem

    def parse(self, item: RawItem, connection: Connection) -> Iterator[Happening]:
        """What one post, message, edit or deletion says. Raises PayloadError, NotOurs."""
        body = fields.loads(item.body)
        if item.happening == "delete":
            yield from posts.deleted(body)
        elif item.happening == "edit":
            yield from posts.edited(body)
        elif items.DM in body:
            yield from dms.happenings(body, connection)
        elif items.POST in body:
            yield from posts.happenings(body, connection)
        else:
            raise PayloadError(_("This is neither a post nor a message."))

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        """Answer publicly or by direct message. Raises DeliveryError."""
        try:
            return sending.send(self._accesses.of(connection), connection, outgoing, still_ours=still_ours)
        except XProblem as problem:
            raise problem.for_sending() from problem

    def look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        """Whether a reply of unknown fate stands at X. Raises DeliveryError where the look itself failed."""
        try:
            return looking.look(self._accesses.of(connection), connection, outgoing, since=since)
        except XProblem as problem:
            raise problem.for_sending() from problem

    def reread(self, connection: Connection, external_ids: Iterable[str], *, now: datetime) -> tuple[RawItem, ...]:
        """Items (`edit`, `delete`) for those of at most 100 known posts that changed. Raises PollError."""
        try:
            return rereading.reread(self._accesses.of(connection), external_ids, now=now)
        except XProblem as problem:
            raise problem.for_polling() from problem

    def anew(self, connection: Connection, external_ids: Iterable[str]) -> tuple[RawItem, ...]:
        """The same items of at most 100 posts as X hands them over now. Raises PollError."""
        try:
            return rereading.anew(self._accesses.of(connection), external_ids)
        except XProblem as problem:
            raise problem.for_polling() from problem

    def try_out(self, connection: Connection) -> Tried:
        """Who the account is and what it may do; nothing is written."""
        try:
            return trying.try_out(self._accesses.of(connection), connection)
        except XProblem as problem:
            return Tried(ok=False, words=(str(problem),))
