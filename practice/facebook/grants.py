"""Who let the app in, to which Pages and for what; and the tokens (Facebook Login, "Access Tokens").

A person's token comes from the dialog and lives for an hour or two; exchanged for a long one, for sixty days. Page
tokens are got with a person's; those got with a long one never end by themselves, and die with the consent.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from practice.database import transaction
from practice.facebook.pages import ADA, APP, PAGES
from practice.facebook.problems import Problem, bad_token

#: Every permission that our app may ask for, in the order the dialog shows them.
PERMISSIONS = (
    "public_profile",
    "email",
    "business_management",
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_manage_posts",
    "pages_messaging",
    "read_insights",
)
SHORT_SECONDS = 5400.0
LONG_SECONDS = 60 * 86_400.0
CODE_SECONDS = 600.0
#: How long data can be read after the person last used the app, in seconds.
DATA_SECONDS = 90 * 86_400.0

#: Why a consent is dead: the subcode of code 190, and Meta's words.
DEAD = {
    458: f"Error validating access token: The user has not authorized application {APP.id}.",
    459: "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the "
    "instructions given.",
    460: "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    464: "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed "
    "user.",
}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fb_grant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    pages TEXT NOT NULL,
    used_at REAL NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS fb_code (
    code TEXT PRIMARY KEY,
    grant_id INTEGER NOT NULL REFERENCES fb_grant (id),
    redirect_uri TEXT NOT NULL,
    ends_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS fb_token (
    token TEXT PRIMARY KEY,
    grant_id INTEGER NOT NULL REFERENCES fb_grant (id),
    page_id TEXT NOT NULL,
    issued_at REAL NOT NULL,
    ends_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS fb_app (proof_required INTEGER NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a token allows. `kind` is "APP", "USER" or "PAGE"; times are seconds since 1970, 0 for never.

    `pages` are the ids of those the person chose; `page_id` is whose a Page's token is.
    """

    token: str
    kind: str
    user_id: str = ""
    page_id: str = ""
    scopes: frozenset[str] = frozenset()
    pages: tuple[str, ...] = ()
    issued_at: float = 0.0
    ends_at: float = 0.0
    data_ends_at: float = 0.0


