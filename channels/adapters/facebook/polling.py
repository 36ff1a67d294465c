"""What no webhook told of: comments below posts that changed, and the newest messages of conversations that changed.

Webhooks come first and within a second, so a poll is there to find what they missed. Neither list may hold up the
other: where Facebook refuses one of them alone, it is put off and said on the account's card.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, Polled
from channels.adapters.facebook import fields, graph, webhooks
from channels.adapters.facebook.fields import Object
from channels.adapters.facebook.graph import Graph
from channels.adapters.facebook.places import MOST_WAITING, Place
from channels.adapters.facebook.problems import GraphProblem
from channels.happenings import RawItem

POSTS_A_PAGE = 50
COMMENTS_A_PAGE = 50
CHATS_A_PAGE = 10
# Facebook shows the 20 newest messages of a conversation; older ones answer as if they were deleted.
MESSAGES_A_CHAT = 20
# Questions for comments that one poll may ask, and beyond which time it asks no more: its lease lasts 90 seconds.
QUESTIONS = 8
PATIENCE_SECONDS = 40.0
# In percent of what Facebook allows. From the first on we look less often, from the second on not at all for a while:
# what is beyond 100 % would be refused, answers to customers too.
SLOW, STOP = 75, 95
SLOW_FOR, STOP_FOR = timedelta(minutes=5), timedelta(minutes=15)
# Here our own messages lack the mark that their echo has: a file that is just being sent could not be told from one
# written elsewhere. They are read a minute later, which the overlap of the rounds allows.
OWN_RESTS = timedelta(minutes=1)
# How long an admin is told of a gap.
TOLD_FOR = timedelta(days=7)

_ATTACHMENTS = "attachments{type,title,url,media,subattachments}"
POST_FIELDS = f"id,from,message,created_time,updated_time,permalink_url,{_ATTACHMENTS}"
COMMENT_FIELDS = "id,from,message,created_time,parent{id},attachment,permalink_url"
_FILES = "attachments{id,mime_type,name,size,image_data,video_data,file_url}"
MESSAGE_FIELDS = f"id,created_time,from,to,message,{_FILES},shares,sticker,reply_to"
CHAT_FIELDS = f"id,updated_time,participants,messages.limit({MESSAGES_A_CHAT}){{{MESSAGE_FIELDS}}}"

# These mean the account, not one list of it.
_OF_ALL = {"unauthorised", "not-connected", "app-secret", "rate-limit"}


@dataclass(slots=True)
class _Reading:
    """What one poll has read of one list so far."""

    place: Place
    items: list[RawItem] = field(default_factory=list)

    def take(self, item: RawItem) -> None:
        """Hand this up, unless it was before."""
        if item.external_id not in self.place.seen:
            self.items.append(item)
            self.place = self.place.handed_up([item.external_id])


def poll(access: Graph, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
    """A part of a round over comments and over conversations. Raises GraphProblem where neither can be had."""
    ends = time.monotonic() + PATIENCE_SECONDS
    rest_until, used = fields.moment(cursor.get("rest_until")), fields.whole(cursor.get("used"))
    readings = {
        name: _Reading(Place.read(cursor.get(name), begins_at=connection.begins_at, now=now))
        for name in ("comments", "chats")
    }
    resting = rest_until is not None and now < rest_until <= now + timedelta(hours=24)
    if not resting:
        rest_until, used = _read_all(access, connection, readings, ends=ends, now=now)
    kept: dict[str, object] = {name: reading.place.cursor() for name, reading in readings.items()}
    if rest_until is not None:
        kept |= {"rest_until": rest_until.isoformat(), "used": used}
    under_way = any(reading.place.is_under_way for reading in readings.values())
    return Polled(
        items=tuple(item for reading in readings.values() for item in reading.items),
        cursor=kept,
        more=under_way and rest_until is None,
        quota=_quota(readings, used=used, rest_until=rest_until, now=now),
    )


def _read_all(
    access: Graph, connection: Connection, readings: Mapping[str, _Reading], *, ends: float, now: datetime
) -> tuple[datetime | None, int]:
    """Read both lists as far as they are due; until when to rest, and how much in percent we have used."""
    failed: list[GraphProblem] = []
    used, wait = 0, None
    # Conversations are one question, comments may be many: the one is not to wait for the others.
    for name, read in (("chats", _chats), ("comments", _comments)):
        reading = readings[name]
        if not reading.place.is_due(now=now) or time.monotonic() > ends:
            continue
        try:
            read(access, connection, reading, ends=ends, now=now)
        except GraphProblem as problem:
            if problem.code in _OF_ALL or problem.credentials:
                raise
            failed.append(problem)
            reading.place = reading.place.put_off(words=_aside(name, problem), wait=problem.retry_after, now=now)
        used, wait = max(used, access.usage.percent), access.usage.wait or wait
    if len(failed) == len(readings):
        # Not a word came through: that is a failure of the account, and its poll is tried again as such.
        raise failed[0]
    if used >= STOP:
        return now + (wait or STOP_FOR), used
    return (now + SLOW_FOR if used >= SLOW else None), used


def _comments(access: Graph, connection: Connection, reading: _Reading, *, ends: float, now: datetime) -> None:
    """A page of the feed where none is waiting to be worked through, then comments of the posts on it."""
    questions = 0
    if not reading.place.waiting:
        _feed(access, connection, reading, now=now)
        questions += 1
    while reading.place.waiting and questions < QUESTIONS and time.monotonic() < ends:
        (post, after), *others = reading.place.waiting
        onward = _comments_of(access, connection, reading, post, after)
        reading.place = replace(reading.place, waiting=(*([(post, onward)] if onward else []), *others))
        questions += 1
    if not reading.place.is_under_way:
        reading.place = reading.place.round_over()


def _feed(access: Graph, connection: Connection, reading: _Reading, *, now: datetime) -> None:
    since = reading.place.since
    page = access.get(
        graph.path(connection.address, "feed"),
        fields=POST_FIELDS,
        limit=POSTS_A_PAGE,
        after=reading.place.after or None,
    )
    waiting, changes, oldest = [], [], None
    for post in graph.rows(page):
        number, made_at = fields.as_ident(post.get("id")), fields.moment(post.get("created_time"))
        changed_at = fields.moment(post.get("updated_time")) or made_at
        if changed_at is not None:
            changes.append(changed_at)
        if made_at is not None:
            oldest = min(oldest or made_at, made_at)
        if number and (changed_at is None or changed_at >= since):
            waiting.append((number, ""))
        is_new = (made_at is None or made_at >= since) and not _is_own(post, connection)
        # Of a post without an id the comments cannot be asked for: handed up, it is quarantined and seen by an admin.
        if is_new or (not number and (changed_at is None or changed_at >= since)):
            reading.take(webhooks.item("message", number, connection.address, webhooks.POST, post))
    onward = graph.next_cursor(page)
    # The feed is in order of making: below a post from before the place only old posts can have changed, and those
    # beyond the first page are told of by webhooks alone.
    goes_on = onward and onward != reading.place.after and oldest is not None and oldest >= since
    reading.place = replace(
        reading.place.met(changes, now=now), after=onward if goes_on else "", waiting=tuple(waiting[:MOST_WAITING])
    )


def _comments_of(access: Graph, connection: Connection, reading: _Reading, post: str, after: str) -> str:
    """One page of a post's comments, newest first, answers among them; where to go on, empty at the end."""
    since = reading.place.since
    try:
        page = access.get(
            graph.path(post, "comments"),
            filter="stream",
            order="reverse_chronological",
            fields=COMMENT_FIELDS,
            limit=COMMENTS_A_PAGE,
            after=after or None,
        )
    except GraphProblem as problem:
        if problem.done != "refused" or problem.code == "not-permitted":
            raise
        # Deleted since the feed was read, or a kind of post that takes no comments.
        return ""
    is_old = False
    # The oldest first: of comments of the same second, which is as exact as Facebook tells, the first is then first.
    for comment in reversed(list(fields.objects(page, "data"))):
        made_at = fields.moment(comment.get("created_time"))
        if made_at is not None and made_at < since:
            is_old = True
            continue
        number = fields.as_ident(comment.get("id"))
        body: dict[str, object] = {webhooks.POST: {"id": post}}
        reading.take(webhooks.item("message", number, connection.address, webhooks.COMMENT, comment, **body))
    onward = graph.next_cursor(page)
    return "" if is_old or onward == after else onward


