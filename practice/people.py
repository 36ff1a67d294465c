"""The people one can be: a seeded cast, and whoever is added. All invented, with numbers reserved for drama."""

from __future__ import annotations

import re
import secrets
import sqlite3
import unicodedata
from dataclasses import dataclass, fields

from practice.database import transaction

#: Enough for any class of trainees; a script that makes people without end is told so.
MOST_PEOPLE = 500

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.example")
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class PersonError(ValueError):
    """This person cannot be made. The text says why, for people."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody one can be, with what they own on each network; "" where they own nothing there.

    `short` is what the page calls them. X ids are decimal text as X gives them, never the handle; `facebook_psid` is
    the id a Page knows them by in Messenger, `facebook_id` the one under a comment. Phone numbers are E.164.
    """

    key: str
    name: str
    short: str
    mail: str = ""
    mail_password: str = ""
    x_id: str = ""
    x_handle: str = ""
    x_token: str = ""
    facebook_id: str = ""
    facebook_psid: str = ""
    facebook_token: str = ""
    phone: str = ""


_COLUMNS = tuple(field.name for field in fields(Person))
_SCHEMA = "CREATE TABLE IF NOT EXISTS person (position INTEGER PRIMARY KEY AUTOINCREMENT, {})".format(
    ", ".join(f"{column} TEXT NOT NULL{' UNIQUE' if column == 'key' else ''}" for column in _COLUMNS)
)

#: Numbers: Ofcom's ranges for drama, 020 7946 0000 to 0999 and 07700 900000 to 900999.
CAST = (
    Person(
        key="carla", name="Carla Hughes", short="Carla",
        mail="carla.hughes@post.example", mail_password="practice-carla",
        x_id="1790000000000000101", x_handle="carla_hughes", x_token="practice-x-carla",
        facebook_id="7100000000000101", facebook_psid="7200000000000101", facebook_token="practice-facebook-carla",
        phone="+442079460142",
    ),
    Person(
        key="tom", name="Tom Okafor", short="Tom",
        mail="tom.okafor@post.example", mail_password="practice-tom",
        facebook_id="7100000000000102", facebook_psid="7200000000000102", facebook_token="practice-facebook-tom",
        phone="+447700900317",
    ),
    Person(
        key="nora", name="نورا المنصوري", short="نورا",
        mail="noura.almansoori@barid.example", mail_password="practice-nora",
        x_id="1790000000000000103", x_handle="noura_m", x_token="practice-x-nora",
        facebook_id="7100000000000103", facebook_psid="7200000000000103", facebook_token="practice-facebook-nora",
    ),
    Person(
        key="priyanka", name="Priyanka Ramanathan-Whitmore", short="Priyanka",
        mail="priyanka.ramanathan-whitmore@letters.example", mail_password="practice-priyanka",
        x_id="1790000000000000104", x_handle="priyanka_rw", x_token="practice-x-priyanka",
    ),
    Person(
        key="declan", name="Declan Byrne", short="Declan",
        mail="declan@byrne-household.example", mail_password="practice-declan",
        facebook_id="7100000000000105", facebook_psid="7200000000000105", facebook_token="practice-facebook-declan",
        phone="+442079460817",
    ),
    Person(
        key="grace", name="Grace Lindqvist", short="Grace",
        mail="grace.lindqvist@brev.example", mail_password="practice-grace",
        x_id="1790000000000000106", x_handle="gracelindqvist", x_token="practice-x-grace",
        phone="+447700900564",
    ),
)  # fmt: skip


