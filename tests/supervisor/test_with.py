"""`with`: a command beside servers of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from contactcentre.supervisor.environment import PROJECT
from tests.supervisor.starts import SECONDS, lives, wait_until

ASK_BOTH = """
import json, os, sys, psycopg2, redis
connection = psycopg2.connect(os.environ["DATABASE_URL"])
cursor = connection.cursor()
cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_user,"
               " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)")
told = json.load(open(os.path.join(os.environ["CONTACTCENTRE_VAR"], "run.json")))
print(json.dumps({"database": cursor.fetchone(), "ping": redis.from_url(os.environ["REDIS_URL"]).ping(),
                  "var": os.environ["CONTACTCENTRE_VAR"], "pids": told["pids"]}))
sys.exit(7)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "contactcentre.supervisor", "with", *arguments]


def test_a_command_finds_both_servers_and_its_exit_code_comes_back() -> None:
    done = subprocess.run(
        command("--", sys.executable, "-c", ASK_BOTH),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    told = json.loads(done.stdout)
    # Commits stay synchronous without fsync: they survive the death of the process, which fault tests rely on.
    assert told["database"] == ["off", "on", "contactcentre", False]
    assert told["ping"] is True
    assert not Path(told["var"]).exists(), "nothing of it is left"
    assert not any(lives(pid) for pid in told["pids"].values())


def test_a_killed_server_comes_back_with_what_was_committed(tmp_path: Path) -> None:
    code = """
import json, os, signal, sys, time, psycopg2, redis
def both():
    connection = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=5)
    connection.autocommit = True
    return connection.cursor(), redis.from_url(os.environ["REDIS_URL"], socket_timeout=5)
database, queue = both()
database.execute("CREATE TABLE kept AS SELECT 42 AS value")
queue.rpush("queue", "task")
told = json.load(open(os.path.join(os.environ["CONTACTCENTRE_VAR"], "run.json")))
os.kill(told["pids"]["postgres"], signal.SIGKILL)
os.kill(told["pids"]["valkey"], signal.SIGKILL)
deadline = time.monotonic() + 20
while True:
    try:
        database, queue = both()
        database.execute("SELECT value FROM kept")
        print(database.fetchone()[0], queue.lrange("queue", 0, -1)[0].decode())
        break
    except (psycopg2.OperationalError, redis.RedisError):
        if time.monotonic() > deadline:
            raise
        time.sleep(0.05)
"""
    done = subprocess.run(
        command("--var", str(tmp_path / "a folder"), "--", sys.executable, "-c", code),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout.strip() == "42 task", done.stderr
    assert "postgres ended (killed by SIGKILL); starting it again" in done.stderr
    assert "valkey ended (killed by SIGKILL); starting it again" in done.stderr
    subprocess.run(
        [sys.executable, "-m", "contactcentre.supervisor", "reset", "--var", str(tmp_path / "a folder")],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )


def test_a_killed_start_leaves_no_process_and_the_next_one_clears_its_folder() -> None:
    code = "import os, time; print(os.getpid(), os.environ['CONTACTCENTRE_VAR'], flush=True); time.sleep(300)"
    with subprocess.Popen(
        command("--", sys.executable, "-c", code), cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as start:
        assert start.stdout is not None
        pid, var = start.stdout.readline().strip().split(" ", 1)
        pids = [int(pid), *json.loads((Path(var) / "run.json").read_text(encoding="utf-8"))["pids"].values()]
        start.kill()
    wait_until(lambda: not any(lives(each) for each in pids), what="the end of command and servers")
    assert Path(var).exists()
    subprocess.run(command("--", "true"), cwd=PROJECT, check=True, timeout=SECONDS)
    assert not Path(var).parent.exists()


def test_a_stop_reaches_the_command_first() -> None:
    code = (
        "import signal, sys, time\n"
        "def bye(*_):\n    print('put away', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, bye)\nprint('up', flush=True)\ntime.sleep(300)"
    )
    with subprocess.Popen(
        command("--", sys.executable, "-c", code), cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as start:
        assert start.stdout is not None
        assert start.stdout.readline() == "up\n"
        os.kill(start.pid, signal.SIGTERM)
        assert start.stdout.readline() == "put away\n"
        assert start.wait(SECONDS) == 0
