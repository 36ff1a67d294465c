"""The two embedded servers together: started side by side, ready when both answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contactcentre.supervisor import postgres, privileges, valkey
from contactcentre.supervisor.keeper import Keeper
from contactcentre.supervisor.keys import Keys
from contactcentre.supervisor.postgres import Postgres
from contactcentre.supervisor.valkey import Valkey

# A database that was killed while it wrote a lot goes through its log first.
READY_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Servers:
    """PostgreSQL and Valkey of one var folder."""

    postgres: Postgres
    valkey: Valkey

    def start(self, keeper: Keeper) -> None:
        """Start both and wait until both can be used. Raises Problem or Stopped."""
        self.valkey.prepare()
        keeper.start(self.valkey.child())
        self.postgres.prepare()
        keeper.start(self.postgres.child())
        keeper.wait_for(lambda: self._postgres_is_ready(keeper), what="PostgreSQL", seconds=READY_SECONDS)
        self.postgres.make_database()
        keeper.wait_for(self.valkey.is_ready, what="Valkey", seconds=READY_SECONDS)

    def _postgres_is_ready(self, keeper: Keeper) -> bool:
        pid = keeper.pid("postgres")
        return pid is not None and self.postgres.is_ready(pid)


def postgres_home(var: Path, keys: Keys) -> Path:
    """Where the database of `var` lies: in it, or for root in the neutral folder, since the unprivileged user may not
    be able to enter `var`."""
    if privileges.unprivileged() is None:
        return var / "postgres"
    return privileges.neutral_folder("databases") / keys.installation


def make(
    *, var: Path, home: Path, keys: Keys, postgres_port: int, valkey_port: int, throwaway: bool = False
) -> Servers:
    """The servers of `var`, with the database under `home`. Raises Problem when a program is missing."""
    account = privileges.unprivileged()
    return Servers(
        postgres=Postgres(
            binaries=postgres.binaries(account),
            home=home,
            port=postgres_port,
            keys=keys,
            account=account,
            var=var,
            throwaway=throwaway,
        ),
        valkey=Valkey(
            program=valkey.program(),
            home=var / "valkey",
            port=valkey_port,
            keys=keys,
            var=var,
            throwaway=throwaway,
        ),
    )
