"""PostgreSQL refuses to run as root. As root it gets an ordinary user and a neutral folder; nothing else is touched."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from contactcentre.supervisor.problem import Problem

# A project in a root-only home cannot be entered by an ordinary user, and widening the home's mode to let it in would
# open the whole home. So what that user needs lies here.
NEUTRAL = Path("/var/lib/contactcentre")
USER_NAME = "nobody"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """The user PostgreSQL runs as when we are root; None when we are an ordinary user ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        raise Problem(
            f"PostgreSQL does not run as root and this machine has no user '{USER_NAME}': start as an ordinary user."
        ) from None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def neutral_folder(*parts: str) -> Path:
    """A folder of ours under NEUTRAL that everybody may pass through and only root may change; made if missing."""
    folder = NEUTRAL
    for part in ("", *parts):
        folder = folder / part
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            # Set rather than left to the umask, which may be 077.
            folder.chmod(0o711)
    return folder


def own(folder: Path, account: Account | None) -> None:
    """Make `folder` (ours) private to `account`, or to us."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
