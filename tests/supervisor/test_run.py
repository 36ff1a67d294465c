"""`run` with real servers: starting, dying, starting again, stopping. In a folder with spaces throughout."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]

from contactcentre.supervisor import runfile
from contactcentre.supervisor.environment import PROJECT
from tests.supervisor.starts import SECONDS, TinyRun, lives, wait_until
from tests.supervisor.tiny_product import SIGN_IN


def test_the_run_file_and_the_page_say_where_to_look_and_a_stop_leaves_nothing(tiny_run: TinyRun) -> None:
    told = tiny_run.started()
    assert told["inbox"] == f"http://127.0.0.1:{tiny_run.web_port}/"
    assert told["practice"] == f"http://127.0.0.1:{tiny_run.practice_port}/"
    assert told["sign_in"] == SIGN_IN
    assert set(told["pids"]) == {"supervisor", "postgres", "valkey", "web", "practice", "worker"}
    assert all(lives(pid) for pid in told["pids"].values())
    assert stat.S_IMODE((tiny_run.var / runfile.FILE_NAME).stat().st_mode) == 0o600
    # The file is there a moment before the page is printed.
    wait_until(lambda: told["inbox"] in tiny_run.written(), what="the printed page")
    written = tiny_run.written()
    for expected in (told["inbox"], told["practice"], "practice-anna", "practice-leo", "practice-ada"):
        assert expected in written
    assert "[web]             listening" in written
    assert "a log line" not in written, "what prepare prints is for us"

    second = tiny_run.start()
    assert second.wait(SECONDS) == 0
    last = tiny_run.written().splitlines()[-1]
    assert f"it already runs (process {told['pids']['supervisor']}): {told['inbox']}" in last

    refused = subprocess.run(
        [sys.executable, "-m", "contactcentre.supervisor", "reset", "--var", str(tiny_run.var)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert refused.returncode == 1
    assert "Nothing was removed: it already runs" in refused.stderr

    first = tiny_run.processes[0]
    first.send_signal(signal.SIGINT)
    assert first.wait(SECONDS) == 0
    assert tiny_run.remaining() == []
    assert not (tiny_run.var / runfile.FILE_NAME).exists()
    assert "Traceback" not in tiny_run.written()


def test_whatever_dies_comes_back_and_the_run_file_knows(tiny_run: TinyRun) -> None:
    before = tiny_run.started()["pids"]
    tiny_run.keep("before")
    victims = ("worker", "postgres", "valkey")
    for name in victims:
        os.kill(before[name], signal.SIGKILL)

    def all_new() -> bool:
        now = (runfile.read(tiny_run.var) or {})["pids"]
        return all(now.get(name, before[name]) != before[name] for name in victims)

    wait_until(all_new, what="new processes")

    def both_answer() -> object:
        with suppress(psycopg2.OperationalError, OSError):
            return tiny_run.value()
        return None

    assert wait_until(both_answer, what="both servers") == ("before", b"before")
    for name in victims:
        assert f"{name} ended (killed by SIGKILL); starting it again in 0.2 s" in tiny_run.written()


def test_a_start_after_everything_was_killed_has_all_data(tiny_run: TinyRun) -> None:
    told = tiny_run.started()
    tiny_run.keep("kept")
    os.kill(told["pids"]["supervisor"], signal.SIGKILL)
    for pid in told["pids"].values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # Still there and now wrong: the next start must not believe it.
    assert runfile.read(tiny_run.var) is not None
    again = tiny_run.started()
    assert again["pids"]["supervisor"] != told["pids"]["supervisor"]
    assert again["inbox"] == told["inbox"]
    assert tiny_run.value() == ("kept", b"kept")


def test_a_stale_lock_file_of_postgres_with_the_id_of_a_living_process_is_seen_through(tiny_run: TinyRun) -> None:
    tiny_run.started()
    tiny_run.keep("kept")
    data = _data_folder(tiny_run)
    lock_file = (data / "postmaster.pid").read_text(encoding="utf-8")
    tiny_run.processes[0].terminate()
    assert tiny_run.processes[0].wait(SECONDS) == 0
    # As after a power cut, when the process id of then is somebody else's today: ours, of all.
    _, *rest = lock_file.splitlines()
    (data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *rest]) + "\n", encoding="utf-8")
    tiny_run.started()
    assert tiny_run.value() == ("kept", b"kept")


def test_a_terminal_that_is_closed_ends_everything_in_order(tiny_run: TinyRun) -> None:
    terminal, ours = os.openpty()
    tiny_run.started(output=ours)
    os.close(ours)
    os.close(terminal)
    process = tiny_run.processes[0]
    process.send_signal(signal.SIGHUP)
    process.wait(SECONDS)
    assert tiny_run.remaining() == []
    assert not (tiny_run.var / runfile.FILE_NAME).exists()


def _data_folder(tiny_run: TinyRun) -> Path:
    connection = psycopg2.connect((runfile.read(tiny_run.var) or {})["database_url"], connect_timeout=5)
    try:
        with connection.cursor() as cursor:
            # Everybody in pg_monitor may read it.
            cursor.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
            return Path(cursor.fetchone()[0])
    finally:
        connection.close()
