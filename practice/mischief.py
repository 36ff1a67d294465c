"""Switches that make a network misbehave, each for good, or for the next few happenings only."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mischief (
    network TEXT NOT NULL,
    switch TEXT NOT NULL,
    times_left INTEGER,
    address TEXT,
    PRIMARY KEY (network, switch)
)
"""

#: Nobody needs more by count; leave the count out to misbehave until told otherwise.
MOST_TIMES = 1000


class MischiefError(ValueError):
    """The request names no such switch, or asks something of it that it cannot do."""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One way to misbehave.

    `normal` is its position while the network behaves: most are off, but what a good provider does by itself is on.
    `by_address` says whether it can be limited to one mailbox; before a login nobody knows whose connection it is.
    """

    key: str
    title: str
    hint: str
    group: str
    normal: bool = False
    by_address: bool = False


@dataclass(frozen=True)
class Position:
    """How a switch stands. `times_left` of None means: until it is moved again."""

    switch: Switch
    turned: bool
    times_left: int | None
    address: str | None

    @property
    def on(self) -> bool:
        """Return the position as people see it: a switch that is normally on and was turned is off."""
        return self.turned != self.switch.normal


class Mischief:
    """Keeps the switches of all networks; they stay as they were through a restart."""

    def __init__(self, db: sqlite3.Connection, switches: Mapping[str, Sequence[Switch]]) -> None:
        self._db = db
        self._switches = {network: {switch.key: switch for switch in known} for network, known in switches.items()}
        db.execute(_SCHEMA)

    def move(
        self, network: str, key: str, *, on: bool, times: int | None = None, address: str | None = None
    ) -> Position:
        """Put a switch into a position and return it; raise MischiefError for what cannot be."""
        switch = self._switches.get(network, {}).get(key)
        if switch is None:
            raise MischiefError(f"There is no switch {key!r} on the network {network!r}.")
        if times is not None and not 1 <= times <= MOST_TIMES:
            raise MischiefError(f"times must be from 1 to {MOST_TIMES}, or left out.")
        if address and not switch.by_address:
            raise MischiefError(f"{key} happens before anybody says who they are; it cannot be limited to one address.")
        self._db.execute("DELETE FROM mischief WHERE network = ? AND switch = ?", (network, key))
        if on != switch.normal:
            self._db.execute(
                "INSERT INTO mischief (network, switch, times_left, address) VALUES (?, ?, ?, ?)",
                (network, key, times, address.lower() if address else None),
            )
        return self.position(network, key)

    def take(self, network: str, key: str, *, address: str | None = None) -> bool:
        """Return whether to misbehave this time. Asking uses up one of the times the switch was set for."""
        position = self.position(network, key)
        if not position.turned or (position.address and position.address != address):
            return False
        if position.times_left is not None:
            if position.times_left > 1:
                self._db.execute(
                    "UPDATE mischief SET times_left = times_left - 1 WHERE network = ? AND switch = ?", (network, key)
                )
            else:
                self._db.execute("DELETE FROM mischief WHERE network = ? AND switch = ?", (network, key))
        return True

    def behave(self, network: str) -> None:
        """Put every switch of a network back to normal."""
        self._db.execute("DELETE FROM mischief WHERE network = ?", (network,))

    def position(self, network: str, key: str) -> Position:
        """Return how one switch stands."""
        row = self._db.execute(
            "SELECT times_left, address FROM mischief WHERE network = ? AND switch = ?", (network, key)
        ).fetchone()
        switch = self._switches[network][key]
        if row is None:
            return Position(switch, turned=False, times_left=None, address=None)
        return Position(switch, turned=True, times_left=row["times_left"], address=row["address"])

    def positions(self, network: str) -> list[Position]:
        """Return how all switches of a network stand, in the order the network lists them."""
        return [self.position(network, key) for key in self._switches.get(network, {})]
