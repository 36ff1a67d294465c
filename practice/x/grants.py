"""OAuth 2.0 with PKCE as X does it: codes, tokens, and who holds them (RFC 6749, RFC 7636; docs.x.com, OAuth 2.0)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from practice.database import transaction
from practice.x.tuning import Tuning

#: Every scope an app can ask X for.
SCOPES = frozenset(
    f"{thing}.{act}"
    for thing, acts in {
        "block": ("read", "write"),
        "bookmark": ("read", "write"),
        "dm": ("read", "write"),
        "follows": ("read", "write"),
        "like": ("read", "write"),
        "list": ("read", "write"),
        "media": ("write",),
        "mute": ("read", "write"),
        "offline": ("access",),
        "space": ("read",),
        "timeline": ("read",),
        "tweet": ("read", "write", "moderate.write"),
        "users": ("read",),
    }.items()
    for act in acts
)


@dataclass(frozen=True, kw_only=True)
class App:
    """A developer's app as X knows it. The bearer token is the app's own, without a user."""

    id: str
    name: str
    client_id: str
    client_secret: str
    bearer_token: str


#: The one app there is. Plainly no secrets: they open nothing but this make-believe.
APP = App(
    id="30000201",
    name="Acme contact centre",
    client_id="practice-x-client",
    client_secret="practice-x-secret",
    bearer_token="practice-x-app-bearer",
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS x_code (
    code TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    challenge TEXT NOT NULL,
    ends_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS x_grant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    refresh_token TEXT UNIQUE
);
CREATE TABLE IF NOT EXISTS x_token (
    token TEXT PRIMARY KEY,
    grant_id INTEGER NOT NULL REFERENCES x_grant (id) ON DELETE CASCADE,
    ends_at REAL NOT NULL
);
"""


class GrantError(Exception):
    """A token request that X refuses: `status` is HTTP's, `error` and the text are RFC 6749's two members."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


@dataclass(frozen=True)
class Held:
    """What a token allows: whose it is, and the scopes."""

    user_id: str
    scopes: frozenset[str]


class Grants:
    """Hands out codes and tokens, and knows them again."""

    def __init__(self, db: sqlite3.Connection, tuning: Tuning) -> None:
        self._db = db
        self._tuning = tuning
        db.executescript(_SCHEMA)

    def code(self, *, user_id: str, redirect_uri: str, scope: str, challenge: str, now: float) -> str:
        """Return a code for what a user just allowed. It lives for seconds and can be used once."""
        code = secrets.token_urlsafe(48)
        self._db.execute("DELETE FROM x_code WHERE ends_at < ?", (now,))
        self._db.execute(
            "INSERT INTO x_code (code, user_id, redirect_uri, scope, challenge, ends_at) VALUES (?, ?, ?, ?, ?, ?)",
            (code, user_id, redirect_uri, scope, challenge, now + self._tuning.seconds("code_seconds")),
        )
        return code

    def exchange(self, fields: Mapping[str, str], *, now: float) -> dict[str, object]:
        """Return the first tokens for a code; raise GrantError. A code is used up by trying."""
        for name in ("code", "redirect_uri", "code_verifier"):
            if not fields.get(name):
                raise GrantError("invalid_request", f"Missing required parameter [{name}].")
        with transaction(self._db):
            row = self._db.execute("DELETE FROM x_code WHERE code = ? RETURNING *", (fields["code"],)).fetchone()
        if row is None or row["ends_at"] < now:
            raise GrantError("invalid_request", "Value passed for the authorization code was invalid.")
        if row["redirect_uri"] != fields["redirect_uri"]:
            raise GrantError(
                "invalid_request", "Value passed for the redirect uri did not match the uri of the authorization code."
            )
        if not hmac.compare_digest(row["challenge"].encode(), challenge_of(fields["code_verifier"]).encode()):
            raise GrantError("invalid_request", "Value passed for the code verifier did not match the code challenge.")
        with transaction(self._db):
            grant = self._db.execute(
                "INSERT INTO x_grant (user_id, scope) VALUES (?, ?)", (row["user_id"], row["scope"])
            ).lastrowid
            return self._tokens(grant or 0, row["scope"], now)

    def refresh(self, refresh_token: str, *, now: float) -> dict[str, object]:
        """Return new tokens for a refresh token, which dies by that; raise GrantError for one that is dead already."""
        row = self._db.execute("SELECT id, scope FROM x_grant WHERE refresh_token = ?", (refresh_token,)).fetchone()
        if row is None:
            raise GrantError("invalid_request", "Value passed for the token was invalid.")
        with transaction(self._db):
            return self._tokens(row["id"], row["scope"], now)

    def revoke(self, token: str) -> None:
        """Take back the grant a token belongs to, with all its tokens. An unknown token is none of our business."""
        self._db.execute(
            "DELETE FROM x_grant WHERE refresh_token = :token "
            "OR id IN (SELECT grant_id FROM x_token WHERE token = :token)",
            {"token": token},
        )

    def revoke_user(self, user_id: str) -> int:
        """Take back everything a user ever allowed, and return how many grants that were."""
        return self._db.execute("DELETE FROM x_grant WHERE user_id = ?", (user_id,)).rowcount

    def holder(self, token: str, *, now: float) -> Held | None:
        """Return what an access token allows, or None for one that is dead or never lived."""
        row = self._db.execute(
            "SELECT user_id, scope FROM x_token JOIN x_grant ON x_grant.id = grant_id WHERE token = ? AND ends_at > ?",
            (token, now),
        ).fetchone()
        return Held(row["user_id"], frozenset(row["scope"].split())) if row else None

    def users(self) -> list[str]:
        """Return the ids of those who have allowed something."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT user_id FROM x_grant LIMIT 100")]

    def _tokens(self, grant: int, scope: str, now: float) -> dict[str, object]:
        seconds = self._tuning.seconds("token_seconds")
        access = secrets.token_urlsafe(48)
        self._db.execute("DELETE FROM x_token WHERE ends_at < ?", (now,))
        self._db.execute(
            "INSERT INTO x_token (token, grant_id, ends_at) VALUES (?, ?, ?)", (access, grant, now + seconds)
        )
        answer: dict[str, object] = {
            "token_type": "bearer",
            "expires_in": int(seconds),
            "access_token": access,
            "scope": scope,
        }
        if "offline.access" in scope.split():
            answer["refresh_token"] = secrets.token_urlsafe(48)
            self._db.execute("UPDATE x_grant SET refresh_token = ? WHERE id = ?", (answer["refresh_token"], grant))
        return answer


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
