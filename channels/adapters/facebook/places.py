"""Where the reading of a Page's comments or conversations stands, and where it goes on. Pure: no network, no clock.

Facebook lists neither by a number that only grows. So a round reads everything that changed since a little before the
newest change of the last round, over as many polls as it takes, and only a finished round moves the place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from channels.adapters.facebook import fields

OVERLAP = timedelta(minutes=10)
# A change from later than that by our clock is a mistake, and as a place it would hide everything until then.
FUTURE = timedelta(hours=1)
# What was handed up already; beyond these the ledger tells what is known.
MOST_SEEN = 1000
# Posts with something new that one round may hold. More wait for the next page of the feed.
MOST_WAITING = 200
_LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One list's place: everything from `since` on is to be read, but for the ids in `seen`.

    During a round `after` is the cursor of the list's next page, `waiting` are posts whose comments are still to be
    read, each with the cursor to go on at, and `top` is the newest change met. `again_at` is the earliest next
    question after `failures` failures, `trouble` says in words what does not come in, `gap_at` when something was
    last beyond Facebook's reach.
    """

    since: datetime
    seen: tuple[str, ...] = ()
    after: str = ""
    waiting: tuple[tuple[str, str], ...] = ()
    top: datetime | None = None
    again_at: datetime | None = None
    failures: int = 0
    trouble: str = ""
    gap_at: datetime | None = None

    @classmethod
    def read(cls, kept: object, *, begins_at: datetime, now: datetime) -> Place:
        """The place as the cursor kept it, never before the account's beginning."""
        # Facebook's times of comments are whole seconds.
        floor = begins_at.replace(microsecond=0)
        given: Mapping[str, object] = kept if isinstance(kept, dict) else {}
        since, latest = fields.moment(given.get("since")), now + FUTURE
        top = fields.moment(given.get("top"))
        seen, waiting = given.get("seen"), given.get("waiting")
        return cls(
            since=since if since is not None and floor < since < latest else floor,
            seen=tuple(map(str, seen[:MOST_SEEN])) if isinstance(seen, list) else (),
            after=str(given.get("after") or ""),
            waiting=tuple(_pairs(waiting)),
            top=top if top is not None and top < latest else None,
            again_at=fields.moment(given.get("again_at")),
            failures=min(fields.whole(given.get("failures")), 20),
            trouble=str(given.get("trouble") or ""),
            gap_at=fields.moment(given.get("gap_at")),
        )

    def cursor(self) -> dict[str, object]:
        """As JSON keeps it."""
        kept: dict[str, object] = {"since": self.since.isoformat(), "seen": list(self.seen)}
        more = {
            "after": self.after or None,
            "waiting": [list(each) for each in self.waiting] or None,
            "top": self.top.isoformat() if self.top else None,
            "again_at": self.again_at.isoformat() if self.again_at else None,
            "failures": self.failures or None,
            "trouble": self.trouble or None,
            "gap_at": self.gap_at.isoformat() if self.gap_at else None,
        }
        return kept | {name: value for name, value in more.items() if value is not None}

    @property
    def is_under_way(self) -> bool:
        """Whether a round is unfinished."""
        return bool(self.after or self.waiting)

    def met(self, changes: Iterable[datetime], *, now: datetime) -> Place:
        """These changes were met on the way."""
        found = [each for each in changes if each < now + FUTURE]
        return replace(self, top=max([*found, *([self.top] if self.top else [])], default=None))

    def handed_up(self, ids: Iterable[str]) -> Place:
        """These need not be handed up again. The newest come first, so that the oldest are forgotten first."""
        return replace(self, seen=tuple(dict.fromkeys([*ids, *self.seen]))[:MOST_SEEN])

    def round_over(self) -> Place:
        """Everything was read: the place is at the newest change, less the overlap."""
        since = max(self.since, self.top - OVERLAP) if self.top else self.since
        return Place(since=since, seen=self.seen, gap_at=self.gap_at)

    def put_off(self, *, words: str, wait: timedelta | None, now: datetime) -> Place:
        """A question failed: it is asked again later, doubling, but never sooner than Facebook wishes. The round
        begins anew then, because cursors expire."""
        doubled = min(timedelta(minutes=1) * 2 ** min(self.failures, 6), _LONGEST_WAIT)
        again_at = now + max(doubled, wait or timedelta())
        return Place(
            since=self.since,
            seen=self.seen,
            again_at=again_at,
            failures=self.failures + 1,
            trouble=words,
            gap_at=self.gap_at,
        )

    def is_due(self, *, now: datetime) -> bool:
        """Whether it may be asked for now; a time far off is a mistake and counts as none."""
        return self.again_at is None or not now < self.again_at <= now + timedelta(hours=24)


def _pairs(kept: object) -> Iterable[tuple[str, str]]:
    for each in kept[:MOST_WAITING] if isinstance(kept, list) else []:
        if isinstance(each, list) and len(each) == 2 and fields.as_ident(each[0]):
            yield str(each[0]), str(each[1] or "")
