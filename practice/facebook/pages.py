"""Who is on Facebook: our Pages, the one who runs them, the app, and everybody among the people with a profile.

The same person is known to each Page by other numbers, and by one number under comments and by another in Messenger
(Meta: page-scoped ids). Nothing in them tells that they mean one human, and none is used for two things.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from practice.people import People, Person


@dataclass(frozen=True, kw_only=True)
class App:
    """A developer's app as Facebook knows it."""

    id: str
    name: str
    secret: str

    @property
    def token(self) -> str:
        """Return the app's own token: Meta accepts id and secret joined by a bar."""
        return f"{self.id}|{self.secret}"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One of our Pages. `number` is its place in the list; it moves the ids people have there."""

    id: str
    name: str
    category: str
    username: str
    number: int

    @property
    def link(self) -> str:
        """Return the Page's public address."""
        return f"https://www.facebook.com/{self.username}"


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """The Facebook user who runs the Pages and lets the app in."""

    id: str
    name: str


#: The one app there is. Plainly no secret: it opens nothing but this make-believe.
APP = App(id="1700000000000001", name="Acme contact centre", secret="practice-facebook-secret")
#: Facebook's own inbox, as it names itself in echoes of what was written there.
PAGE_INBOX_APP = "263902037430900"
ADA = Administrator(id="7000000000000001", name="Ada Lowe")
PAGES = (
    Page(id="6100000000000201", name="Acme Care", category="Customer service", username="practice.acmecare", number=0),
    Page(id="6100000000000202", name="Acme Outlet", category="Outlet store", username="practice.acmeoutlet", number=1),
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_habits (
    person_key TEXT PRIMARY KEY,
    shares_profile INTEGER NOT NULL,
    available INTEGER NOT NULL
)
"""


@dataclass(frozen=True)
class Habits:
    """What a person chose. Who does not share the profile comments without `from`; who is not available gets 551."""

    shares_profile: bool = True
    available: bool = True


def page_of(page_id: str) -> Page | None:
    """Return the Page of an id."""
    return next((page for page in PAGES if page.id == page_id), None)


def psid_of(person: Person, page: Page) -> str:
    """Return the number by which a Page knows a person in Messenger, "" for somebody who is not on Facebook."""
    return str(int(person.facebook_psid) + 1000 * page.number) if person.facebook_psid else ""


def commenter_id_of(person: Person, page: Page) -> str:
    """Return the number by which a Page knows a person under comments, "" for somebody who is not on Facebook."""
    return str(int(person.facebook_id) + 1000 * page.number) if person.facebook_id else ""


class Profiles:
    """Finds people by the numbers Pages know them by, and keeps what they chose."""

    def __init__(self, db: sqlite3.Connection, people: People) -> None:
        self._db = db
        self._people = people
        db.execute(_SCHEMA)

    def by_psid(self, page: Page, psid: str) -> Person | None:
        """Return whom a Page knows by this number in Messenger."""
        return next((each for each in self.everybody() if psid_of(each, page) == psid), None)

    def known(self, key: str) -> Person:
        """Return the person of a key that stands in our own rows, and so must be there."""
        person = self._people.by_key(key)
        assert person is not None, key
        return person

    def everybody(self) -> list[Person]:
        """Return all who have a profile."""
        return [person for person in self._people.everybody() if person.facebook_psid]

    def habits(self, person_key: str) -> Habits:
        """Return what somebody chose."""
        row = self._db.execute(
            "SELECT shares_profile, available FROM fb_habits WHERE person_key = ?", (person_key,)
        ).fetchone()
        return Habits(bool(row["shares_profile"]), bool(row["available"])) if row else Habits()

    def choose(self, person_key: str, habits: Habits) -> None:
        """Keep what somebody chose."""
        self._db.execute(
            "INSERT OR REPLACE INTO fb_habits (person_key, shares_profile, available) VALUES (?, ?, ?)",
            (person_key, habits.shares_profile, habits.available),
        )
