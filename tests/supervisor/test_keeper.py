"""Children that die, that do not listen, that have children of their own, that outlive nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contactcentre.supervisor import keeper as keeping
from contactcentre.supervisor import leftovers
from contactcentre.supervisor.environment import PROJECT
from contactcentre.supervisor.keeper import Keeper
from contactcentre.supervisor.problem import Problem
from contactcentre.supervisor.process import MARK, Child
from tests.supervisor.starts import lives, wait_until

SECONDS = 15


@dataclass
class Kept:
    """A keeper and what it showed and said."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Keeper(line=lambda name, text: self.lines.append(f"{name}: {text}"), say=self.said.append)

    def child(self, code: str, *, name: str = "child", stop_seconds: float = 5) -> Child:
        """A child of the shell."""
        return Child(
            name=name,
            command=["/bin/sh", "-c", code],
            folder=self.folder,
            environment={"PATH": os.environ["PATH"], MARK: str(self.folder)},
            stop_seconds=stop_seconds,
        )

    def until_line(self, line: str) -> None:
        self.keeper.wait_for(lambda: line in self.lines, what=line, seconds=SECONDS)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(folder=tmp_path)
    with kept.keeper.listening():
        yield kept
        kept.keeper.stop()


def test_lines_carry_the_childs_name_also_the_last_one_without_an_end(kept: Kept) -> None:
    code, _ = kept.keeper.run_once(kept.child("echo one; echo two >&2; printf three; exit 3"), seconds=SECONDS)
    assert code == 3
    assert kept.lines == ["child: one", "child: two", "child: three"]


def test_lines_not_worth_showing_are_hidden(kept: Kept) -> None:
    chatty = kept.child("echo advice nobody asked for; echo news")
    kept.keeper.run_once(Child(**vars(chatty) | {"hides": ("advice",)}), seconds=SECONDS)
    assert kept.lines == ["child: news"]


def test_bytes_that_are_no_text_and_a_line_without_end_do_no_harm(kept: Kept) -> None:
    endless = "printf '\\377\\n'; head -c 200000 /dev/zero | tr '\\0' x"
    kept.keeper.run_once(kept.child(endless), seconds=SECONDS)
    assert kept.lines[0] == "child: �"
    assert sum(line.count("x") for line in kept.lines) == 200000
    assert max(map(len, kept.lines)) < 2 * keeping.LINE_BYTES


def test_a_child_that_dies_is_started_again_later_each_time_and_this_is_said(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BACKOFF", (0.01, 0.02, 0.04))
    kept.keeper.start(kept.child("echo up; exit 1"))
    kept.keeper.wait_for(lambda: len(kept.said) >= 4, what="four deaths", seconds=SECONDS)
    assert kept.said[:4] == [
        "child ended (exit code 1); starting it again in 0.01 s",
        "child ended (exit code 1); starting it again in 0.02 s, start 3 in a row",
        "child ended (exit code 1); starting it again in 0.04 s, start 4 in a row",
        "child ended (exit code 1); starting it again in 0.04 s, start 5 in a row",
    ]
    assert kept.lines.count("child: up") >= 3


def test_a_program_that_is_missing_is_tried_again_too(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BACKOFF", (0.01,))
    missing = Child(name="child", command=["/nowhere/program"], folder=kept.folder, environment={})
    kept.keeper.start(missing)
    kept.keeper.wait_for(lambda: len(kept.said) >= 2, what="two tries", seconds=SECONDS)
    assert "cannot be started" in kept.said[0]
    with pytest.raises(Problem, match="cannot be started"):
        kept.keeper.run_once(missing, seconds=SECONDS)


def test_a_killed_child_takes_its_own_children_with_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BACKOFF", (60.0,))
    kept.keeper.start(kept.child("sleep 300 & echo $!; wait"))
    kept.keeper.wait_for(lambda: bool(kept.lines), what="the grandchild", seconds=SECONDS)
    grandchild = int(kept.lines[0].removeprefix("child: "))
    os.kill(kept.keeper.pids["child"], signal.SIGKILL)
    kept.keeper.wait_for(lambda: bool(kept.said), what="the death", seconds=SECONDS)
    assert kept.said == ["child ended (killed by SIGKILL); starting it again in 60 s"]
    wait_until(lambda: not lives(grandchild), what="the grandchild's end")


def test_stopping_is_by_force_once_patience_ends(kept: Kept) -> None:
    kept.keeper.start(kept.child("trap '' TERM; echo deaf; while :; do sleep 0.2; done", stop_seconds=0.3))
    kept.until_line("child: deaf")
    pid = kept.keeper.pids["child"]
    kept.keeper.stop()
    assert not lives(pid)
    assert kept.keeper.pids == {}


def test_higher_stages_stop_before_lower_ones(kept: Kept) -> None:
    code = "trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.05; done"
    kept.keeper.start(Child(**vars(kept.child(code, name="server")) | {"stage": 0}))
    kept.keeper.start(kept.child(code, name="product"))
    kept.until_line("server: up")
    kept.until_line("product: up")
    kept.keeper.stop()
    assert kept.lines[2:] == ["product: bye", "server: bye"]


def test_children_do_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only the Linux kernel can do this; elsewhere the next start cleans up")
    code = f"""
import os
from pathlib import Path
from contactcentre.supervisor.keeper import Keeper
from contactcentre.supervisor.process import MARK, Child
keeper = Keeper(line=print, say=print)
keeper.start(Child(name="child", command=["sleep", "300"], folder=Path("/"),
                   environment={{"PATH": os.environ["PATH"], MARK: {str(tmp_path)!r}}}))
print(keeper.pids["child"], flush=True)
keeper.keep()
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert lives(child)
        supervisor.kill()
    wait_until(lambda: not lives(child), what="the child's end")


def test_leftovers_are_known_by_their_mark_and_ended_even_when_they_do_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "PATIENCE_SECONDS", 0.3)
    deaf = ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.2; done"]
    environment = {"PATH": os.environ["PATH"], MARK: str(tmp_path)}
    with (
        subprocess.Popen(deaf, env=environment, stdout=subprocess.PIPE) as ours,
        subprocess.Popen(["sleep", "300"], env=environment | {MARK: "/elsewhere"}) as others,
    ):
        assert ours.stdout is not None
        ours.stdout.readline()
        leftovers.end(leftovers.marked(tmp_path))
        left = (lives(ours.pid), lives(others.pid))
        ours.kill()
        others.kill()
    assert left == (False, True)


def test_waiting_has_an_end(kept: Kept) -> None:
    before = time.monotonic()
    with pytest.raises(Problem, match="The moon was not ready within 0 s"):
        kept.keeper.wait_for(lambda: False, what="The moon", seconds=0.2)
    assert time.monotonic() - before < 5
