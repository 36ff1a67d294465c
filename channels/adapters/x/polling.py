"""What is new at X: mentions, direct messages, and our own posts written elsewhere, a page of each at a time.

Mentions are what must not fail; the two others are put off for a while when X refuses them alone (15 questions for
messages in 15 minutes, or an app without the permission), so that they never hold up the mentions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from channels.adapters.base import Connection, Polled
from channels.adapters.x import api, fields, items, problems, snowflakes
from channels.adapters.x.api import Answer, Api, Read
from channels.adapters.x.items import Item
from channels.adapters.x.places import FUTURE, Place
from channels.adapters.x.problems import XProblem
from channels.happenings import RawItem

PAGE = 100
# X hands over the newest 800 mentions; past nearly that many the list has ended, not the mentions.
LIST_ENDS = 750
SEARCH_REACHES = timedelta(days=7) - timedelta(minutes=10)
# How long an admin is told of a gap.
TOLD_FOR = timedelta(days=7)
# Beyond this the lists that can wait do: a poll's lease lasts 90 seconds.
PATIENCE_SECONDS = 40.0
# These mean the account, not one list of it.
_OF_ALL = {"unauthorised", "not-connected", "no-credits", "usage-cap"}


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of one list: what is new on it, and where to go on."""

    place: Place
    new: tuple[RawItem, ...] = ()
    numbers: frozenset[int] = frozenset()
    headers: Mapping[str, str] | None = None
    more: bool = False


