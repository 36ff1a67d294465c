"""`run`: the whole product under one supervisor, until Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contactcentre.supervisor import keys, leftovers, lock, runfile, servers, stack
from contactcentre.supervisor.keeper import Keeper
from contactcentre.supervisor.problem import Problem, Stopped
from contactcentre.supervisor.runfile import RunFile
from contactcentre.supervisor.stack import Layout, Stack

LOCK_FILE = "lock"
STEP_SECONDS = 600
WEB_SECONDS = 90
PRACTICE_SECONDS = 30
ROLES = ("agent", "lead", "admin")
NAME_WIDTH = len("worker-delivery")


def run(var: Path, *, layout: Layout = stack.product) -> int:
    """Start everything of `var` and keep it running; gives back the exit code once somebody asked for the end.

    Beside a start that already runs it says where, and gives back 0. Raises Problem.
    """
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    var = var.resolve()
    held = lock.take(var / LOCK_FILE)
    if held is None:
        _say(already_running(var))
        return 0
    try:
        return _run(var, layout)
    finally:
        held.release()


def already_running(var: Path) -> str:
    """The line for whoever finds `var` in use."""
    told = runfile.read(var) or {}
    pid = told.get("pids", {}).get("supervisor")
    process = f" (process {pid})" if pid else ""
    if "inbox" in told:
        return f"it already runs{process}: {told['inbox']} — stop it there with Ctrl-C, or with: kill {pid}"
    return f"it is being started by another process{process} at this moment"


def _run(var: Path, layout: Layout) -> int:
    run_file = RunFile(var)
    run_file.remove()
    own = keys.load_or_make(var)
    home = servers.postgres_home(var, own)
    keeper = Keeper(line=_show, say=_say)
    keeper.changed = lambda: run_file.set(pids={"supervisor": os.getpid(), **keeper.pids})
    keeper.changed()
    with keeper.listening():
        try:
            # Before the ports are chosen: what an earlier start left behind may still hold them.
            _end_leftovers(var, home)
            chosen = stack.choose_ports(var, say=_say)
            both = servers.make(
                var=var, home=home, keys=own, postgres_port=chosen["postgres"], valkey_port=chosen["valkey"]
            )
            both.start(keeper)
            run_file.set(database_url=both.postgres.url, redis_url=both.valkey.url)
            sign_in = _start(keeper, layout(var, both, chosen), chosen)
            told = {
                "inbox": stack.address(chosen["web"]) + "/",
                "practice": stack.address(chosen["practice"]) + "/",
                "sign_in": sign_in,
            }
            run_file.set(**told)
            _tell(told, run_file.path)
            keeper.keep()
        except Stopped:
            # Ctrl-C during the start: an end like any other.
            pass
        finally:
            if keeper.stop_asked:
                _say("stopping; once more Ctrl-C ends everything at once")
            keeper.stop()
            run_file.remove()
    return 0


def _end_leftovers(var: Path, home: Path) -> None:
    found = [*leftovers.marked(var), *leftovers.working_in(home / "data")]
    if found:
        _say(f"an earlier start was killed and left {len(found)} processes running; ending them")
        leftovers.end(found)


def _start(keeper: Keeper, what: Stack, chosen: Mapping[str, int]) -> dict[str, Any]:
    """Prepare the data, start the children, wait for the two pages. Gives back the sign-ins."""
    code, written = keeper.run_once(what.prepare, capture=True, seconds=STEP_SECONDS)
    sign_in = sign_ins(written)
    if code != 0 or not sign_in:
        for line in written.splitlines():
            _show(what.prepare.name, line)
        raise Problem(f"{what.prepare.name} failed (exit code {code}); see the lines above.")
    for child in what.pages:
        keeper.start(child)
    keeper.wait_for(_answers(chosen["web"]), what="The web process", seconds=WEB_SECONDS)
    for child in what.workers:
        keeper.start(child)
    try:
        keeper.wait_for(_answers(chosen["practice"]), what="The practice page", seconds=PRACTICE_SECONDS)
    except Problem as problem:
        # The inbox works without it, and the one who is mending it wants the rest to run.
        _say(str(problem))
    return sign_in


def sign_ins(written: str) -> dict[str, Any]:
    """The sign-ins in what `prepare` wrote: the value of `sign_in` of the JSON object in it, empty if none.
    Log lines may stand around it, because both of a child's outputs come to us as one."""
    decoder = json.JSONDecoder()
    at = 0
    while (at := written.find("{", at)) >= 0:
        try:
            found, _ = decoder.raw_decode(written, at)
        except ValueError:
            found = None
        if isinstance(found, dict) and isinstance(found.get("sign_in"), dict):
            return dict(found["sign_in"])
        at += 1
    return {}


def _answers(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            return False
        return True

    return ready


def _tell(told: dict[str, Any], path: Path) -> None:
    lines = [
        "The contact centre is running.",
        "",
        f"  Inbox             {told['inbox']}",
        f"  Be the customer   {told['practice']}",
        "",
    ]
    for role in ROLES:
        entry = told["sign_in"].get(role)
        if entry:
            lines.append(f"  Sign in as {role:<6} {entry['username']}  password  {entry['password']}")
    lines += ["", f"  Ctrl-C stops it. The same for scripts: {path}"]
    print("\n" + "\n".join(lines) + "\n", flush=True)


def _show(name: str, text: str) -> None:
    # A terminal that was closed takes no more lines, and its end is what asks us to stop everything in order.
    with contextlib.suppress(OSError):
        print(f"{f'[{name}]':<{NAME_WIDTH + 2}} {text}", flush=True)


def _say(text: str) -> None:
    _show("supervisor", text)
