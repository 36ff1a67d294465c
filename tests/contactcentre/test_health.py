"""The two health answers."""

from __future__ import annotations

import json
import threading
import time

from contactcentre.health import Probe
from tests.contactcentre.conftest import Door, ValkeyServer, wait_until


def test_a_process_whose_services_answer_is_ready(door: Door) -> None:
    assert door.get("/healthz/live")[0] == 200
    status, body, headers = door.get("/healthz/ready")
    assert (status, json.loads(body)["services"]) == (200, {"postgresql": "ok", "valkey": "ok"})
    # Anybody may ask: nothing of accounts, people or queues.
    assert set(json.loads(body)) == {"status", "services", "milliseconds"}
    assert "no-store" in headers["Cache-Control"]


def test_a_frozen_or_dead_valkey_is_said_in_time(own_door: Door, own_valkey: ValkeyServer) -> None:
    own_valkey.freeze()
    began = time.monotonic()
    status, body, _ = own_door.get("/healthz/ready")
    assert status == 503
    assert json.loads(body)["services"]["postgresql"] == "ok"
    assert json.loads(body)["services"]["valkey"] != "ok"
    assert time.monotonic() - began < 5
    own_valkey.thaw()
    wait_until(lambda: own_door.get("/healthz/ready")[0] == 200, "it recovers")
    own_valkey.kill()
    assert own_door.get("/healthz/ready")[0] == 503
    assert own_door.get("/healthz/live")[0] == 200


def test_a_service_that_never_answers_costs_one_thread() -> None:
    release, begun = threading.Event(), []
    probe = Probe(lambda: (begun.append(1), release.wait(30))[0])
    assert [probe.ask(limit_seconds=0.05) for _ in range(5)] == ["silent"] * 5
    assert len(begun) == 1
    release.set()
    wait_until(lambda: probe.ask(limit_seconds=0.05) == "ok", "it is asked anew")


def test_a_problem_is_named_by_its_kind_only() -> None:
    def question() -> None:
        raise ConnectionError("password=hunter2")

    assert Probe(question).ask() == "ConnectionError"
