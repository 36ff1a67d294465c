"""The busy hour: plausible customers on all networks for a while, and then quiet again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from practice.happenings import Happenings
from practice.network import Network

#: Bounds of one busy hour, so that a slip of the keyboard does not fill the disk.
MOST_ACTS = 1000
LONGEST = 7200.0

NETWORK = "busy hour"


class BusyError(ValueError):
    """The busy hour that was asked for is out of bounds, or one is already under way."""


@dataclass
class BusyState:
    """How far it is. `failed` counts acts that a network refused, which under mischief is as it should be."""

    running: bool = False
    acts: int = 0
    done: int = 0
    failed: int = 0


class BusyHour:
    """Starts, stops and counts. It does not survive a restart: a new start begins in peace."""

    def __init__(self, happenings: Happenings) -> None:
        self._happenings = happenings
        self._task: asyncio.Task[None] | None = None
        self.state = BusyState()

    def start(self, networks: Sequence[Network], *, acts: int, seconds: float, seed: int | None) -> None:
        """Begin with `acts` acts spread over `seconds`; the same seed plays the same hour. Raises BusyError."""
        if not 1 <= acts <= MOST_ACTS or not 0 <= seconds <= LONGEST:
            raise BusyError(f"acts must be from 1 to {MOST_ACTS}, seconds from 0 to {LONGEST:.0f}.")
        if self.state.running:
            raise BusyError("A busy hour is under way. Stop it first.")
        self.state = BusyState(running=True, acts=acts)
        self._task = asyncio.create_task(self._play(networks, seconds / acts, Random(seed)))
        self._happenings.note(NETWORK, "started", f"A busy hour began: {acts} acts in {seconds:.0f} seconds.")

    async def stop(self) -> None:
        """End it; an act in the middle is left unfinished."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _play(self, networks: Sequence[Network], pause: float, random: Random) -> None:
        try:
            for _ in range(self.state.acts):
                # Uneven pauses with the right average: customers do not queue at the letterbox.
                await asyncio.sleep(random.uniform(0, 2 * pause))
                try:
                    await random.choice(networks).play(random)
                    self.state.done += 1
                except OSError as error:
                    # smtplib's errors are OSErrors too: a network that refuses must not end the hour.
                    self.state.failed += 1
                    self._happenings.note(NETWORK, "failed", f"An act failed: {error}")
        finally:
            self.state.running = False
            self._happenings.note(NETWORK, "ended", f"The busy hour ended after {self.state.done} acts.")