def poll(access: Api, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
    """One page of each list that is due. Raises XProblem where mentions, or everything, cannot be had."""
    ends = time.monotonic() + PATIENCE_SECONDS
    places = {
        name: Place.read(cursor.get(name), begins_at=connection.begins_at, now=now)
        for name in ("mentions", "dms", "own")
    }
    pages = {"mentions": _mentions(access, connection, places["mentions"], now=now)}
    # 15 questions in 15 minutes (X, "Rate limits", dm_events).
    messages_every = timedelta(seconds=settings.X_MESSAGES_SECONDS)
    for name, ask, every in (("dms", _messages, messages_every), ("own", _own, timedelta())):
        place = places[name]
        if time.monotonic() > ends or not place.is_due(every=every, now=now) or not _is_wanted(name, connection):
            pages[name] = _Page(place)
            continue
        try:
            pages[name] = ask(access, connection, place, now=now)
        except XProblem as problem:
            if problem.code in _OF_ALL:
                raise
            pages[name] = _Page(place.put_off(words=_aside(name, problem), wait=problem.retry_after, now=now))
    return Polled(
        items=tuple(item for page in pages.values() for item in page.new),
        cursor={name: page.place.cursor() for name, page in pages.items()},
        more=any(page.more for page in pages.values()),
        quota=_quota(pages, now=now),
    )


def _mentions(access: Api, connection: Connection, place: Place, *, now: datetime) -> _Page:
    if place.search:
        return _searched(access, connection, place, now=now)
    answer = _asked(access, api.MENTIONS, connection, place)
    page = _after(place, answer, now=now)
    oldest = min(_numbers(items.of_page(answer.body, items.POST), now=now), default=0)
    if page.more or place.taken + PAGE < LIST_ENDS or oldest <= place.since:
        return page
    # A long outage: the list has come to its end before it came to where we were. X's search goes further back.
    return replace(page, place=replace(place.on(page.numbers, until=oldest), search=True), more=True)


def _searched(access: Api, connection: Connection, place: Place, *, now: datetime) -> _Page:
    """Mentions beyond the reach of X's list. What its search does not reach either is a gap, and said to be one."""
    reach = snowflakes.id_at(now - SEARCH_REACHES)
    handle = connection.settings.get("handle")
    if not isinstance(handle, str) or not handle or place.until <= reach:
        return _Page(replace(place.caught_up(()), gap_at=now), more=True)
    try:
        answer = access.read(
            api.SEARCH,
            f"@{handle} -is:retweet",
            since_id=str(max(place.since, reach)),
            until_id=str(place.until),
            max_results=PAGE,
        )
    except XProblem as problem:
        if problem.done != "refused":
            raise
        # Not every plan may search; without it the newer mentions must come in all the same.
        return _Page(replace(place.caught_up(()), gap_at=now), more=True)
    page = _after(place, answer, now=now)
    if page.more:
        return replace(page, place=replace(page.place, search=True))
    return replace(page, place=replace(page.place, gap_at=now)) if place.since < reach else page


def _own(access: Api, connection: Connection, place: Place, *, now: datetime) -> _Page:
    return _after(place, _asked(access, api.TIMELINE, connection, place), now=now)


def _asked(access: Api, question: Read, connection: Connection, place: Place) -> Answer:
    return access.read(
        question,
        connection.address,
        since_id=str(place.since) if place.since else None,
        until_id=str(place.until) if place.until else None,
        max_results=PAGE,
    )


def _after(place: Place, answer: Answer, *, now: datetime) -> _Page:
    """A page of posts, newest first: the next one begins below its oldest post, by id, which never expires."""
    found = items.of_page(answer.as_list().body, items.POST)
    numbers = _numbers(found, now=now)
    place = place.asked(now)
    oldest = min(numbers, default=0)
    # Behind a full page there may be another, whether X says so or not: passed over, it would never be read.
    goes_on = bool(_next(answer)) or len(found) >= PAGE
    more = goes_on and bool(numbers) and (not place.until or oldest < place.until)
    after = place.on(numbers, until=oldest) if more else place.caught_up(numbers)
    return _Page(after, _new(found, place), numbers, answer.headers, more)


def _messages(access: Api, connection: Connection, place: Place, *, now: datetime) -> _Page:
    """A page of messages, newest first. X takes no id to begin at, so the pages are followed by their tokens until
    one reaches back to where we were, or to what was the list's end when it was last read that far.

    X names a next page behind the last one too (an empty one). Looked at each time, it would cost a second question
    whenever all messages are young, which uses up a quarter of an hour's 15 in half of it.
    """
    try:
        answer = access.read(
            api.MESSAGES, event_types="MessageCreate", max_results=PAGE, pagination_token=place.token or None
        )
    except XProblem as problem:
        if place.token and problem.status == 400:
            # Tokens of pages expire. From the top again: the place itself has not moved.
            return _Page(replace(place, token="", until=0, asked_at=now))
        raise
    found = items.of_page(answer.as_list().body, items.DM)
    numbers = _numbers(found, now=now)
    token = _next(answer)
    oldest = min(numbers | ({place.until} if place.until else set()), default=0)
    is_end = not token or not found
    more = not is_end and token != place.token and bool(numbers) and oldest > max(place.since, place.bottom)
    place = place.asked(now)
    after = place.on(numbers, until=oldest, token=token) if more else place.caught_up(numbers)
    if is_end:
        after = replace(after, bottom=oldest)
    fresh = [item for item in found if not item.number or item.number > place.since]
    return _Page(after, _new(fresh, place), numbers, None, more)


def _numbers(found: list[Item], *, now: datetime) -> frozenset[int]:
    latest = snowflakes.id_at(now + FUTURE)
    return frozenset(item.number for item in found if 0 < item.number < latest)


def _new(found: list[Item], place: Place) -> tuple[RawItem, ...]:
    return tuple(item.raw for item in found if not item.number or item.number not in place.seen)


def _next(answer: Answer) -> str:
    token = fields.inner(answer.body, "meta").get("next_token")
    return token if isinstance(token, str) else ""


def _is_wanted(name: str, connection: Connection) -> bool:
    """Messages only where the account was connected with the permission to read them."""
    able = connection.settings.get("capabilities")
    return name != "dms" or not isinstance(able, dict) or able.get("dm") is not False


def _aside(name: str, problem: XProblem) -> str:
    if name == "dms":
        return _("Direct messages do not come in just now. %(why)s") % {"why": problem}
    return _("Our own posts written at X do not come in just now. %(why)s") % {"why": problem}


def _quota(pages: Mapping[str, _Page], *, now: datetime) -> dict[str, object]:
    """For the health card: how many questions for mentions are left, and what does not come in although this does."""
    words = [page.place.trouble for page in pages.values() if page.place.trouble]
    gap_at = pages["mentions"].place.gap_at
    if gap_at is not None and now - gap_at < TOLD_FOR:
        words.append(_("After a long outage some mentions could not be fetched: X did not go back that far."))
    quota: dict[str, object] = {"words": words}
    headers = pages["mentions"].headers or {}
    left, most = headers.get("x-rate-limit-remaining", ""), headers.get("x-rate-limit-limit", "")
    if all(each.isascii() and each.isdigit() for each in (left, most)):
        quota |= {"label": _("Questions for mentions left"), "left": int(left), "of": int(most)}
        resets_at = problems.reset_at(headers.get("x-rate-limit-reset"))
        if resets_at is not None:
            quota["resets_at"] = resets_at.isoformat()
    return quota