def _chats(access: Graph, connection: Connection, reading: _Reading, *, ends: float, now: datetime) -> None:
    """A page of conversations, the one that changed last first. This edge takes no times to begin at."""
    since = reading.place.since
    page = access.get(
        graph.path(connection.address, "conversations"),
        platform="messenger",
        fields=CHAT_FIELDS,
        limit=CHATS_A_PAGE,
        after=reading.place.after or None,
    )
    is_old, changes, gap = False, [], False
    for chat in graph.rows(page):
        changed_at = fields.moment(chat.get("updated_time"))
        if changed_at is not None:
            changes.append(changed_at)
            is_old = is_old or changed_at < since
        gap = _messages_of(chat, connection, reading, now=now) or gap
    onward = graph.next_cursor(page)
    goes_on = onward and onward != reading.place.after and not is_old and bool(changes)
    place = replace(reading.place.met(changes, now=now), after=onward if goes_on else "")
    if gap:
        place = replace(place, gap_at=now)
    reading.place = place if goes_on else place.round_over()


def _messages_of(chat: Object, connection: Connection, reading: _Reading, *, now: datetime) -> bool:
    """Hand up the new messages of a conversation, oldest first; True where older ones were beyond reach."""
    people = [fields.as_ident(each.get("id")) for each in fields.data(chat, "participants")]
    others = [each for each in people if each and each != connection.address]
    told = list(fields.data(chat, "messages"))
    fresh = []
    for message in told:
        made_at = fields.moment(message.get("created_time"))
        if made_at is not None and _is_own(message, connection) and now - made_at < OWN_RESTS:
            continue
        if made_at is None or made_at >= reading.place.since:
            fresh.append(message)
    is_cut = len(told) >= MESSAGES_A_CHAT and all(not _is_before(each, reading.place.since) for each in told)
    known = set(reading.place.seen)
    gap = is_cut and not any(fields.as_ident(each.get("id")) in known for each in told)
    for message in reversed(fresh):
        number = fields.as_ident(message.get("id"))
        more: dict[str, object] = {"with": others[0]} if len(others) == 1 else {}
        reading.take(webhooks.item("message", number, connection.address, webhooks.MESSAGE, message, **more))
    return gap


