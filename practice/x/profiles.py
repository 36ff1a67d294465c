"""Who is on X: our handles, and everybody among the people who has one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from practice.people import People, Person

#: When every account was made, as X writes it. Nothing depends on it.
JOINED = "2015-03-02T09:00:00.000Z"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS x_profile (
    user_id TEXT PRIMARY KEY,
    protected INTEGER NOT NULL,
    blocks_messages INTEGER NOT NULL,
    premium INTEGER NOT NULL
)
"""


@dataclass(frozen=True)
class Habits:
    """What an account chose. Premium accounts may write long posts and edit for an hour."""

    protected: bool = False
    blocks_messages: bool = False
    premium: bool = False


@dataclass(frozen=True, kw_only=True)
class Profile:
    """An account. `token` is the bearer token of a person; our handles have none until they consent."""

    id: str
    name: str
    handle: str
    ours: bool
    token: str = ""


#: Our handles. Their ids have the shape of X's and belong to nobody.
OURS = (
    Profile(id="1780000000000000201", name="Acme Care", handle="AcmeCare", ours=True),
    Profile(id="1780000000000000202", name="Acme Deals", handle="AcmeDeals", ours=True),
)


class Profiles:
    """Finds accounts by id, handle and token, and keeps what they chose."""

    def __init__(self, db: sqlite3.Connection, people: People) -> None:
        self._db = db
        self._people = people
        self._by_id: dict[str, Profile] = {}
        self._by_handle: dict[str, Profile] = {}
        self._by_token: dict[str, Profile] = {}
        db.execute(_SCHEMA)

    def by_id(self, user_id: str) -> Profile | None:
        """Return the account of this id."""
        return self._found(self._by_id, user_id)

    def known(self, user_id: str) -> Profile:
        """Return the account of an id that stands in our own rows, and so must be there."""
        profile = self.by_id(user_id)
        assert profile is not None, user_id
        return profile

    def by_handle(self, handle: str) -> Profile | None:
        """Return the account of this handle, whatever its capitals."""
        return self._found(self._by_handle, handle.lower())

    def by_token(self, token: str) -> Profile | None:
        """Return the person whose own token this is."""
        return self._found(self._by_token, token)

    def of(self, person: Person) -> Profile | None:
        """Return a person's account, or None for somebody who is not on X."""
        return self.by_id(person.x_id) if person.x_id else None

    def habits(self, user_id: str) -> Habits:
        """Return what an account chose. People have Premium until they say otherwise; our handles do not."""
        row = self._db.execute(
            "SELECT protected, blocks_messages, premium FROM x_profile WHERE user_id = ?", (user_id,)
        ).fetchone()
        if row is None:
            return Habits(premium=not self.known(user_id).ours)
        return Habits(bool(row["protected"]), bool(row["blocks_messages"]), bool(row["premium"]))

    def choose(self, user_id: str, habits: Habits) -> None:
        """Keep what an account chose."""
        self._db.execute(
            "INSERT OR REPLACE INTO x_profile (user_id, protected, blocks_messages, premium) VALUES (?, ?, ?, ?)",
            (user_id, habits.protected, habits.blocks_messages, habits.premium),
        )

    def _found(self, known: dict[str, Profile], name: str) -> Profile | None:
        if name not in known:
            # People can be made at any time, and are never unmade.
            self._read()
        return known.get(name)

    def _read(self) -> None:
        others = (_of(person) for person in self._people.everybody() if person.x_id)
        for profile in (*OURS, *others):
            self._by_id[profile.id] = profile
            self._by_handle.setdefault(profile.handle.lower(), profile)
            if profile.token:
                self._by_token[profile.token] = profile


def _of(person: Person) -> Profile:
    return Profile(id=person.x_id, name=person.name, handle=person.x_handle, ours=False, token=person.x_token)