class People:
    """Finds people and makes new ones."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)
        for column in ("mail", "x_id", "x_handle", "facebook_id", "facebook_psid", "phone"):
            # What identifies somebody on a network identifies one person only; owning nothing there is no clash.
            db.execute(
                f"CREATE UNIQUE INDEX IF NOT EXISTS person_{column} ON person (lower({column})) WHERE {column} != ''"
            )
        with transaction(db):
            if db.execute("SELECT NOT EXISTS (SELECT 1 FROM person)").fetchone()[0]:
                for person in CAST:
                    self._insert(person)

    def everybody(self) -> list[Person]:
        """Return all people, the cast first and then in the order they were made."""
        rows = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM person ORDER BY position LIMIT {MOST_PEOPLE}")
        return [Person(**dict(row)) for row in rows]

    def by_key(self, key: str) -> Person | None:
        """Return the person of this key, if there is one."""
        return self._one("key", key)

    def by_mail(self, address: str) -> Person | None:
        """Return the owner of a mail address, whatever its capitals."""
        return self._one("mail", address) if address else None

    def mail_domains(self) -> set[str]:
        """Return the domains at which somebody has an address."""
        return {person.mail.partition("@")[2].lower() for person in self.everybody() if person.mail}

    def make(
        self,
        *,
        name: str,
        mail: str | None = None,
        x_handle: str | None = None,
        facebook: bool = True,
        phone: str | None = None,
    ) -> Person:
        """Return a new person; raise PersonError when an address is taken or cannot be.

        None means "think of something": everybody new owns something on every network. "" (or False) means that they
        own nothing there.
        """
        name = " ".join(name.split())
        if not name or len(name) > 120:
            raise PersonError("A person needs a name of at most 120 characters.")
        if len(self.everybody()) >= MOST_PEOPLE:
            raise PersonError(f"There are {MOST_PEOPLE} people already. Be one of them, or begin anew.")
        key = self._free_key(name)
        mail = mail.lower() if mail else mail
        number = secrets.randbelow(10**9)
        person = Person(
            key=key,
            name=name,
            short=name.split()[0],
            mail=_wished(mail, f"{key}@post.example", _ADDRESS, "mail address ending in .example"),
            mail_password=f"practice-{key}",
            x_id="" if x_handle == "" else f"179{number:09d}0000001",
            x_handle=_wished(x_handle, key.replace("-", "_")[:15], _HANDLE, "X handle of 15 letters, digits and _"),
            x_token="" if x_handle == "" else f"practice-x-{key}",
            facebook_id=f"71{number:09d}00001" if facebook else "",
            facebook_psid=f"72{number:09d}00001" if facebook else "",
            facebook_token=f"practice-facebook-{key}" if facebook else "",
            phone=_wished(phone, self._free_number(), _NUMBER, "phone number that begins with + and the country"),
        )
        try:
            self._insert(person)
        except sqlite3.IntegrityError:
            raise PersonError("Somebody else has that mail address, X handle or phone number already.") from None
        return person

    def _one(self, column: str, value: str) -> Person | None:
        row = self._db.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM person WHERE lower({column}) = lower(?)", (value,)
        ).fetchone()
        return Person(**dict(row)) if row else None

    def _insert(self, person: Person) -> None:
        self._db.execute(
            f"INSERT INTO person ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
            [getattr(person, column) for column in _COLUMNS],
        )

    def _free_key(self, name: str) -> str:
        """Return a short name in ASCII that nobody has; for a name in another script one that says nothing."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = "-".join(re.findall(r"[a-z0-9]+", plain))[:30].strip("-") or "somebody"
        taken = {row[0] for row in self._db.execute("SELECT key FROM person")}
        return next(key for key in (stem, *(f"{stem}-{n}" for n in range(2, MOST_PEOPLE + 3))) if key not in taken)

    def _free_number(self) -> str:
        taken = {row[0] for row in self._db.execute("SELECT phone FROM person")}
        drama = (f"{area}{n:03d}" for area in ("+447700900", "+442079460") for n in range(1000))
        return next((number for number in drama if number not in taken), "")


def _wished(given: str | None, otherwise: str, allowed: re.Pattern[str], what: str) -> str:
    """Return what was given, if it can be; what was thought of when nothing was given at all."""
    if given is None:
        return otherwise
    if given and not allowed.fullmatch(given):
        raise PersonError(f"{given!r} is not a {what}.")
    return given