class Grants:
    """Hands out codes and tokens, and knows them again."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)
        db.execute("INSERT INTO fb_app (proof_required) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM fb_app)")

    def consent(self, *, scopes: Sequence[str], pages: Sequence[str], redirect_uri: str, now: float) -> str:
        """Return a code for what Ada just allowed. Whoever lets an app in again changes what it may do already."""
        code = "AQ" + secrets.token_urlsafe(120)
        with transaction(self._db):
            row = self._db.execute("SELECT id FROM fb_grant WHERE user_id = ? AND dead = 0", (ADA.id,)).fetchone()
            values = (" ".join(scopes), " ".join(pages), now)
            if row:
                grant = row[0]
                self._db.execute(
                    "UPDATE fb_grant SET scopes = ?, pages = ?, used_at = ? WHERE id = ?", (*values, grant)
                )
            else:
                grant = self._db.execute(
                    "INSERT INTO fb_grant (user_id, scopes, pages, used_at) VALUES (?, ?, ?, ?)", (ADA.id, *values)
                ).lastrowid
            self._db.execute("DELETE FROM fb_code WHERE grant_id = ?", (grant,))
            self._db.execute(
                "INSERT INTO fb_code (code, grant_id, redirect_uri, ends_at) VALUES (?, ?, ?, ?)",
                (code, grant, redirect_uri, now + CODE_SECONDS),
            )
        return code

    def exchange(self, code: str, redirect_uri: str, *, now: float) -> Held:
        """Return the first token for a code, which is used up by that; raise Problem (code 100)."""
        row = self._db.execute("SELECT * FROM fb_code WHERE code = ?", (code,)).fetchone()
        if row is None:
            raise Problem("Invalid verification code format.", 100)
        if row["redirect_uri"] != redirect_uri:
            raise Problem(
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you "
                "used in the OAuth dialog request",
                100,
                subcode=36008,
            )
        with transaction(self._db):
            if row["ends_at"] == 0:
                raise Problem("This authorization code has been used.", 100, subcode=36009)
            if row["ends_at"] < now:
                raise Problem("This authorization code has expired.", 100, subcode=36007)
            # Used ones are kept until they would have been cleared away, to be told from those that never were.
            self._db.execute("UPDATE fb_code SET ends_at = 0 WHERE code = ?", (code,))
            return self._made(row["grant_id"], "", now, now + SHORT_SECONDS)

    def extend(self, token: str, *, now: float) -> Held:
        """Return a long-lived token for one of a person's; raise Problem."""
        held = self.known(token, now=now)
        if held.kind != "USER":
            raise Problem("The fb_exchange_token must be a user access token.", 100)
        return self._made(self._grant_of(token), "", now, now + LONG_SECONDS)

    def page_token(self, held: Held, page_id: str, *, now: float) -> str:
        """Return a Page's token got with a person's; it ends with a short one, and never with a long one."""
        grant = self._grant_of(held.token)
        ends_at = 0.0 if held.ends_at - held.issued_at > SHORT_SECONDS else held.ends_at
        row = self._db.execute(
            "SELECT token FROM fb_token WHERE grant_id = ? AND page_id = ? AND ends_at = ?", (grant, page_id, ends_at)
        ).fetchone()
        return str(row[0]) if row else self._made(grant, page_id, now, ends_at).token

    def known(self, token: str, *, now: float) -> Held:
        """Return what a token allows; raise Problem (code 190) for one that is dead or never lived."""
        if token in (APP.token, _APP_TOKEN):
            return Held(token=token, kind="APP")
        row = self._db.execute(
            "SELECT * FROM fb_token JOIN fb_grant ON fb_grant.id = grant_id WHERE token = ?", (token,)
        ).fetchone()
        if row is None:
            raise bad_token("Invalid OAuth access token - Cannot parse access token")
        if row["dead"]:
            raise bad_token(DEAD[row["dead"]], row["dead"])
        if row["ends_at"] and row["ends_at"] < now:
            raise bad_token("Error validating access token: Session has expired.", 463)
        pages = tuple(row["pages"].split())
        if row["page_id"] and row["page_id"] not in pages:
            raise bad_token(
                "Any of the pages_read_engagement, pages_manage_metadata, pages_messaging permission(s) must be "
                "granted before impersonating a user's page."
            )
        return Held(
            token=token,
            kind="PAGE" if row["page_id"] else "USER",
            user_id=row["user_id"],
            page_id=row["page_id"],
            scopes=frozenset(row["scopes"].split()),
            pages=pages,
            issued_at=row["issued_at"],
            ends_at=row["ends_at"],
            data_ends_at=row["used_at"] + DATA_SECONDS,
        )

    def app_token(self) -> str:
        """Return the app's own token, as `client_credentials` gives it."""
        return _APP_TOKEN

    def kill(self, subcode: int) -> int:
        """End every consent, and return how many that were. `subcode` of DEAD says why."""
        return self._db.execute("UPDATE fb_grant SET dead = ? WHERE dead = 0", (subcode,)).rowcount

    def connected(self) -> list[str]:
        """Return the names of the Pages the app may ask about."""
        rows = self._db.execute("SELECT pages FROM fb_grant WHERE dead = 0 LIMIT 10").fetchall()
        chosen = {page for row in rows for page in row[0].split()}
        return [page.name for page in PAGES if page.id in chosen]

    @property
    def proof_required(self) -> bool:
        """Return whether the app demands appsecret_proof with every call."""
        return bool(self._db.execute("SELECT proof_required FROM fb_app").fetchone()[0])

    def require_proof(self, on: bool) -> None:
        """Have the app demand appsecret_proof, or no longer."""
        self._db.execute("UPDATE fb_app SET proof_required = ?", (on,))

    def _grant_of(self, token: str) -> int:
        return int(self._db.execute("SELECT grant_id FROM fb_token WHERE token = ?", (token,)).fetchone()[0])

    def _made(self, grant: int, page_id: str, now: float, ends_at: float) -> Held:
        token = "EAAYpractice" + secrets.token_hex(60)
        self._db.execute(
            "INSERT INTO fb_token (token, grant_id, page_id, issued_at, ends_at) VALUES (?, ?, ?, ?, ?)",
            (token, grant, page_id, now, ends_at),
        )
        return self.known(token, now=now)


#: What `client_credentials` answers with; not the pair of id and secret, which is taken just as well.
_APP_TOKEN = f"{APP.id}|practice-facebook-app-token"


def proof_of(token: str) -> str:
    """Return the appsecret_proof of a token ("Secure Graph API Calls"): HMAC-SHA256 with the app's secret, in hex."""
    return hmac.new(APP.secret.encode(), token.encode(), sha256).hexdigest()