def _is_before(message: Object, moment: datetime) -> bool:
    made_at = fields.moment(message.get("created_time"))
    return made_at is not None and made_at < moment


def _is_own(said: Object, connection: Connection) -> bool:
    return fields.as_ident(fields.inner(said, "from").get("id")) in connection.own | {connection.address}


def _aside(name: str, problem: GraphProblem) -> str:
    if name == "chats":
        return _("Messenger is not looked at just now, only webhooks tell of messages. %(why)s") % {"why": problem}
    return _("Comments are not looked at just now, only webhooks tell of them. %(why)s") % {"why": problem}


def _quota(
    readings: Mapping[str, _Reading], *, used: int, rest_until: datetime | None, now: datetime
) -> dict[str, object]:
    """For the health card: how much of what Facebook allows is left, and what does not come in although this does."""
    words = [reading.place.trouble for reading in readings.values() if reading.place.trouble]
    gap_at = readings["chats"].place.gap_at
    if gap_at is not None and now - gap_at < TOLD_FOR:
        words.append(_("Some older messages could not be fetched: Facebook shows the newest 20 of a conversation."))
    if rest_until is not None:
        told = {"used": used}
        words.append(
            _("We have used %(used)s %% of what Facebook allows, so only webhooks tell of news for a while.") % told
            if used >= STOP
            else _("We have used %(used)s %% of what Facebook allows, so we look less often.") % told
        )
    quota: dict[str, object] = {"words": words}
    quota |= {"label": _("Left of what Facebook allows, in percent"), "left": max(0, 100 - used), "of": 100}
    if rest_until is not None and used >= STOP:
        quota["resets_at"] = rest_until.isoformat()
    return quota
