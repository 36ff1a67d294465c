"""Where the fault cases are played: a product with four channels, its customers, and what can be killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

import psutil
import psycopg2
import requests

from contactcentre.lib import faults
from tests.faults.voices import PATIENCE, Voice
from tests.flows import at_facebook, at_x
from tests.running import Never, Running, until

V = TypeVar("V", bound=Voice)


class Theatre:
    """A started product, connected on all four channels; Facebook and the telephone are switched on."""

    def __init__(self, product: Running) -> None:
        self.product = product
        self.admin = product.signed_in("admin")
        self.lead = product.signed_in("lead")
        networks = product.got("/people.json")["networks"]
        self.x = at_x.AtX(product, str(networks["x"]["origin"]))
        self.facebook = at_facebook.AtFacebook(product, str(networks["facebook"]["origin"]))
        self.x.behave()
        self.played: set[str] = set()
        self._voices: dict[tuple[str, type[Voice]], Voice] = {}
        for (account,) in product.rows("SELECT id FROM channels_channelaccount WHERE kind = 'email'"):
            assert self.admin.post(f"/settings/accounts/{account}/pause/").ok
        self.x.consent(at_x.CARE)
        self.facebook.connect(at_facebook.CARE)
        polling = "SELECT 1 FROM channels_channelaccount WHERE lease_token IS NOT NULL OR state = 'active'"
        polling += " AND kind <> 'phone' AND polled_at IS NULL"
        until(lambda: not product.rows(polling), what="the end of the first polls")
        until(
            lambda: all(line["hook_url"] for line in product.got("/practice/telephony/lines")["lines"]),
            what="the lines' hooks",
        )

    def switch_on(self, address: str) -> None:
        """Let this account be fetched from, at once."""
        account = self.product.value("SELECT id FROM channels_channelaccount WHERE address = %s", address)
        assert self.admin.post(f"/settings/accounts/{account}/resume/").ok

    # ------------------------------------------------------------ the customers

    def voice(self, case: str, kind: type[V]) -> V:
        """The customer of this case who speaks on this channel."""
        if (case, kind) not in self._voices:
            name = f"{case}-{kind.__name__.removeprefix('By').lower()}"
            self._voices[case, kind] = kind(self.product, self.lead, self.x, self.facebook, name)
        found = self._voices[case, kind]
        assert isinstance(found, kind)
        return found

    def voices(self, case: str) -> list[Voice]:
        """Everybody who speaks in this case."""
        return [voice for (played, _kind), voice in self._voices.items() if played == case]

    # ------------------------------------------------------------ what can be killed

    def arm(self, point: str) -> None:
        """Let the next process that comes to the point be killed."""
        faults.arm(self.product.faults, point, "kill")

    def died(self, point: str) -> None:
        """Wait until somebody was killed there."""
        armed, taken = self.product.faults / point, faults.reached(self.product.faults, point)
        until(lambda: not armed.exists() and not taken.exists(), what=f"a death at {point}", seconds=PATIENCE)

    @contextmanager
    def held_at(self, point: str) -> Iterator[None]:
        """Whoever comes to the point because of what is done within stays there until `let_go`, or until killed."""
        faults.arm(self.product.faults, point, "hang")
        yield
        # The file of one who waits there already is the same, so only the disappearing of the new one tells.
        armed = self.product.faults / point
        until(lambda: not armed.exists(), what=f"somebody at {point}", seconds=PATIENCE)

    def let_go(self, point: str) -> None:
        """Let everybody who is held at the point go on."""
        faults.reached(self.product.faults, point).unlink()

    def kill(self, name: str) -> int:
        """SIGKILL one process, without waiting for the next; its id. Nobody is held at a point any more."""
        pid = int(self.product.file()["pids"][name])
        process = psutil.Process(pid)
        # Those of PostgreSQL see a moment later that it is gone, and would still serve who is let go until then.
        served = process.children(recursive=True)
        os.kill(pid, signal.SIGKILL)
        _gone, left = psutil.wait_procs([process, *served], timeout=PATIENCE)
        assert not left, left
        for taken in self.product.faults.glob("*.reached"):
            taken.unlink()
        return pid

    def is_back(self, name: str, killed: int) -> None:
        """Wait until the supervisor has started another."""
        pids = self.product.file
        until(
            lambda: pids().get("pids", {}).get(name) not in (None, killed), what=f"another {name}", seconds=PATIENCE
        )

    def kill_everything(self) -> None:
        """SIGKILL the supervisor and all it started."""
        assert self.product.process is not None
        supervisor = psutil.Process(self.product.process.pid)
        for process in [supervisor, *supervisor.children(recursive=True)]:
            # It may have ended with one that was killed before it.
            if process.is_running():
                process.kill()
        self.product.process.wait(30)

    def pages_answer(self) -> None:
        """Wait until the inbox opens again."""

        def opens() -> bool:
            try:
                return self.lead.get("/").status_code == 200
            except requests.RequestException:
                return False

        until(opens, what="the inbox opens", seconds=PATIENCE)

    # ------------------------------------------------------------ what must be true

    def ledger(self, kind: str) -> int:
        """How many items of a channel are in the ledger."""
        return int(self.product.value("SELECT count(*) FROM channels_ledgeritem WHERE kind = %s", kind))

    def recorded(self, text: str) -> int:
        """How many items of the ledger hold these words."""
        sql = "SELECT count(*) FROM channels_ledgerbody WHERE position(convert_to(%s, 'UTF8') in body) > 0"
        return int(self.product.value(sql, text))

    def outbox(self, message: int) -> tuple[str, int]:
        """State and attempts of an answer's one row."""
        found = self.product.rows(
            "SELECT state, attempts FROM channels_outbound WHERE reference = %s", f"message:{message}"
        )
        assert len(found) == 1
        return found[0]

    def nothing_leaves(self) -> None:
        """Wait until no answer is under way or looked for: none but the next one will come to a sender's point."""
        waiting = "SELECT 1 FROM channels_outbound WHERE state IN ('queued', 'sending', 'retry')"
        waiting += " OR state = 'unknown' AND next_look_at IS NOT NULL"
        until(lambda: not self.product.rows(waiting), what="the end of all sending", seconds=PATIENCE)

    def comes_to(self, message: int, state: str, attempts: int) -> None:
        """Wait until an answer's row and its bubble show this state, and it took so many attempts."""
        try:
            until(
                lambda: (self.outbox(message)[0], self.lead.state(message)) == (state, state),
                what=f"answer {message} is {state}",
                seconds=PATIENCE,
            )
        except Never as never:
            raise Never(f"{never}: {self.outbox(message)}, {self.lead.state(message)}") from None
        assert self.outbox(message) == (state, attempts)

    def books_balance(self) -> None:
        """Wait until nothing is pending; everything seen is booked once, and nothing is quarantined."""
        # In one statement, because networks go on telling.
        booked = 'SELECT sum(delta) FILTER (WHERE "column" = %s), sum(delta) FILTER (WHERE "column" <> %s),'
        booked += ' coalesce(sum(delta) FILTER (WHERE "column" = %s), 0),'
        booked += ' coalesce(sum(delta) FILTER (WHERE "column" = %s), 0),'
        booked += " (SELECT count(*) FROM channels_ledgeritem) FROM channels_ledgercount"

        def settled() -> tuple[int, ...] | None:
            found = self.product.rows(booked, "seen", "seen", "pending", "quarantined")[0]
            seen, all_else, pending, quarantined, items = map(int, found)
            return None if pending else (seen, all_else, items, quarantined)

        seen, all_else, items, quarantined = until(settled, what="nothing pending", seconds=PATIENCE)
        assert (seen, items, quarantined) == (all_else, all_else, 0)


@contextmanager
def stuck_at(product: Running, ticket: int) -> Iterator[None]:
    """Within it whoever acts on the ticket waits."""
    with closing(psycopg2.connect(product.file()["database_url"], connect_timeout=3)) as holder:
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tickets_ticket WHERE id = %s FOR UPDATE", [ticket])
        yield


def is_waiting_for_a_ticket(product: Running) -> bool:
    """Whether somebody waits for a ticket's row."""
    # Not by the statement's words: of one that is planned once a connection the server shows only its name. Who waits
    # for a row has a lock on its table, a weak one.
    waiting = (
        "SELECT 1 FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND relation = 'tickets_ticket'::regclass"
    )
    return bool(product.rows(waiting))


@contextmanager
def in_the_background(act: Callable[[], object]) -> Iterator[None]:
    """The act goes on beside what is done within, and is over after it."""
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()
