"""What an installation keeps to itself: its keys and the passwords of its embedded servers (var/secrets.json)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from contactcentre.supervisor import private_json
from contactcentre.supervisor.problem import Problem

FILE_NAME = "secrets.json"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Made once, on the first start. Whoever loses them loses the stored credentials and the database's password."""

    installation: str  # names this installation's database folder where that cannot lie in the var folder
    secret_key: str
    encryption_keys: str
    database_password: str
    database_admin_password: str
    redis_password: str


def fresh() -> Keys:
    """New keys. The passwords are hexadecimal, so that they need no quoting in an address."""
    return Keys(
        installation=secrets.token_hex(8),
        secret_key=secrets.token_urlsafe(50),
        # The form of a Fernet key: 32 random bytes, URL-safe base64.
        encryption_keys=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii"),
        database_password=secrets.token_hex(16),
        database_admin_password=secrets.token_hex(16),
        redis_password=secrets.token_hex(16),
    )


def load(var: Path) -> Keys | None:
    """The keys kept in `var`, or None if it has none yet. Raises Problem when the file is there and cannot be used."""
    path = var / FILE_NAME
    if not path.exists():
        return None
    content = private_json.read(path) or {}
    names = [field.name for field in fields(Keys)]
    missing = [name for name in names if not isinstance(content.get(name), str) or not content[name]]
    if missing:
        raise Problem(f"{path} lacks {', '.join(missing)}. Put the file back, or begin anew with: make reset")
    return Keys(**{name: content[name] for name in names})


def load_or_make(var: Path) -> Keys:
    """The keys kept in `var`, made and kept there if it has none."""
    kept = load(var)
    if kept is None:
        kept = fresh()
        private_json.write(var / FILE_NAME, asdict(kept))
    return kept
