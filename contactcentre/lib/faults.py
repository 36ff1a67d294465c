"""Named points at which a test may kill or freeze the process: how the promise "any process may be killed at any
moment" is proven.

Outside practice mode, and wherever CONTACTCENTRE_FAULTS is not set, a point does nothing and costs two look-ups.
CONTACTCENTRE_FAULTS names a folder. A file there called like a point arms it once; its content is the act:

`kill`  the process that reaches the point ends by SIGKILL.
`hang`  the thread that reaches it renames the file to `<point>.reached` and waits until somebody removes that.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Literal

from django.conf import settings

VARIABLE = "CONTACTCENTRE_FAULTS"

POINTS = frozenset(
    {
        "delivery.before_claim",
        "delivery.after_claim",
        "delivery.before_write",
        "delivery.after_write",
        "delivery.after_commit",
        "hook.before_commit",
        "hook.after_commit",
        "intake.before_item",
        "intake.after_receive",
        "intake.after_commit",
        "poll.after_fetch",
        "poll.after_commit",
    }
)

Act = Literal["kill", "hang"]

# A frozen process nobody wakes goes on after this many seconds, so that a broken test leaves nothing behind.
_HANG_SECONDS = 120
_LOOK_SECONDS = 0.01


def point(name: str) -> None:
    """Do here what the fault armed for this point says; without one, return at once.

    Raises ValueError for a name that POINTS does not list, wherever faults are armed at all.
    """
    folder = os.environ.get(VARIABLE)
    if not folder or not settings.PRACTICE:
        return
    _known(name)
    _fire(Path(folder) / name)


def arm(folder: Path, name: str, act: Act) -> None:
    """Let the next process that reaches the point be killed, or the next thread be frozen."""
    _known(name)
    unfinished = folder / f"{name}.new"
    unfinished.write_text(act, encoding="ascii")
    # In one step: a point must never find the file without its content.
    unfinished.rename(folder / name)


def reached(folder: Path, name: str) -> Path:
    """The file that exists while somebody hangs at the point; removing it lets them go on."""
    _known(name)
    return folder / f"{name}.reached"


def _known(name: str) -> None:
    if name not in POINTS:
        raise ValueError(f"{name} is no fault point")


def _fire(armed: Path) -> None:
    taken = armed.with_name(f"{armed.name}.reached")
    try:
        # Read first: once it is renamed, whoever waits for us may remove it. Renaming decides which one of several
        # processes takes the fault.
        act = armed.read_text(encoding="ascii").strip()
        armed.rename(taken)
    except FileNotFoundError:
        return
    if act == "kill":
        taken.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    ends = time.monotonic() + _HANG_SECONDS
    while taken.exists() and time.monotonic() < ends:
        time.sleep(_LOOK_SECONDS)
