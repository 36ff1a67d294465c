"""`reset`: forget everything, so that the next start begins anew."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from contactcentre.supervisor import keys, leftovers, lock, private_json, run
from contactcentre.supervisor.privileges import NEUTRAL
from contactcentre.supervisor.problem import Problem


def reset(var: Path) -> int:
    """Remove all data of `var`, the database of root's installation outside it included; gives back the exit code.

    Raises Problem while it runs, and for a folder that was never ours: a mistyped path must not cost anybody's files.
    """
    # What a reset leaves is the file of the lock that it holds.
    if not var.is_dir() or all(entry.name == run.LOCK_FILE for entry in var.iterdir()):
        print("There is nothing to forget.")
        return 0
    var = var.resolve()
    if not (var / keys.FILE_NAME).exists():
        raise Problem(f"{var} holds no installation ({keys.FILE_NAME} is missing), so nothing in it was removed.")
    held = lock.take(var / run.LOCK_FILE)
    if held is None:
        raise Problem(f"Nothing was removed: {run.already_running(var)}")
    try:
        database = _database_outside(var)
        leftovers.end([*leftovers.marked(var), *leftovers.working_in((database or var / "postgres") / "data")])
        if database is not None:
            _remove(database)
        # The file by which the folder is known goes last: a reset that is interrupted can be begun again.
        names = sorted(var.iterdir(), key=lambda entry: entry.name == keys.FILE_NAME)
        for entry in names:
            if entry.name != run.LOCK_FILE:
                _remove(entry)
    finally:
        held.release()
    print(f"All data in {var} is gone. The next start begins anew.")
    return 0


def _database_outside(var: Path) -> Path | None:
    # Read leniently: a damaged file is one of the reasons to begin anew.
    name = (private_json.read(var / keys.FILE_NAME) or {}).get("installation")
    if not isinstance(name, str) or not re.fullmatch(r"[0-9a-f]{16}", name):
        return None
    folder = NEUTRAL / "databases" / name
    return folder if folder.is_dir() else None


def _remove(entry: Path) -> None:
    try:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    except OSError as error:
        raise Problem(f"{entry} could not be removed: {error.strerror}. Remove it by hand.") from None
