"""Where the reading of one of X's lists stands, and where it goes on. Pure: no network, no clock.

X indexes some posts late: whoever asks only for what is newer than the newest known post never sees those. So reading
always begins a little before it, and what was handed up already is left out by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from channels.adapters.x import snowflakes

OVERLAP = timedelta(minutes=10)
# X's clock may be this much before ours; an id from later than that is a mistake, and as a cursor it would hide
# everything written until then.
FUTURE = timedelta(hours=1)
# Of the time of the overlap. Beyond it the ledger tells what is known.
_MOST_SEEN = 1000
_LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One list's place. Everything above `since` is to be read, but for the ids in `seen`.

    While a long way is read page by page (newest first), `until` or `token` says where the next page begins, `top` is
    the newest id met and `taken` how many were. `search` is set once X's list has ended and its search goes on.
    `asked_at` is the last question, `again_at` the earliest next one after `failures` failures; `trouble` says in
    words what does not come in. `gap_at` is when something was last found to be beyond X's reach. `bottom` is the
    oldest id of a list that was read to its very end: behind it there is nothing.
    """

    since: int
    seen: frozenset[int] = frozenset()
    until: int = 0
    token: str = ""
    top: int = 0
    taken: int = 0
    search: bool = False
    asked_at: datetime | None = None
    again_at: datetime | None = None
    failures: int = 0
    trouble: str = ""
    gap_at: datetime | None = None
    bottom: int = 0

    @classmethod
    def read(cls, kept: object, *, begins_at: datetime, now: datetime) -> Place:
        """The place as the cursor kept it, never before the account's beginning."""
        # created_at has whole seconds.
        floor = max(0, snowflakes.id_at(begins_at.replace(microsecond=0)) - 1)
        given: Mapping[str, object] = kept if isinstance(kept, dict) else {}
        latest = snowflakes.id_at(now + FUTURE)
        since = _number(given.get("since"))
        seen = given.get("seen")
        return cls(
            since=since if floor < since < latest else floor,
            seen=frozenset(_number(each) for each in seen) if isinstance(seen, list) else frozenset(),
            until=_number(given.get("until")),
            token=str(given.get("token") or ""),
            top=_number(given.get("top")),
            taken=_number(given.get("taken")),
            search=given.get("search") is True,
            asked_at=_moment(given.get("asked_at")),
            again_at=_moment(given.get("again_at")),
            failures=min(_number(given.get("failures")), 20),
            trouble=str(given.get("trouble") or ""),
            gap_at=_moment(given.get("gap_at")),
            bottom=_number(given.get("bottom")),
        )

    def cursor(self) -> dict[str, object]:
        """As JSON keeps it; ids as text, which every reader of JSON keeps whole."""
        kept: dict[str, object] = {"since": str(self.since), "seen": [str(each) for each in sorted(self.seen)]}
        more = {
            "until": str(self.until) if self.until else None,
            "token": self.token or None,
            "top": str(self.top) if self.top else None,
            "taken": self.taken or None,
            "search": self.search or None,
            "asked_at": self.asked_at.isoformat() if self.asked_at else None,
            "again_at": self.again_at.isoformat() if self.again_at else None,
            "failures": self.failures or None,
            "trouble": self.trouble or None,
            "gap_at": self.gap_at.isoformat() if self.gap_at else None,
            "bottom": str(self.bottom) if self.bottom else None,
        }
        return kept | {name: value for name, value in more.items() if value is not None}

    @property
    def is_under_way(self) -> bool:
        """Whether pages are still to be read before the newest place is reached."""
        return bool(self.until or self.token)

    def on(self, numbers: Iterable[int], *, until: int = 0, token: str = "") -> Place:
        """One page read, and more to come behind it."""
        found = set(numbers)
        return replace(
            self,
            seen=_newest(self.seen | found),
            until=until,
            token=token,
            top=max(self.top, *found) if found else self.top,
            taken=self.taken + len(found),
        )

    def caught_up(self, numbers: Iterable[int]) -> Place:
        """The last page read: the place is at the newest id, less the overlap."""
        found = set(numbers)
        top = max(self.top, *found) if found else self.top
        since = max(self.since, snowflakes.earlier(top, OVERLAP)) if top else self.since
        return Place(
            since=since,
            seen=frozenset(each for each in _newest(self.seen | found) if each > since),
            asked_at=self.asked_at,
            trouble=self.trouble,
            gap_at=self.gap_at,
            bottom=self.bottom,
        )

    def asked(self, now: datetime) -> Place:
        """A question was answered: past trouble is over."""
        return replace(self, asked_at=now, again_at=None, failures=0, trouble="")

    def put_off(self, *, words: str, wait: timedelta | None, now: datetime) -> Place:
        """A question failed: it is asked again later, doubling, but never sooner than X wishes."""
        doubled = min(timedelta(minutes=1) * 2 ** min(self.failures, 6), _LONGEST_WAIT)
        again_at = now + max(doubled, wait or timedelta())
        return replace(self, again_at=again_at, failures=self.failures + 1, trouble=words)

    def is_due(self, *, every: timedelta, now: datetime) -> bool:
        """Whether the list may be asked now. Pages under way do not wait; a clock set back does not stop it."""
        if self.again_at is not None and now < self.again_at <= now + timedelta(hours=24):
            return False
        if self.is_under_way or self.asked_at is None or self.asked_at > now:
            return True
        return now - self.asked_at >= every


def _newest(numbers: Iterable[int]) -> frozenset[int]:
    return frozenset(sorted(numbers, reverse=True)[:_MOST_SEEN])


def _number(value: object) -> int:
    """The number kept as text or number, 0 for anything else."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else 0


def _moment(value: object) -> datetime | None:
    try:
        made = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return made.astimezone(UTC) if made is not None and made.tzinfo else None
