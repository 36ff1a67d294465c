"""Ports, files, keys and the sign-ins: what needs no process."""

from __future__ import annotations

import errno
import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contactcentre.supervisor import environment, keys, lock, ports, private_json, reset, run, runfile, servers, stack
from contactcentre.supervisor.problem import Problem
from contactcentre.supervisor.runfile import RunFile


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", ports.free())) as server:
        yield server.getsockname()[1]


def test_a_preferred_port_that_is_free_is_taken_without_a_word() -> None:
    said: list[str] = []
    port = ports.free()
    assert ports.preferred("web", port, taken=[], say=said.append) == port
    assert said == []


def test_a_port_in_use_gives_the_next_free_one_and_says_so(busy_port: int) -> None:
    said: list[str] = []
    port = ports.preferred("web", busy_port, taken=[busy_port + 1], say=said.append)
    assert port > busy_port + 1
    assert said == [f"port {busy_port} is in use, so web takes {port}"]


def test_a_port_that_another_start_has_just_chosen_is_not_chosen_again() -> None:
    # Whoever chose it listens seconds later, so the port itself still looks free.
    port = ports.free()
    choose = f"from contactcentre.supervisor import ports; ports.preferred('web', {port}, taken=[], say=print)"
    command = [sys.executable, "-c", f"{choose}; print('chosen', flush=True); input()"]
    said: list[str] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "chosen\n"
        assert ports.is_free(port)
        assert ports.preferred("web", port, taken=[], say=said.append) > port
        other.kill()
    assert said[0].startswith(f"port {port} is in use")
    assert ports.preferred("web", port, taken=[], say=said.append) == port


def test_where_claims_are_forbidden_a_free_port_is_chosen_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(socket.socket):
        def bind(self, address: object) -> None:
            if self.family == socket.AF_UNIX:
                raise PermissionError(errno.EACCES, "not here")
            super().bind(address)  # type: ignore[arg-type]

    port = ports.free()
    monkeypatch.setattr(ports.socket, "socket", Forbidden)
    assert ports.preferred("web", port, taken=[], say=print) == port


def test_free_ports_lie_outside_the_range_of_outgoing_connections() -> None:
    # Some sandboxes hand them out from 16000 on, Linux from 32768.
    assert ports.FIRST <= ports.free() <= ports.LAST < 16000


def test_a_port_is_not_chosen_twice_in_a_row_though_nobody_listens_yet() -> None:
    assert len({ports.free() for _ in range(10)}) == 10


def test_two_processes_choose_from_different_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    for pid in (7000, 7001):
        monkeypatch.setattr(ports.os, "getpid", lambda pid=pid: pid)
        chosen.append({ports.free() for _ in range(20)})
    assert not chosen[0] & chosen[1]


def test_when_a_process_has_used_up_its_own_it_takes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {ports.free() for _ in range(ports.OF_A_PROCESS)}
    assert ports.free(taken=own) not in own


def test_freely_chosen_ports_are_the_same_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, _ in stack.PORTS.values():
        monkeypatch.delenv(variable, raising=False)
    first = stack.choose_ports(tmp_path, say=lambda _: None)
    second = stack.choose_ports(tmp_path, say=lambda _: None)
    assert len(set(first.values())) == len(stack.PORTS)
    assert second["practice-imap"] == first["practice-imap"]
    assert second["postgres"] == first["postgres"]


def test_a_port_from_the_environment_wins_and_nonsense_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ports.free()
    monkeypatch.setenv("WEB_PORT", str(wanted))
    assert stack.choose_ports(tmp_path, say=lambda _: None)["web"] == wanted
    monkeypatch.setenv("WEB_PORT", "eighty")
    with pytest.raises(Problem, match="WEB_PORT=eighty is not a port"):
        stack.choose_ports(tmp_path, say=lambda _: None)


def test_the_run_file_is_private_whole_and_written_on_change_only(tmp_path: Path) -> None:
    file = RunFile(tmp_path)
    file.set(pids={"web": 1})
    file.set(inbox="http://127.0.0.1:8000/")
    assert runfile.read(tmp_path) == {"pids": {"web": 1}, "inbox": "http://127.0.0.1:8000/"}
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    written = file.path.stat()
    file.set(pids={"web": 1})
    assert file.path.stat().st_ino == written.st_ino
    assert list(tmp_path.iterdir()) == [file.path], "nothing half-written is left beside it"


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"'])
def test_a_damaged_run_file_reads_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    assert runfile.read(tmp_path) is None


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    first = keys.load_or_make(tmp_path)
    assert keys.load_or_make(tmp_path) == first
    assert stat.S_IMODE((tmp_path / keys.FILE_NAME).stat().st_mode) == 0o600


def test_damaged_keys_are_never_replaced_in_silence(tmp_path: Path) -> None:
    private_json.write(tmp_path / keys.FILE_NAME, {"installation": "0123456789abcdef"})
    with pytest.raises(Problem, match="lacks secret_key"):
        keys.load_or_make(tmp_path)


def test_a_lock_is_held_once_and_can_be_given_back(tmp_path: Path) -> None:
    held = lock.take(tmp_path / "lock")
    assert held is not None
    assert lock.take(tmp_path / "lock") is None
    held.release()
    again = lock.take(tmp_path / "lock")
    assert again is not None
    again.release()


def test_sign_ins_are_found_among_log_lines() -> None:
    content = {"loaded": True, "sign_in": {"agent": {"username": "anna", "password": "practice-anna"}}}
    assert run.sign_ins(f"INFO {{x}} [1]\n{json.dumps(content, indent=2)}\nbye") == content["sign_in"]
    assert run.sign_ins("nothing {of} it") == {}


def test_what_a_shell_holds_does_not_lead_the_product_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere.example/other")
    monkeypatch.setenv("DATABASE_URL_FILE", "/etc/other")
    joined = environment.joined({"DATABASE_URL": "postgres://here"})
    assert joined["DATABASE_URL"] == "postgres://here"
    assert "DATABASE_URL_FILE" not in joined
    assert "DEBUG" not in joined


def test_practice_networks_get_no_key_and_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CONTACTCENTRE_ENCRYPTION_KEYS", "DATABASE_ADMIN_URL"):
        monkeypatch.setenv(name, "a secret of ours")
    both = servers.make(var=tmp_path, home=tmp_path / "postgres", keys=keys.fresh(), postgres_port=1, valkey_port=2)
    chosen = dict.fromkeys(stack.PORTS, 1)
    practice = next(child for child in stack.product(tmp_path, both, chosen).pages if child.name == "practice")
    assert "a secret of ours" not in practice.environment.values()


def test_reset_leaves_a_folder_alone_that_was_never_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(Problem, match="nothing in it was removed"):
        reset.reset(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_reset_of_nothing_is_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys.load_or_make(tmp_path)
    assert reset.reset(tmp_path) == 0
    assert reset.reset(tmp_path) == 0
    assert reset.reset(tmp_path / "not there") == 0
    assert capsys.readouterr().out.count("There is nothing to forget.") == 2
